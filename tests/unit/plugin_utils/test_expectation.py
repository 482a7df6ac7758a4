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
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock
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


def phrases(wanted: Expectations, report: Report, seen: Seen = SEEN) -> tuple[str, ...]:
    return tuple(unmet.phrase for unmet in failed(wanted, report, seen))


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
    assert phrases(Expectations((name,)), Report(), Seen()) == (f"{name} is not known",)


def test_a_space_that_is_not_known_is_not_the_expected_one() -> None:
    assert phrases(Expectations(space=SPACE), Report()) == (f"the space is not known, not {SPACE}",)


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


CANNOT = "Cannot confirm what is expected of this host: "
UNHAPPY = replace(GOOD, authenticated=False, skew_seconds=259200.0, update_available=True, version="12.11.0")
WITH_REMARKS = replace(SEEN, config_mode="0644", shadow="/root/.config/mondoo/mondoo.yml")


def test_the_message_names_every_problem_that_explains_it_with_its_remedy() -> None:
    assert message(Expectations(("authenticated", "clock_in_sync")), UNHAPPY, WITH_REMARKS) == (
        f"{CANNOT}authenticated is false, clock_in_sync is false: "
        "(1) its clock is 72 h 0 min behind the platform's; "
        "(2) the platform refuses the service account of this host (request permission unauthenticated). "
        "(1) Synchronise its clock with a time server (NTP); run there: "
        "sudo apt-get install -y systemd-timesyncd && sudo timedatectl set-ntp true. "
        "(2) Do not register it again before its clock is right; that may be all there is to it."
    )


def test_the_message_says_nothing_of_what_has_nothing_to_do_with_it() -> None:
    assert message(Expectations(("up_to_date",)), UNHAPPY, WITH_REMARKS) == (
        f"{CANNOT}up_to_date is false: cnspec 12.11.0 is not the latest (unknown). "
        "Run there: sudo apt-get update && sudo apt-get install --only-upgrade cnspec."
    )
    assert message(Expectations(space="staging"), UNHAPPY, WITH_REMARKS) == (
        f"{CANNOT}the space is {SPACE}, not staging. "
        "Register it there with mondoo.fleet.mondoo_registration and move: true, or correct expect_space."
    )


def test_an_expectation_that_no_problem_explains_has_a_phrase_and_a_remedy_of_its_own() -> None:
    seen, report = replace(SEEN, agent=None), replace(GOOD, update_available=None)
    assert message(Expectations(("registered", "service_running")), report, seen) == (
        f"{CANNOT}service_running is not known (systemd there knows no service of the agent). "
        "Install cnspec from its package, which has the service, or leave service_running out."
    )
    assert message(Expectations(("up_to_date",)), report, seen) == (
        f"{CANNOT}up_to_date is not known (cnspec does not say which version is the latest). "
        "Let the host reach https://releases.mondoo.com, or leave up_to_date out."
    )
    unchecked = replace(GOOD, warnings=("cannot run clock skew check",))
    assert message(Expectations(("clock_in_sync",)), unchecked) == (
        f"{CANNOT}clock_in_sync is not known (cnspec could not compare it with the platform's). "
        "Compare the clock of the host with a time server (NTP), or leave clock_in_sync out."
    )


def test_what_problems_explain_and_what_they_do_not_stand_in_one_list() -> None:
    report = replace(GOOD, authenticated=False)
    assert message(Expectations(("authenticated",), "staging"), report, WITH_REMARKS) == (
        f"{CANNOT}authenticated is false: "
        "(1) the platform refuses the service account of this host (request permission unauthenticated); "
        f"(2) the space is {SPACE}, not staging. "
        "(1) Register it again with a new token (or correct api_endpoint, if its space is not at "
        "https://us.api.mondoo.com): mondoo.fleet.mondoo_registration, or run there: "
        "sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml. "
        "(2) Register it there with mondoo.fleet.mondoo_registration and move: true, or correct expect_space."
    )


def test_a_service_that_does_not_run_is_told_of_a_host_that_is_not_registered_too() -> None:
    report, seen = (
        replace(GOOD, registered=False, authenticated=None),
        replace(SEEN, agent=Unit("mondoo", active=False)),
    )
    assert message(Expectations(("service_running",)), report, seen) == (
        f"{CANNOT}service_running is false. Run there: sudo systemctl enable --now mondoo."
    )


def test_a_space_that_is_not_known_is_explained_by_what_hides_it() -> None:
    report = replace(GOOD, registered=False, authenticated=None, space_mrn=None, update_available=True)
    assert message(Expectations(space="staging"), report) == (
        f"{CANNOT}the space is not known, not staging: not registered. "
        "Register it with mondoo.fleet.mondoo_registration, or run there: "
        "sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml."
    )


def test_a_clock_that_nobody_could_compare_is_explained_by_the_way_that_is_cut_off() -> None:
    report = replace(GOOD, reachable=False, authenticated=None, ping_failed=True, api_time=None, reason="dns")
    seen = replace(SEEN, clock=Clock(False, False, None))
    assert message(Expectations(("clock_in_sync",)), report, seen) == (
        f"{CANNOT}clock_in_sync is not known: Mondoo Platform is not reached: its name cannot be resolved. "
        "Repair name resolution; run there: getent hosts us.api.mondoo.com."
    )


TRUTH = st.sampled_from([True, False, None])


@given(
    st.builds(
        Report,
        registered=TRUTH,
        authenticated=TRUTH,
        reachable=TRUTH,
        reason=st.sampled_from([None, "dns", "tls", "unauthenticated", "rate_limited", "new reason"]),
        ping_failed=st.booleans(),
        skew_seconds=st.sampled_from([None, 0.0, 31.0]),
        api_time=st.sampled_from([None, "2026-01-15T09:30:00Z"]),
        space_mrn=st.sampled_from([None, SPACE]),
        update_available=TRUTH,
        config_problem=st.sampled_from([None, "missing", "unreadable", "malformed", "invalid"]),
        releases_reason=st.sampled_from([None, "dns"]),
    ),
    st.builds(
        Seen,
        installed=TRUTH,
        timed_out=st.booleans(),
        controller_offset=st.sampled_from([None, 0.0, 3600.0]),
        agent=st.sampled_from([None, Unit("cnspec", active=True), Unit("cnspec", active=False)]),
        shadow=st.just("/root/.config/mondoo/mondoo.yml"),
        config_kind=st.just("file"),
        config_mode=st.just("0644"),
    ),
    st.builds(Expectations, st.sets(st.sampled_from(NAMES)).map(tuple), st.sampled_from([None, "staging"])),
)
def test_every_expectation_that_does_not_hold_is_named_with_a_remedy_and_no_remark_beside_it(
    report: Report, seen: Seen, wanted: Expectations
) -> None:
    unmet = phrases(wanted, report, seen)
    error = failure(wanted, report, seen, diagnose(report, seen))
    assert (error is None) is (unmet == ())
    if error is not None:
        assert all(phrase in error.cause for phrase in unmet)
        assert error.remedy
        assert error.cause.count("(2) ") == error.remedy.count("(2) ")
        assert "0644" not in str(error)
        assert "hides" not in str(error)


def test_a_message_is_one_line_and_says_which_health_it_has() -> None:
    report = replace(GOOD, authenticated=False, skew_seconds=259200.0)
    error = failure(ALL, report, SEEN, diagnose(report, SEEN))
    assert error is not None
    assert "\n" not in str(error)
    assert (error.code, error.detail) == ("expectation_failed", {"health": "clock_skew"})


def test_the_id_of_a_space_does_where_the_mrn_does() -> None:
    assert phrases(Expectations(space="production"), GOOD) == ()
    assert phrases(Expectations(space="duction"), GOOD) != ()


def test_a_clock_that_cnspec_could_not_check_is_not_in_sync() -> None:
    report = replace(GOOD, warnings=("cannot run clock skew check",))
    assert phrases(Expectations(("clock_in_sync",)), report) == ("clock_in_sync is not known",)


def test_known_outdated_providers_are_not_up_to_date() -> None:
    report = replace(GOOD, providers_outdated=("os",))
    assert phrases(Expectations(("up_to_date",)), report) == ("up_to_date is false",)
