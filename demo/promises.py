# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo promises: each is said with a mark that tells whether it was kept."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from demo.table import WIDTH

KEPT, BROKEN = "  yes  ", "  NOT AS PROMISED  "


@dataclass
class Promises:
    """Count what was promised, and keep what was not kept."""

    step: str = ""
    kept: int = 0
    broken: list[str] = field(default_factory=list)

    def check(self, holds: bool, sentence: str) -> None:
        """Say a sentence that holds, or that does not."""
        if holds:
            self.kept += 1
        else:
            self.broken.append(f"{self.step}: {sentence}")
        mark = KEPT if holds else BROKEN
        say(sentence, first=mark, rest=" " * len(mark))

    def sum_up(self) -> list[str]:
        """Say how many were kept, and each that was not; return these."""
        print()
        for sentence in self.broken:
            say(f"Not as promised, {sentence}.")
        say(f"{self.kept} of {self.kept + len(self.broken)} promises were kept.")
        return self.broken


def say(text: str, first: str = "", rest: str = "") -> None:
    """Print one sentence, wrapped, indented by `first` and then `rest`."""
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
    print("\n".join(lines), flush=True)


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: `web1, web2`, or `none`."""
    return ", ".join(names) or "none"
