# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all laws are tried on: hosts of the table of states, with more in their files, each for one example."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from doubles.lab import Lab
from states.found import build, write
from states.ground import Ground, Place, prepared
from states.looking import Run, account, look
from states.rows import ROWS


class Yard:
    """Where hosts are made: `host` makes one, whose name nobody else has."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.ground, self.folder = ground, folder
        self.numbers = itertools.count()

    def host(self, found: str, extra: str = "") -> tuple[Place, Lab]:
        """Make what is found (a row of the table), with more text at its end, and the lab for it."""
        name = f"host{next(self.numbers)}"
        place = Place(name, self.folder / "hosts" / name, self.ground, self.ground.document)

        def with_extra(place: Place) -> None:
            ROWS[found].build(place)
            if extra:
                content = place.config.read_bytes() if place.config.exists() else b""
                write(place, content + extra.encode())

        build(with_extra, place)
        lab = Lab(self.ground.here, self.folder)
        lab.path, lab.host_name, lab.run_folder = place.config, name, self.folder / "runs" / name
        return place, lab

    def agents(self, place: Place) -> frozenset[str]:
        """Return the agents of a host that exist."""
        return frozenset(self.ground.agents().get(place.name, set()))

    def run(self, place: Place, lab: Lab, options: dict[str, t.Any], check: bool = False) -> Run:
        """Run the registration once, and look at everything."""
        mark = self.ground.mark()
        result = lab.register(check=check, **options)
        age(place)
        registered, acted = account(self.ground, mark)
        return Run(result, look(place), self.agents(place), registered[place.name], acted)


def age(place: Place) -> None:
    """Let a minute pass since what was written: a file that has just changed may be looked at for seconds."""
    minute_ago = time.time() - 60
    for path in (place.config, place.folder):
        if path.exists() and path.stat().st_mtime > minute_ago:
            os.utime(path, (minute_ago, minute_ago))


@pytest.fixture(scope="module")
def yard() -> t.Iterator[Yard]:
    with prepared() as ground, tempfile.TemporaryDirectory(prefix="laws-") as folder:
        yield Yard(ground, Path(folder))
