# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger says what happened, so that a test can count it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import Platform, Remote


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


def test_each_agent_and_service_account_tells_which_host_uses_it(
    platform: Platform, agent: Any, tmp_path: Path
) -> None:
    made = {name: agent.register(platform.mint_token(), name).json() for name in ("web1", "web2", "lost")}
    shared = platform.create_service_account(name="images")
    ci = agent.signed("RegisterAgent", shared, {"name": "ci"}).json()
    configs = {
        "web1/etc/opt/mondoo/mondoo.yml": f"agent_mrn: {made['web1']['agent_mrn']}\n"
        f"mrn: {made['web1']['credential']['mrn']}\n",
        "web2/etc/opt/mondoo/mondoo.yml": f'Agent_MRN: "{made["web2"]["agent_mrn"]}"\ncertificate: |\n  -----BEG',
        "ci/home/.config/mondoo/mondoo.yml": json.dumps({"mrn": shared["mrn"], "agent_mrn": ci["agent_mrn"]}),
        "old/etc/opt/mondoo/mondoo.yml": f"# agent_mrn: {made['lost']['agent_mrn']}\nscope_mrn: //captain/x\n",
    }
    for name, text in configs.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    used = {item["name"]: item["used_by"] for item in platform.agents(configs=tmp_path)}
    files = {host: [str(path) for path in (tmp_path / host).rglob("mondoo.yml")] for host in ("web1", "web2", "ci")}
    assert used == {**files, "lost": []}
    assert [orphan["name"] for orphan in platform.orphans(tmp_path)] == ["lost"]
    only = [tmp_path / "web1", tmp_path / "web2/etc/opt/mondoo/mondoo.yml"]
    assert [orphan["name"] for orphan in platform.orphans(only)] == ["lost", "ci"]
    accounts = {account["name"]: account["used_by"] for account in platform.service_accounts(configs=str(tmp_path))}
    assert accounts == {"web1": files["web1"], "web2": [], "lost": [], "images": files["ci"]}


def test_orphans_are_asked_for_over_http_and_from_another_process(
    platform: Platform, agent: Any, tmp_path: Path
) -> None:
    mrn = agent.register(platform.mint_token()).json()["agent_mrn"]
    asked = requests.get(f"{platform.url}/sandbox/orphans", params={"configs": str(tmp_path)}, timeout=10)
    assert [orphan["mrn"] for orphan in asked.json()["result"]] == [mrn]
    assert [orphan["mrn"] for orphan in Remote(platform.url).orphans(tmp_path)] == [mrn]
    (tmp_path / "mondoo.yml").write_text(f"agent_mrn: {mrn}\n")
    assert Remote(platform.url).orphans([tmp_path]) == []


def test_a_host_that_is_not_there_makes_no_orphans(platform: Platform, agent: Any, tmp_path: Path) -> None:
    agent.register(platform.mint_token())
    with pytest.raises(ValueError, match=f"^there is no {tmp_path}/web1$"):
        platform.orphans(tmp_path / "web1")
    asked = requests.get(f"{platform.url}/sandbox/orphans", params={"configs": "/no/such"}, timeout=10)
    assert (asked.status_code, asked.json()) == (400, {"error": "ValueError: there is no /no/such"})


def test_nobody_makes_no_orphans_by_naming_no_host(platform: Platform) -> None:
    with pytest.raises(ValueError, match=r"^name the configurations of the hosts$"):
        platform.orphans([])
