# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole table, and what is left out of it."""

from __future__ import annotations

from . import (
    left_out,
    rows_absent,
    rows_absent_process,
    rows_look,
    rows_ping,
    rows_process,
    rows_register,
    rows_unregister,
    rows_write,
)
from .row import LeftOut, Row

PARTS = (
    rows_look,
    rows_register,
    rows_ping,
    rows_write,
    rows_unregister,
    rows_absent,
    rows_process,
    rows_absent_process,
)
ROWS: tuple[Row, ...] = tuple(row for part in PARTS for row in part.ROWS)
LEFT_OUT: tuple[LeftOut, ...] = tuple(item for part in (left_out, *PARTS) for item in part.LEFT_OUT)
