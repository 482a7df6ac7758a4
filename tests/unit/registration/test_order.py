# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look, plan, RegisterAgent, PingPong, write, let go: whatever fails on the way, nothing is lost."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.interruption import Interrupted
from ansible_collections.mondoo.fleet.plugins.plugin_utils.platform import Platform as Client
from ansible_collections.mondoo.fleet.plugins.plugin_utils.run_folder import RunFolder
from doubles.lab import Lab

OTHER = "another-space"


def test_the_new_identity_is_proved_before_the_file_is_written(lab: Lab) -> None:
    seen: list[list[str]] = []
    lab.host.before_write = lambda: seen.append([call.method for call in lab.platform.calls()])
    lab.must(token=lab.token())
    assert seen == [["RegisterAgent", "PingPong"]]


def test_the_old_agent_is_let_go_last_and_at_its_own_endpoint(lab: Lab) -> None:
    old = lab.must(token=lab.token(space=OTHER))
    seen: list[set[str]] = []
    lab.host.before_write = lambda: seen.append(lab.agents)
    new = lab.must(token=lab.token(), move=True)
    assert seen == [{old["agent_mrn"], new["agent_mrn"]}]
    assert lab.agents == {new["agent_mrn"]}
    assert (new["left_behind"], new["warnings"]) == ([], [])


def test_a_refused_new_identity_is_tried_for_15_seconds_then_removed_again(lab: Lab) -> None:
    lab.must(token=lab.token(space=OTHER))
    before, agents = lab.content, lab.agents
    lab.platform.fault(method="PingPong", status=401, code=16, message="request permission unauthenticated")
    result = lab.register(token=lab.token(), move=True)
    assert result["msg"] == (
        "Cannot prove the new identity: the platform refused it for 15 s. "
        "The host is as it was; look at the platform's state and run again."
    )
    assert 10 <= sum(lab.slept) <= 15
    assert (lab.content, lab.agents) == (before, agents)


def test_a_platform_that_is_busy_is_asked_on_until_the_new_identity_is_proved(lab: Lab) -> None:
    lab.platform.fault(method="PingPong", times=9, status=429)
    result = lab.must(token=lab.token())
    assert (result["verified"], result["warnings"]) == (True, [])
    assert sum(lab.slept) <= 60


def test_an_identity_that_cannot_be_proved_is_written_and_the_old_agent_kept(lab: Lab) -> None:
    old = lab.must(token=lab.token(space=OTHER))
    lab.platform.fault(method="PingPong", status=503, body="html")
    new = lab.must(token=lab.token(), move=True)
    assert new["verified"] is None
    assert new["left_behind"] == [old["agent_mrn"]]
    assert lab.agents == {old["agent_mrn"], new["agent_mrn"]}
    assert set(new["warnings"]) == {
        "The registration is not proved: the platform gave no verdict, it answered 503 with an HTML page.",
        "The previous agent is left behind on the platform: see left_behind in the result.",
    }
    lab.platform.clear_faults()
    assert lab.must(token=lab.token())["verified"] is True


def test_an_identity_that_cannot_be_proved_fails_with_verify_strict(lab: Lab) -> None:
    lab.platform.fault(method="PingPong", status=503, body="html")
    result = lab.register(token=lab.token(), verify="strict")
    assert result["msg"] == (
        "Cannot prove the registration: the platform gave no verdict: it answered 503 with an HTML page. "
        "Run again when the platform can be reached from the controller, or set verify: true."
    )
    assert lab.config.agent_mrn in lab.agents


def test_nobody_is_asked_with_verify_false(lab: Lab) -> None:
    result = lab.must(token=lab.token(), verify=False)
    assert (result["verified"], result["warnings"]) == (None, [])
    assert not lab.platform.calls(method="PingPong")
    assert lab.must(token=lab.token(), verify=False)["changed"] is False


@pytest.mark.parametrize(
    "answer, reason",
    [({"answer_space": OTHER}, "wrong_space"), ({"answer_endpoint": "https://eu.api.mondoo.com"}, "wrong_endpoint")],
)
def test_an_answer_for_somewhere_else_never_reaches_the_host(lab: Lab, answer: dict[str, t.Any], reason: str) -> None:
    lab.platform.fault(method="RegisterAgent", **answer)
    result = lab.register(token=lab.token(), api_endpoint=lab.platform.url)
    assert result["msg"] == (
        f"Cannot register the host: the platform's answer is not what was asked for ({reason}). "
        "The host is as it was; check that token, credentials and api_endpoint belong together."
    )
    assert lab.content is None
    assert lab.agents == set()


def test_a_write_whose_answer_is_lost_counts_when_the_file_has_it(lab: Lab) -> None:
    lab.host.lost = "after"
    result = lab.must(token=lab.token())
    assert lab.config.agent_mrn == result["agent_mrn"]
    assert lab.agents == {result["agent_mrn"]}


def test_a_write_that_was_lost_before_it_was_done_is_undone(lab: Lab) -> None:
    lab.host.lost = "before"
    result = lab.register(token=lab.token())
    assert (
        result["msg"]
        == f"Cannot write the config {lab.path}: the connection was lost. The file is as it was; run again."
    )
    assert (lab.content, lab.agents) == (None, set())


def test_a_write_that_nobody_can_tell_about_unregisters_nothing_and_names_both_agents(lab: Lab) -> None:
    old = lab.must(token=lab.token(space=OTHER))

    def vanish() -> None:
        lab.host.gone = True
        lab.host.lost = "after"

    lab.host.before_write = vanish
    result = lab.register(token=lab.token(), move=True)
    assert result["msg"] == (
        f"Cannot tell whether the config {lab.path} was written: the connection was lost. "
        "Look at the host and run again; the host has one of the agents named in left_behind."
    )
    assert set(result["left_behind"]) == lab.agents
    assert old["agent_mrn"] in lab.agents


@pytest.mark.parametrize(
    ("damage", "asked", "remedy", "named"),
    [
        (b"", "document", "; the host may no longer have the agent named in left_behind", ["old"]),
        (b"x: [\n", "document", "; the host may no longer have the agent named in left_behind", ["unknown"]),
        (b"x: [\n", "token", "; the host has one of the agents named in left_behind", ["new", "unknown"]),
        (b"", "absent", "", ["old"]),
    ],
)
def test_the_agent_that_a_host_may_have_lost_is_named_whatever_was_written(
    lab: Lab, damage: bytes, asked: str, remedy: str, named: list[str]
) -> None:
    old = lab.must(token=lab.token())["agent_mrn"]
    lab.write((lab.content or b"") + damage)
    lab.host.before_write = lambda: setattr(lab.host, "gone", True)
    lab.host.lost = "after"
    options: dict[str, dict[str, t.Any]] = {
        "document": {"credentials": lab.platform.create_service_account(), "managed": False},
        "token": {"token": lab.token()},
        "absent": {"state": "absent", "unregister_previous": False},
    }
    result = lab.register(**options[asked])
    assert result["msg"] == (
        f"Cannot tell whether the config {lab.path} was written: the connection was lost. "
        f"Look at the host and run again{remedy}."
    )
    (new,) = lab.agents - {old} or {""}
    assert result["left_behind"] == [{"old": old, "new": new}.get(name, name) for name in named]


def test_an_interruption_before_the_write_removes_the_new_agent(lab: Lab) -> None:
    def stop() -> None:
        raise Interrupted("SIGTERM")

    lab.host.before_write = stop
    result = lab.register(token=lab.token())
    assert (
        result["msg"] == "Cannot finish the registration: the run was told to stop. The host is as it was; run again."
    )
    assert (lab.content, lab.agents) == (None, set())


class TaskTimeout(BaseException):
    """What the `timeout` keyword of a task raises, as ansible-core 2.19 and later do it."""


def test_an_interruption_after_the_write_leaves_the_host_with_the_agent_that_it_has(lab: Lab) -> None:
    old = lab.must(token=lab.token(space=OTHER))
    call = lab.host.call

    def stopped_after(**requests: t.Any) -> t.Any:
        answer = call(**requests)
        if requests.get("write") is not None:
            raise TaskTimeout
        return answer

    lab.host.call = stopped_after  # type: ignore[method-assign]
    result = lab.must(token=lab.token(), move=True)
    assert lab.config.agent_mrn == result["agent_mrn"]
    assert lab.agents == {result["agent_mrn"]}
    assert old["agent_mrn"] not in lab.agents


def test_an_interruption_of_a_write_that_nobody_can_tell_about_names_both_agents(lab: Lab) -> None:
    old = lab.must(token=lab.token(space=OTHER))

    def stop() -> None:
        lab.host.gone = True
        raise TaskTimeout

    lab.host.before_write = stop
    result = lab.register(token=lab.token(), move=True)
    assert result["code"] == "write_unknown"
    assert set(result["left_behind"]) == lab.agents
    assert old["agent_mrn"] in lab.agents


def test_an_interruption_right_after_the_agent_was_made_removes_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = RunFolder.turn

    @contextlib.contextmanager
    def stopped_after(self: RunFolder, limit: int) -> t.Iterator[None]:
        with turn(self, limit):
            yield
        raise Interrupted("SIGTERM")

    monkeypatch.setattr(RunFolder, "turn", stopped_after)
    result = lab.register(token=lab.token())
    assert result["code"] == "interrupted"
    assert (lab.content, lab.agents, lab.registered()) == (None, set(), 1)


def test_an_interruption_while_the_old_agent_is_let_go_names_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    old = lab.must(token=lab.token(space=OTHER))

    def stop(*dummy: t.Any) -> bool:
        raise TaskTimeout

    monkeypatch.setattr(Client, "unregister", stop)
    result = lab.must(token=lab.token(), move=True)
    assert result["left_behind"] == [old["agent_mrn"]]


def test_a_write_whose_answer_is_lost_and_whose_file_someone_else_changed_is_undone(lab: Lab) -> None:
    lab.write("custom: old\n")
    lab.host.before_write = lambda: lab.write("custom: new\n")
    lab.host.lost = "before"
    result = lab.register(token=lab.token())
    assert result["code"] == "changed_meanwhile"
    assert (lab.content, lab.agents) == (b"custom: new\n", set())


def test_a_new_agent_that_cannot_be_removed_again_is_named(lab: Lab) -> None:
    lab.platform.fault(method="UnRegisterAgent", status=503, body="html")
    lab.host.lost = "before"
    result = lab.register(token=lab.token())
    (orphan,) = lab.agents
    assert result["left_behind"] == [orphan]
    assert result["msg"] == (
        f"Cannot write the config {lab.path}: the connection was lost. The file is as it was; run again. "
        f"The new agent {orphan} could not be removed again; remove it in the console."
    )


@pytest.mark.parametrize("field", ["private_key", "certificate"])
def test_an_answer_with_a_damaged_identity_never_reaches_the_host_and_its_agent_is_named(lab: Lab, field: str) -> None:
    lab.platform.fault(method="RegisterAgent", answer={"credential": {field: "damaged"}})
    result = lab.register(token=lab.token())
    assert result["failed"]
    assert lab.content is None
    assert lab.agents == set(result.get("left_behind", []))


def test_a_registration_that_may_have_been_made_is_not_tried_again_and_is_said(lab: Lab) -> None:
    lab.platform.fault(method="RegisterAgent", hangup="after")
    result = lab.register(token=lab.token())
    (call,) = lab.platform.calls(method="RegisterAgent")
    assert result["msg"] == (
        f"Cannot register the agent: the platform gave no clear answer: the connection was cut, "
        f"after the request with the id {call.request_id} was sent. "
        "An agent of this name may have been made; look for it in the console before running again."
    )
    assert (result["left_behind"], result["api_attempts"]) == (["unknown"], 1)
    assert len(lab.agents) == 1


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 409, "code": 10}, {"status": 503, "retry_after": 1}])
def test_a_platform_that_did_not_act_is_asked_again(lab: Lab, fault: dict[str, t.Any]) -> None:
    lab.platform.fault(method="RegisterAgent", times=2, **fault)
    result = lab.must(token=lab.token())
    assert result["api_attempts"] == 3
    assert lab.registered() == 1


def test_check_mode_calls_the_platform_only_to_ask(lab: Lab) -> None:
    lab.must(token=lab.token(space=OTHER))
    before = len(lab.platform.calls())
    result = lab.register(check=True, token=lab.token(), move=True)
    assert result["agent_mrn"] is None
    assert {call.method for call in lab.platform.calls()[before:]} <= {"PingPong", "Check"}


def test_a_converge_with_nothing_to_do_is_one_call_to_the_host_and_one_to_the_platform(lab: Lab) -> None:
    lab.must(token=lab.token())
    calls, host_calls = len(lab.platform.calls()), lab.host.calls
    assert lab.must(token=lab.token())["changed"] is False
    assert (lab.host.calls - host_calls, len(lab.platform.calls()) - calls) == (1, 1)
