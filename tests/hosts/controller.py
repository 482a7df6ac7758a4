# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller: a real ansible-playbook that asks hosts."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tooling.paths import COLLECTIONS, ROOT

Result = dict[str, t.Any]
ROLE = "mondoo.fleet.cnspec"
CONNECTION = {
    "ansible_connection": "ssh",
    "ansible_pipelining": True,
    "ansible_python_interpreter": "/usr/bin/python3",
}


class Reachable(t.Protocol):
    """A host that a command reaches in place of ssh. Its name in the inventory is that of the host."""

    hostname: str

    def ssh(self, folder: Path, user: str = "root") -> Path:
        """Write that command and return its path."""


@dataclass(frozen=True)
class Played:
    """What came of a play on one host. `tasks`: each task that was run, in order; skipped ones are not among them.

    A task has `task` (its name), `action`, `state` (ok, failed, ignored, unreachable) and `result`. `sums`: how many
    were ok, changed, failures, skipped, unreachable... `said`: what ansible-playbook printed, for all hosts.
    """

    tasks: list[Result]
    sums: dict[str, int]
    said: str

    @property
    def changed(self) -> list[str]:
        """The names of the tasks (and handlers) that changed something."""
        return [task["task"] for task in self.tasks if task["result"].get("changed")]

    @property
    def failure(self) -> str:
        """Return the message of the task that failed; an empty text where none did."""
        failed = [task["result"] for task in self.tasks if task["state"] in ("failed", "unreachable")]
        return str(failed[-1].get("msg", failed[-1])) if failed else ""

    def of(self, name: str) -> list[Result]:
        """Return the results of the tasks whose name begins so."""
        return [task["result"] for task in self.tasks if task["task"].startswith(name)]


class Controller:
    """Run tasks on hosts from `folder`; `collections`: folders of others beside this collection."""

    def __init__(self, folder: Path, *collections: Path) -> None:
        self.folder, self.collections = folder, (COLLECTIONS, *collections)
        self._numbers = itertools.count(1)

    def run(self, host: Reachable, module: str, user: str = "root", **options: t.Any) -> Result:
        """Run one task of the collection and return its result, `state` (ok, failed, unreachable), and what was `said`.

        Raises AssertionError where there is no result.
        """
        folder = self._new_folder()
        said = self._playbook(folder, [host], {"tasks": [{f"mondoo.fleet.{module}": options}]}, user)
        for record in _records(folder, said):
            if "result" in record:
                return {**record["result"], "state": record["state"], "said": said}
        raise AssertionError(said)

    def play(
        self, *hosts: Reachable, words: t.Sequence[str] = (), tasks_from: str = "main", **variables: t.Any
    ) -> dict[str, Played]:
        """Run the role with variables on hosts of different names, and return what came of it for each.

        `words` of ansible-playbook are `--check`, `--diff`, `--tags`... Raises AssertionError where there is no result.
        """
        folder = self._new_folder()
        role = {"ansible.builtin.import_role": {"name": ROLE, "tasks_from": tasks_from}}
        said = self._playbook(folder, hosts, {"vars": variables, "tasks": [role]}, "root", *words)
        records = _records(folder, said)
        return {
            host.hostname: Played(
                [record for record in records if record["host"] == host.hostname and "result" in record],
                next(record["sums"] for record in records if record["host"] == host.hostname and "sums" in record),
                said,
            )
            for host in hosts
        }

    def _new_folder(self) -> Path:
        folder = self.folder / f"run{next(self._numbers)}"
        folder.mkdir()
        return folder

    def _playbook(self, folder: Path, hosts: t.Sequence[Reachable], play: Result, user: str, *words: str) -> str:
        """Run a play on hosts and return what was printed."""
        reached = {host.hostname: {"ansible_ssh_executable": str(host.ssh(folder, user))} for host in hosts}
        inventory = {"all": {"hosts": reached, "vars": CONNECTION}}
        # JSON is YAML, too.
        for name, content in (
            ("hosts.yml", inventory),
            ("play.yml", [{"hosts": "all", "gather_facts": False, **play}]),
        ):
            (folder / name).write_text(json.dumps(content))
            (folder / name).chmod(0o600)
        ran = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "hosts.yml", *words, "play.yml"],
            cwd=folder,
            env=self._environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout + ran.stderr

    def _environment(self, folder: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {
            **kept,
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, self.collections)),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "demo/callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "host_results",
            "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
            "HOST_RESULTS_PATH": str(folder / "results"),
        }


def _records(folder: Path, said: str) -> list[Result]:
    results = folder / "results"
    assert results.exists(), said
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
