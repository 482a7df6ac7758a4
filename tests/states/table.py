# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table: each cell is a host of one inventory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from states.asked import COLUMNS, QUESTIONS, Options, Question, options
from states.found import build
from states.ground import Ground, Place
from states.rows import FURTHER_ROWS, ROWS, Row
from states.rules import Cell


@dataclass(frozen=True)
class Host:
    """One cell, and the host that plays it."""

    found: str
    asked: str
    cell: Cell

    @property
    def name(self) -> str:
        """The name of the host."""
        return "--".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in (self.found, self.asked))

    @property
    def row(self) -> Row:
        """What is found."""
        return {**ROWS, **FURTHER_ROWS}[self.found]

    @property
    def question(self) -> Question:
        """What is asked."""
        return QUESTIONS[self.asked]

    def settle(self, ground: Ground, folder: Path) -> Place:
        """Make what is found, below a folder."""
        place = Place(self.name, folder / self.name, ground, ground.document)
        build(self.row.build, place)
        return place

    def options(self, place: Place) -> Options:
        """Return the options of the task."""
        return options(self.asked, place)


MAIN = [Host(found, asked, row.cells[asked]) for found, row in ROWS.items() for asked in COLUMNS]
FURTHER = [
    Host(found, asked, cell) for found, row in {**ROWS, **FURTHER_ROWS}.items() for asked, cell in row.further.items()
]
HOSTS = [*MAIN, *FURTHER]
