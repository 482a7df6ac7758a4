# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done to the agent's service, for each way in which it may be found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.service_plan import Found, ServicePlan, plan
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

RUNNING = Unit("cnspec", active=True, enabled=True, started=1.0, state="active")
STOPPED = Unit("cnspec", active=False, enabled=True, state="inactive")
FRESH = replace(STOPPED, enabled=False)
FAILED = replace(STOPPED, state="failed")
ABOUT_TO_START = replace(STOPPED, state="activating")
MASKED = Unit("cnspec", active=False, enabled=False, state="masked")

NEWER = "The agent is restarted: its configuration was written after it started."
UNITS = st.none() | st.builds(
    Unit,
    name=st.sampled_from(["cnspec", "mondoo"]),
    active=st.sampled_from([True, False, None]),
    enabled=st.sampled_from([True, False, None]),
    state=st.sampled_from(["active", "inactive", "failed", "activating", "deactivating", "masked", None]),
)
FOUND = st.builds(Found, st.sampled_from(["systemd", ""]), UNITS, st.booleans(), st.booleans())


def found(unit: Unit | None, *, configured: bool = True, outdated: bool = False) -> Found:
    return Found("systemd", unit, configured, outdated)


def test_an_agent_that_runs_and_is_enabled_is_left_alone_and_restarted_when_its_configuration_changes() -> None:
    planned = plan("present", found(RUNNING))
    assert planned == ServicePlan(restartable=True)
    assert planned.todo is False


def test_a_fresh_service_is_enabled_and_started() -> None:
    assert plan("present", found(FRESH)) == ServicePlan(enable=True, start="now")


def test_a_fresh_service_without_a_configuration_is_enabled_and_starts_once_the_host_is_registered() -> None:
    assert plan("present", found(FRESH, configured=False)) == ServicePlan(enable=True, start="registered")


def test_an_enabled_service_without_a_configuration_is_nothing_to_do_on_every_run() -> None:
    assert plan("present", found(STOPPED, configured=False)).todo is False


def test_an_agent_that_was_stopped_is_started() -> None:
    assert plan("present", found(STOPPED)) == ServicePlan(start="now")


def test_an_agent_that_runs_but_is_not_enabled_is_only_enabled() -> None:
    assert plan("present", found(replace(RUNNING, enabled=False))) == ServicePlan(enable=True, restartable=True)


def test_an_agent_that_started_before_its_configuration_was_written_is_restarted() -> None:
    assert plan("present", found(RUNNING, outdated=True)) == ServicePlan(restartable=True, restart=NEWER)


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        (FAILED, "The agent is restarted: it has failed."),
        (ABOUT_TO_START, "The agent is restarted: it ended, and systemd is about to start it."),
    ],
)
def test_an_agent_in_trouble_is_restarted_rather_than_started(unit: Unit, why: str) -> None:
    assert plan("present", found(unit)) == ServicePlan(restartable=True, restart=why)


def test_a_masked_service_is_a_problem_with_its_remedy() -> None:
    assert plan("present", found(MASKED)) == ServicePlan(
        problem="Cannot start the agent: its service cnspec is masked. "
        "Run there: sudo systemctl unmask cnspec; or set cnspec_service: false."
    )


def test_an_agent_without_a_service_is_a_problem_that_names_the_switch() -> None:
    assert plan("present", found(None)) == ServicePlan(
        problem="Cannot start the agent: systemd there knows no service of it, which comes with the package of cnspec. "
        "Let the step install run, or set cnspec_service: false."
    )


def test_a_host_without_systemd_is_left_alone_and_says_so() -> None:
    for unit in (None, RUNNING):
        assert plan("present", Found("", unit, configured=True)) == ServicePlan(
            left_alone="The service of the agent is left alone: this host does not run systemd."
        )


def test_an_agent_of_a_host_that_is_taken_off_restarts_if_it_runs_so_that_it_forgets_its_identity() -> None:
    assert plan("absent", found(RUNNING)) == ServicePlan(restartable=True)
    assert plan("absent", found(RUNNING, outdated=True)) == ServicePlan(restartable=True, restart=NEWER)


@pytest.mark.parametrize("unit", [FRESH, STOPPED, FAILED, ABOUT_TO_START, MASKED, None])
def test_an_agent_of_a_host_that_is_taken_off_and_does_not_run_is_left_as_it_is(unit: Unit | None) -> None:
    assert plan("absent", found(unit, outdated=True)) == ServicePlan()


@given(FOUND, st.sampled_from(["present", "absent"]))
def test_a_service_is_never_both_started_and_restarted_and_a_problem_stands_alone(seen: Found, state: str) -> None:
    planned = plan(state, seen)
    assert not (planned.start and (planned.restart or planned.restartable))
    assert not planned.restart or planned.restartable
    if planned.problem or planned.left_alone:
        assert planned in (ServicePlan(problem=planned.problem), ServicePlan(left_alone=planned.left_alone))


@given(FOUND)
def test_what_was_done_leaves_nothing_to_do(seen: Found) -> None:
    planned = plan("present", seen)
    if seen.unit is None or planned.problem or planned.left_alone:
        return
    runs = bool(seen.unit.active) or planned.start == "now" or bool(planned.restart)
    after = replace(seen.unit, active=runs, enabled=True, state="active" if runs else "inactive")
    assert plan("present", replace(seen, unit=after, outdated=False)).todo is False
