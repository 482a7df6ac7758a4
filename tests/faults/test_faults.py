# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the table comes true, and no pair of a step and a fault is forgotten."""

from __future__ import annotations

import pytest

from .row import STEPS, Row, expected
from .rows import LEFT_OUT, ROWS
from .scene import NotHere, play
from .vocabulary import FAULTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.step}: {row.fault}")
def test_a_fault_at_a_step_loses_nothing_and_is_said_in_full(row: Row) -> None:
    try:
        found, names = play(row)
    except NotHere as reason:
        pytest.skip(f"not run here: {reason}")
    assert found == expected(row, names)


def test_every_pair_of_step_and_fault_is_a_row_or_is_left_out_for_a_reason() -> None:
    rows = [(row.step, row.fault) for row in ROWS]
    left_out = [(item.step, fault) for item in LEFT_OUT for fault in item.faults]
    pairs = {(step, fault) for step in STEPS for fault in FAULTS}
    assert sorted(set(rows) & set(left_out)) == [], "both"
    assert len(left_out) == len(set(left_out)), "left out twice"
    assert sorted(pairs - set(rows) - set(left_out)) == [], "neither"
    assert sorted({*rows, *left_out} - pairs) == [], "no such pair"
