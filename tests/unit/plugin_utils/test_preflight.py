# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user is told before a fleet is registered."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.preflight import (
    Fleet,
    Health,
    endpoint_to_ask,
    facts,
    question,
    warnings,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.wanted import Wanted, read_wanted

NOW = 1_800_000_000.0
SPACE = "//captain.api.mondoo.app/spaces/lunalectric-prod"
ENDPOINT = "https://eu.api.mondoo.com"
WELL = Health(ENDPOINT, NOW, NOW)
SMALL = Fleet(hosts=3, at_once=3)


def wanted(**claims: Any) -> Wanted:
    """Return what a user wants who gives a token with these claims."""
    body = json.dumps({"space": SPACE, "api_endpoint": ENDPOINT, **claims}).encode()
    return read_wanted({"token": f"e30.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.c2ln"})


def test_a_good_token_and_a_well_platform_are_no_reason_to_say_anything() -> None:
    assert warnings(wanted(exp=NOW + 600), SMALL, WELL, NOW) == []


def test_a_token_that_never_expires_is_enough_for_any_fleet() -> None:
    assert warnings(wanted(), Fleet(1_000_000, 1), WELL, NOW) == []


def test_an_expired_token_is_said_and_that_registered_hosts_need_none() -> None:
    assert warnings(wanted(exp=NOW - 60), SMALL, WELL, NOW) == [
        "Cannot use the registration token: it expired at 2027-01-15 07:59:00 UTC. Make a new registration token in "
        "the console (space, Integrations, or Settings > Registration Token). Hosts that are registered already do not "
        "need it."
    ]


def test_a_malformed_token_is_said_without_being_quoted() -> None:
    assert warnings(read_wanted({"token": "not-a-token"}), SMALL, None, NOW) == [
        "Cannot read the registration token: it has 1 part between dots, not 3. Copy the whole token from the console. "
        "Hosts that are registered already do not need it."
    ]


def test_a_token_that_lives_shorter_than_the_run_is_said_with_both_times() -> None:
    assert warnings(wanted(exp=NOW + 399), Fleet(hosts=1000, at_once=5), WELL, NOW) == [
        "The registration token has 399 s left, and registering 1000 hosts, 5 at once, takes about 400 s. "
        "Make one that lives longer, or raise forks."
    ]


def test_a_token_that_lives_just_as_long_as_the_run_is_enough() -> None:
    assert warnings(wanted(exp=NOW + 400), Fleet(hosts=1000, at_once=5), WELL, NOW) == []


def test_a_platform_that_does_not_serve_is_said() -> None:
    assert warnings(wanted(), SMALL, Health(ENDPOINT, None, NOW), NOW) == [
        "Mondoo Platform at https://eu.api.mondoo.com is not reached from the controller, or is not serving. Until it "
        "is, no host can be registered or verified; the role does not try to verify any in this run, unless it is to "
        "be strict. Check the endpoint, controller_proxy and ca_path."
    ]


@pytest.mark.parametrize(("ahead", "words"), [(259200, "259200 s ahead of"), (-31, "31 s behind")])
def test_a_clock_of_the_controller_that_is_off_is_said(ahead: float, words: str) -> None:
    assert warnings(wanted(), SMALL, Health(ENDPOINT, NOW, NOW + ahead), NOW) == [
        f"The controller's clock is {words} the platform's. Set it right."
    ]


def test_a_clock_that_is_30_seconds_off_is_right_enough() -> None:
    assert warnings(wanted(), SMALL, Health(ENDPOINT, NOW, NOW + 30), NOW) == []


def test_the_platform_is_asked_where_the_token_says() -> None:
    assert endpoint_to_ask(wanted()) == ENDPOINT


def test_the_platform_is_asked_at_the_endpoint_of_the_vendor_when_a_token_names_none() -> None:
    assert endpoint_to_ask(wanted(api_endpoint=None)) == "https://us.api.mondoo.com"


def test_the_platform_is_not_asked_when_nothing_says_where() -> None:
    assert endpoint_to_ask(read_wanted({})) is None
    assert warnings(read_wanted({}), SMALL, None, NOW) == []


def test_what_was_found_is_told_without_the_token() -> None:
    about = wanted(exp=NOW + 600)
    assert facts(about, Fleet(10, 5), WELL) == {
        "api_endpoint": ENDPOINT,
        "platform_serving": True,
        "controller_offset": 0.0,
        "space_mrn": SPACE,
        "token_expires_at": NOW + 600,
        "hosts": 10,
        "seconds_needed": 4,
    }
    assert facts(about, SMALL, None)["platform_serving"] is None


def test_the_same_question_has_the_same_name_and_another_token_another() -> None:
    assert question(wanted(exp=1.0), SMALL) == question(wanted(exp=1.0), SMALL)
    assert question(wanted(exp=1.0), SMALL) != question(wanted(exp=2.0), SMALL)
    assert question(wanted(), SMALL) != question(wanted(), Fleet(4, 3))


@given(hosts=st.integers(0, 10**6), at_once=st.integers(0, 1000))
def test_more_hosts_at_once_never_take_longer(hosts: int, at_once: int) -> None:
    assert Fleet(hosts, at_once + 1).seconds <= Fleet(hosts, at_once).seconds
    assert Fleet(hosts + 1, at_once).seconds >= Fleet(hosts, at_once).seconds
