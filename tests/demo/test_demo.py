# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole demo, as make demo runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300


@pytest.mark.slow
def test_the_demo_keeps_all_its_promises() -> None:
    command = [sys.executable, str(ROOT / "demo/demo.py"), "--folder", "demo-test"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    kept = re.search(r"^(\d+) of (\d+) promises were kept\.$", ran.stdout, re.M)
    assert kept and kept[1] == kept[2], ran.stdout
    steps = re.findall(r"^(\d)\. ", ran.stdout, re.M)
    assert steps == ["1", "2", "3", "4", "5", "6"]
    wide = [line for line in ran.stdout.splitlines() if len(line) > 100 and " " in line.strip()]
    assert wide == []


def test_a_folder_that_is_not_the_demos_own_is_refused() -> None:
    command = [sys.executable, str(ROOT / "demo/demo.py"), "--folder", "../collections"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert "give a name like demo or demo-2; it is a folder below .build" in ran.stderr
