# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every row, print the table, what is left out of it and why, and the sums (`make faults`)."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator

from .row import STEPS, Found, Row, expected
from .rows import LEFT_OUT, ROWS
from .scene import NotHere, play

WIDTH = 160
COLUMNS = "{:<6}  {:<38}  {:<11}  {:<6}  {:<24}  {:<18}  {}"
HEADING = COLUMNS.format("", "fault", "the task is", "host", "agents [named]", "next run", "what the user reads")
EXPLANATION = """\
host: the config that is there, whole: the old one, the new one, or one that somebody else wrote meanwhile (theirs).
agents: those that the platform has; "old" was there before, "new" was made, * is used by no host. In brackets is what
the message or left_behind names. Nobody sees anything of a task that is stopped.
next run: what one without a fault does, and what no host uses then. The run after it is idle.
what the user reads: the cause, where there is no room for the whole message (-v shows it).
"""


def starred(agents: str, used: str) -> str:
    """Mark the agents that no host uses."""
    return " ".join(agent if agent == used else f"{agent}*" for agent in agents.split())


def shortened(reads: str, room: int) -> str:
    """Return a message, or only the cause in its first sentence, or the start of that."""
    if len(reads) <= room:
        return reads
    sentence = reads.split(". ")[0]
    has_cause = sentence.startswith(("Cannot ", "Task failed: ")) or "no verdict" in sentence
    cause = re.split(": |gave no verdict, ", sentence)[-1].split(", after")[0] if has_cause else sentence
    return cause if len(cause) <= room else f"{cause[: room - 3].rstrip()}..."


def line(word: str, row: Row, found: Found, verbose: bool) -> str:
    """Return a row as one line of the terminal, or with the whole message below it."""
    agents = starred(found.agents, "new" if found.host == "new" else "old")
    agents += f" [{found.named.replace(' ', ', ')}]" if found.named else ""
    later = {"none": "nothing"}.get(found.again, found.again.partition(" ")[0] + "s")
    later += f", {starred(found.left, '')}" if found.left else ""
    start = COLUMNS.format(word, row.fault, found.ends, found.host, agents, later, "")
    if verbose:
        return start.rstrip() + (f"\n        {found.reads}" if found.reads else "")
    return f"{start}{shortened(found.reads, WIDTH - len(start))}".rstrip()


def differences(found: Found, wanted: Found) -> Iterator[str]:
    """Say in which fields a row came out otherwise than it should."""
    for name, value in vars(wanted).items():
        if vars(found)[name] != value:
            yield f"        {name} should be {value!r}, is {vars(found)[name]!r}"


def run(row: Row, verbose: bool) -> str:
    """Run a row and print it; return passed, failed or skipped."""
    try:
        found, names = play(row)
    except NotHere as reason:
        print(f"skip    {row.fault}: {reason}", flush=True)
        return "skipped"
    except AssertionError as broken:
        print(f"FAILED  {row.fault}: {broken}", flush=True)
        return "failed"
    wrong = list(differences(found, expected(row, names)))
    shown = found if wrong else expected(row, {})
    print("\n".join([line("FAILED" if wrong else "ok", row, shown, verbose), *wrong]), flush=True)
    return "failed" if wrong else "passed"


def main() -> int:
    """Print the table; 1 when a row came out otherwise than it should."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only steps and faults with one of these words")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every message whole")
    given = parser.parse_args()
    began = time.monotonic()
    counts: Counter[str] = Counter()
    rows = [row for row in ROWS if not given.words or any(word in f"{row.step}: {row.fault}" for word in given.words)]
    if not rows:
        parser.error(f"no row has {' or '.join(given.words)} in its step or fault")
    print(EXPLANATION)
    for step in STEPS:
        of_step = [row for row in rows if row.step == step]
        if of_step:
            print(f"{step}\n{HEADING}")
            counts.update(run(row, given.verbose) for row in of_step)
            print()
    if not given.words:
        print("left out")
        for item in sorted(LEFT_OUT, key=lambda item: STEPS.index(item.step)):
            faults = textwrap.fill("; ".join(item.faults), WIDTH, initial_indent="    ", subsequent_indent="    ")
            print(f"  {item.step}, {item.reason}:\n{faults}")
        print(f"\n{sum(len(item.faults) for item in LEFT_OUT)} pairs of a step and a fault left out, {len(rows)} run")
    sums = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped"))
    print(f"{sums} in {time.monotonic() - began:.1f}s")
    return int(counts["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
