# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the sandbox is true: its commands are run as they stand there, its lists are complete."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import Fault, Platform, tls
from sandbox.stand_in.versions import PROFILES

TESTS = Path(__file__).resolve().parents[2]
PAGE = (TESTS / "sandbox/README.md").read_text(encoding="utf-8")
BEFORE = "@@ "


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in one language."""
    return re.findall(rf"```{language}\n(.*?)```\n", PAGE, re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Return each command of the page with what it is said to print."""
    found = re.split(r"(?m)^\$ ", "".join(blocks("console")))[1:]
    return [(text.partition("\n")[0], text.partition("\n")[2].strip()) for text in found]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "tests").symlink_to(TESTS)
    for text in blocks("yaml"):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text)
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    collections = str(TESTS.parent / ".build/collections")
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONPATH": "tests",
        "LANG": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", collections),
    }


@pytest.mark.skipif(not shutil.which("curl"), reason="not found: curl, with which the page asks the platform")
def test_the_commands_of_the_page_do_what_it_says(clone: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    lines = [f"echo; echo '{BEFORE}{number}'\n{command}" for number, (command, dummy) in enumerate(commands())]
    script = "set -em\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + "\n".join(lines) + "\n"
    done = subprocess.run(
        ["bash", "-c", script.replace("8080", port)],
        check=False,
        cwd=clone,
        env=environment(clone),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = re.split(rf"(?m)^{BEFORE}\d+\n", done.stdout)[1:]
    for (command, wanted), printed in zip(commands(), said, strict=True):
        pattern = "*" + re.sub(r"([\[\]])", r"[\1]", wanted.replace("8080", port)).replace("...", "*") + "*"
        assert fnmatch.fnmatchcase(printed.strip(), pattern), f"{command}\nprinted {printed}\nnot {wanted}"


def test_the_python_of_the_page_runs(clone: Path) -> None:
    (clone / "fleet").mkdir()
    for text in blocks("python"):
        subprocess.run([sys.executable, "-c", text], cwd=clone, env=environment(clone), check=True, timeout=60)


def test_the_page_has_every_field_of_a_fault() -> None:
    table = PAGE.partition("## Faults")[2].partition("## Proxy")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`.*?) \|", table))))
    assert named == {field.name for field in dataclasses.fields(Fault)}


def test_the_page_has_every_control() -> None:
    table = PAGE.partition("## Controls")[2].partition("## Faults")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`.*?) \|", table))))
    assert named == set(Platform().console.controls)


def test_the_page_has_every_option_of_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"],
        env=environment(TESTS) | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    options = set(re.findall(r"--[a-z-]+", done.stdout)) - {"--help"}
    assert {option for option in options if f"`{option}" not in PAGE} == set()
    assert [name for name in tls.REAL_NAMES if name not in PAGE] == []


def test_the_page_has_every_version_of_the_stand_in() -> None:
    table = PAGE.partition("## A stand-in for cnspec")[2].partition("Any other version")[0]
    rows = re.findall(r"(?m)^\| ([0-9., ]+) \| (.*) \|$", table)
    told = {version: text for versions, text in rows for version in versions.split(", ")}
    assert set(told) == set(PROFILES)
    assert all(told[name].startswith("recordings") == (p.source == "recorded") for name, p in PROFILES.items())
