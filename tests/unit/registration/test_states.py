# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found, what is asked, and what is then done: each cell is checked, done, done again, and read back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest

from .conftest import Lab

OTHER = "another-space"


@dataclass(frozen=True)
class Cell:
    """One cell of the table: the state found, what is asked, and what has to come of it."""

    found: str
    asked: str
    action: str
    reason: str | None = None
    code: str | None = None


def found_missing(lab: Lab) -> None:
    pass


def found_empty(lab: Lab) -> None:
    lab.write("")


def found_malformed(lab: Lab) -> None:
    lab.write("agent_mrn: [\n")


def found_settings_only(lab: Lab) -> None:
    lab.write("custom: keep me\napi_proxy: http://proxy.example.com:3128\n")


def found_managed(lab: Lab) -> None:
    lab.must(token=lab.token())


def found_cut_in_half(lab: Lab) -> None:
    found_managed(lab)
    content = lab.content or b""
    lab.write(content[: content.index(b"private_key") + 90])


def found_cut_in_certificate(lab: Lab) -> None:
    found_managed(lab)
    lines = (lab.content or b"").splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith(b"certificate"))
    end = next(number for number, line in enumerate(lines) if line.startswith(b"private_key"))
    lab.write(b"".join([*lines[:start], *lines[end:], *lines[start : start + 4]]))


def found_another_certificate(lab: Lab) -> None:
    found_managed(lab)
    content = (lab.content or b"").decode()
    other = lab.platform.create_service_account()["certificate"].strip().replace("\n", "\n  ")
    start, end = content.index("-----BEGIN CERT"), content.index("private_key")
    lab.write(content[:start] + other + "\n" + content[end:])


def found_damaged_under_document(lab: Lab) -> None:
    found_managed_under_document(lab)
    content = lab.content or b""
    lab.write(content[: content.index(b"private_key") + 90])


def found_json(lab: Lab) -> None:
    import json

    lab.write(json.dumps(lab.platform.create_service_account()))


def found_service_account(lab: Lab) -> None:
    lab.must(credentials=document(lab), managed=False)


def found_managed_under_document(lab: Lab) -> None:
    lab.must(credentials=document(lab))


def found_elsewhere(lab: Lab) -> None:
    lab.must(token=lab.token(space=OTHER))


def found_revoked(lab: Lab) -> None:
    found_managed(lab)
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))


def found_revoked_document(lab: Lab) -> None:
    found_managed_under_document(lab)
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))


def found_stale_scope(lab: Lab) -> None:
    found_managed(lab)
    lab.write((lab.content or b"") + b"scope_mrn: //captain.api.mondoo.app/spaces/another-space\n")


def document(lab: Lab) -> dict[str, t.Any]:
    """Return the one document of this lab, made when first asked for."""
    if not hasattr(lab, "document"):
        lab.document = lab.platform.create_service_account()  # type: ignore[attr-defined]
    return t.cast("dict[str, t.Any]", lab.document)  # type: ignore[attr-defined]


FOUND: dict[str, t.Callable[[Lab], None]] = {
    name.removeprefix("found_"): function for name, function in globals().items() if name.startswith("found_")
}
ASKED: dict[str, t.Callable[[Lab], dict[str, t.Any]]] = {
    "token": lambda lab: {"token": lab.token()},
    "credentials": lambda lab: {"credentials": document(lab)},
    "credentials not managed": lambda lab: {"credentials": document(lab), "managed": False},
    "settings": lambda lab: {"annotations": {"Owner": "platform-team", "env": "on"}, "scan_interval": {"timer": 60}},
    "unset": lambda lab: {"unset": ["api_proxy"]},
    "token and move": lambda lab: {"token": lab.token(), "move": True},
    "expired token": lambda lab: {"token": lab.token(lifetime=-60)},
    "another endpoint": lambda lab: {"token": lab.token(), "api_endpoint": "https://eu.api.mondoo.com"},
}
TABLE = [
    Cell("missing", "token", "register", "not_registered"),
    Cell("missing", "credentials", "register", "not_registered"),
    Cell("missing", "credentials not managed", "adopt", "not_registered"),
    Cell("missing", "settings", "fail", code="identity_missing"),
    Cell("missing", "expired token", "fail", code="token_expired"),
    Cell("empty", "token", "register", "not_registered"),
    Cell("empty", "credentials not managed", "adopt", "not_registered"),
    Cell("malformed", "token", "register", "config_invalid"),
    Cell("malformed", "credentials", "register", "config_invalid"),
    Cell("malformed", "settings", "fail", code="identity_missing"),
    Cell("settings_only", "token", "register", "not_registered"),
    Cell("settings_only", "credentials", "register", "not_registered"),
    Cell("managed", "token", "none"),
    Cell("managed", "expired token", "none"),
    Cell("managed", "token and move", "none"),
    Cell("managed", "credentials", "register", "other_service_account"),
    Cell("managed", "credentials not managed", "adopt", "other_service_account"),
    Cell("managed", "settings", "configure"),
    Cell("managed", "unset", "none"),
    Cell("managed", "another endpoint", "fail", code="wrong_endpoint"),
    Cell("cut_in_half", "token", "register", "config_invalid"),
    Cell("cut_in_half", "credentials", "register", "config_invalid"),
    Cell("cut_in_half", "expired token", "fail", code="token_expired"),
    Cell("cut_in_certificate", "token", "register", "config_invalid"),
    Cell("another_certificate", "token", "register", "config_invalid"),
    Cell("damaged_under_document", "credentials", "register", "config_invalid"),
    Cell("json", "token", "none"),
    Cell("json", "credentials", "register", "other_service_account"),
    Cell("json", "settings", "configure"),
    Cell("service_account", "token", "none"),
    Cell("service_account", "credentials", "register", "not_managed"),
    Cell("service_account", "credentials not managed", "none"),
    Cell("managed_under_document", "credentials", "none"),
    Cell("managed_under_document", "credentials not managed", "none"),
    Cell("managed_under_document", "token", "none"),
    Cell("elsewhere", "token", "fail", code="wrong_space"),
    Cell("elsewhere", "credentials", "fail", code="wrong_space"),
    Cell("elsewhere", "token and move", "register", "wrong_space"),
    Cell("elsewhere", "settings", "configure"),
    Cell("revoked", "token", "register", "credentials_rejected"),
    Cell("revoked", "credentials", "register", "other_service_account"),
    Cell("revoked", "expired token", "fail", code="token_expired"),
    Cell("revoked", "settings", "fail", code="identity_missing"),
    Cell("revoked_document", "credentials", "fail", code="credentials_revoked"),
    Cell("revoked_document", "credentials not managed", "fail", code="credentials_revoked"),
    Cell("revoked_document", "token", "register", "credentials_rejected"),
    Cell("stale_scope", "token", "fail", code="wrong_space"),
    Cell("stale_scope", "token and move", "register", "wrong_space"),
]


@pytest.mark.parametrize("cell", TABLE, ids=[f"{cell.found}: {cell.asked}" for cell in TABLE])
def test_each_state_gets_what_the_table_says_once_and_then_nothing(lab: Lab, cell: Cell) -> None:
    FOUND[cell.found](lab)
    asked = ASKED[cell.asked](lab)
    before, agents, made = lab.content, lab.agents, lab.registered()

    checked = lab.register(check=True, **asked)
    assert (lab.content, lab.agents, lab.registered()) == (before, agents, made), "check mode wrote something"
    done = lab.register(**asked)
    assert {name: checked.get(name) for name in ("changed", "action", "reason", "code")} == {
        name: done.get(name) for name in ("changed", "action", "reason", "code")
    }

    if cell.action == "fail":
        assert done["code"] == cell.code, done.get("msg")
        assert (lab.content, lab.agents) == (before, agents)
        return
    assert not done.get("failed"), done.get("msg")
    assert (done["action"], done["reason"]) == (cell.action, cell.reason)
    assert done["changed"] == (cell.action != "none")
    assert lab.registered() - made == (cell.action == "register")
    if cell.action != "none":
        assert lab.path.stat().st_mode & 0o777 == 0o600
    assert done["agent_mrn"] == lab.config.agent_mrn
    orphans = lab.agents - {lab.config.agent_mrn} - set(done["left_behind"])
    assert not orphans, "an agent that no host uses was not named"

    again = lab.register(**asked)
    assert (again["changed"], again["action"], again["verified"]) == (False, "none", True)
    assert lab.registered() - made == (cell.action == "register")


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
    shared = document(lab)
    lab.must(credentials=shared)
    lab.must(token=lab.token(space=OTHER), move=True)
    accounts = {account["mrn"] for account in lab.platform.service_accounts()}
    assert shared["mrn"] in accounts
    assert lab.agents == {lab.config.agent_mrn}


def test_the_agent_of_a_damaged_file_is_let_go_by_the_document_that_stood_in_it(lab: Lab) -> None:
    found_damaged_under_document(lab)
    result = lab.must(credentials=document(lab))
    assert (result["reason"], result["left_behind"]) == ("config_invalid", [])
    assert lab.agents == {result["agent_mrn"]}


def test_a_config_cut_off_anywhere_is_never_taken_for_a_good_one(lab: Lab) -> None:
    found_managed(lab)
    whole = lab.content or b""
    for length in range(0, len(whole.rstrip()) - 30, 37):
        lab.write(whole[:length])
        result = lab.register(check=True, token=lab.token())
        assert result["action"] == "register", length


def test_other_fields_of_a_document_are_no_secrets_and_leave_the_result_whole(lab: Lab) -> None:
    result = lab.must(credentials={**document(lab), "description": "lunalectric"})
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
