# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module writes, looks and runs in one call, refuses bad arguments first, and tells nobody what it was given."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

# What AnsiballZ does on a host, for every ansible-core since 2.16; and what would go to syslog is kept instead.
RUN = """
import json, sys, syslog
from ansible.module_utils import basic
logged = open(sys.argv[1], "w")
syslog.syslog = lambda *arguments: logged.write(repr(arguments))
basic.has_journal = False
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)}).encode()
basic._ANSIBLE_PROFILE = "legacy"
from ansible_collections.mondoo.fleet.plugins.modules import cnspec_host
cnspec_host.main()
"""
COLLECTIONS = Path(__file__).parents[3] / ".build/collections"
CANARY = "canary-of-the-private-key"
CONTENT = f"private_key: {CANARY}\n".encode()
ENCODED = base64.b64encode(CONTENT).decode()


class Module:
    """The module as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "syslog"

    def start(self, arguments: dict[str, t.Any]) -> subprocess.Popen[str]:
        paths = [str(COLLECTIONS), *(path for path in sys.path if path)]
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(self.log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MONDOO_TOKEN": CANARY},
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(arguments))
        process.stdin.close()
        process.stdin = None
        return process

    def __call__(self, **arguments: t.Any) -> dict[str, t.Any]:
        stdout, stderr = self.start(arguments).communicate(timeout=30)
        assert stderr == ""
        return t.cast("dict[str, t.Any]", json.loads(stdout))


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "mondoo.yml"
    path.parent.mkdir()
    path.write_bytes(b"mrn: old\n")
    return path


def write_of(path: Path, **given: t.Any) -> dict[str, t.Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return {"path": str(path), "content": ENCODED, "expect_digest": digest, **given}


def run_of(*argv: str, **given: t.Any) -> dict[str, t.Any]:
    return {"commands": {"status": {"argv": list(argv), "time_limit": 11.25}}, **given}


def test_one_call_writes_then_looks_then_runs(module: Module, config: Path) -> None:
    result = module(
        write=write_of(config),
        look={"config_path": str(config), "cnspec_path": "/bin/cat"},
        run=run_of("{cnspec}", "{config}"),
    )
    digest = hashlib.sha256(CONTENT).hexdigest()
    # ansible-core 2.20 and older say how a module was called; nothing of that is told.
    assert result.pop("invocation", {}) == {}
    assert sorted(result) == ["changed", "look", "ran", "written"]
    assert result["changed"] is True
    assert result["written"] == {"written": True, "digest": digest, "backup_file": None, "error": None}
    # The content just written is what was looked at, whole: Ansible masks no part of it.
    assert result["look"]["config"]["content"] == ENCODED
    assert result["look"]["config"]["digest"] == digest
    assert result["ran"]["status"]["stdout"] == CONTENT.decode()
    assert abs(result["look"]["time"] - time.time()) < 5


def test_nothing_asked_is_nothing_done(module: Module) -> None:
    assert {"invocation": {}, **module()} == {"changed": False, "invocation": {}}


def test_a_look_is_all_that_the_brain_knows_of_a_host(module: Module, tmp_path: Path) -> None:
    look = module(look={"config_candidates": {"": {"paths": [str(tmp_path / "no.yml")]}}})["look"]
    assert sorted(look) == ["cnspec", "config", "files", "shadow", "system", "time"]
    assert (look["config"]["kind"], look["config"]["source"]) == ("missing", "default")
    assert look["system"]["python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_write_that_is_refused_is_told_and_is_no_failure(module: Module, config: Path) -> None:
    result = module(write=write_of(config, expect_digest="00"))
    assert (result["changed"], result.get("failed")) == (False, None)
    assert result["written"]["error"] == {
        "code": "changed_meanwhile",
        "cause": "the file is not what it was when it was looked at",
    }


def test_commands_get_a_clean_environment(module: Module) -> None:
    ran = module(run=run_of("/usr/bin/env", unset_env=["MONDOO_*"], set_env={"NO_COLOR": 1}))["ran"]["status"]
    assert "NO_COLOR=1\n" in ran["stdout"]
    assert "MONDOO_TOKEN" not in ran["stdout"]


def test_a_command_without_cnspec_is_not_found(module: Module, tmp_path: Path) -> None:
    result = module(
        look={"config_path": "/no.yml", "cnspec_path": str(tmp_path / "cnspec")}, run=run_of("{cnspec}", "version")
    )
    assert result["ran"]["status"] == {
        "found": False,
        "rc": None,
        "stdout": "",
        "stderr": "",
        "timed_out": False,
        "truncated": False,
        "seconds": 0.0,
        "problem": "No such file or directory",
    }


LOOK = {"config_path": "/no.yml"}
BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"write": {"path": "mondoo.yml"}}, "write.path is not an absolute path"),
    ({"write": {"content": CANARY + "?"}}, "write.content is not base64"),
    ({"write": {"mode": "rw"}}, "write.mode is not an octal mode between 0000 and 0777"),
    ({"write": {"mode": "4755"}}, "write.mode is not an octal mode between 0000 and 0777"),
    ({"write": {}, "_ansible_check_mode": True}, "write is refused in check mode"),
    ({"write": {}, "run": {"commands": {"a": [CANARY]}}}, "run.commands: argv is not a list of strings"),
    ({"write": {}, "run": {"commands": {"a": {"argv": [CANARY, 1]}}}}, "run.commands: argv is not a list of strings"),
    (
        {"write": {}, "run": {"commands": {"a": {"argv": [CANARY], "time_limit": "1"}}}},
        "run.commands: time_limit is not a number of seconds",
    ),
    ({"write": {}, "run": run_of("{cnspec}", CANARY)}, "run.commands: argv asks for a path that only look finds"),
    ({"write": {}, "run": run_of("cat", "{copy}")}, "run.commands: argv asks for a copy that only scratch makes"),
    ({"write": {}, "scratch": {"path": "mondoo.yml"}}, "scratch.path is not an absolute path"),
    ({"write": {}, "scratch": {"path": "/no.yml", "content": CANARY + "?"}}, "scratch.content is not base64"),
    (
        {"write": {}, "scratch": {"path": "/no.yml", "once": "../mondoo.yml"}},
        "scratch.once and scratch.forget are 32 hexadecimal digits",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_refused_before_anything_is_done(
    module: Module, config: Path, arguments: dict[str, t.Any], message: str
) -> None:
    stdout, stderr = module.start({**arguments, "write": {**write_of(config), **arguments["write"]}}).communicate()
    result = json.loads(stdout)
    assert (result["failed"], result["msg"]) == (True, message)
    assert config.read_bytes() == b"mrn: old\n"
    assert CANARY not in stdout + stderr + module.log.read_text()
    assert ENCODED not in stdout + stderr + module.log.read_text()


def test_what_is_logged_on_the_host_holds_no_content_and_no_argument_of_a_command(module: Module, config: Path) -> None:
    result = module(
        write=write_of(config), look={**LOOK, "read_config": "no"}, run=run_of("/bin/true", "--token", CANARY)
    )
    assert result["ran"]["status"]["rc"] == 0
    logged = module.log.read_text()
    assert str(config) in logged
    assert CANARY not in logged + json.dumps(result)
    assert ENCODED not in logged + json.dumps(result)


REWRITE = 'cat "$0"; echo "mrn: new" > "$0"'


def test_commands_may_rewrite_a_copy_and_never_the_live_file(module: Module, config: Path) -> None:
    result = module(scratch={"path": str(config), "content": ENCODED}, run=run_of("/bin/sh", "-c", REWRITE, "{copy}"))
    assert result["ran"]["status"]["stdout"] == CONTENT.decode()
    rewritten = base64.b64encode(b"mrn: new\n").decode()
    assert result["scratch"] == {"content": rewritten, "done_before": False, "error": None}
    assert (config.read_bytes(), os.listdir(config.parent), result["changed"]) == (b"mrn: old\n", ["mondoo.yml"], False)
    assert ENCODED not in module.log.read_text()


def test_a_module_that_is_run_twice_runs_commands_once_until_that_is_forgotten(module: Module, config: Path) -> None:
    scratch, run = {"path": str(config), "once": "a" * 32}, run_of("/bin/echo", "x")
    assert module(scratch=scratch, run=run)["ran"]["status"]["stdout"] == "x\n"
    again = module(scratch=scratch, run=run)
    assert (again["ran"], again["scratch"]) == ({}, {"content": None, "done_before": True, "error": None})
    assert len(os.listdir(config.parent)) == 2
    done = module(scratch={"path": str(config), "forget": "a" * 32})
    assert done["scratch"] == {"content": None, "done_before": False, "error": None}
    assert os.listdir(config.parent) == ["mondoo.yml"]


def test_a_module_that_is_asked_to_end_leaves_no_copy(module: Module, config: Path) -> None:
    sleep = run_of("/bin/sh", "-c", "sleep 30")
    process = module.start({"scratch": {"path": str(config), "content": ENCODED}, "run": sleep})
    until = time.monotonic() + 20
    while not list(config.parent.glob(".*/mondoo.yml")) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(config.parent.glob(".*/mondoo.yml"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert os.listdir(config.parent) == ["mondoo.yml"]


def test_check_mode_looks_and_runs(module: Module) -> None:
    result = module(look=LOOK, run=run_of("/bin/echo", "x"), _ansible_check_mode=True)
    assert (result["changed"], result["ran"]["status"]["stdout"]) == (False, "x\n")


def runs(process: int) -> bool:
    """Tell whether a process runs; one that is dead, and nobody has asked for its exit code yet, does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_module_that_is_asked_to_end_leaves_no_command_running(module: Module, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    process = module.start({"run": run_of("/bin/sh", "-c", f"echo $$ > {note}.new; mv {note}.new {note}; sleep 30")})
    until = time.monotonic() + 20
    while not note.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    until = time.monotonic() + 10
    while runs(int(note.read_text())) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(int(note.read_text()))
