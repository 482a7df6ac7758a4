# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the table of states (tests/states) does not tell: one behaviour after another."""

from __future__ import annotations

import os

import pytest

from doubles.lab import Lab

OTHER = "another-space"


def cut_in_half(content: bytes | None) -> bytes:
    """Return a config that ends in the middle of its private key."""
    return (content or b"")[: (content or b"").index(b"private_key") + 90]


def test_settings_that_nobody_mentioned_survive_a_new_registration(lab: Lab) -> None:
    lab.write("custom: on\nnumber: 01234\ntime: 12:30:45\napi_proxy: 'http://proxy.example.com:3128'\n")
    lab.must(token=lab.token())
    assert (lab.content or b"").startswith(
        b"custom: on\nnumber: 01234\ntime: 12:30:45\napi_proxy: 'http://proxy.example.com:3128'\n"
    )


def test_a_world_readable_config_is_closed_without_registering(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.path.chmod(0o644)
    result = lab.must(token=lab.token())
    assert (result["action"], result["changed"]) == ("configure", True)
    assert lab.path.stat().st_mode & 0o777 == 0o600
    assert "# mode 0644\n" in result["diff"]["before"]
    assert lab.registered() == 1


@pytest.mark.parametrize("kind", ["owner", "group"])
def test_an_owner_that_does_not_exist_is_found_before_an_agent_is_made(lab: Lab, kind: str) -> None:
    word = {"owner": "user", "group": "group"}[kind]
    for check in (True, False):
        result = lab.register(check=check, token=lab.token(), **{kind: "nobody-of-this-name"})
        assert result["msg"] == (
            f"Cannot write the config {lab.path}: no such {word}: nobody-of-this-name. "
            f"Make that {word} first, or give another {kind}; nothing was changed."
        )
    assert lab.platform.calls() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another owner")
def test_a_change_of_owner_and_group_is_shown_and_made(lab: Lab) -> None:
    lab.must(token=lab.token())
    checked = lab.register(check=True, owner="12345", group="23456")
    result = lab.must(owner="12345", group="23456")
    assert (result["action"], checked["diff"]) == ("configure", result["diff"])
    assert result["diff"]["before"].startswith("# owner root\n# group root\n")
    assert result["diff"]["after"].startswith("# owner 12345\n# group 23456\n")
    assert (lab.path.stat().st_uid, lab.path.stat().st_gid) == (12345, 23456)
    assert lab.must(owner="12345", group="23456")["changed"] is False


def test_force_registers_anew_each_time_and_lets_go_of_the_old_agent(lab: Lab) -> None:
    first = lab.must(token=lab.token())
    second = lab.must(token=lab.token(), force=True)
    assert second["reason"] == "forced"
    assert second["agent_mrn"] != first["agent_mrn"]
    assert lab.agents == {second["agent_mrn"]}


def test_the_previous_agent_is_kept_and_named_when_asked_for(lab: Lab) -> None:
    first = lab.must(token=lab.token())
    second = lab.must(token=lab.token(), force=True, unregister_previous=False)
    assert second["left_behind"] == [first["agent_mrn"]]
    assert lab.agents == {first["agent_mrn"], second["agent_mrn"]}


def test_a_shared_service_account_survives_when_one_of_its_hosts_moves_away(lab: Lab) -> None:
    shared = lab.platform.create_service_account()
    lab.must(credentials=shared)
    lab.must(token=lab.token(space=OTHER), move=True)
    accounts = {account["mrn"] for account in lab.platform.service_accounts()}
    assert shared["mrn"] in accounts
    assert lab.agents == {lab.config.agent_mrn}


def test_the_agent_of_a_damaged_file_is_let_go_by_the_document_that_stood_in_it(lab: Lab) -> None:
    shared = lab.platform.create_service_account()
    lab.must(credentials=shared)
    lab.write(cut_in_half(lab.content))
    result = lab.must(credentials=shared)
    assert (result["reason"], result["left_behind"]) == ("config_invalid", [])
    assert lab.agents == {result["agent_mrn"]}


def test_a_config_cut_off_anywhere_is_never_taken_for_a_good_one(lab: Lab) -> None:
    lab.must(token=lab.token())
    whole = lab.content or b""
    for length in range(0, len(whole.rstrip()) - 30, 37):
        lab.write(whole[:length])
        result = lab.register(check=True, token=lab.token())
        assert result["action"] == "register", length


def test_other_fields_of_a_document_are_no_secrets_and_leave_the_result_whole(lab: Lab) -> None:
    result = lab.must(credentials={**lab.platform.create_service_account(), "description": "lunalectric"})
    assert result["space_mrn"] == "//captain.api.mondoo.app/spaces/lunalectric-prod"


def test_a_backup_is_kept_only_when_asked_for_and_for_the_owner_only(lab: Lab) -> None:
    lab.must(token=lab.token())
    old = lab.content
    assert [item.name for item in lab.path.parent.iterdir()] == ["mondoo.yml"]
    result = lab.must(token=lab.token(), force=True, backup=True)
    backup = lab.path.parent / result["backup_file"]
    assert backup.read_bytes() == old
    assert backup.stat().st_mode & 0o777 == 0o600


def test_empty_options_strip_nothing(lab: Lab) -> None:
    token = lab.token()
    lab.must(token=token, api_proxy="http://proxy.example.com:3128", annotations={"a": "b"})
    result = lab.must(token=token, api_proxy="", annotations={}, labels="", updates_url=None, unset=[], settings={})
    assert result["changed"] is False
    assert lab.config.text("api_proxy") == "http://proxy.example.com:3128"


def test_unset_removes_what_it_names_in_every_spelling(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.write((lab.content or b"") + b"api-proxy: http://p:1\nscan_interval.timer: 5\nauto-update: false\n")
    lab.must(unset=["api_proxy", "scan_interval", "auto_update"])
    for key in ("api-proxy", "scan_interval.timer", "auto-update"):
        assert lab.config.node(key) is None
    assert lab.must(unset=["api_proxy", "scan_interval", "auto_update"])["changed"] is False
