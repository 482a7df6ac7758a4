# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all steps share: the fleet, the servers, the runs so far, and how a run is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from demo.fleet import Fleet
from demo.loopback import Proxy
from demo.play import Controller, Outcome, Play
from demo.promises import Promises, listed, say
from demo.table import Row, render
from sandbox import Remote

STATUS = "mondoo.fleet.status"


@dataclass
class Stage:
    """The fleet and its surroundings; `plays` holds each run by its title, `tokens` all tokens that were used."""

    fleet: Fleet
    platform: Remote
    proxy: Proxy
    document: Mapping[str, Any]
    promises: Promises = field(default_factory=Promises)
    plays: dict[str, Play] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    @property
    def controller(self) -> Controller:
        """Where ansible-playbook runs."""
        return Controller(self.fleet, self.platform)

    def use_token(self, lifetime: float = 600.0) -> None:
        """Put a new registration token beside the credentials document; one with a negative lifetime has expired."""
        self.tokens.append(self.platform.mint_token(lifetime=lifetime))
        self.controller.set_secrets(self.tokens[-1], self.document)

    def play(self, title: str, playbook: str, *options: str) -> Play:
        """Run a playbook and keep what it gave."""
        play = self.plays[title] = self.controller.run(title, playbook, *options)
        return play

    def with_facts(self, title: str, play: Play) -> Play:
        """Ask the hosts that failed before they were asked how they stand, so that the table can tell."""
        silent = [name for name in play.failed if play.outcomes[name].fact is None]
        if not silent:
            return play
        asked = self.play(title, STATUS, "--limit", ",".join(silent))
        found = {name: replace(play.outcomes[name], fact=asked.outcomes[name].fact) for name in silent}
        return replace(play, outcomes={**play.outcomes, **found})

    def show(self, play: Play) -> None:
        """Print one row for each host, then a line for each that failed or left an agent behind."""
        rows = [self._row(name, play.outcomes.get(name, Outcome())) for name in self.fleet.names]
        print(f"\n{render(rows)}\n", flush=True)
        for name in play.failed:
            say(self._on_host(name, f"{name.ljust(6)}  {play.outcomes[name].failure}"), first="  ", rest=" " * 10)
        for name, agents in play.left_behind.items():
            say(f"{name.ljust(6)}  left_behind: {listed(agents)}", first="  ", rest=" " * 10)
        if play.failed or play.left_behind:
            print()

    def _row(self, name: str, outcome: Outcome) -> Row:
        fix = outcome.fix or ("its line below says" if outcome.failure else "")
        last_line, fix = self._on_host(name, outcome.last_line), self._on_host(name, fix)
        return Row(name, outcome.health, last_line, fix, "yes" if outcome.changed else "no")

    def _on_host(self, name: str, text: str) -> str:
        """Return a text with paths as they are on the host."""
        return text.replace(str(self.fleet.root(name)), "")
