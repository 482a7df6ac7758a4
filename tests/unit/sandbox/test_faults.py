# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what the caller gets, and whether the platform acted nevertheless."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

import sandbox
from sandbox import Fault, Platform, codec


def registered(platform: Platform, agent: Any) -> Any:
    """Register once more; return the answer, or the name of the error."""
    try:
        return agent.register(platform.mint_token())
    except requests.ConnectionError as exc:
        return str(exc)


@pytest.mark.parametrize(
    ("what", "error"),
    [("reset", "ConnectionResetError(104, 'Connection reset by peer')"), ("hangup", "RemoteDisconnected(")],
)
@pytest.mark.parametrize(("moment", "agents"), [("before", 0), ("after", 1)])
def test_a_connection_can_end_without_an_answer_before_or_after_acting(
    what: str, error: str, moment: str, agents: int, platform: Platform, agent: Any
) -> None:
    platform.fault(method="RegisterAgent", times=1, **{what: moment})
    assert error in registered(platform, agent)
    assert len(platform.agents()) == agents
    (call,) = platform.calls()
    assert (call.outcome, call.status, call.acted, call.host) == ("fault", 0, bool(agents), "web1")
    assert registered(platform, agent).status_code == 200


@pytest.mark.parametrize(
    ("what", "status", "text"),
    [
        ({"status": 503}, 503, '{"code":14,"message":"unavailable"}'),
        ({"status": 409}, 409, '{"code":10,"message":"aborted"}'),
        ({"status": 409, "code": 6, "message": "there"}, 409, '{"code":6,"message":"there"}'),
        ({"status": 401}, 401, '{"code":16,"message":"request permission unauthenticated"}'),
        ({"status": 418}, 418, '{"code":2,"message":"unknown"}'),
        ({"status": 502, "body": "empty"}, 502, ""),
        ({"body": "html"}, 200, "<html><head><title>200<"),
        ({"status": 504, "body": "html"}, 504, "<html><head><title>504<"),
        ({"acts": False}, 200, ""),
        ({"redirect": "http://127.0.0.1:1/"}, 307, ""),
        ({"redirect": "http://127.0.0.1:1/", "status": 302}, 302, '{"code":2,"message":"unknown"}'),
    ],
    ids=str,
)
def test_an_answer_in_place_of_the_platforms_own_means_that_it_did_not_act(
    what: dict[str, Any], status: int, text: str, platform: Platform, agent: Any
) -> None:
    platform.fault(**what)
    answer = registered(platform, agent)
    assert answer.status_code == status
    assert answer.text == text or (text and text.startswith("<html") and answer.text.startswith(text))
    assert answer.headers.get("Location") == what.get("redirect")
    assert platform.agents() == []
    (call,) = platform.calls(outcome="fault")
    assert (call.status, call.acted) == (status, False)


@pytest.mark.parametrize(
    "what", [{"body": "empty"}, {"body": "truncated"}, {"status": 502, "body": "html", "acts": True}], ids=str
)
def test_an_answer_can_be_lost_after_acting(what: dict[str, Any], platform: Platform, agent: Any) -> None:
    platform.fault(**what)
    answer = registered(platform, agent)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert answer.status_code == what.get("status", 200)
    assert len(platform.agents()) == 1
    assert platform.calls()[0].acted


def test_headers_can_be_added_replaced_and_left_out(platform: Platform, agent: Any) -> None:
    platform.fault(status=429, retry_after=7, headers={"Date": None, "Server": "waf", "X-Cache": "miss"})
    headers = agent.call("Health/Check").headers
    assert (headers["Retry-After"], headers["Server"], headers["X-Cache"]) == ("7", "waf", "miss")
    assert "Date" not in headers


def test_a_delay_comes_after_acting_and_before_the_answer(platform: Platform, agent: Any) -> None:
    platform.fault(method="RegisterAgent", delay=5)
    with pytest.raises(requests.ReadTimeout):
        token = platform.mint_token()
        agent.session.post(
            f"{platform.url}/AgentManager/RegisterAgent",
            json={"token": token},
            headers={"Authorization": f"Bearer {token}"},
            timeout=0.3,
        )
    assert [(call.acted, call.outcome, call.status) for call in platform.calls()] == [(True, "ok", 200)]


def test_a_platform_that_stops_does_not_wait_for_its_delays(agent_at: Any) -> None:
    with Platform() as platform:
        platform.fault(delay=30)
        caller = threading.Thread(target=lambda: _quietly(agent_at(platform.url)), daemon=True)
        caller.start()
        while not platform.calls():
            time.sleep(0.01)
        started = time.monotonic()
    caller.join(5)
    assert time.monotonic() - started < 5
    assert not caller.is_alive()


def _quietly(agent: Any) -> None:
    try:
        agent.call("Health/Check")
    except requests.RequestException:
        return


def test_how_many_calls_were_made_at_once_is_counted(platform: Platform, agent_at: Any) -> None:
    platform.fault(delay=0.3)
    callers = [threading.Thread(target=agent_at(platform.url).call, args=("Health/Check",)) for dummy in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert platform.most_at_once("Check") == 3
    assert platform.most_at_once("PingPong") == 0


def test_a_fault_is_for_one_method_and_one_host(platform: Platform, agent: Any) -> None:
    one, two = (agent.register(platform.mint_token(), name).json()["credential"] for name in ("web1", "web2"))
    platform.fault(method="PingPong", host="web1", status=503)
    assert agent.signed("PingPong", one).status_code == 503
    assert agent.signed("PingPong", two).status_code == 200
    assert agent.call("Health/Check").status_code == 200


def test_a_fault_lets_some_calls_pass_and_then_hits_some(platform: Platform, agent: Any) -> None:
    platform.fault(method="Health/Check", status=503, skip=1, times=2)
    assert [agent.call("Health/Check").status_code for dummy in range(5)] == [200, 503, 503, 200, 200]
    assert platform.faults()[0]["used"] == 2


def test_faults_are_taken_back_one_by_one_or_all(platform: Platform, agent: Any) -> None:
    first, second = platform.fault(status=503), platform.fault(status=500)
    platform.clear_faults(first)
    assert [fault["number"] for fault in platform.faults()] == [second]
    assert agent.call("Health/Check").status_code == 500
    platform.clear_faults()
    assert agent.call("Health/Check").status_code == 200


def test_the_answer_of_a_registration_can_name_another_space_and_endpoint(platform: Platform, agent: Any) -> None:
    platform.fault(method="RegisterAgent", answer_space="cellar", answer_endpoint="https://else.example.com")
    credential = registered(platform, agent).json()["credential"]
    assert credential["scope_mrn"] == "//captain.api.mondoo.app/spaces/cellar"
    assert credential["api_endpoint"] == "https://else.example.com"
    # It is the platform that went astray: the account is there, and works.
    assert agent.signed("PingPong", credential).status_code == 200
    assert platform.agents()[0]["space"] == "cellar"


def test_fields_of_an_answer_can_be_replaced_and_left_out(platform: Platform, agent: Any) -> None:
    platform.fault(times=1, answer={"credential": {"certificate": None, "private_key": "none"}, "new": 1})
    answer = registered(platform, agent).json()
    assert answer["new"] == 1
    assert answer["credential"]["private_key"] == "none"
    assert "certificate" not in answer["credential"]
    platform.fault(times=1, answer={"credential": None, "agent_mrn": None})
    assert registered(platform, agent).json() == {}


def test_one_call_can_be_answered_by_a_wrong_clock(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    platform.fault(method="PingPong", clock_offset=-7200, times=1)
    answer = agent.signed("PingPong", document)
    assert (answer.status_code, platform.calls()[0].outcome) == (401, "refused")
    assert agent.signed("PingPong", document).status_code == 200


@pytest.mark.parametrize("what", [{"body": "pdf"}, {"reset": "never"}, {"hangup": "yes"}], ids=str)
def test_a_fault_that_means_nothing_is_not_set(what: dict[str, str], platform: Platform) -> None:
    with pytest.raises(ValueError, match="must be"):
        platform.fault(**what)
    with pytest.raises(TypeError):
        platform.fault(colour="red")
    assert platform.faults() == []


def test_no_fault_spoils_nothing() -> None:
    assert Fault().platform_acts
    assert not Fault(method="PingPong", times=3, delay=1).spoils


def test_the_page_that_explains_faults_has_each_of_their_fields() -> None:
    page = Path(sandbox.__file__).with_name("README.md").read_text()
    table = page[page.index("## Faults") : page.index("## Proxy")]
    first_column = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall("`(.*?)`", first_column)) == {field.name for field in dataclasses.fields(Fault)}


def test_a_platform_can_tell_another_api_version(platform: Platform, agent: Any) -> None:
    platform.fault(method="Check", answer={"apiVersion": "99", "status": "NOT_SERVING", "build": None})
    told = agent.call("Health/Check").json()
    assert (told["apiVersion"], told["status"], "build" in told) == ("99", "NOT_SERVING", False)
    asked = agent.call("Health/Check", headers={"Accept": "application/protobuf"})
    assert codec.decode(codec.PROTOBUF, codec.HEALTH, asked.content)["apiVersion"] == "99"
    assert {call.outcome for call in platform.calls()} == {"fault"}


def test_a_token_without_a_space_is_taken_when_a_fault_names_the_space(platform: Platform, agent: Any) -> None:
    token = platform.mint_token(space=None)
    assert agent.register(token).status_code == 403
    platform.fault(method="RegisterAgent", answer_space="")
    assert agent.register(token).json()["agent_mrn"].startswith("//agents.api.mondoo.app/spaces//agents/")
    assert platform.spaces() == ["lunalectric-prod"]


def test_a_fault_can_be_for_a_share_of_the_calls(platform: Platform, agent: Any) -> None:
    platform.fault(method="Check", status=429, share=0.4)
    platform.fault(method="Check", status=409, share=0.5)
    told = [agent.call("Health/Check").status_code for dummy in range(300)]
    shares = [told.count(status) / len(told) for status in (429, 409, 200)]
    assert [round(share, 1) for share in shares] == [0.4, 0.3, 0.3]


@pytest.mark.parametrize("share", [0, -1, 1.1])
def test_a_share_is_one_of_the_calls(share: float) -> None:
    with pytest.raises(ValueError, match="share must be more than 0 and at most 1"):
        Fault(share=share)
