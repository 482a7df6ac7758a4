# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in as cnspec 13.35.2, which nobody recorded: what its source says, and what the parser makes of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse
from doubles.processes import ENVIRONMENT
from sandbox import Platform
from sandbox.recorded_host import RECORDED_HOST, run_here
from sandbox.stand_in import go_yaml
from sandbox.stand_in.settings import Settings

VERSION = "13.35.2"
HEALTHY = """
  ● Client     registered   ✓ authenticated
  ● Platform   reachable · SERVING   ✓ healthy
  ● Updates    up to date

  ── System ──────────────────────────────────────────────
  │  Host       web01 · 192.0.2.2
  │  Platform   debian 12.11 · x86_64

  ── mql ──────────────────────────────────────────────
  │  Version    13.35.2
  │  API        v13
  │  Config     {config}
  │  Updates    https://releases.mondoo.com

  ── Mondoo Platform ──────────────────────────────────────────────
  │  Endpoint   {endpoint}
  │  Status     SERVING   API v13 ✓ in sync
  │  Time       {time}
  │  Client     {agent}
  │  Account    {account}

  ── Providers ──────────────────────────────────────────────
  │  4 installed · 0 outdated · 4 current
  │
  │  ✓ current  core, mock, recording, sbom

  ✓ all systems healthy

"""
FAILED = """\
  ✗ authentication failed · exit 1 · next steps:
    → cnspec login --token <token>    re-register with a fresh token from Mondoo Platform

"""
NOT_REGISTERED = """\
  ✗ not registered · exit 1 · next steps:
    → cnspec login                    register this client with Mondoo Platform

"""
UNAUTHENTICATED = (True, False, True)


class Cnspec:
    """cnspec 13.35.2 on a host in a folder; `run` holds exit code, stdout and stderr."""

    def __init__(self, root: Path, platform: Platform) -> None:
        self.platform, self.config = platform, root / "etc/opt/mondoo/mondoo.yml"
        self.settings: dict[str, Any] = {"root": str(root), "default_endpoint": platform.url, **RECORDED_HOST}
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(root / "root"), "TZ": "UTC"}

    def __call__(self, *argv: str, **environment: str) -> tuple[int, str, str]:
        settings = Settings(version=VERSION, **self.settings)
        return run_here([*argv, "--config", str(self.config)], settings, {**self.environment, **environment})

    def login(self, *argv: str) -> tuple[int, str, str]:
        return self("login", "--token", self.platform.mint_token(), *argv)

    def report(self, *argv: str, **environment: str) -> Report:
        code, stdout, stderr = self("status", *argv, **environment)
        return parse(stdout, stderr, code)


@pytest.fixture(scope="module")
def lab() -> Iterator[Platform]:
    with Platform() as running:
        yield running


@pytest.fixture
def cnspec(lab: Platform, tmp_path: Path) -> Iterator[Cnspec]:
    yield Cnspec(tmp_path, lab)
    lab.clear_faults()


def sorted_providers(screen: str) -> str:
    """Return a screen with the providers in the order of the alphabet: theirs changes from run to run."""
    return re.sub(r"(?<=✓ current  ).*", lambda found: ", ".join(sorted(found[0].split(", "))), screen)


def facts(report: Report) -> tuple[bool | None, bool | None, bool | None]:
    return report.registered, report.authenticated, report.reachable


def test_the_screen_is_drawn_on_stdout_and_log_lines_go_to_stderr(cnspec: Cnspec) -> None:
    assert cnspec.login()[0] == 0
    code, stdout, stderr = cnspec("status")
    (agent,) = [agent for agent in cnspec.platform.agents() if agent["mrn"] in cnspec.config.read_text()]
    seen = {"agent": agent["mrn"], "account": agent["service_account_mrn"], "config": cnspec.config}
    seen["time"] = re.findall(r"Time       (\S+)", stdout)[0]
    assert (code, sorted_providers(stdout)) == (0, HEALTHY.format(endpoint=cnspec.platform.url, **seen))
    assert stderr.splitlines()[1:] == [f"→ loaded configuration from {cnspec.config} using source --config"]
    report = parse(stdout, stderr, code)
    assert facts(report) == (True, True, True)
    assert (report.form, report.version, report.unparsed) == ("screen", VERSION, ())
    assert (report.agent_mrn, report.config_path) == (agent["mrn"], str(cnspec.config))


def test_json_names_the_file_that_was_loaded_and_asks_for_providers_too(cnspec: Cnspec) -> None:
    cnspec.login()
    code, stdout, stderr = cnspec("status", "-o", "json", "-v")
    assert json.loads(stdout)["client"]["configFile"] == str(cnspec.config)
    assert list(json.loads(stdout)["client"])[-3:] == ["updatesUrl", "providersUrl", "configFile"]
    assert stderr.count("DBG performing request method=GET") == 4
    assert facts(parse(stdout, stderr, code)) == (True, True, True)


def test_yaml_names_the_file_too(cnspec: Cnspec) -> None:
    cnspec.login()
    assert f"\n  configFile: {cnspec.config}\n" in cnspec("status", "-o", "yaml")[1]


def test_a_host_without_configuration_is_not_registered(cnspec: Cnspec) -> None:
    code, stdout, stderr = cnspec("status")
    assert code == 1
    assert "  ● Client     not registered   ✗ action needed\n" in stdout
    assert "  │  Config     defaults — no config file loaded\n" in stdout
    assert "  │  Client     ✗ not registered — run cnspec login\n\n" in stdout
    assert stdout.endswith(NOT_REGISTERED)
    assert facts(parse(stdout, stderr, code)) == (False, None, True)
    assert "configFile" not in cnspec("status", "-o", "json")[1]


def test_the_screen_does_not_say_why_a_revoked_client_failed_and_v_does(cnspec: Cnspec) -> None:
    cnspec.login()
    cnspec.platform.revoke_service_account(go_yaml.read(cnspec.config.read_text())["mrn"])
    code, stdout, stderr = cnspec("status")
    assert (code, stdout.endswith(FAILED), "Unauthenticated" in stdout + stderr) == (1, True, False)
    assert facts(parse(stdout, stderr, code)) == (True, None, True)
    for form in ([], ["-o", "json"], ["-o", "yaml"]):
        assert facts(cnspec.report("-v", *form)) == UNAUTHENTICATED


@pytest.mark.parametrize(
    ("fault", "words", "reason"),
    [
        ({"status": 503, "body": "empty"}, '"503 Service Unavailable" status=503', "empty_answer"),
        ({"status": 502, "body": "empty"}, '"502 Bad Gateway" status=502', "empty_answer"),
        ({"status": 401, "body": "html"}, "<html><head><title>401</title></head>", "foreign_answer"),
    ],
)
def test_an_answer_of_something_in_between_is_no_success_and_no_refusal(
    cnspec: Cnspec, fault: dict[str, Any], words: str, reason: str
) -> None:
    cnspec.login()
    cnspec.platform.fault(method="PingPong", **fault)
    code, stdout, stderr = cnspec("status", "-v")
    assert code == 1
    assert "DBG non-ok http request with non-proto body body=" in stderr
    assert words in stderr
    report = parse(stdout, stderr, code)
    assert (facts(report), report.reason, report.unparsed) == ((True, None, True), reason, ())
    report = cnspec.report("-o", "json", "-v")
    assert (facts(report), report.reason) == ((True, None, True), reason)


def test_a_platform_that_answers_empty_pages_is_unreachable(cnspec: Cnspec) -> None:
    cnspec.login()
    for method in ("Check", "PingPong"):
        cnspec.platform.fault(method=method, status=503, body="empty")
    code, stdout, stderr = cnspec("status")
    assert "  ● Platform   unreachable   ✗ unreachable\n" in stdout
    assert 'x could not check upstream health error="rpc error: code = Unavailable desc = 503 Service Un' in stderr
    assert facts(parse(stdout, stderr, code)) == (True, None, False)
    assert facts(cnspec.report("-o", "json", "-v")) == (True, None, False)


def test_a_login_that_meets_an_empty_page_fails_instead_of_panicking(cnspec: Cnspec) -> None:
    cnspec.platform.fault(method="RegisterAgent", status=503, body="empty")
    code, dummy, stderr = cnspec.login()
    assert code == 1
    words = "failed to log in client: failed to log in client: rpc error: code = Unavailable desc = "
    assert stderr.splitlines()[-1] == f"x {words}503 Service Unavailable"
    assert not cnspec.config.exists()


def test_a_login_that_meets_an_empty_success_still_panics(cnspec: Cnspec) -> None:
    cnspec.platform.fault(method="RegisterAgent", body="empty")
    code, dummy, stderr = cnspec.login()
    assert (code, "panic: runtime error: invalid memory address" in stderr) == (2, True)


def test_an_expired_token_still_ends_with_success(cnspec: Cnspec) -> None:
    code, dummy, stderr = cnspec("login", "--token", cnspec.platform.mint_token(lifetime=-60))
    assert (code, stderr.splitlines()[-1]) == (0, "x The token is expired")


def test_the_flags_of_13_35_are_known_and_persist(cnspec: Cnspec) -> None:
    assert cnspec.login("--auto-update", "false", "--logging-config", "x.yml", "--updates-url", "https://u")[0] == 0
    written = go_yaml.read(cnspec.config.read_text())
    assert (written["auto_update"], written["logging-config"], written["updates_url"]) == (False, "x.yml", "https://u")
    assert "  │  Updates    https://u\n" in cnspec("status")[1]


def test_13_0_does_not_know_them(cnspec: Cnspec) -> None:
    settings = Settings(version="13.0.1", **cnspec.settings)
    assert run_here(["status", "--logging-config", "x"], settings, cnspec.environment)[0] == 1


def test_an_update_and_outdated_providers_are_next_steps(cnspec: Cnspec) -> None:
    cnspec.settings |= {"latest_version": "13.40.0", "outdated_providers": ["mock", "sbom", "core"]}
    cnspec.login()
    code, stdout, stderr = cnspec("status")
    assert "  ● Updates    cnspec 13.35.2 → 13.40.0 · 2 providers outdated\n" in stdout
    assert "  │  Version    13.35.2  →  13.40.0   ⚠ update recommended\n" in stdout
    assert "  │  4 installed · 2 outdated · 2 current\n  │\n  │  PROVIDER          INSTALLED  LATEST\n" in stdout
    assert "  │  mock              13.35.2  →  13.35.2.1\n" in stdout
    assert stdout.endswith(
        "  next steps:\n    → visit https://releases.mondoo.com    upgrade 13.35.2 → 13.40.0\n"
        "    → cnspec providers update         update 2 outdated providers\n\n"
    )
    report = parse(stdout, stderr, code)
    assert (report.latest_version, report.update_available) == ("13.40.0", True)
    assert set(report.providers_outdated or ()) == {"mock", "sbom"}


def test_an_older_release_is_not_told_to_be_newer(cnspec: Cnspec) -> None:
    cnspec.settings["latest_version"] = "13.9.0"
    cnspec.login()
    assert cnspec("status")[1].endswith("\n  ✓ all systems healthy\n\n")


def test_a_registry_that_cannot_be_reached_is_told(cnspec: Cnspec) -> None:
    cnspec.settings["releases_unreachable"] = True
    cnspec.login()
    code, stdout, stderr = cnspec("status")
    assert "  │  4 installed   registry unreachable — provider versions unknown\n" in stdout
    assert "! Failed to get latest version error=" in stderr
    assert "! failed to get provider info error=" in stderr
    assert facts(parse(stdout, stderr, code)) == (True, True, True)


@pytest.mark.parametrize(("told", "words"), [("12", "✓ client ahead"), ("14", "⚠ version mismatch")])
def test_another_version_of_the_api_is_told(cnspec: Cnspec, told: str, words: str) -> None:
    cnspec.login()
    cnspec.platform.fault(method="Check", answer={"apiVersion": told})
    code, stdout, stderr = cnspec("status")
    assert (code, f"  │  Status     SERVING   API v{told} {words}\n" in stdout) == (0, True)
    assert facts(parse(stdout, stderr, code)) == (True, True, True)


def test_a_wrong_clock_is_a_line_under_the_platform(cnspec: Cnspec) -> None:
    cnspec.login()
    cnspec.settings["clock_offset"] = -259200
    code, stdout, stderr = cnspec("status", "-v")
    assert (code, "  │  ⚠ possible clock skew detected: 7" in stdout) == (1, True)
    report = parse(stdout, stderr, code)
    assert facts(report) == UNAUTHENTICATED
    assert report.skew_seconds is not None
    assert abs(report.skew_seconds - 259200) < 60
    assert diagnose(report).health == "clock_skew"


def test_all_calls_together_take_no_longer_than_one_did_before(cnspec: Cnspec) -> None:
    cnspec.login()
    cnspec.settings["http_timeout"] = 0.7
    cnspec.platform.fault(method="Check", delay=1.5, times=1)
    code, stdout, stderr = cnspec("status")
    reason = f'Post \\"{cnspec.platform.url}/Health/Check\\": context deadline exceeded"'
    assert f'x could not check upstream health error="failed to do request: {reason}\n' in stderr
    # 13.0 had 30 s left for the ping, and ended with success.
    assert (code, "✗ authentication failed" in stdout) == (1, True)
    assert facts(parse(stdout, stderr, code)) == (True, None, False)


def test_colours_are_only_where_they_are_wanted(cnspec: Cnspec) -> None:
    cnspec.login()
    plain, painted = cnspec("status")[1], cnspec("status", CLICOLOR_FORCE="1")[1]
    assert "\x1b" not in plain
    assert "\x1b[92m✓ authenticated\x1b[0m" in painted
    without = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert [line.split() for line in sorted_providers(without).splitlines() if "Time" not in line] == [
        line.split() for line in sorted_providers(plain).splitlines() if "Time" not in line
    ]
    assert facts(cnspec.report(CLICOLOR_FORCE="1")) == (True, True, True)


def test_the_command_says_which_version_nobody_recorded() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.cnspec_stand_in", "--help"],
        check=False,
        env={**ENVIRONMENT, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert "which cnspec to behave as (13.35.2: after the source code of 13.35.2, not a recording)" in done.stdout
