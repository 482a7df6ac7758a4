# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of ansible-playbook, and what it gave: results of each host, round trips, and the platform's ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.fleet import Fleet, write, write_yaml
from sandbox import Remote
from sandbox.ledger import Call
from tooling.environments import environment
from tooling.paths import COLLECTIONS, HOME

CALLBACKS = Path(__file__).resolve().parent / "callback_plugins"
# How the collection presents itself to the platform; every other caller is the cnspec of a host.
COLLECTION = "mondoo.fleet"
REGISTRATION = "mondoo.fleet.mondoo_registration"
# The collection's module that looks and writes on the host.
HANDS = ("cnspec_host", "mondoo.fleet.cnspec_host")

SETTINGS = """\
[defaults]
inventory = {inventory}
collections_path = {collections}
forks = {forks}
home = {folder}/ansible
local_tmp = {folder}/ansible/tmp
callback_plugins = {callbacks}
callbacks_enabled = host_results
nocolor = true
"""


@dataclass(frozen=True)
class Outcome:
    """What a run gave for one host. `failure`: the message; `fact`: ansible_facts.mondoo, when it was gathered."""

    changed: bool = False
    failure: str = ""
    fact: Mapping[str, Any] | None = None
    left_behind: tuple[str, ...] = ()

    @property
    def health(self) -> str:
        """The health that the fact tells."""
        return str(self.fact["health"]) if self.fact else "not known"

    @property
    def last_line(self) -> str:
        """The last line as cnspec said it."""
        return str(self.fact["last_line"] or "") if self.fact else ""

    @property
    def fix(self) -> str:
        """What to do about the first problem of a host that is not ok."""
        problems = self.fact["problems"] if self.fact and self.health != "ok" else []
        return str(problems[0]["fix"]) if problems else ""


@dataclass(frozen=True)
class Play:
    """What a run gave. `modules`: how often each module was run on each host; `calls`: what reached the platform."""

    code: int
    seconds: float
    outcomes: Mapping[str, Outcome]
    modules: Mapping[str, Counter[str]]
    calls: Sequence[Call]

    @property
    def changed(self) -> list[str]:
        """The hosts that were changed."""
        return [name for name, outcome in self.outcomes.items() if outcome.changed]

    @property
    def failed(self) -> list[str]:
        """The hosts that failed."""
        return [name for name, outcome in self.outcomes.items() if outcome.failure]

    @property
    def left_behind(self) -> dict[str, tuple[str, ...]]:
        """What the results of the registration name in left_behind, by host."""
        return {name: outcome.left_behind for name, outcome in self.outcomes.items() if outcome.left_behind}

    def registered(self) -> Counter[str]:
        """Return how many RegisterAgent acted for each host, by the ledger."""
        return Counter(call.host for call in self.calls if call.method == "RegisterAgent" and call.acted)

    def by_collection(self) -> list[Call]:
        """Return the calls that the collection made from the controller."""
        return [call for call in self.calls if call.user_agent.startswith(COLLECTION)]

    def by_cnspec(self) -> list[Call]:
        """Return the calls that cnspec made on the hosts."""
        return [call for call in self.calls if not call.user_agent.startswith(COLLECTION)]

    def hands(self) -> list[int]:
        """Return how often the collection's own module was run on each host."""
        return [sum(count[name] for name in HANDS) for count in self.modules.values()]


@dataclass(frozen=True)
class Controller:
    """Where ansible-playbook runs, with what a user of the collection has."""

    fleet: Fleet
    platform: Remote

    @property
    def secrets_file(self) -> Path:
        """The variables file with the token and the credentials."""
        return self.fleet.folder / "secrets.yml"

    def set_up(self, proxy: str) -> None:
        """Write inventory and settings."""
        folder = self.fleet.folder
        text = SETTINGS.format(
            inventory=self.fleet.write_inventory(proxy),
            collections=COLLECTIONS,
            forks=len(self.fleet.hosts),
            folder=folder,
            callbacks=CALLBACKS,
        )
        write(folder / "ansible.cfg", text, 0o600)

    def set_secrets(self, token: str, document: Mapping[str, Any]) -> None:
        """Write the token and the credentials document, for this user only."""
        write_yaml(self.secrets_file, {"registration_token": token, "service_account": dict(document)})

    def run(self, title: str, playbook: str, *options: str) -> Play:
        """Run a playbook; its own output goes to logs/<title>.log."""
        folder = self.fleet.folder
        results, log = folder / "logs" / f"{title}.jsonl", folder / "logs" / f"{title}.log"
        log.parent.mkdir(exist_ok=True)
        settings = {"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "HOST_RESULTS_PATH": str(results)}
        env = environment(Path(sys.executable).parents[1], HOME, **settings)
        # The platform is on loopback: a proxy of this shell is in nobody's way to it.
        env = {name: value for name, value in env.items() if not name.lower().endswith("_proxy")}
        command = str(Path(sys.executable).with_name("ansible-playbook"))
        argv = [command, playbook, "-e", f"@{self.secrets_file}", *options]
        before, modules = len(self.platform.calls()), self.fleet.modules_run()
        began = time.monotonic()
        with open(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            ran = subprocess.run(
                argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, check=False
            )
        seconds = time.monotonic() - began
        if not results.exists():
            raise SystemExit(f"Cannot run {playbook}: it ended before any host. Look at {log}.")
        found = read_outcomes(results.read_text().splitlines())
        return Play(
            code=ran.returncode,
            seconds=seconds,
            outcomes={name: found[name] for name in self.fleet.names if name in found},
            modules={name: count - modules[name] for name, count in self.fleet.modules_run().items()},
            calls=self.platform.calls(since=before),
        )


def read_outcomes(lines: Sequence[str]) -> dict[str, Outcome]:
    """Return what the lines of the callback say of each host that the run ended for."""
    records = [json.loads(line) for line in lines]
    sums = {record["host"]: record["sums"] for record in records if "sums" in record}
    results = [record for record in records if "result" in record]
    return {host: _outcome([record for record in results if record["host"] == host], sums[host]) for host in sums}


def _outcome(records: Sequence[Mapping[str, Any]], sums: Mapping[str, int]) -> Outcome:
    results = [record["result"] for record in records]
    facts = [result["ansible_facts"]["mondoo"] for result in results if "mondoo" in result.get("ansible_facts", {})]
    registration = [record["result"] for record in records if record["action"] == REGISTRATION]
    failed = [record["result"] for record in records if record["state"] in ("failed", "unreachable")]
    wrong = bool(sums["failures"] or sums["unreachable"])
    return Outcome(
        changed=sums["changed"] > 0,
        failure=str(failed[-1].get("msg", "it does not say why")) if wrong and failed else "",
        fact=facts[-1] if facts else None,
        left_behind=tuple(mrn for result in registration for mrn in result.get("left_behind", ())),
    )
