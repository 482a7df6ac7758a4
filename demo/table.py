# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the hosts, at most 100 columns wide: what does not fit is wrapped, and what is left out is marked."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

WIDTH = 100
GAP = "  "
LEFT_OUT = " [...] "
HEADINGS = ("host", "health", "last line, as cnspec said it", "fix", "changed")
LAST_LINE, FIX = 2, 3


@dataclass(frozen=True)
class Row:
    """One host. An empty text is shown as a dash."""

    host: str
    health: str
    last_line: str
    fix: str
    changed: str


def render(rows: Sequence[Row], width: int = WIDTH) -> str:
    """Return the table; no line of it is longer than `width`.

    A last line is shortened in its middle to what fits into five lines; a fix is something to do and never shortened.
    """
    cells = [HEADINGS, *(tuple(value or "-" for value in astuple(row)) for row in rows)]
    widths = _widths(cells, width)
    lines: list[str] = []
    for number, row in enumerate(cells):
        lines += _row(row, widths)
        if number == 0:
            lines.append(GAP.join("-" * column for column in widths))
    return "\n".join(lines)


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of the columns: the two with sentences share what the others leave."""
    widest = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    fixed = sum(size for column, size in enumerate(widest) if column not in (LAST_LINE, FIX))
    left = width - fixed - len(GAP) * (len(HEADINGS) - 1)
    # Half of it, or more where the other has enough, or where that keeps the name of a module in one piece.
    word = max((len(word) for row in cells for word in row[FIX].split()), default=0)
    fix = min(widest[FIX], max(left // 2, left - widest[LAST_LINE], min(word, left * 3 // 5)))
    widest[FIX], widest[LAST_LINE] = fix, min(widest[LAST_LINE], left - fix)
    return widest


def _row(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    texts = list(row)
    texts[LAST_LINE] = shorten(texts[LAST_LINE], 5 * widths[LAST_LINE] - 20)
    columns = [wrap(text, column) for text, column in zip(texts, widths, strict=True)]
    for number in range(max(map(len, columns))):
        parts = [column[number] if number < len(column) else "" for column in columns]
        yield GAP.join(part.ljust(size) for part, size in zip(parts, widths, strict=True)).rstrip()


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most `width`; only a word that is longer than that is broken."""
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def shorten(text: str, size: int) -> str:
    """Return the text, or its beginning and its end (where cnspec says why) with a mark between them."""
    text = " ".join(text.split())
    if len(text) <= size:
        return text
    room = size - len(LEFT_OUT)
    start, end = text[: room // 2], text[len(text) - (room - room // 2) :]
    # Whole words, unless a word is as long as all the room.
    start = start.rpartition(" ")[0] or start
    end = end.partition(" ")[2] or end
    return start + LEFT_OUT + end
