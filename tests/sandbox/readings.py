# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's parser finds in a recorded `cnspec status`, beside what can be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import parse

from .recordings import Recording

FACTS = ("registered", "authenticated", "reachable", "skew_seconds")


@dataclass(frozen=True)
class Reading:
    """Facts by name: found by the parser, and what `reads` says. `problems`: where the parser is wrong."""

    found: dict[str, Any]
    reads: dict[str, Any]
    problems: tuple[str, ...]

    def cells(self) -> list[str]:
        """Return found/reads for each fact; - where nothing is told."""
        return [f"{_shown(self.found[fact])}/{_shown(self.reads.get(fact))}" for fact in FACTS]


def read(recording: Recording) -> Reading | None:
    """Parse a recorded status; None for other commands."""
    run = recording.run
    if "reads" not in run:
        return None
    # The documentation's examples do not say which stream they were.
    stdout = (recording.file("stdout") or "") + (recording.file("text") or "")
    report = parse(stdout, recording.file("stderr") or "", run.get("exit"))
    found = {fact: getattr(report, fact) for fact in FACTS}
    problems = [problem for fact in FACTS if (problem := _problem(fact, found[fact], run))]
    problems += [f"the parser does not know the line: {line}" for line in report.unparsed]
    return Reading(found, run["reads"], tuple(problems))


def _problem(fact: str, found: Any, run: dict[str, Any]) -> str:
    """Say what is wrong with what was found: it is not what can be read, or it is not true."""
    readable, true = run["reads"].get(fact), run.get("state", {}).get(fact)
    if readable is not None:
        return "" if found == readable else f"{fact}: the parser found {found}, and {readable} can be read"
    # What cannot be read from these bytes alone may still be known of bytes that are the same: if it is true.
    told = found is None or (fact != "skew_seconds" and found == true)
    return "" if told else f"{fact}: the parser found {found}, where nothing can be read and {true} was true"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return {True: "yes", False: "no"}.get(value, f"{value:g}") if isinstance(value, bool) else f"{value:g}"
