# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo reads from the lines of its callback and from the ledger."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from demo.play import Outcome, Play, read_outcomes
from sandbox.ledger import Call

FACT = {
    "health": "unauthenticated",
    "last_line": "client is not registered",
    "problems": [{"code": "unauthenticated", "message": "refused", "fix": "Register it again"}],
}
SUMS = {"ok": 1, "failures": 0, "unreachable": 0, "changed": 0, "skipped": 0, "rescued": 0, "ignored": 0}


def line(state: str, host: str = "web1", action: str = "mondoo.fleet.mondoo_registration", **result: Any) -> str:
    return json.dumps({"host": host, "action": action, "state": state, "result": result})


def end(host: str = "web1", **sums: int) -> str:
    return json.dumps({"host": host, "sums": {**SUMS, **sums}})


def call(method: str, host: str = "web1", acted: bool = False, user_agent: str = "mondoo.fleet") -> Call:
    return Call(1, 0.0, "AgentManager", method, host, "ok", 200, "", "", "", acted, user_agent=user_agent)


def play(outcomes: dict[str, Outcome] | None = None, calls: tuple[Call, ...] = ()) -> Play:
    return Play(0, 1.0, outcomes or {}, {"web1": Counter(cnspec_host=2, setup=1)}, calls)


def test_a_host_that_changed_says_what_it_left_behind() -> None:
    read = read_outcomes([line("ok", changed=True, left_behind=["//agent/1"]), end(changed=1)])
    assert read == {"web1": Outcome(changed=True, left_behind=("//agent/1",))}


def test_a_failure_is_its_message_and_keeps_the_fact() -> None:
    read = read_outcomes([line("failed", msg="Cannot do it: no.", ansible_facts={"mondoo": FACT}), end(failures=1)])
    assert read["web1"] == Outcome(failure="Cannot do it: no.", fact=FACT)
    assert (read["web1"].health, read["web1"].fix) == ("unauthenticated", "Register it again")


def test_a_failure_that_was_rescued_is_none() -> None:
    assert read_outcomes([line("failed", msg="Cannot do it: no."), end(rescued=1)]) == {"web1": Outcome()}


def test_the_results_of_other_hosts_are_not_mixed_in() -> None:
    read = read_outcomes([line("failed", host="web2", msg="no"), line("ok"), end(), end("web2", failures=1)])
    assert (read["web1"].failure, read["web2"].failure) == ("", "no")


def test_a_host_that_the_run_did_not_end_for_is_not_there() -> None:
    assert read_outcomes([line("ok")]) == {}


def test_a_host_without_a_fact_is_not_called_ok() -> None:
    assert (Outcome().health, Outcome().last_line, Outcome().fix) == ("not known", "", "")


def test_only_a_registration_that_acted_counts() -> None:
    calls = (call("RegisterAgent", acted=True), call("RegisterAgent"), call("UnRegisterAgent", acted=True))
    assert play(calls=calls).registered() == Counter(web1=1)


def test_calls_of_the_collection_and_of_cnspec_are_told_apart() -> None:
    ours, theirs = call("PingPong"), call("PingPong", user_agent="PN/linux build/lab cnquery/12.11.0")
    both = play(calls=(ours, theirs))
    assert (both.by_collection(), both.by_cnspec()) == ([ours], [theirs])


def test_round_trips_are_those_of_the_collections_own_module() -> None:
    assert play().hands() == [2]


def test_hosts_that_changed_or_failed_are_named() -> None:
    run = play({"web1": Outcome(changed=True), "web2": Outcome(failure="no", left_behind=("//agent/1",))})
    assert (run.changed, run.failed, run.left_behind) == (["web1"], ["web2"], {"web2": ("//agent/1",)})
