# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The brain asks a host with values and gets values, and what the host says stays out of the output."""

from __future__ import annotations

import base64
import types
import typing as t
from dataclasses import dataclass

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import (
    Candidates,
    CnspecFile,
    Command,
    ConfigFile,
    FileSeen,
    Host,
    HostError,
    HostLost,
    Look,
    LookRequest,
    Problem,
    Ran,
    RunRequest,
    Scratched,
    ScratchRequest,
    System,
    WriteRequest,
    Written,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets

KEY_LINES = ["MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDcanarycanarycanary", "c2Vjb25kbGluZQ=="]
PEM = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(KEY_LINES) + "\n-----END PRIVATE KEY-----\n"
CONFIG = "mrn: x\nprivate_key: |\n" + "".join(f"    {line}\n" for line in PEM.splitlines())

CONFIG_RESULT: dict[str, t.Any] = {
    "path": "/etc/opt/mondoo/mondoo.yml",
    "source": "default",
    "exists": True,
    "kind": "file",
    "symlink_to": None,
    "content": base64.b64encode(CONFIG.encode()).decode(),
    "digest": "ab12",
    "size": len(CONFIG),
    "mode": "0600",
    "uid": 0,
    "gid": 0,
    "owner": "root",
    "group": "root",
    "mtime": 1.5,
    "problem": None,
    "writable": False,
    "not_writable": {"code": "read_only", "cause": "Read-only file system"},
}
SYSTEM_RESULT: dict[str, t.Any] = {
    "system": "Linux",
    "hostname": "web01",
    "ip": "192.0.2.2",
    "os_id": "debian",
    "os_like": ["a", "b"],
    "os_version": "12",
    "os_name": "Debian GNU/Linux 12 (bookworm)",
    "kernel": "6.1",
    "arch": "x86_64",
    "machine_id": None,
    "python": "3.6.15",
    "user": "root",
    "uid": 0,
    "init": "systemd",
    "container": True,
    "clock_settable": False,
}
LOOK_RESULT: dict[str, t.Any] = {
    "config": CONFIG_RESULT,
    "shadow": None,
    "cnspec": {"path": "/usr/bin/cnspec", "executable": True, "problem": None},
    "system": SYSTEM_RESULT,
    "time": 1700000000.25,
    "files": {
        "/etc/chrony.conf": {"kind": "file", "content": base64.b64encode(b"pool x").decode()},
        "/no": {"kind": "missing", "content": None},
    },
}
WRITTEN_RESULT: dict[str, t.Any] = {"written": True, "digest": "cd34", "backup_file": "/b~", "error": None}
RAN_RESULT: dict[str, t.Any] = {
    "found": True,
    "rc": 1,
    "stdout": "{}",
    "stderr": "DBG",
    "timed_out": False,
    "truncated": False,
    "seconds": 0.2,
    "problem": None,
}
WRITE = WriteRequest("/etc/mondoo.yml", CONFIG.encode(), "ab12")
RUN = RunRequest({"status": Command(("{cnspec}", "status"), 60.0)})


class FakeAction:
    """The edge: an action that answers with a result, or raises, and notes what it was asked."""

    def __init__(self, answer: t.Any) -> None:
        self._connection = types.SimpleNamespace(_play_context=types.SimpleNamespace(no_log=False))
        self.answer = answer
        self.asked: list[dict[str, t.Any]] = []
        self.no_log_during: list[bool] = []

    def _execute_module(self, **asked: t.Any) -> t.Any:
        self.asked.append(asked)
        self.no_log_during.append(self._connection._play_context.no_log)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def host_with(answer: t.Any) -> tuple[Host, FakeAction, Secrets]:
    action, secrets = FakeAction(answer), Secrets()
    return Host(t.cast(t.Any, action), {"inventory_hostname": "web01"}, secrets), action, secrets


def test_all_three_are_asked_for_in_one_call() -> None:
    host, action, _secrets = host_with({"look": LOOK_RESULT, "written": WRITTEN_RESULT, "ran": {"status": RAN_RESULT}})
    look = LookRequest(
        config_path="~/m.yml",
        config_candidates={"Darwin": Candidates(("/p.plist",), ("/a", "/b")), "": Candidates(paths=("/c",))},
        shadow_candidates=("~/s.yml",),
        read_config="without_keys",
        cnspec_path="/c",
        cnspec_candidates=("/d",),
    )
    run = RunRequest(RUN.commands, output_limit=9, unset_env=("MONDOO_*",), set_env={"NO_COLOR": "1"})
    host.call(look=look, write=WRITE, run=run)
    assert action.asked == [
        {
            "module_name": "mondoo.fleet.cnspec_host",
            "task_vars": {"inventory_hostname": "web01"},
            "module_args": {
                "look": {
                    "config_path": "~/m.yml",
                    "config_candidates": {
                        "Darwin": {"plists": ["/p.plist"], "paths": ["/a", "/b"]},
                        "": {"plists": [], "paths": ["/c"]},
                    },
                    "shadow_candidates": ["~/s.yml"],
                    "owner": "",
                    "group": "",
                    "read_config": "without_keys",
                    "cnspec_path": "/c",
                    "cnspec_candidates": ["/d"],
                    "files": [],
                },
                "write": {
                    "path": "/etc/mondoo.yml",
                    "content": base64.b64encode(CONFIG.encode()).decode(),
                    "expect_digest": "ab12",
                    "mode": "0600",
                    "backup": False,
                    "create_parent": True,
                },
                "run": {
                    "commands": {"status": {"argv": ["{cnspec}", "status"], "time_limit": 60.0}},
                    "output_limit": 9,
                    "unset_env": ["MONDOO_*"],
                    "set_env": {"NO_COLOR": "1"},
                },
            },
        }
    ]
    assert host.calls == 1


def test_the_answer_is_typed() -> None:
    failed = {**WRITTEN_RESULT, "written": False, "error": {"code": "changed_meanwhile", "cause": "c"}}
    host, _action, _secrets = host_with({"look": LOOK_RESULT, "written": failed, "ran": {"status": RAN_RESULT}})
    answer = host.call(look=LookRequest(), write=WRITE, run=RUN)
    assert answer.look == Look(
        config=ConfigFile(
            **{
                **CONFIG_RESULT,
                "content": CONFIG.encode(),
                "not_writable": Problem("read_only", "Read-only file system"),
            }
        ),
        shadow=None,
        cnspec=CnspecFile("/usr/bin/cnspec", True, None),
        system=System(**{**SYSTEM_RESULT, "os_like": ("a", "b")}),
        time=1700000000.25,
        files={"/etc/chrony.conf": FileSeen("file", b"pool x"), "/no": FileSeen("missing", None)},
    )
    assert answer.written == Written(False, "cd34", "/b~", Problem("changed_meanwhile", "c"))
    assert answer.ran == {"status": Ran(**RAN_RESULT)}
    assert answer.round_trip[0] <= answer.round_trip[1]


def test_commands_on_a_copy_are_asked_for_and_answered_with_what_they_left() -> None:
    left = {"content": base64.b64encode(CONFIG.encode()).decode(), "done_before": False, "error": None}
    host, action, secrets = host_with({"ran": {"status": RAN_RESULT}, "scratch": left})
    answer = host.call(run=RUN, scratch=ScratchRequest("/etc/mondoo.yml", b"mrn: x\n", once="a" * 32))
    assert action.asked[0]["module_args"]["scratch"] == {
        "path": "/etc/mondoo.yml",
        "content": base64.b64encode(b"mrn: x\n").decode(),
        "once": "a" * 32,
        "forget": "",
    }
    assert answer.scratch == Scratched(CONFIG.encode(), False, None)
    assert KEY_LINES[0] not in secrets.scrub(KEY_LINES[0])
    assert "canary" not in repr(answer)


def test_no_copy_is_answered_with_its_reason() -> None:
    problem = {"code": "no_space", "cause": "No space left on device"}
    host, _action, _secrets = host_with(
        {"ran": {}, "scratch": {"content": None, "done_before": False, "error": problem}}
    )
    answer = host.call(run=RUN, scratch=ScratchRequest("/etc/mondoo.yml"))
    assert answer.scratch == Scratched(None, False, Problem("no_space", "No space left on device"))


@pytest.mark.parametrize("error", [AnsibleConnectionFailure("x"), AnsibleError("x")])
def test_commands_on_a_copy_may_have_been_run_when_no_answer_comes(error: AnsibleError) -> None:
    host, _action, _secrets = host_with(error)
    with pytest.raises(HostLost):
        host.call(run=RUN, scratch=ScratchRequest("/etc/mondoo.yml"))


def test_what_was_not_asked_for_is_not_there() -> None:
    host, action, _secrets = host_with({"written": WRITTEN_RESULT})
    answer = host.call(write=WRITE)
    assert (answer.look, answer.ran) == (None, {})
    assert list(action.asked[0]["module_args"]) == ["write"]


def test_a_file_that_was_not_read_has_no_content() -> None:
    host, _action, _secrets = host_with({"look": {**LOOK_RESULT, "config": {**CONFIG_RESULT, "content": None}}})
    answer = host.call(look=LookRequest())
    assert answer.look is not None
    assert answer.look.config.content is None


def test_each_call_is_counted() -> None:
    host, _action, _secrets = host_with({"look": LOOK_RESULT})
    host.call(look=LookRequest())
    host.call(look=LookRequest())
    assert host.calls == 2


@pytest.mark.parametrize("before", [False, True])
def test_the_connection_is_silent_during_the_call_and_as_before_after_it(before: bool) -> None:
    host, action, _secrets = host_with({"look": LOOK_RESULT})
    action._connection._play_context.no_log = before
    host.call(look=LookRequest())
    assert (action.no_log_during, action._connection._play_context.no_log) == ([True], before)


@pytest.mark.parametrize("error", [AnsibleConnectionFailure("x"), AnsibleError("x"), KeyboardInterrupt(), ValueError()])
def test_the_connection_is_as_before_after_any_exception(error: BaseException) -> None:
    host, action, _secrets = host_with(error)
    with pytest.raises(type(error)):
        host.call(look=LookRequest())
    assert (action.no_log_during, action._connection._play_context.no_log) == ([True], False)


def test_a_private_key_that_was_read_written_or_printed_becomes_a_secret() -> None:
    one_line = PEM.replace("\n", "\\n")
    looked: dict[str, t.Any] = {"look": LOOK_RESULT}
    printed: dict[str, t.Any] = {"ran": {"login": {**RAN_RESULT, "stderr": f'{{"private_key":"{one_line}"}}'}}}
    for result, asked in (
        (looked, {"look": LookRequest()}),
        ({"written": WRITTEN_RESULT}, {"write": WRITE}),
        (printed, {"run": RUN}),
    ):
        host, _action, secrets = host_with(result)
        host.call(**asked)
        for text in (PEM, one_line, *KEY_LINES):
            scrubbed = secrets.scrub(f"could not parse {text!r} of the file")
            assert not any(line in scrubbed for line in KEY_LINES)
    assert secrets.scrub("mrn: x") == "mrn: x"


def test_a_hidden_key_makes_no_secret_of_the_word_hidden() -> None:
    hidden = b"private_key: |\n    -----BEGIN PRIVATE KEY-----(hidden)-----END PRIVATE KEY-----\n"
    config = {**CONFIG_RESULT, "content": base64.b64encode(hidden).decode()}
    host, _action, secrets = host_with({"look": {**LOOK_RESULT, "config": config}})
    host.call(look=LookRequest(read_config="without_keys"))
    assert secrets.scrub("(hidden, changed)") == "(hidden, changed)"


def test_a_key_to_be_written_is_a_secret_even_if_the_write_fails() -> None:
    host, _action, secrets = host_with(AnsibleConnectionFailure(f"could not send {KEY_LINES[0]}"))
    with pytest.raises(HostLost):
        host.call(write=WRITE)
    assert KEY_LINES[0] not in secrets.scrub(KEY_LINES[0])


LOST = "Cannot get an answer from the host: {}. Check the connection and the Python on the host, and run again."
GARBAGE: list[tuple[t.Any, str]] = [
    (
        {"_ansible_parsed": False, "failed": True, "rc": 137, "module_stdout": PEM},
        "the module ended without one (exit code 137)",
    ),
    ({"_ansible_parsed": False, "failed": True, "msg": PEM}, "the module ended without one"),
    ({"unreachable": True, "msg": PEM}, "the connection was lost"),
    ({"changed": False}, "the answer is not complete"),
    ({"look": {}, "written": {}}, "the answer is not complete"),
    ({"look": [], "written": "yes"}, "the answer is not complete"),
    ({"look": {**LOOK_RESULT, "config": {**CONFIG_RESULT, "content": "no base64!"}}}, "the answer is not complete"),
    ({"look": {**LOOK_RESULT, "time": None}, "written": WRITTEN_RESULT}, "the answer is not complete"),
    ({"look": LOOK_RESULT, "written": {**WRITTEN_RESULT, "error": {}}}, "the answer is not complete"),
    ({"look": LOOK_RESULT, "written": WRITTEN_RESULT, "ran": [1]}, "the answer is not complete"),
    (["not", "a", "dict"], "the answer is not JSON"),
    (None, "the answer is not JSON"),
]


@pytest.mark.parametrize(("garbage", "cause"), GARBAGE)
def test_garbage_is_a_lost_host(garbage: t.Any, cause: str) -> None:
    host, _action, _secrets = host_with(garbage)
    with pytest.raises(HostLost) as caught:
        host.call(look=LookRequest(), write=WRITE)
    assert (str(caught.value), caught.value.code) == (LOST.format(cause), "host_lost")


def test_a_missing_interpreter_is_named() -> None:
    host, _action, _secrets = host_with({"_ansible_parsed": False, "failed": True, "rc": 127})
    with pytest.raises(HostLost) as caught:
        host.call(look=LookRequest())
    assert str(caught.value) == (
        "Cannot get an answer from the host: its Python interpreter was not found (exit code 127). "
        "Set ansible_python_interpreter for this host."
    )


@pytest.mark.parametrize("asked", [{"look": LookRequest()}, {"run": RUN}])
def test_a_host_that_cannot_be_reached_is_unreachable_while_nothing_was_to_be_written(asked: t.Any) -> None:
    host, _action, _secrets = host_with(AnsibleConnectionFailure("no route"))
    with pytest.raises(AnsibleConnectionFailure) as caught:
        host.call(**asked)
    assert str(caught.value) == (
        "Cannot reach the host: its connection failed. Run ansible.builtin.ping on it, which shows why."
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AnsibleConnectionFailure(PEM), "the connection was lost"),
        (AnsibleError(PEM), "the module could not be run"),
    ],
)
def test_a_connection_lost_while_writing_is_a_third_state(error: Exception, cause: str) -> None:
    host, _action, _secrets = host_with(error)
    with pytest.raises(HostLost) as caught:
        host.call(look=LookRequest(), write=WRITE)
    assert str(caught.value) == LOST.format(cause)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_timeout_while_writing_is_passed_on() -> None:
    class TaskTimeout(BaseException):
        pass

    host, _action, _secrets = host_with(TaskTimeout())
    with pytest.raises(TaskTimeout):
        host.call(write=WRITE)


def test_a_module_that_refuses_is_an_error_in_one_line_without_secrets() -> None:
    message = f"write.path is not an absolute path\n in {KEY_LINES[0]}"
    host, _action, _secrets = host_with({"failed": True, "msg": message})
    with pytest.raises(HostError) as caught:
        host.call(write=WRITE)
    text = str(caught.value)
    assert text.startswith("Cannot work on the host: write.path is not an absolute path in ")
    assert text.endswith(". Check that Ansible can run modules there: ansible HOST -m ansible.builtin.ping.")
    assert "\n" not in text
    assert KEY_LINES[0] not in text
    assert caught.value.code == "host_error"


@dataclass(frozen=True)
class Event:
    msg: str


@dataclass(frozen=True)
class CapturedErrorSummary:
    """What ansible-core 2.19 to 2.21 make of an exception that a module did not catch."""

    event: Event


TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1\nOSError: [Errno 28] No space left on device\n'
FULL = "[Errno 28] No space left on device"
CRASHES: list[tuple[dict[str, t.Any], str]] = [
    ({"exception": CapturedErrorSummary(Event(FULL))}, FULL),
    ({"exception": CapturedErrorSummary(Event(f"in\n{KEY_LINES[0]}"))}, "in ********"),
    ({"msg": "MODULE FAILURE\nSee stdout/stderr for the exact error", "exception": TRACEBACK}, f"OSError: {FULL}"),
    ({"exception": CapturedErrorSummary(Event("x" * 400))}, "x" * 300),
    ({"msg": "run.set_env is missing", "exception": TRACEBACK}, "run.set_env is missing"),
    ({"exception": ""}, "the module failed and did not say why"),
    ({}, "the module failed and did not say why"),
]


@pytest.mark.parametrize(("result", "cause"), CRASHES)
def test_a_module_that_crashes_says_why(result: dict[str, t.Any], cause: str) -> None:
    host, _action, secrets = host_with({"failed": True, **result})
    secrets.add(KEY_LINES[0])
    with pytest.raises(HostError) as caught:
        host.call(look=LookRequest())
    assert str(caught.value) == (
        f"Cannot work on the host: {cause}. "
        "Check that Ansible can run modules there: ansible HOST -m ansible.builtin.ping."
    )


def test_no_request_and_no_answer_shows_a_secret_when_printed() -> None:
    host, _action, _secrets = host_with({"look": LOOK_RESULT, "ran": {"login": {**RAN_RESULT, "stdout": PEM}}})
    answer = host.call(look=LookRequest(), run=RUN)
    login = RunRequest({"login": Command(("{cnspec}", "login", "--token", "canary"), 1.0)}, set_env={"A": "canary"})
    for text in (repr(answer), repr(WRITE), repr(login)):
        assert KEY_LINES[0] not in text
        assert "canary" not in text
        assert "private_key" not in text
