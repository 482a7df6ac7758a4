# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is expected of a host, against what is known of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.module_utils.options import EXPECTATIONS
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.expectation import NAMES, Expectations, failed, failure
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

SPACE = "//captain.api.mondoo.app/spaces/production"
GOOD = Report(
    form="json",
    registered=True,
    authenticated=True,
    reachable=True,
    space_mrn=SPACE,
    api_status="SERVING",
    api_time="2026-01-15T09:30:00Z",
    update_available=False,
)
SEEN = Seen(
    family="Debian", installed=True, config_path="/etc/opt/mondoo/mondoo.yml", agent=Unit("cnspec", active=True)
)
ALL = Expectations(NAMES, SPACE)


def message(wanted: Expectations, report: Report, seen: Seen = SEEN) -> str:
    return str(failure(wanted, report, seen, diagnose(report, seen)))


def test_the_options_name_the_same_expectations() -> None:
    assert tuple(EXPECTATIONS) == NAMES


def test_a_good_host_satisfies_everything() -> None:
    assert failure(ALL, GOOD, SEEN, diagnose(GOOD, SEEN)) is None


def test_nothing_expected_never_fails() -> None:
    assert failure(Expectations(), Report(), Seen(), diagnose(Report())) is None


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_satisfies_nothing(name: str) -> None:
    assert failed(Expectations((name,)), Report(), Seen()) == (f"{name} is not known",)


def test_a_space_that_is_not_known_is_not_the_expected_one() -> None:
    assert failed(Expectations(space=SPACE), Report()) == (f"the space is not known, not {SPACE}",)


@given(
    st.builds(
        Report,
        registered=st.sampled_from([True, False, None]),
        authenticated=st.sampled_from([True, False, None]),
        reachable=st.sampled_from([True, False, None]),
        update_available=st.sampled_from([True, False, None]),
        skew_seconds=st.sampled_from([None, 0.0, 31.0]),
    ),
    st.sampled_from(NAMES),
)
def test_an_expectation_holds_only_where_the_fact_is_true(report: Report, name: str) -> None:
    holds = not failed(Expectations((name,)), report, Seen())
    if name in ("registered", "authenticated", "reachable"):
        assert holds is (getattr(report, name) is True)
    elif name == "up_to_date":
        assert holds is (report.update_available is False)
    elif name == "clock_in_sync":
        assert holds is (report.skew_seconds == 0.0)
    else:
        assert not holds


def test_the_message_names_each_expectation_with_its_problem_and_its_remedy() -> None:
    report = replace(GOOD, registered=False, authenticated=None, space_mrn=None)
    assert message(Expectations(("registered", "authenticated")), report) == (
        "Cannot confirm what is expected of this host: registered is false, authenticated is not known: "
        "not registered. Register it with mondoo.fleet.mondoo_registration, or run there: "
        "sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml."
    )


def test_a_host_in_another_space_is_told_where_it_is() -> None:
    assert message(Expectations(space="staging"), GOOD) == (
        f"Cannot confirm what is expected of this host: the space is {SPACE}, not staging. "
        "Register it there with mondoo.fleet.mondoo_registration and move: true, or correct expect_space."
    )


def test_a_service_that_does_not_run_is_remedied_by_starting_it() -> None:
    seen = replace(SEEN, agent=Unit("cnspec", active=False))
    assert message(Expectations(("service_running",)), GOOD, seen) == (
        "Cannot confirm what is expected of this host: service_running is false: "
        "the service cnspec is not running. Run there: sudo systemctl enable --now cnspec."
    )


def test_the_message_names_every_problem_with_its_remedy_those_that_explain_it_first() -> None:
    report = replace(GOOD, authenticated=False, skew_seconds=259200.0, update_available=True, version="12.11.0")
    assert message(Expectations(("up_to_date",)), report) == (
        "Cannot confirm what is expected of this host: up_to_date is false: "
        "(1) cnspec 12.11.0 is not the latest (unknown); "
        "(2) its clock is 72 h 0 min behind the platform's; "
        "(3) the platform refuses the service account of this host (request permission unauthenticated). "
        "(1) Run there: sudo apt-get update && sudo apt-get install --only-upgrade cnspec. "
        "(2) Synchronise its clock with a time server (NTP); run there: "
        "sudo apt-get install -y systemd-timesyncd && sudo timedatectl set-ntp true. "
        "(3) Do not register it again before its clock is right; that may be all there is to it."
    )


def test_a_message_is_one_line_and_says_which_health_it_has() -> None:
    report = replace(GOOD, authenticated=False, skew_seconds=259200.0)
    error = failure(ALL, report, SEEN, diagnose(report, SEEN))
    assert error is not None
    assert "\n" not in str(error)
    assert (error.code, error.detail) == ("expectation_failed", {"health": "clock_skew"})


def test_the_id_of_a_space_does_where_the_mrn_does() -> None:
    assert failed(Expectations(space="production"), GOOD, SEEN) == ()
    assert failed(Expectations(space="duction"), GOOD, SEEN) != ()


def test_a_clock_that_cnspec_could_not_check_is_not_in_sync() -> None:
    report = replace(GOOD, warnings=("cannot run clock skew check",))
    assert failed(Expectations(("clock_in_sync",)), report, SEEN) == ("clock_in_sync is not known",)


def test_known_outdated_providers_are_not_up_to_date() -> None:
    report = replace(GOOD, providers_outdated=("os",))
    assert failed(Expectations(("up_to_date",)), report, SEEN) == ("up_to_date is false",)
