# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controls are the same in this process and over HTTP."""

from __future__ import annotations

import inspect
import time
from typing import Any

import pytest
import requests

from sandbox import Platform, Remote
from sandbox.controls import Controls
from sandbox.remote import ControlFailed


def controls() -> list[str]:
    public = [name for name in vars(Controls) if not name.startswith("_")]
    return [name for name in public if name not in ("control", "clock_offset", "judge_signatures_by_offset")]


def test_what_is_done_over_http_is_seen_in_the_process_and_the_other_way_round(platform: Platform, agent: Any) -> None:
    remote = Remote(platform.url)
    assert agent.register(remote.mint_token(space="kitchen", desc="far away"), "web1").status_code == 200
    assert remote.agents() == platform.agents()
    assert remote.calls(method="RegisterAgent") == platform.calls(method="RegisterAgent")
    assert remote.service_accounts() == platform.service_accounts()
    assert remote.tokens() == platform.tokens()
    assert remote.spaces() == platform.spaces() == ["lunalectric-prod", "kitchen"]
    remote.clock_offset = 60
    remote.judge_signatures_by_offset = False
    assert (platform.clock_offset, platform.judge_signatures_by_offset) == (60, False)
    number = remote.fault(method="PingPong", host="web1", reset="before", headers={"Date": None})
    assert platform.faults() == remote.faults()
    remote.clear_faults(number)
    assert platform.faults() == []


def test_every_method_of_a_platform_is_one_of_a_remote() -> None:
    for name in controls():
        assert getattr(Platform, name) is getattr(Remote, name)
        assert inspect.getdoc(getattr(Controls, name))


def test_a_credentials_document_made_over_http_signs(platform: Platform, agent: Any) -> None:
    remote = Remote(platform.url)
    document = remote.create_service_account(space="kitchen", name="image", valid_until="2040-01-01T00:00:00Z")
    assert agent.signed("PingPong", document).status_code == 200
    remote.revoke_service_account(document["mrn"])
    assert agent.signed("PingPong", document).status_code == 401


@pytest.mark.parametrize(
    ("control", "arguments", "message"),
    [
        ("delete_agent", {"mrn": "none"}, "Cannot run delete_agent: KeyError: 'none'."),
        ("fault", {"body": "pdf"}, "Cannot run fault: ValueError: body must be one of status, html, empty, truncated."),
    ],
)
def test_a_control_that_fails_says_why(
    control: str, arguments: dict[str, str], message: str, platform: Platform
) -> None:
    with pytest.raises(ControlFailed) as caught:
        Remote(platform.url).control(control, **arguments)
    assert str(caught.value) == message


def test_the_ledger_is_read_with_a_plain_get(platform: Platform, agent: Any) -> None:
    agent.call("Health/Check")
    answer = requests.get(f"{platform.url}/sandbox/calls?method=Check&since=0", timeout=10)
    assert [call["method"] for call in answer.json()["result"]] == ["Check"]


def test_nothing_is_changed_by_a_get(platform: Platform) -> None:
    answer = requests.get(f"{platform.url}/sandbox/mint_token", timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "ValueError: this takes a POST"})
    assert platform.tokens() == []


def test_a_control_that_is_not_there_is_named(platform: Platform) -> None:
    answer = requests.post(f"{platform.url}/sandbox/explode", timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("no control 'explode'; there are add_space, agents, break_connections")


def test_a_kept_alive_connection_is_fast(platform: Platform, agent: Any) -> None:
    agent.call("Health/Check")
    started = time.monotonic()
    assert {agent.call("Health/Check").status_code for dummy in range(50)} == {200}
    # A delayed acknowledgement would cost 40 ms for each call.
    assert time.monotonic() - started < 1


def test_a_token_is_minted_with_a_plain_post(platform: Platform, agent: Any) -> None:
    token = requests.post(f"{platform.url}/sandbox/mint_token", timeout=10).json()["result"]
    assert agent.register(token).json()["credential"]["scope_mrn"].endswith("/spaces/lunalectric-prod")
