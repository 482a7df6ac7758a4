# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter mondoo.fleet.status, and the fact that it and the module share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mondoo.fleet.plugins.filter.status import FilterModule
from ansible_collections.mondoo.fleet.plugins.plugin_utils import fact
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"
status = FilterModule().filters()["status"]

KEYS = {
    "cnspec": "installed path version api_version latest_version update_available providers providers_outdated",
    "config": "path source exists mode api_proxy",
    "platform": "name version hostname ip",
    "api": "endpoint status time version features",
    "registration": "registered authenticated managed space_mrn agent_mrn service_account_mrn",
    "clock": "skew_seconds controller_offset_seconds ntp_enabled ntp_synchronized service",
}


def recorded(name: str) -> tuple[str, str]:
    folder = TRANSCRIPTS / name
    return (folder / "stdout").read_text(encoding="utf-8"), (folder / "stderr").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["12.11.0/status-ok.jsonv", "7.12.1/status-bad-pem.text"])
def test_every_key_is_always_there(name: str) -> None:
    found = status(*recorded(name))
    for part, keys in KEYS.items():
        assert sorted(found[part]) == sorted(keys.split())
    assert set(found) == {*KEYS, "health", "problems", "last_line", "unparsed"}


def test_output_that_came_from_elsewhere_is_read() -> None:
    stdout, stderr = recorded("12.11.0/status-revoked.jsonv")
    found = status(stdout, stderr=stderr, rc=1)
    assert found["health"] == "unauthenticated"
    assert found["registration"]["registered"] is True
    assert found["registration"]["authenticated"] is False
    assert found["cnspec"]["installed"] is True
    assert found["config"]["path"] == "/etc/opt/mondoo/mondoo.yml"
    assert found["config"]["exists"] is None


def test_both_arguments_may_be_left_out_and_the_streams_mixed() -> None:
    stdout, stderr = recorded("12.11.0/status-ok.jsonv")
    assert status(stderr + stdout)["health"] == "ok"


def test_json_that_a_template_made_a_dictionary_of_is_read() -> None:
    stdout, dummy = recorded("12.11.0/status-ok.json")
    assert status(json.loads(stdout))["health"] == "ok"


def test_a_list_of_lines_is_read() -> None:
    dummy, stderr = recorded("12.11.0/status-ok.text")
    assert status(stderr.splitlines(), rc="0")["health"] == "ok"


def test_nothing_is_unknown() -> None:
    assert status("")["health"] == "unknown"
    assert status(None)["cnspec"]["installed"] is None


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        status(12)
    assert str(caught.value) == "Cannot read the output of cnspec status: it is no text. Give stdout or stderr."


def test_what_is_no_exit_code_is_refused() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        status("", rc="one")
    assert str(caught.value) == "Cannot read the exit code: it is no whole number. Give rc or leave it out."


def test_the_password_of_a_proxy_is_masked_in_the_fact() -> None:
    seen = Seen(api_proxy="http://agent:swordfish@proxy.example.com:3128")
    found = fact.build(Report(), diagnose(Report(), seen), seen)
    assert found["config"]["api_proxy"] == "http://agent:***@proxy.example.com:3128"
    assert "swordfish" not in json.dumps(found)
