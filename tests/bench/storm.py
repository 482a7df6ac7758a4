# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm of hosts registers with the sandbox: is the sandbox ever what is waited for? (`make bench`)

Each host is a folder; ansible-playbook registers them all, as for a real fleet, with `connection: local`. Printed is
the CPU time of the sandbox beside that of all, from start to end, start-up included.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import Remote

TESTS = Path(__file__).resolve().parents[1]
MOST = 0.2
PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - mondoo.fleet.mondoo_registration:
        token: "{{ token }}"
        name: "{{ inventory_hostname }}"
        config_path: "{{ folder }}/{{ inventory_hostname }}/mondoo.yml"
"""


@dataclass
class Process:
    """A process that was run to its end; `cpu` in seconds, its children's included."""

    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    cpu: float = 0.0
    code: int = 0

    @contextlib.contextmanager
    def running(self, **options: object) -> Iterator[subprocess.Popen[str]]:
        """Start it, and wait for its end at the end."""
        process = subprocess.Popen(self.argv, env={**os.environ, **self.env}, text=True, **options)  # type: ignore[call-overload]
        try:
            yield process
        finally:
            dummy, status, usage = os.wait4(process.pid, 0)
            process.returncode = self.code = os.waitstatus_to_exitcode(status)
            self.cpu = usage.ru_utime + usage.ru_stime


def storm(hosts: int, forks: int, folder: Path) -> tuple[Process, Process, float]:
    """Register so many hosts; return the sandbox, ansible-playbook, and the seconds that it took."""
    names = [f"web{number:03}" for number in range(hosts)]
    for name in names:
        (folder / name).mkdir()
    inventory, play = folder / "hosts.json", folder / "play.yml"
    inventory.write_text(json.dumps({"all": {"hosts": dict.fromkeys(names, {"ansible_connection": "local"})}}))
    play.write_text(PLAY)
    platform = Process([sys.executable, "-m", "sandbox", "--state", str(folder / "state")], {"PYTHONPATH": str(TESTS)})
    ansible = Process([str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(play)])
    ansible.env = {"ANSIBLE_FORKS": str(forks), "ANSIBLE_STDOUT_CALLBACK": "minimal", "ANSIBLE_NOCOLOR": "1"}
    with platform.running(stdout=subprocess.PIPE) as serving:
        try:
            assert serving.stdout
            remote = Remote(json.loads(serving.stdout.readline())["url"])
            told = folder / "extra.json"
            python = {"ansible_python_interpreter": sys.executable}
            told.write_text(json.dumps({"token": remote.mint_token(lifetime=86400), "folder": str(folder), **python}))
            ansible.argv += ["-e", f"@{told}"]
            began = time.monotonic()
            with (folder / "log").open("w") as log, ansible.running(stdout=log, stderr=log):
                pass
            seconds = time.monotonic() - began
            check(remote, hosts, folder)
        finally:
            serving.terminate()
    return platform, ansible, seconds


def check(remote: Remote, hosts: int, folder: Path) -> None:
    """End with what is wrong when the storm did not register each host once."""
    registered, lost = len(remote.calls(method="RegisterAgent", outcome="ok")), remote.orphans(folder)
    if (registered, len(remote.agents()), lost) != (hosts, hosts, []):
        end = "\n".join((folder / "log").read_text().splitlines()[-20:])
        sys.exit(f"{registered} of {hosts} hosts registered, {len(lost)} agents that no host uses:\n{end}")


def main() -> int:
    """Print the numbers; 1 when the sandbox takes more than its share."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--forks", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        platform, ansible, seconds = storm(given.hosts, given.forks, Path(folder))
    share = platform.cpu / (platform.cpu + ansible.cpu)
    print(f"{given.hosts} hosts registered in {seconds:.0f} s with {given.forks} forks")
    print(f"CPU: sandbox {platform.cpu:.1f} s, ansible-playbook {ansible.cpu:.1f} s")
    print(f"the sandbox took {share:.1%} of the CPU; at most {MOST:.0%} is wanted")
    return int(share > MOST)


if __name__ == "__main__":
    sys.exit(main())
