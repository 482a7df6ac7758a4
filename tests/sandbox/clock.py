# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform's clock: the true time, moved by an offset when a test wants a wrong one."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """Tell the time. `offset` is in seconds; `judges` says whether signatures are judged by it or by the true time."""

    offset: float = 0.0
    judges: bool = True

    def now(self) -> float:
        """Return what the platform says the time is: in Date headers and in Health/Check."""
        return time.time() + self.offset

    def judging(self) -> float:
        """Return the time by which signatures, tokens and certificates are judged and issued."""
        return self.now() if self.judges else time.time()

    def moved(self, offset: float | None) -> Clock:
        """Return this clock, or one with another offset (a fault of one call)."""
        return self if offset is None else Clock(offset, self.judges)
