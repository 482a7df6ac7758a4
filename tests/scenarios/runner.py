# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run molecule on one scenario, and take down what it says of its actions, and when."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scenarios.stage import Stage
from tooling.collections import collection
from tooling.environments import environment
from tooling.paths import COLLECTIONS, HOME, ROOT

BIN = Path(sys.executable).parent
# What the role uses on Suse only.
OTHERS = "community.general"
# As in `INFO     [default > converge] Executed: Successful`.
SAID = re.compile(r"[A-Z]+\s+\[\S+ > (?P<action>\w+)\] (?P<what>Executing|Executed: (Successful|Failed))")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Action:
    """What came of one action of a scenario."""

    scenario: str
    name: str
    seconds: float
    passed: bool


def run(scenario: str, hosts: str, stage: Stage) -> list[Action]:
    """Run all actions of a scenario with these hosts (a pattern of Ansible's), and return what came of them."""
    command: list[str | Path] = [BIN / "molecule", "test", "--scenario-name", scenario]
    settings = environment(
        BIN.parent,
        HOME,
        ANSIBLE_COLLECTIONS_PATH=os.pathsep.join(map(str, (COLLECTIONS, collection(OTHERS)))),
        FLEET_HOSTS=hosts,
        FLEET_STAGE=str(stage.facts),
        MOLECULE_EPHEMERAL_DIRECTORY=str(stage.folder / scenario),
        NO_COLOR="1",
        PYTHONUNBUFFERED="1",
    )
    print(f"--- {scenario}", flush=True)
    with subprocess.Popen(
        command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        actions = list(read(scenario, process.stdout))
    if process.returncode != 0 and all(action.passed for action in actions):
        actions.append(Action(scenario, "molecule", 0.0, passed=False))
    return actions


def read(scenario: str, lines: Iterator[str]) -> Iterator[Action]:
    """Show the lines of molecule, and return the actions that they tell of."""
    began = time.monotonic()
    for line in lines:
        print(line, end="", flush=True)
        said = SAID.match(COLOUR.sub("", line))
        if said and said["what"] == "Executing":
            began = time.monotonic()
        elif said:
            yield Action(scenario, said["action"], time.monotonic() - began, said["what"].endswith("Successful"))
