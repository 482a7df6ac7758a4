# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens to cnspec on the host: one agent at most, the live file whole, and unknown is never rejected."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import HostLost, ScratchRequest
from ansible_collections.mondoo.fleet.plugins.plugin_utils.interruption import Interrupted
from doubles.host_cnspec import VERSIONS, HostCnspec
from doubles.lab import Lab

from .conftest import nothing_is_left
from .test_method import OTHER, SHOWN

REFUSED = {"status": 401, "code": 16, "message": "request permission unauthenticated"}
JUDGES_TOKENS = ["11.69.1", "13.35.2"]
SEARCH = "An agent of this name may have been made; look for it in the console before running again"


# Those that differ in how they fail: in FTL lines, in plain ones, and with a screen and a health check.
@pytest.fixture(params=["7.12.1", "9.14.0", "13.35.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("version", JUDGES_TOKENS)
def test_a_token_that_is_expired_by_the_hosts_clock_fails_though_login_exits_with_0(lab: Lab, version: str) -> None:
    cnspec = HostCnspec(lab, version, clock_offset=7 * 86400.0)
    lab.write("annotations: {a: b}\n")
    result = cnspec.register(token=lab.token(lifetime=3600))
    assert result["msg"] == (
        "Cannot register the agent: cnspec says that the registration token is expired, by the host's clock. "
        "Make a new one in the console, or set the host's clock right."
    )
    assert (result["code"], result["warnings"], result["api_attempts"]) == ("token_expired", [SHOWN], 1)
    assert (lab.content, lab.registered(), "left_behind" in result) == (b"annotations: {a: b}\n", 0, False)
    nothing_is_left(lab)


def test_a_revoked_token_is_refused(each: HostCnspec) -> None:
    token = each.lab.token()
    each.lab.platform.revoke_token(token)
    result = each.register(token=token)
    assert result["msg"] == (
        "Cannot register the agent: the platform does not accept the registration token "
        "(expired, revoked, or of another platform). Make a new one in the console."
    )
    assert (each.lab.content, each.commands) == (None, ["login"])
    nothing_is_left(each.lab)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_answer_crashes_login_and_may_have_made_an_agent(each: HostCnspec) -> None:
    each.lab.write("annotations: {a: b}\n")
    each.lab.platform.fault(method="RegisterAgent", body="empty", times=1)
    result = each.register(token=each.lab.token())
    cause = "cnspec crashed, as it does when the platform's answer is empty"
    assert result["msg"] == f"Cannot register the agent: {cause}, after cnspec login was started. {SEARCH}."
    assert (result["code"], result["left_behind"], each.lab.registered()) == ("maybe_registered", ["unknown"], 1)
    assert each.lab.content == b"annotations: {a: b}\n"
    nothing_is_left(each.lab)


def test_a_platform_that_is_gone_never_counts_as_a_refusal(each: HostCnspec) -> None:
    each.must(token=each.lab.token())
    before = each.lab.content
    each.lab.platform.fault(reset="before")
    result = each.must(token=each.lab.token())
    assert (result["changed"], result["verified"], each.lab.content) == (False, None, before)
    assert result["warnings"] == [
        "The registration is not proved: the platform gave no verdict, "
        "it is not reached from the host: the connection is cut."
    ]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"status": 401, "body": "html"}, "something on the way answers in its place"),
        ({"status": 503, "body": "empty"}, None),
        ({"status": 200, "body": "html"}, "something on the way answers in its place"),
    ],
)
@pytest.mark.parametrize("version", ["9.14.0", "13.0.1", "13.35.2"])
def test_answers_of_something_in_between_are_unknown(
    lab: Lab, version: str, fault: dict[str, t.Any], cause: str | None
) -> None:
    cnspec = HostCnspec(lab, version)
    cnspec.must(token=lab.token())
    lab.platform.fault(**fault)
    result = cnspec.must(token=lab.token())
    assert (result["changed"], result["verified"]) == (False, None)
    assert cause is None or cause in result["warnings"][0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_clock_of_the_host_registers_nobody_anew(each: HostCnspec) -> None:
    each.must(token=each.lab.token())
    each.settings(clock_offset=3600.0)
    result = each.must(token=each.lab.token())
    assert (result["changed"], result["verified"], each.lab.registered()) == (False, None, 1)
    assert result["warnings"] == [
        "The registration is not proved: the platform gave no verdict, "
        "it refused the identity, but the host's clock is off by more than 30 s."
    ]


def test_a_wrong_clock_of_the_controller_does_not_matter(cnspec: HostCnspec) -> None:
    cnspec.lab.clock_error = -86400.0 * 400
    assert cnspec.must(token=cnspec.lab.token())["verified"] is True
    cnspec.lab.clock_error = 86400.0 * 400
    result = cnspec.must(token=cnspec.lab.token(space=OTHER), move=True)
    assert (result["changed"], result["verified"]) == (True, True)


def test_verify_strict_names_the_host_as_what_has_to_reach_the_platform(cnspec: HostCnspec) -> None:
    cnspec.must(token=cnspec.lab.token())
    cnspec.lab.platform.fault(method="PingPong", status=500)
    result = cnspec.register(verify="strict")
    assert result["msg"] == (
        "Cannot prove the registration: the platform gave no verdict: "
        "it answered the host with an error (server error). "
        "Run again when the platform can be reached from the host, or set verify: true."
    )


def test_a_status_that_hangs_is_ended_and_unknown(cnspec: HostCnspec) -> None:
    cnspec.must(token=cnspec.lab.token())
    cnspec.replace("sleep 60 & sleep 60")
    result = cnspec.must(timeout=1)
    assert result["verified"] is None
    assert result["warnings"] == [
        "The registration is not proved: the platform gave no verdict, cnspec status did not end in time."
    ]


def test_a_login_that_hangs_is_ended_and_may_have_registered(cnspec: HostCnspec) -> None:
    cnspec.replace('"$real" "$@"; rm "$3"; sleep 60')
    result = cnspec.register(token=cnspec.lab.token(), timeout=2)
    cause = "cnspec login did not end in time"
    assert result["msg"] == f"Cannot register the agent: {cause}, after cnspec login was started. {SEARCH}."
    assert (result["left_behind"], cnspec.lab.registered(), cnspec.lab.content) == (["unknown"], 1, None)


def test_a_login_that_hangs_after_its_work_counts_by_what_it_left(cnspec: HostCnspec) -> None:
    cnspec.replace('"$real" "$@"; test "$1" != login || sleep 60')
    result = cnspec.must(token=cnspec.lab.token(), timeout=3)
    assert (result["verified"], cnspec.lab.registered()) == (True, 1)


@pytest.mark.parametrize(("code", "verified"), [(1, True), (2, True), (78, True)])
def test_exit_codes_of_login_decide_nothing(cnspec: HostCnspec, code: int, verified: bool) -> None:
    cnspec.replace(f'"$real" "$@"; ended=$?; test "$1" != login || exit {code}; exit $ended')
    assert cnspec.must(token=cnspec.lab.token())["verified"] is verified


def test_a_command_that_is_no_cnspec_registers_nobody(cnspec: HostCnspec) -> None:
    cnspec.replace("echo 'Error: unknown flag: --config' >&2; exit 1")
    result = cnspec.register(token=cnspec.lab.token())
    assert result["msg"] == (
        "Cannot register the agent: cnspec login does not know its own flags. "
        "Nothing was made; look at what cnspec_path names."
    )


@pytest.mark.parametrize("version", ["7.12.1", "9.14.0", "13.0.1"])
@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 409, "code": 10, "message": "aborted"}])
def test_what_the_platform_had_no_time_for_is_tried_again(lab: Lab, version: str, fault: dict[str, t.Any]) -> None:
    cnspec = HostCnspec(lab, version)
    lab.platform.fault(method="RegisterAgent", times=1, **fault)
    result = cnspec.must(token=lab.token())
    # From 10.1 on cnspec itself repeats what was aborted.
    own = version == "13.0.1" and fault["status"] == 409
    assert (result["api_attempts"], lab.registered()) == (1 if own else 2, 1)


def test_trying_again_ends_with_the_time(cnspec: HostCnspec) -> None:
    cnspec.lab.platform.fault(method="RegisterAgent", status=429)
    result = cnspec.register(token=cnspec.lab.token(), timeout=20, retries=1)
    assert result["msg"] == (
        "Cannot register the agent: the platform had too much to do (ResourceExhausted). "
        "Nothing was made; run again later, or raise timeout."
    )
    assert result["api_attempts"] >= 3
    assert cnspec.commands == ["login"] * result["api_attempts"]
    assert sum(cnspec.lab.slept) < 20


def test_a_platform_that_is_not_reached_says_what_the_way_is(each: HostCnspec) -> None:
    result = each.register(token=each.lab.token(api_endpoint="http://127.0.0.1:9"), api_endpoint="http://127.0.0.1:9")
    assert result["msg"] == (
        "Cannot register the agent: the platform was not reached from the host: the connection is refused. "
        "Nothing was made; check the way from the host to the platform (api_endpoint, api_proxy)."
    )
    assert (result["code"], result["api_attempts"]) == ("unreachable", 5)


def test_an_answer_that_is_lost_may_have_made_an_agent(each: HostCnspec) -> None:
    each.lab.platform.fault(method="RegisterAgent", reset="after")
    result = each.register(token=each.lab.token())
    cause = "the platform did not answer: the connection is cut"
    assert result["msg"] == f"Cannot register the agent: {cause}, after cnspec login was started. {SEARCH}."
    assert (result["left_behind"], each.commands) == (["unknown"], ["login"])


def test_a_new_identity_that_is_refused_is_not_written_and_the_agent_is_named(cnspec: HostCnspec) -> None:
    cnspec.lab.write("annotations: {a: b}\n")
    cnspec.lab.platform.fault(method="PingPong", skip=1, **REFUSED)
    result = cnspec.register(token=cnspec.lab.token())
    (agent,) = cnspec.lab.agents
    # cnspec logout pings first, so it cannot remove what the platform refuses.
    assert result["msg"] == (
        "Cannot prove the new identity: the platform refused it for 15 s. The host is as it was; look at the "
        f"platform's state and run again. The new agent {agent} could not be removed again; remove it in the console."
    )
    assert (result["left_behind"], cnspec.lab.content) == ([agent], b"annotations: {a: b}\n")


def test_a_new_identity_without_a_verdict_is_written(cnspec: HostCnspec) -> None:
    cnspec.lab.platform.fault(method="PingPong", status=503, body="html")
    result = cnspec.must(token=cnspec.lab.token())
    assert (result["verified"], result["changed"]) == (None, True)
    cnspec.lab.platform.clear_faults()
    assert cnspec.must(token=cnspec.lab.token())["verified"] is True


def test_a_lost_race_for_the_file_removes_the_new_agent_again(cnspec: HostCnspec) -> None:
    cnspec.lab.host.before_write = lambda: cnspec.lab.write("someone: else\n")
    result = cnspec.register(token=cnspec.lab.token())
    assert result["code"] == "changed_meanwhile"
    assert (cnspec.lab.agents, cnspec.lab.content) == (set(), b"someone: else\n")


def test_an_agent_in_another_space_than_asked_for_is_removed_again(cnspec: HostCnspec) -> None:
    cnspec.lab.platform.fault(method="RegisterAgent", answer_space=OTHER)
    result = cnspec.register(token=cnspec.lab.token())
    assert (result["code"], cnspec.lab.agents, cnspec.lab.content) == ("answer_differs", set(), None)


def lose(lab: Lab, count: int) -> None:
    """Lose the answers to the next calls that run commands on a copy; they are done."""
    left = [count]

    def lost(scratch: ScratchRequest) -> None:
        if left[0] and scratch.once:
            left[0] -= 1
            raise HostLost("get an answer from the host", "the connection was lost", "Run again", code="host_lost")

    lab.host.after_scratch = lost


def test_a_login_whose_answer_is_lost_is_not_run_again(cnspec: HostCnspec) -> None:
    lose(cnspec.lab, 1)
    result = cnspec.register(token=cnspec.lab.token())
    cause = "the connection to the host was lost"
    assert result["msg"] == f"Cannot register the agent: {cause}, after cnspec login was started. {SEARCH}."
    assert (result["left_behind"], cnspec.lab.registered(), cnspec.commands) == (["unknown"], 1, ["login"])
    nothing_is_left(cnspec.lab)


def test_a_host_that_is_lost_for_good_may_have_registered(cnspec: HostCnspec) -> None:
    cnspec.lab.write("annotations: {a: b}\n")  # what stays for an hour stays in its directory
    lose(cnspec.lab, 2)
    result = cnspec.register(token=cnspec.lab.token())
    cause = "the host gave no answer, the connection was lost"
    assert result["msg"] == f"Cannot register the agent: {cause}, after cnspec login was started. {SEARCH}."
    assert cnspec.lab.registered() == 1


def test_a_run_that_is_stopped_during_login_says_that_there_may_be_an_agent(cnspec: HostCnspec) -> None:
    def stop(scratch: ScratchRequest) -> None:
        if scratch.once:
            raise Interrupted("SIGTERM")

    cnspec.lab.write("annotations: {a: b}\n")
    cnspec.lab.host.after_scratch = stop
    result = cnspec.register(token=cnspec.lab.token())
    assert (result["code"], result["left_behind"]) == ("maybe_registered", ["unknown"])


def test_a_logout_whose_answer_is_lost_is_believed_by_the_status_after_it(each: HostCnspec) -> None:
    each.must(token=each.lab.token())
    each.lab.platform.fault(method="UnRegisterAgent", reset="after", times=1)
    result = each.must(state="absent")
    assert (result["left_behind"], each.lab.agents, each.lab.content) == ([], set(), None)


def test_a_logout_that_does_not_reach_the_platform_is_not_believed(each: HostCnspec) -> None:
    old = each.must(token=each.lab.token(space=OTHER))
    each.lab.platform.fault(method="UnRegisterAgent", status=503)
    result = each.must(token=each.lab.token(), move=True)
    assert result["left_behind"] == [old["agent_mrn"]]
    assert old["agent_mrn"] in each.lab.agents


def test_an_agent_that_is_gone_already_counts_as_unregistered(each: HostCnspec) -> None:
    document = each.lab.platform.create_service_account()
    agent = each.must(credentials=document)["agent_mrn"]
    each.lab.platform.delete_agent(agent)
    result = each.must(state="absent")
    assert (result["left_behind"], each.lab.content) == ([], None)


def test_a_directory_that_cannot_hold_a_copy_fails_before_anything_is_made(
    cnspec: HostCnspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.mondoo.fleet.plugins.module_utils import host_scratch

    def full(path: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(host_scratch, "_write", full)
    result = cnspec.register(token=cnspec.lab.token())
    assert result["msg"] == (
        "Cannot register the agent: the host cannot hold a copy of the config (No space left on device). "
        "Nothing was made; mend that on the host, or set method: api."
    )
    assert (cnspec.commands, result.get("left_behind")) == ([], None)
