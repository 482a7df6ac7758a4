# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger says what happened, so that a test can count it."""

from __future__ import annotations

from typing import Any

from sandbox import Platform


def test_a_call_is_written_down_with_who_made_it(platform: Platform, agent: Any) -> None:
    token = platform.mint_token()
    headers = {"X-Request-ID": "try-1", "User-Agent": "fleet/1"}
    made = agent.call("RegisterAgent", {"token": token, "name": "web1"}, f"Bearer {token}", headers=headers).json()
    (call,) = platform.calls()
    assert (call.service, call.method, call.host, call.status) == ("AgentManager", "RegisterAgent", "web1", 200)
    assert (call.outcome, call.acted, call.number) == ("ok", True, 1)
    assert (call.request_id, call.user_agent) == ("try-1", "fleet/1")
    assert (call.agent_mrn, call.service_account_mrn) == (made["agent_mrn"], made["credential"]["mrn"])


def test_a_signed_call_is_of_the_host_whose_service_account_it_is(platform: Platform, agent: Any) -> None:
    made = agent.register(platform.mint_token(), "web1").json()
    agent.signed("PingPong", made["credential"])
    (call,) = platform.calls(method="PingPong")
    assert (call.host, call.agent_mrn, call.acted) == ("web1", made["agent_mrn"], False)


def test_a_call_of_a_service_account_that_hosts_share_is_of_no_host(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    first, second = (agent.signed("RegisterAgent", document, {"name": n}).json() for n in ("web1", "web2"))
    agent.signed("PingPong", document)
    agent.signed("UnRegisterAgent", document, {"mrn": second["agent_mrn"]})
    agent.signed("PingPong", document)
    assert [call.host for call in platform.calls()] == ["web1", "web2", "", "web2", "web1"]
    assert platform.agents()[0]["mrn"] == first["agent_mrn"]


def test_a_refused_call_is_still_of_its_host(platform: Platform, agent: Any) -> None:
    credential = agent.register(platform.mint_token(), "web1").json()["credential"]
    platform.revoke_service_account(credential["mrn"])
    agent.signed("PingPong", credential)
    (call,) = platform.calls(outcome="refused")
    assert (call.method, call.host, call.status) == ("PingPong", "web1", 401)


def test_calls_are_found_by_method_host_outcome_and_number(platform: Platform, agent: Any) -> None:
    for name in ("web1", "web2", "web1"):
        agent.register(platform.mint_token(), name)
    agent.call("Health/Check")
    assert len(platform.calls(method="RegisterAgent", host="web1")) == 2
    assert len(platform.calls(method="Health/Check")) == len(platform.calls(method="Check")) == 1
    assert [call.number for call in platform.calls(since=2)] == [3, 4]
    assert platform.calls(outcome="refused") == []
