# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated states of host, platform and network, told by every version that the stand-in knows, in every form."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse
from sandbox import Platform
from sandbox.recorded_host import SPACE, run_here
from sandbox.stand_in.settings import Settings
from sandbox.stand_in.versions import PROFILES

FORMS = (["-o", "json"], ["-o", "json", "-v"], ["-o", "yaml"], [], ["-v"])
# What the platform, or something in its place, answers: the fault, and whether the platform itself was reached.
CHECKS: dict[str, tuple[dict[str, t.Any] | None, bool]] = {
    "good": (None, True),
    "of another version": ({"answer": {"apiVersion": "99"}}, True),
    "empty": ({"status": 503, "body": "empty"}, False),
    "page": ({"status": 502, "body": "html"}, False),
    "page that is fine": ({"status": 200, "body": "html"}, False),
    "proxy's": ({"status": 407, "body": "html"}, False),
    "cut": ({"reset": "before"}, False),
}
PINGS: dict[str, dict[str, t.Any] | None] = {
    "good": None,
    "empty": {"status": 503, "body": "empty"},
    "page": {"status": 502, "body": "html"},
    "refused by another": {"status": 401, "body": "html"},
    "forbidden": {"status": 403},
    "not found": {"status": 404},
    "too many": {"status": 429},
    "error": {"status": 500},
}


@dataclass(frozen=True)
class State:
    """How a host is, and what is between it and the platform. `clock`: seconds ahead."""

    config: str
    revoked: bool
    clock: float
    check: str
    ping: str
    releases: bool | str
    outdated: bool


STATES = st.builds(
    State,
    config=st.sampled_from(["account", "agent", "missing", "malformed", "half"]),
    revoked=st.booleans(),
    clock=st.sampled_from([0.0, 45.0, -45.0, 259200.0, -259200.0]),
    check=st.sampled_from(sorted(CHECKS)),
    ping=st.sampled_from(sorted(PINGS)),
    releases=st.sampled_from([False, "dns", "refused"]),
    outdated=st.booleans(),
)


@pytest.fixture(scope="module")
def platform() -> t.Iterator[Platform]:
    with Platform() as running:
        yield running


def write_config(path: Path, platform: Platform, state: State) -> None:
    account = platform.create_service_account()
    if state.revoked:
        platform.revoke_service_account(account["mrn"])
    config = {**account, "space_mrn": account["scope_mrn"], "api_endpoint": platform.url}
    if state.config == "agent":
        config["agent_mrn"] = f"//agents.api.mondoo.app/spaces/{SPACE}/agents/{'A' * 27}"
    if state.config == "half":
        del config["private_key"]
    path.unlink(missing_ok=True)
    if state.config != "missing":
        path.write_text(("{" if state.config == "malformed" else "") + yaml.safe_dump(config))


def arrange(platform: Platform, state: State) -> None:
    platform.clear_faults()
    for method, fault in (("Check", CHECKS[state.check][0]), ("PingPong", PINGS[state.ping])):
        if fault is not None:
            platform.fault(method=method, **fault)


def told(version: str, state: State, config: Path, default_endpoint: str) -> list[Report]:
    """Return what this version tells of the state, once for each form, and once more with both streams in one text."""
    told_by = Settings(
        version=version,
        root=str(config.parent),
        clock_offset=state.clock,
        releases_unreachable=state.releases,
        outdated_providers=["os"] if state.outdated else [],
        default_endpoint=default_endpoint,
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(config.parent), "TZ": "UTC"}
    reports = []
    for form in FORMS:
        rc, stdout, stderr = run_here(["status", "--config", str(config), *form], told_by, environment)
        reports += [parse(stdout, stderr, rc), parse(stdout + stderr, rc=rc), parse(stderr + stdout, rc=rc)]
    return reports


def registered(state: State) -> bool | None:
    """Return what is true of the registration; None where a file is damaged, which says nothing of it."""
    return {"account": True, "agent": True, "missing": False}.get(state.config)


@pytest.mark.parametrize("version", PROFILES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=STATES)
def test_no_form_says_the_opposite_of_another_nor_of_the_truth(
    platform: Platform, tmp_path: Path, version: str, state: State
) -> None:
    config = tmp_path / "mondoo.yml"
    write_config(config, platform, state)
    arrange(platform, state)
    reports = told(version, state, config, platform.url)
    for fact in ("registered", "authenticated", "reachable", "managed"):
        assert {True, False} - {getattr(report, fact) for report in reports}, fact
    for fact in ("version", "endpoint", "agent_mrn", "service_account_mrn", "space_mrn", "hostname"):
        assert len({getattr(report, fact) for report in reports} - {None}) <= 1, fact
    for skew in {report.skew_seconds for report in reports} - {None}:
        assert abs(skew + state.clock) < 5  # the platform's clock minus the host's; each form asked anew
    reached = CHECKS[state.check][1]
    accepted = bool(registered(state) and not state.revoked and -120 < state.clock < 60 and state.ping == "good")
    for report in reports:
        assert report.unparsed == ()
        if registered(state) is not None:
            assert report.registered in (registered(state), None)
        assert report.reachable in (reached, None)
        if report.authenticated:
            # What takes the answer of an old client for success wants the platform's own health beside it.
            assert reached
            assert accepted or (registered(state) and state.ping == "empty")
        if report.authenticated is False:
            assert not accepted
            assert state.ping == "good"
        health = diagnose(report).health
        assert health != "ok" or (registered(state) and reached)
        assert health != "unauthenticated" or not accepted
