# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table as a fleet: one inventory, one task, and ansible-playbook run three times (check, real, again)."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from states.found import unreadable
from states.ground import Ground, Place
from states.looking import Result, Run, Runs, account, look
from states.table import Host
from tooling.environments import environment
from tooling.paths import COLLECTIONS, HOME, ROOT

FORKS = 20
PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - mondoo.fleet.mondoo_registration: "{{ asked }}"
      environment: "{{ surroundings }}"
"""
# Root can read every file, so the hands are somebody without rights; nobody's own shell is none.
NOBODY, SHELL = "nobody", "/bin/sh"
SYSTEM_PYTHON = "/usr/bin/python3"


@functools.cache
def python_of_nobody() -> str | None:
    """Return a Python that nobody can run, for which su is needed; None where there is none."""
    if not shutil.which("su"):
        return None
    runs = (["su", "-s", SHELL, NOBODY, "-c", f"{path} -c pass"] for path in (sys.executable, SYSTEM_PYTHON))
    argv = next((argv for argv in runs if subprocess.run(argv, capture_output=True, check=False).returncode == 0), None)
    return argv[-1].split()[0] if argv else None


def left_out(hosts: Sequence[Host]) -> dict[str, str]:
    """Return the hosts that this machine cannot play, each with the reason."""
    if os.geteuid() or python_of_nobody():
        return {}
    reason = "root can read every file, and nobody can run no Python here (by su)"
    return {host.name: reason for host in hosts if host.row.build is unreadable}


@dataclass(frozen=True)
class Fleet:
    """The hosts of the table below one folder, and how Ansible is run for them."""

    folder: Path
    ground: Ground
    places: dict[str, Place]

    @classmethod
    def settle(cls, hosts: Sequence[Host], ground: Ground, folder: Path) -> Fleet:
        """Make what is found on each host, the inventory and the play."""
        places = {host.name: host.settle(ground, folder / "hosts") for host in hosts}
        variables = {host.name: _variables(host, places[host.name]) for host in hosts}
        for name, content in (("inventory.json", json.dumps({"all": {"hosts": variables}})), ("play.yml", PLAY)):
            with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
                stream.write(content)
        return cls(folder, ground, places)

    def views(self) -> dict[str, Runs]:
        """Return what is there before the first run."""
        agents = self.ground.agents()
        return {name: Runs(look(place), frozenset(agents.get(name, ()))) for name, place in self.places.items()}

    def run(self, title: str, *options: str) -> dict[str, Run]:
        """Run the playbook, then look at every host and at the platforms."""
        mark = self.ground.mark()
        results = self._ansible(title, *options)
        registered, acted = account(self.ground, mark)
        agents = self.ground.agents()
        return {
            name: Run(results[name], look(place), frozenset(agents.get(name, ())), registered[name], acted)
            for name, place in self.places.items()
        }

    def _ansible(self, title: str, *options: str) -> dict[str, Result]:
        results, log = self.folder / f"{title}.jsonl", self.folder / f"{title}.log"
        settings = {
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "demo/callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "host_results",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_FORKS": str(FORKS),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
            "HOST_RESULTS_PATH": str(results),
        }
        env = environment(Path(sys.executable).parents[1], HOME, **settings)
        # The platforms are on loopback: a proxy of this shell is in nobody's way to them.
        env = {name: value for name, value in env.items() if not name.lower().endswith("_proxy")}
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.json", "play.yml", *options]
        with open(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            subprocess.run(
                argv, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, check=False
            )
        lines = results.read_text().splitlines() if results.exists() else []
        records = [record for record in map(json.loads, lines) if "result" in record]
        told: dict[str, Result] = {
            record["host"]: {"failed": record["state"] != "ok", **record["result"]} for record in records
        }
        missing = self.places.keys() - told.keys()
        if missing:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            sys.exit(f"Cannot run the table: {len(missing)} hosts gave no result. The run ended with:\n{end}")
        return told


def _variables(host: Host, place: Place) -> dict[str, Any]:
    """Return what the inventory says of a host."""
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "asked": host.options(place),
        "surroundings": place.environment,
    }
    if place.as_nobody:
        variables |= {
            "ansible_python_interpreter": python_of_nobody(),
            "ansible_become": True,
            "ansible_become_user": NOBODY,
            "ansible_become_method": "su",
            "ansible_become_flags": f"-s {SHELL}",
        }
    return variables
