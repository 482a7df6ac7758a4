# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left out of several steps for one reason; what is left out of one step stands with its rows."""

from __future__ import annotations

from .row import ABSENT_PING, ABSENT_UNREGISTER, LOOK, PING, REGISTER, UNREGISTER, LeftOut
from .rows_process import ON_HOST
from .vocabulary import PLACES


def at(steps: tuple[str, ...], faults: tuple[str, ...], reason: str) -> tuple[LeftOut, ...]:
    """Leave the same faults out of several steps."""
    return tuple(LeftOut(step, faults, reason) for step in steps)


LEFT_OUT = (
    *at(
        (LOOK, PING, ABSENT_PING),
        ("reset after acting", "HTML with 200, having acted"),
        "PingPong changes nothing, so it is the same as before acting",
    ),
    *at(
        (LOOK, PING, ABSENT_PING),
        ("404 because the agent is gone",),
        "PingPong is about the service account, not about the agent",
    ),
    *at((LOOK, ABSENT_PING), ("429 once",), "there is one try, so it is the same as 429"),
    *at(
        (UNREGISTER, ABSENT_UNREGISTER),
        ("404",),
        "the platform's word that there is no such agent counts; that it lies is no fault that anybody can see",
    ),
    *at(
        (UNREGISTER, ABSENT_UNREGISTER),
        ("401 with a Status, once",),
        "a refusal is not tried again, so it is the same as 401 with a Status",
    ),
    *at(
        (REGISTER, PING, ABSENT_PING, ABSENT_UNREGISTER),
        (*PLACES, *ON_HOST),
        "the host is not touched during this step: it is found at the write",
    ),
    *at((UNREGISTER,), (*PLACES, *ON_HOST), "the host is not touched after the write"),
)
