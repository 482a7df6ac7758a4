# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the clock of a host is right: look again and again, one round trip each."""

from __future__ import annotations

import time
import typing as t

from .errors import FleetError

POLL_SECONDS = 2.0

# What was seen of a host, with the plan of time_plan as `time`.
Prepared = t.Mapping[str, t.Any]

DOUBTFUL = (
    "The clock of this host and the controller's are more than 30 s apart, though its time service follows a time "
    "server. One of the two is wrong: compare both with another time server."
)


def wait_for_clock(look: t.Callable[[], Prepared], seconds: float) -> dict[str, t.Any]:
    """Look until the clock is right and its service in step, `seconds` at most, and return what was seen last.

    Raises FleetError for a clock that stays wrong, and what `look` raises.
    """
    deadline = time.monotonic() + seconds
    while True:
        prepared = look()
        left = deadline - time.monotonic()
        if _settled(prepared["time"]) or left <= 0:
            return {**prepared, "warnings": _warnings(_right(prepared["time"], seconds))}
        time.sleep(min(POLL_SECONDS, left))


def _settled(plan: Prepared) -> bool:
    if plan["verdict"] == "right":
        return plan["in_step"] is not False or not plan["can_wait"]
    return plan["verdict"] == "doubtful" or not plan["can_wait"]


def _right(plan: Prepared, seconds: float) -> Prepared:
    if plan["verdict"] == "wrong":
        waited = f", and did not come right within {seconds:.0f} s" if plan["can_wait"] else ""
        raise FleetError("register this host", plan["cause"] + waited, plan["remedy"], code="clock_skew")
    return plan


def _warnings(plan: Prepared) -> list[str]:
    if plan["verdict"] == "doubtful":
        return [DOUBTFUL]
    if plan["in_step"] is False and plan["can_wait"]:
        name = plan["service"]["kind"]
        return [f"The clock is right, and {name} does not follow a time server yet. {plan['remedy']}."]
    return []
