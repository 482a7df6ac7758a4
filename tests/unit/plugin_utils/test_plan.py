# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import Config, edit, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import ServiceAccount
from ansible_collections.mondoo.fleet.plugins.plugin_utils.enrolment import new_identity
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.plan import (
    MOVING,
    Plan,
    found_space,
    make_plan,
    needs_verdict,
    reason_to_register,
    space_of,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.verdict import Verdict
from ansible_collections.mondoo.fleet.plugins.plugin_utils.wanted import Wanted, read_wanted
from doubles.configs import CONFIG_TEXTS, SETTINGS, UNSETTABLE
from doubles.identities import AGENTS, EU, OTHER_SPACE, SPACE, account, agent_mrn, document, registered, token

NOW = 1000.0
ACCEPTED, REJECTED, UNKNOWN, UNASKED = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNKNOWN, Verdict.UNASKED


def of(text: str) -> Config:
    return parse(text.encode())


def plan(found: str, verdict: Verdict = ACCEPTED, **options: t.Any) -> Plan:
    return make_plan(of(found), read_wanted(options), verdict, NOW)


def refusal(found: str, verdict: Verdict = ACCEPTED, **options: t.Any) -> tuple[str, str]:
    with pytest.raises(FleetError) as caught:
        plan(found, verdict, **options)
    return caught.value.code, str(caught.value)


# Reasons


def test_a_well_registered_host_is_left_alone() -> None:
    found = of(registered())
    for verdict in (ACCEPTED, UNKNOWN, UNASKED):
        made = make_plan(found, read_wanted({"token": token()}), verdict, NOW)
        assert (made, made.changes) == (Plan("none", None, found), False)
        assert made.settled is found


@pytest.mark.parametrize("content", ["", "# nothing\n", "name: web\napi_proxy: http://proxy\n"])
def test_a_host_without_identity_is_not_registered(content: str) -> None:
    assert (plan(content, token=token()).action, plan(content, token=token()).reason) == ("register", "not_registered")


@pytest.mark.parametrize(
    "content",
    [
        "a: [cut",
        "\x00",
        "mrn: x\n",
        "private_key: x\n",
        "mrn: x\nprivate_key: no key\n",
        registered()[:400],
    ],
)
def test_a_config_that_cannot_be_used_is_invalid(content: str) -> None:
    assert plan(content, token=token()).reason == "config_invalid"


def test_what_stands_in_an_unreadable_config_is_not_kept_and_in_a_half_one_it_is() -> None:
    assert plan("name: web\na: [cut", token=token()).settled == Config()
    assert plan("name: web\nmrn: x\n", token=token()).settled.text("name") == "web"


def test_rejected_credentials_are_replaced() -> None:
    assert plan(registered(), REJECTED, token=token()).reason == "credentials_rejected"


@pytest.mark.parametrize("verdict", [ACCEPTED, UNKNOWN, UNASKED])
def test_a_host_whose_platform_does_not_say_rejected_is_never_repaired(verdict: Verdict) -> None:
    assert plan(registered(), verdict, token=token()).action == "none"


def test_a_host_in_another_space_is_moved_only_when_asked_to() -> None:
    made = plan(registered(), token=token(space=OTHER_SPACE), move=True)
    assert (made.action, made.reason) == ("register", "wrong_space")
    for verdict in (ACCEPTED, UNKNOWN, UNASKED):
        assert refusal(registered(), verdict, token=token(space=OTHER_SPACE)) == (
            "wrong_space",
            f"Cannot move the host to the space {OTHER_SPACE}: it is registered in the space {SPACE}. "
            "Set move: true to move it, or give the token, credentials and endpoint of where it belongs.",
        )


def test_a_host_at_another_endpoint_is_moved_only_when_asked_to() -> None:
    made = plan(registered(), token=token(), api_endpoint="https://us.api.mondoo.com", move=True)
    assert (made.action, made.reason) == ("register", "wrong_endpoint")
    assert refusal(registered(), token=token(), api_endpoint="us.api.mondoo.com") == (
        "wrong_endpoint",
        "Cannot move the host to https://us.api.mondoo.com: it is registered in https://eu.api.mondoo.com. "
        "Set move: true to move it, or give the token, credentials and endpoint of where it belongs.",
    )


def test_a_rejected_host_in_another_space_is_not_well_registered_and_needs_no_leave_to_move() -> None:
    assert plan(registered(), REJECTED, token=token(space=OTHER_SPACE)).action == "register"


def test_the_endpoint_of_a_token_is_no_reason() -> None:
    assert plan(registered(), token=token(api_endpoint="https://us.api.mondoo.com")).action == "none"


@pytest.mark.parametrize("spelling", ["eu.api.mondoo.com", "HTTPS://EU.API.mondoo.com:443/"])
def test_endpoints_are_compared_normalised(spelling: str) -> None:
    assert plan(registered(), token=token(), api_endpoint=spelling).action == "none"
    assert plan(registered(api_endpoint=spelling), token=token(), api_endpoint=EU).action == "none"


def test_a_config_without_endpoint_is_at_the_default_one() -> None:
    assert plan(registered(api_endpoint=""), token=token(), api_endpoint="https://us.api.mondoo.com").action == "none"


def test_a_host_under_another_service_account_is_registered_anew() -> None:
    assert plan(registered(), credentials=document(1)).reason == "other_service_account"


def test_a_plain_service_account_becomes_an_agent_only_when_it_is_to_be_managed() -> None:
    plain = registered(agent_mrn="")
    assert plan(plain, credentials=document()).reason == "not_managed"
    assert plan(plain, credentials=document(), managed=False).action == "none"
    assert plan(plain, token=token()).action == "none"


def test_force_registers_what_is_well_registered() -> None:
    made = plan(registered(), token=token(), force=True)
    assert (made.action, made.reason) == ("register", "forced")


def test_a_document_that_is_not_managed_is_adopted() -> None:
    made = plan("", credentials=document(), managed=False)
    assert (made.action, made.reason) == ("adopt", "not_registered")


# What an identity is needed for


def test_settings_need_no_identity() -> None:
    made = plan(registered(), api_proxy="http://proxy:3128", unset=["name"])
    assert (made.action, made.reason, made.settled.text("api_proxy")) == ("configure", None, "http://proxy:3128")


def test_a_host_that_is_not_registered_needs_an_identity() -> None:
    assert refusal("", name="web") == (
        "identity_missing",
        "Cannot register the host (not_registered): neither token nor credentials were given. Give one of them.",
    )


def test_a_token_that_cannot_be_read_matters_only_when_it_is_needed() -> None:
    assert plan(registered(), token="canary").action == "none"
    assert refusal("", token="canary") == (
        "token_malformed",
        "Cannot register the host (not_registered): the registration token cannot be used: it has 1 part between "
        "dots, not 3. Copy the whole token from the console.",
    )


def test_an_expired_token_matters_only_when_it_is_needed() -> None:
    assert plan(registered(), token=token(exp=999)).action == "none"
    assert refusal("", token=token(exp=999)) == (
        "token_expired",
        "Cannot register the host (not_registered): the registration token cannot be used: it expired at "
        "1970-01-01 00:16:39 UTC. Make a new registration token in the console (space, Integrations, or Settings > "
        "Registration Token).",
    )


@pytest.mark.parametrize("managed", [True, False])
def test_a_rejected_document_that_the_host_has_already_is_revoked(managed: bool) -> None:
    assert refusal(registered(), REJECTED, credentials=document(), managed=managed) == (
        "credentials_revoked",
        "Cannot register the host (credentials_rejected): the platform rejects the very credentials that were given. "
        "They were revoked or have expired; make new ones in the console.",
    )


def test_a_document_with_a_new_key_of_the_same_account_replaces_a_rejected_one() -> None:
    renewed = {**document(1), "mrn": document(0)["mrn"]}
    assert plan(registered(), REJECTED, credentials=renewed).reason == "credentials_rejected"


# Spaces


@pytest.mark.parametrize(
    ("mrn", "space"),
    [
        (agent_mrn(), SPACE),
        (f"{AGENTS}/serviceaccounts/x", SPACE),
        (SPACE, SPACE),
        ("//x/organizations/y", None),
        ("", None),
        (None, None),
        ("//x/spaces/", None),
    ],
)
def test_an_mrn_names_its_space(mrn: str | None, space: str | None) -> None:
    assert space_of(mrn) == space


def test_a_config_that_names_no_space_is_in_its_agents() -> None:
    assert found_space(of(registered(space_mrn=""))) == SPACE
    assert plan(registered(space_mrn=""), token=token()).action == "none"


# The platform is asked only where its word matters


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"token": "canary"}, True),
        ({}, True),
        ({"force": True}, False),
        ({"credentials": document(1)}, False),
    ],
)
def test_the_platform_is_asked_only_where_the_plan_depends_on_it(options: dict[str, t.Any], asked: bool) -> None:
    assert needs_verdict(of(registered()), read_wanted(options)) is asked


def test_the_platform_is_asked_before_a_move_is_refused() -> None:
    assert needs_verdict(of(registered()), read_wanted({"token": token(space=OTHER_SPACE)}))
    assert not needs_verdict(of(registered()), read_wanted({"token": token(space=OTHER_SPACE), "move": True}))


# Laws


IDENTITIES: st.SearchStrategy[dict[str, t.Any]] = st.sampled_from(
    [
        {},
        {"token": token()},
        {"token": token(api_endpoint=None, exp=None)},
        {"token": token(space=OTHER_SPACE)},
        {"credentials": document(1)},
        {"credentials": document(1), "managed": False},
        {"credentials": {**document(2), "scope_mrn": OTHER_SPACE}},
        {"credentials": {name: document(3)[name] for name in ("mrn", "private_key", "certificate")}, "managed": False},
    ]
)
STATES = st.sampled_from(
    [
        "",
        registered(0),
        registered(1),
        registered(1, agent_mrn=""),
        registered(0, api_endpoint=""),
        registered(0) + "scan_interval: &s {Timer: 5, splay: 07}\nscan_interval.splay: 3\nshown: *s\n",
        registered(0) + "scan_interval: {timer: 5}\n",
        "mrn: x\n",
        "a: [cut",
    ]
)


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    """Make what a user may want, with any identity, settings and permissions."""
    given = draw(SETTINGS)
    known = {name: value for name, value in given.items() if name not in ("log-level", "first", "second", "some-key")}
    free = {name: value for name, value in given.items() if name not in known}
    options = {**draw(IDENTITIES), **known, "settings": free, "force": draw(st.booleans()), "move": draw(st.booleans())}
    if draw(st.booleans()):
        options["api_endpoint"] = draw(st.sampled_from([EU, "us.api.mondoo.com"]))
    names = st.sampled_from([name for name in UNSETTABLE if _may_be_unset(name, {**known, "settings": free})])
    return read_wanted({**options, "unset": draw(st.lists(names, max_size=3, unique=True))})


def _may_be_unset(name: str, options: dict[str, t.Any]) -> bool:
    try:
        return bool(read_wanted({**options, "unset": [name]}).unset)
    except FleetError:
        return False  # it is also given a value


def apply(plan: Plan, wanted: Wanted, found: Config) -> Config:
    """Apply a plan as an enrolment does, with an identity as the platform gives it."""
    if plan.action in ("none", "configure"):
        return plan.settled
    endpoint = wanted.register_endpoint or found.text("api_endpoint") or "https://us.api.mondoo.com"
    if wanted.document is not None:
        agent = None if plan.action == "adopt" else agent_mrn(9)
        return edit(plan.settled, new_identity(agent, wanted.document.account, wanted, endpoint))
    given = account(9)
    made = ServiceAccount(given.mrn, given.private_key, given.certificate, wanted.space_mrn)
    return edit(plan.settled, new_identity(agent_mrn(9), made, wanted, endpoint))


@given(STATES, CONFIG_TEXTS, wishes(), st.sampled_from(list(Verdict)))
@settings(deadline=None, max_examples=150)
def test_a_plan_applied_and_planned_again_is_empty(state: str, extra: str, wanted: Wanted, verdict: Verdict) -> None:
    found = of(state + extra if not extra.startswith("{") else state or extra)
    try:
        plan = make_plan(found, wanted, verdict, NOW)
    except FleetError as error:
        assert error.code in ("identity_missing", "credentials_revoked", *MOVING)
        return
    after = apply(plan, wanted, found)
    assert after.problem is None
    again = make_plan(parse(after.content), replace(wanted, force=False), ACCEPTED, NOW)
    assert (again.action, again.reason) == ("none", None)
    assert again.settled.content == after.content


@given(STATES, wishes())
@settings(deadline=None, max_examples=100)
def test_what_the_platform_says_matters_only_where_it_is_asked(state: str, wanted: Wanted) -> None:
    found = of(state)
    assume(not needs_verdict(found, wanted))
    reasons = {reason_to_register(found, wanted, verdict) for verdict in Verdict}
    assert len({reason is None for reason in reasons}) == 1


@given(STATES, wishes())
@settings(deadline=None, max_examples=100)
def test_only_rejected_credentials_make_a_difference_to_no_answer(state: str, wanted: Wanted) -> None:
    found = of(state)
    reasons = {verdict: reason_to_register(found, wanted, verdict) for verdict in Verdict}
    assert reasons[ACCEPTED] == reasons[UNKNOWN] == reasons[UNASKED] != "credentials_rejected"
    if reasons[REJECTED] != reasons[ACCEPTED]:
        assert (reasons[REJECTED], reasons[ACCEPTED]) in (
            ("credentials_rejected", None),
            ("credentials_rejected", "forced"),
        )
