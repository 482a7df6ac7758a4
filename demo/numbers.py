# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers at the end: read from the ledger and from the hosts, never typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from demo.play import Play
from demo.promises import say
from sandbox.ledger import Call


def report(plays: Mapping[str, Play], seconds: float) -> None:
    """Print seconds, HTTP calls and round trips of the first run, of the second, and of all."""
    print("\nNumbers")
    for title, play in list(plays.items())[:2]:
        count = len(play.outcomes)
        lines = [
            f"{title}: {play.seconds:.1f} s for {count} hosts",
            f"HTTP calls of the collection: {_calls(play.by_collection(), count)}",
            f"HTTP calls of cnspec on the hosts: {_calls(play.by_cnspec(), count)}",
            f"round trips to a host: {_modules(play)}",
        ]
        for number, line in enumerate(lines):
            say(line, first="    " if number else "  ", rest="      ")
    runs = ", ".join(f"{title} {play.seconds:.1f} s" for title, play in plays.items())
    say(f"runs of ansible-playbook: {runs}", first="  ", rest="    ")
    say(f"all: {seconds:.1f} s", first="  ")


def _calls(calls: Sequence[Call], hosts: int) -> str:
    """Return calls by method: `36, which is 3.0 a host (24 PingPong, 12 RegisterAgent)`."""
    methods = Counter(f"{call.service}/{call.method}" for call in calls)
    named = ", ".join(f"{count} {method}" for method, count in sorted(methods.items()))
    return f"{len(calls)}, which is {len(calls) / hosts:.1f} a host ({named})" if calls else "none"


def _modules(play: Play) -> str:
    """Return how often Ansible ran which module on a host: of its own collection, and of others."""
    hands = play.hands()
    others = sum((count for count in play.modules.values()), Counter())
    named = ", ".join(f"{count} {module}" for module, count in sorted(others.items()))
    return f"{min(hands)} to {max(hands)} of the collection's module (in all: {named})"
