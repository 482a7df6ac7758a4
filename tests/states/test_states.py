# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the table in this process, with the hands on real files; `make states` takes ansible-playbook."""

from __future__ import annotations

import contextlib
import os
import pwd
import tempfile
import typing as t
from pathlib import Path
from unittest import mock

import pytest

from doubles.lab import Lab
from states import page
from states.asked import COLUMNS
from states.ground import Ground, Place, prepared
from states.judging import complaints
from states.looking import Run, Runs, account, look
from states.rows import ROWS
from states.rules import WHY
from states.table import HOSTS, MAIN, Host


@pytest.fixture(scope="module")
def ground() -> t.Iterator[Ground]:
    with prepared() as ground:
        yield ground


@pytest.fixture(scope="module")
def fleet() -> t.Iterator[Path]:
    # Not below pytest's own folder: another user of the machine could not get at that.
    with tempfile.TemporaryDirectory(prefix="states-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextlib.contextmanager
def surroundings(place: Place) -> t.Iterator[None]:
    """Be who the hands are on a host, with their environment."""
    with mock.patch.dict(os.environ, place.environment):
        if place.as_nobody:
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            yield
        finally:
            os.seteuid(os.getuid())


def run(host: Host, place: Place, lab: Lab, check: bool) -> Run:
    """Run the registration once, and look at everything."""
    mark = place.ground.mark()
    with surroundings(place):
        result = lab.register(check=check, **host.options(place))
    registered, acted = account(place.ground, mark)
    agents = place.ground.agents().get(host.name, set())
    return Run(result, look(place), frozenset(agents), registered[host.name], acted)


@pytest.mark.parametrize("host", HOSTS, ids=[host.name for host in HOSTS])
def test_each_state_gets_what_the_table_says_once_and_then_nothing(ground: Ground, fleet: Path, host: Host) -> None:
    place = host.settle(ground, fleet)
    lab = Lab(ground.here, fleet)
    lab.path, lab.host_name, lab.run_folder = place.config, host.name, fleet / "run"
    runs = Runs(look(place), frozenset(ground.agents().get(host.name, set())))
    runs.runs = [run(host, place, lab, check) for check in (True, False, False)]
    found = complaints(host, place, runs)
    assert not found, "\n".join(found)


def test_no_cell_of_the_table_is_left_out() -> None:
    assert {(host.found, host.asked) for host in MAIN} == {(found, asked) for found in ROWS for asked in COLUMNS}


def test_every_cell_has_its_rule_and_every_rule_its_cell() -> None:
    assert {host.cell.why for host in HOSTS} == set(WHY)


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), "run make states ARGS=--page"
