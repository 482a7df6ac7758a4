# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is taken off: first on the platform, then in its file, and never one without the other by mistake."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mondoo.fleet.plugins.module_utils import host_config
from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem
from ansible_collections.mondoo.fleet.plugins.plugin_utils.interruption import Interrupted
from doubles.lab import Lab

NO_VERDICT = (
    "Cannot unregister the agent: the platform gave no verdict: it answered 503 with an empty body. "
    "The config is as it was; run again when the platform can be reached, "
    "or set unregister_previous: false to leave the agent there."
)
UNREGISTERED_ONLY = "The agent is unregistered already; run again to remove what is left in the config."


def absent(lab: Lab, **given: t.Any) -> dict[str, t.Any]:
    """Check, do, and do again: check mode says what comes and does nothing, the second time there is nothing to do."""
    before, agents = lab.content, lab.agents
    checked = lab.register(check=True, state="absent", **given)
    assert (lab.content, lab.agents) == (before, agents), "check mode did something"
    result = lab.must(state="absent", **given)
    same = ("changed", "action", "agent_mrn", "left_behind", "warnings", "diff")
    assert {name: checked.get(name) for name in same} == {name: result.get(name) for name in same}
    calls = len(lab.platform.calls())
    again = lab.must(state="absent", **given)
    assert (again["changed"], again["action"], again["left_behind"]) == (False, "none", [])
    assert len(lab.platform.calls()) == calls, "a host that is absent asks the platform nothing"
    return result


def test_an_agent_is_unregistered_and_the_file_that_held_nothing_else_is_gone(lab: Lab) -> None:
    lab.must(token=lab.token())
    result = absent(lab)
    assert (result["action"], result["reason"], result["agent_mrn"], result["left_behind"]) == (
        "unregister",
        None,
        None,
        [],
    )
    assert result["warnings"] == []
    assert (lab.content, lab.agents) == (None, set())
    assert "private_key: (hidden)" in result["diff"]["before"]
    assert result["diff"]["after"] == ""


def test_settings_stay_with_their_text_tag_and_mode(lab: Lab) -> None:
    lab.write("custom: on\nnumber: 01234\napi_proxy: 'http://proxy.example.com:3128'\n")
    lab.must(token=lab.token(), mode="0640")
    absent(lab)
    assert lab.content == b"custom: on\nnumber: 01234\napi_proxy: 'http://proxy.example.com:3128'\n"
    assert lab.path.stat().st_mode & 0o777 == 0o640
    assert lab.agents == set()


def test_without_keep_settings_the_file_goes_whole(lab: Lab) -> None:
    lab.write("custom: on\n")
    lab.must(token=lab.token())
    absent(lab, keep_settings=False)
    assert lab.content is None


@pytest.mark.parametrize("content", [None, "", "custom: on\n", "# nothing but a comment\n"])
def test_a_host_that_is_not_registered_is_left_alone(lab: Lab, content: str | None) -> None:
    if content is not None:
        lab.write(content)
    result = lab.must(state="absent")
    assert (result["changed"], result["action"]) == (False, "none")
    assert lab.content == (None if content is None else content.encode())


def test_a_shared_service_account_is_never_deleted_and_the_platform_not_even_asked(lab: Lab) -> None:
    shared = lab.platform.create_service_account()
    lab.must(credentials=shared, managed=False)
    calls = len(lab.platform.calls())
    result = absent(lab)
    assert (lab.content, result["left_behind"], result["warnings"]) == (None, [], [])
    assert len(lab.platform.calls()) == calls
    assert shared["mrn"] in {account["mrn"] for account in lab.platform.service_accounts()}


def test_an_agent_under_a_shared_service_account_goes_and_the_account_stays(lab: Lab) -> None:
    shared = lab.platform.create_service_account()
    lab.must(credentials=shared)
    absent(lab)
    assert (lab.content, lab.agents) == (None, set())
    assert shared["mrn"] in {account["mrn"] for account in lab.platform.service_accounts()}


def test_a_revoked_host_is_taken_off_locally_and_that_is_said(lab: Lab) -> None:
    agent = lab.must(token=lab.token())["agent_mrn"]
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    result = absent(lab)
    assert (lab.content, result["left_behind"]) == (None, [agent])
    assert result["warnings"] == [
        "The platform rejects the identity already, so the host is taken off here only. "
        "Its agent may still be there: see left_behind in the result."
    ]


def test_a_platform_that_cannot_be_asked_keeps_the_file_untouched(lab: Lab) -> None:
    lab.must(token=lab.token())
    before, agents = lab.content, lab.agents
    lab.platform.fault(status=503, body="empty")
    for check in (True, False):
        result = lab.register(check=check, state="absent")
        assert (result["failed"], result["msg"]) == (True, NO_VERDICT)
    assert (lab.content, lab.agents) == (before, agents)


def test_a_platform_that_cannot_be_asked_does_not_matter_when_the_agent_may_stay(lab: Lab) -> None:
    agent = lab.must(token=lab.token())["agent_mrn"]
    lab.platform.fault(status=503, body="empty")
    result = absent(lab, unregister_previous=False)
    assert (lab.content, result["left_behind"], result["warnings"]) == (None, [agent], [])
    assert lab.agents == {agent}


def test_a_refused_unregistration_keeps_the_file_untouched(lab: Lab) -> None:
    lab.must(token=lab.token())
    before, agents = lab.content, lab.agents
    lab.platform.fault(method="UnRegisterAgent", status=403)
    result = lab.register(state="absent")
    assert result["msg"] == (
        "Cannot unregister the agent: the platform refused with 403 (code 7). The config is as it was; check what its "
        "identity may do in this space, or set unregister_previous: false to leave the agent there."
    )
    assert (lab.content, lab.agents) == (before, agents)


def test_an_answer_that_gets_lost_is_no_reason_to_fail(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.fault(method="UnRegisterAgent", reset="after", times=1)
    result = lab.must(state="absent")
    assert (lab.content, lab.agents, result["left_behind"]) == (None, set(), [])


def test_a_file_that_cannot_be_removed_is_found_before_the_platform_is_asked_to_act(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.must(token=lab.token())
    agents = lab.agents
    monkeypatch.setattr(host_config, "replace_problem", lambda path: Problem("permission", "Permission denied"))
    result = lab.register(state="absent")
    assert result["msg"] == (
        f"Cannot write the config {lab.path}: Permission denied. "
        "Use become: true, or a user who may write there; nothing was changed."
    )
    assert lab.agents == agents


def test_a_file_changed_meanwhile_is_named_and_the_next_run_ends_it(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.host.before_write = lambda: lab.write((lab.content or b"") + b"changed: meanwhile\n")
    result = lab.register(state="absent")
    assert result["msg"] == (
        f"Cannot write the config {lab.path}: it was changed by someone else meanwhile. {UNREGISTERED_ONLY}"
    )
    assert lab.agents == set()
    lab.host.before_write = lambda: None
    lab.must(state="absent")
    assert lab.content == b"changed: meanwhile\n"


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_lost_connection_is_looked_into(lab: Lab, lost: str) -> None:
    lab.must(token=lab.token())
    lab.host.lost = lost
    result = lab.register(state="absent")
    assert lab.agents == set()
    if lost == "after":
        assert (result["changed"], lab.content) == (True, None)
    else:
        assert result["msg"] == f"Cannot write the config {lab.path}: the connection was lost. {UNREGISTERED_ONLY}"
        assert lab.content is not None


def test_told_to_stop_before_the_file_is_removed_says_what_was_done(lab: Lab) -> None:
    lab.must(token=lab.token())

    def stop() -> None:
        raise Interrupted("SIGTERM")

    lab.host.before_write = stop
    result = lab.register(state="absent")
    assert result["msg"] == f"Cannot finish unregistering: the run was told to stop. {UNREGISTERED_ONLY}"
    assert lab.agents == set()


@pytest.mark.parametrize("content", ["agent_mrn: [\n", "\xff\xfe"])
def test_a_file_that_cannot_be_read_keeps_its_settings_or_goes_whole(lab: Lab, content: str) -> None:
    lab.write(content.encode("latin-1"))
    refused = lab.register(state="absent")
    assert refused["msg"] in {
        f"Cannot take the host off: its config cannot be read ({cause}), so the settings in it cannot be kept. "
        "Mend it, or set keep_settings: false to remove it whole."
        for cause in ("it is not valid YAML", "it is not UTF-8 text")
    }
    assert lab.content == content.encode("latin-1")
    result = absent(lab, keep_settings=False)
    assert (lab.content, result["left_behind"]) == (None, ["unknown"])
    (warning,) = result["warnings"]
    assert warning.startswith("The config cannot be read (it is not ")


def test_a_damaged_key_leaves_the_agent_behind_unless_a_document_can_sign_for_it(lab: Lab) -> None:
    shared = lab.platform.create_service_account()
    for given, left in (({}, 1), ({"credentials": shared}, 0)):
        lab.must(credentials=shared)
        content = lab.content or b""
        lab.write(content[: content.index(b"private_key") + 90])
        result = absent(lab, **given)
        assert (lab.content, len(result["left_behind"])) == (None, left)
    assert len(lab.agents) == 1


def test_logged_out_remains_are_removed_without_asking(lab: Lab) -> None:
    lab.must(token=lab.token())
    lines = (lab.content or b"").splitlines(keepends=True)
    lab.write(b"".join(line for line in lines if not line.startswith(b"agent_mrn")))
    result = absent(lab)
    assert (lab.content, result["left_behind"]) == (None, [])


def test_a_symbolic_link_stays_and_the_file_behind_it_goes(lab: Lab) -> None:
    lab.must(token=lab.token())
    behind = lab.path.with_name("real.yml")
    lab.path.rename(behind)
    lab.path.symlink_to(behind)
    lab.must(state="absent")
    assert lab.path.is_symlink()
    assert not behind.exists()
    lab.must(token=lab.token())
    assert behind.exists()


def test_a_backup_is_kept_only_when_asked_for(lab: Lab) -> None:
    lab.must(token=lab.token())
    old = lab.content
    result = lab.must(state="absent", backup=True)
    (left,) = lab.path.parent.iterdir()
    assert (str(left), left.read_bytes(), left.stat().st_mode & 0o777) == (result["backup_file"], old, 0o600)


def test_the_controllers_wrong_clock_is_corrected(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.clock_error = 3600
    result = lab.must(state="absent")
    assert (lab.content, lab.agents) == (None, set())
    assert result["warnings"] == ["The controller's clock is off from the platform's by more than 30 s. Set it right."]


def test_what_is_not_needed_cannot_be_wrong(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.must(state="absent", token="garbage", credentials="{")
    assert (lab.content, lab.agents) == (None, set())
