# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet at a platform in trouble (`make storm`): politely registered, and not registered anew by mistake.

First, all hosts register at once while the platform answers most calls with 429 or 409 Aborted: one agent for each.
Then the platform suddenly rejects every identity: a tenth of the hosts may be registered anew, the others must say why
they are not. Each host is a folder, and ansible-playbook treats them as it treats a real fleet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from doubles.processes import command
from sandbox import Remote
from tooling.environments import environment
from tooling.paths import COLLECTIONS, HOME, ROOT

BUSY_SHARE = 0.7
TASK = {
    "token": "{{ token }}",
    "name": "{{ inventory_hostname }}",
    "config_path": "{{ folder }}/{{ inventory_hostname }}/mondoo.yml",
}
WHY_NOT = (
    "Cannot register the host (credentials_rejected): the platform rejects its identity, but more than {} hosts of "
    "this run are, which looks like trouble of the platform. "
    "Look at the platform's state and run again, or raise max_rejected."
)


@dataclass
class Fleet:
    """So many hosts below one folder, and the platform that they register with."""

    folder: Path
    hosts: int
    forks: int
    platform: Remote

    def play(self, title: str) -> dict[str, dict[str, t.Any]]:
        """Run the play once; return each host's result. Ends the program when a host has none."""
        names = [f"web{number:03}" for number in range(self.hosts)]
        for name in names:
            (self.folder / name).mkdir(exist_ok=True)
        variables = {
            "token": self.platform.mint_token(lifetime=86400),
            "folder": str(self.folder),
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        play = {"hosts": "all", "gather_facts": False, "tasks": [{"mondoo.fleet.mondoo_registration": TASK}]}
        (self.folder / "play.yml").write_text(json.dumps([play]))
        (self.folder / "hosts.json").write_text(json.dumps({"all": {"hosts": dict.fromkeys(names), "vars": variables}}))
        results = self.folder / f"{title}.jsonl"
        env = environment(
            Path(sys.executable).parents[1],
            HOME,
            ANSIBLE_FORKS=str(self.forks),
            ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
            ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "demo/callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="host_results",
            HOST_RESULTS_PATH=str(results),
        )
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        with open(self.folder / f"{title}.log", "wb") as log:
            argv = [ansible, "-i", str(self.folder / "hosts.json"), str(self.folder / "play.yml")]
            subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        records = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
        found = {record["host"]: record["result"] for record in records if "result" in record}
        if sorted(found) != names:
            end = "\n".join((self.folder / f"{title}.log").read_text().splitlines()[-20:])
            sys.exit(f"{len(found)} of {len(names)} hosts have a result:\n{end}")
        return found

    def contents(self) -> dict[str, bytes]:
        """Return the config of each host."""
        return {path.parent.name: path.read_bytes() for path in self.folder.glob("*/mondoo.yml")}

    def made(self, since: int = 0) -> Counter[str]:
        """Return how many agents were made for each host."""
        return Counter(call.host for call in self.platform.calls(method="RegisterAgent", since=since) if call.acted)


def busy(fleet: Fleet) -> list[str]:
    """Register all hosts at a platform that refuses most calls for the time being; return what is wrong."""
    # One after the other for each call: 429 to 0.4 of them, then 409 to half of the rest.
    fleet.platform.fault(status=429, share=0.4)
    fleet.platform.fault(status=409, share=(BUSY_SHARE - 0.4) / 0.6)
    began = time.monotonic()
    results = fleet.play("busy")
    fleet.platform.clear_faults()
    calls, made = fleet.platform.calls(), fleet.made()
    refused = sum(call.status in (429, 409) for call in calls) / len(calls)
    tries = sorted(result.get("api_attempts", 0) for result in results.values())
    orphans = fleet.platform.orphans(fleet.folder)
    print(
        f"{fleet.hosts} hosts registered at once, {refused:.0%} of {len(calls)} calls answered with 429 or 409 Aborted:"
    )
    print(f"  {sum(not r.get('msg') for r in results.values())} registered in {time.monotonic() - began:.0f} s")
    print(f"  {sum(made.values())} agents made for {len(made)} hosts, {len(orphans)} that no host uses")
    print(f"  tries of a host (api_attempts): {tries[0]} to {tries[-1]}, {sum(tries) / len(tries):.1f} on average")
    not_proved = sum(result.get("verified") is None for result in results.values())
    print(f"  {not_proved} could not be proved, which their warning says", flush=True)
    wrong = [f"{host}: {result['msg']}" for host, result in results.items() if result.get("msg")]
    wrong += [f"{host}: {number} agents" for host, number in made.items() if number != 1]
    wrong += [f"{host}: no api_attempts" for host, result in results.items() if not result.get("api_attempts")]
    wrong += [f"{agent['name']}: an agent that no host uses" for agent in orphans]
    return wrong if refused > BUSY_SHARE / 2 else [*wrong, "the platform was not busy"]


def rejected(fleet: Fleet) -> list[str]:
    """Let the platform reject all identities that there are; return what is wrong."""
    before, contents = len(fleet.platform.calls()), fleet.contents()
    for account in fleet.platform.service_accounts():
        fleet.platform.revoke_service_account(account["mrn"])
    began = time.monotonic()
    results = fleet.play("rejected")
    limit = max(3, fleet.hosts // 10)
    made = fleet.made(since=before)
    said = Counter(result["msg"] for result in results.values() if result.get("msg"))
    print(f"{fleet.hosts} hosts whose identities the platform suddenly rejects, in {time.monotonic() - began:.0f} s:")
    print(f"  {sum(made.values())} registered anew, at most {limit} may be")
    for message, number in said.items():
        print(f"  {number} not: {message}", flush=True)
    wrong = [f"{host}: {number} agents" for host, number in made.items() if number != 1]
    wrong += [f"{number} hosts say: {message}" for message, number in said.items() if message != WHY_NOT.format(limit)]
    if len(made) != limit or said.total() != fleet.hosts - limit:
        wrong.append(f"{len(made)} registered anew and {said.total()} not")
    after = fleet.contents()
    wrong += [
        f"{host}: its config was touched" for host in results if host not in made and contents[host] != after[host]
    ]
    return wrong


def main() -> int:
    """Print both results; 1 when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m faults.storm", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--forks", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as name, command("sandbox") as (told, dummy):
        fleet = Fleet(Path(name), given.hosts, given.forks, Remote(told["url"]))
        wrong = busy(fleet) + rejected(fleet)
    print("\n".join([*wrong, f"{len(wrong)} wrong"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
