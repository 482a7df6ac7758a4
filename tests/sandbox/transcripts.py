# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare sandbox, stand-in and parser with every recording: `python -m sandbox.transcripts [VERSION...]`.

It prints a row for each recording and ends with exit code 1 when a difference has no reason. A version is what a
folder is named after, and nothing else is needed for a new one: where it has no profile, the stand-in plays it as the
version before, and says so.
"""

from __future__ import annotations

import argparse
import collections
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import exchanges
from .arrangements import Lab
from .readings import FACTS, Reading, read
from .recorded_host import NotHere
from .recordings import TRANSCRIPTS, Recording, recordings, versions
from .stand_in.versions import profile_of

SAME, DIFFERS, NOT_HERE, NO_PROFILE, NONE = "same", "differs", "not here", "no profile", "-"
WIDTH = 50


@dataclass(frozen=True)
class Row:
    """One recording. `stand_in`: one of the words above; `reasons`: what differs, or why it may."""

    name: str
    stand_in: str
    reading: Reading | None = None
    reasons: tuple[str, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Say whether something differs for no reason that is known."""
        return self.stand_in == DIFFERS or (self.reading is not None and bool(self.reading.problems))

    def lines(self) -> list[str]:
        """Return the row as it is printed, then its reasons."""
        facts = self.reading.cells() if self.reading else [NONE] * len(FACTS)
        row = f"{self.name[:WIDTH]:<{WIDTH}} {self.stand_in:<11}" + "".join(f"{cell:<15}" for cell in facts)
        reasons = [*self.reasons, *(self.reading.problems if self.reading else ())]
        return [row.rstrip(), *(f"    {reason}" for reason in reasons)]


def heading() -> str:
    """Return the lines above the rows."""
    words = "wire: does the sandbox answer so; others: does the stand-in do so; then facts, found by the parser/`reads`"
    return f"{words}\n{'recording':<{WIDTH}} {'stand-in':<11}" + "".join(f"{fact:<15}" for fact in FACTS).rstrip()


def rows(wanted: list[str], root: Path) -> Iterator[Row]:
    """Compare, a recording at a time."""
    if not wanted or "wire" in wanted:
        records = exchanges.exchanges(root)
        for name, answer in exchanges.replay(records).items():
            found = exchanges.differences(records[name], answer)
            yield Row(f"wire/{name}", DIFFERS if found else SAME, None, tuple(found))
    if not wanted or "docs" in wanted:
        # Examples of the documentation: only what was printed is known, not what was run.
        for recording in recordings("docs", root):
            yield Row(f"docs/{recording.name}", NONE, read(recording))
    with Lab() as lab:
        for version in versions(root):
            for recording in recordings(version, root) if not wanted or version in wanted else ():
                word, reasons = stand_in(lab, recording)
                yield Row(f"{version}/{recording.name}", word, read(recording), tuple(reasons))


def stand_in(lab: Lab, recording: Recording) -> tuple[str, list[str]]:
    """Return whether the stand-in does what was recorded, and in what not or why not."""
    try:
        found = lab.compare(recording)
    except NotHere as reason:
        return NOT_HERE, [str(reason)]
    except OSError as missing:
        found = [f"the state cannot be arranged: {missing}"]
    plays = profile_of(recording.version).plays
    if found and plays:
        return NO_PROFILE, [f"no profile of {recording.version} in stand_in/versions.py; that of {plays}:", *found]
    return (DIFFERS if found else SAME), found


def main(argv: list[str]) -> int:
    """Print the table and its sums."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.transcripts", description=__doc__)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="only these (docs and wire count as versions)")
    parser.add_argument("--folder", type=Path, default=TRANSCRIPTS, help="where the recordings are")
    given = parser.parse_args(argv)
    counts: collections.Counter[str] = collections.Counter()
    print(heading())
    for row in rows(given.versions, given.folder):
        print("\n".join(row.lines()), flush=True)
        counts["recordings"] += 1
        counts[f"stand-in {row.stand_in}"] += 1
        if row.reading:
            counts["parser right"] += not row.reading.problems
            counts["parser wrong"] += bool(row.reading.problems)
        counts["unexplained"] += row.unexplained
    if not counts["recordings"]:
        parser.error(f"there is no recording of {' '.join(given.versions) or 'anything'} in {given.folder}")
    del counts[f"stand-in {NONE}"]
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return int(counts["unexplained"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
