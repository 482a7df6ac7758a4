# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller: a real ansible-playbook that asks one host."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from hosts.host import Host
from tooling.paths import COLLECTIONS, ROOT

Result = dict[str, t.Any]


class Controller:
    """Run tasks on a host from `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    def run(self, host: Host, module: str, user: str = "root", **options: t.Any) -> Result:
        """Run one task of the collection and return its result, `state` (ok, failed, unreachable), and what was `said`.

        Raises AssertionError where there is no result.
        """
        folder = self.folder / f"run{next(self._numbers)}"
        folder.mkdir()
        variables = {
            "ansible_connection": "ssh",
            "ansible_ssh_executable": str(host.ssh(folder, user)),
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        play = {
            "hosts": "all",
            "gather_facts": False,
            "vars": variables,
            "tasks": [{f"mondoo.fleet.{module}": options}],
        }
        # JSON is YAML, too.
        (folder / "play.yml").write_text(json.dumps([play]))
        (folder / "play.yml").chmod(0o600)
        ran = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "web1,", "play.yml"],
            cwd=folder,
            env=self._environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return _result(folder / "results", ran.stdout + ran.stderr)

    @staticmethod
    def _environment(folder: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {
            **kept,
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "demo/callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "host_results",
            "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
            "HOST_RESULTS_PATH": str(folder / "results"),
        }


def _result(results: Path, said: str) -> Result:
    assert results.exists(), said
    for line in results.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "result" in record:
            return {**record["result"], "state": record["state"], "said": said}
    raise AssertionError(said)
