# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the clock of a host is right, held against the controller's and, where that is known, the platform's."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .diagnosis import SKEW_LIMIT, duration
from .remedy import Place

Verdict = t.Literal["right", "wrong", "doubtful"]

REACH = "Let it reach a time server (UDP port 123), or name others in cnspec_ntp_servers; run there"
# How to see why a service that runs does not set the clock, by its kind.
LOOK_AT = {
    "chrony": f"{REACH}: chronyc -n sources; sudo chronyc makestep",
    "systemd-timesyncd": f"{REACH}: timedatectl timesync-status",
    "ntpd": f"{REACH}: ntpq -np",
    "openntpd": f"{REACH}: ntpctl -s all",
}


@dataclass(frozen=True)
class ClockSeen:
    """What is known of a clock; None is not known.

    `offset`: host minus controller, `controller`: controller minus platform, `correction`: what the service itself has
    still to correct (all in seconds). `in_step`: whether the service says that it follows a time server. `kernel`:
    whether the kernel says that the clock was not touched since.
    """

    offset: float | None = None
    controller: float | None = None
    in_step: bool | None = None
    kernel: bool | None = None
    correction: float | None = None

    @property
    def skew(self) -> float:
        """Host minus platform in seconds, or minus the controller where no more is known."""
        return (self.offset or 0.0) + (self.controller or 0.0)


def judge(clock: ClockSeen) -> Verdict:
    """Tell whether the clock is right. Doubtful: it, or the controller's, is wrong, and nothing tells which one."""
    if abs(clock.skew) <= SKEW_LIMIT:
        return "right"
    if clock.controller is not None or clock.in_step is not True:
        return "wrong"
    # A service may think itself in step with a clock that was set under it, or that it is only nudging along.
    touched = clock.kernel is False or abs(clock.correction or 0.0) > SKEW_LIMIT
    return "wrong" if touched else "doubtful"


def difference(clock: ClockSeen) -> str:
    """Return by how much the clock is off, in words."""
    side = "behind" if clock.skew < 0 else "ahead of"
    other = "controller's" if clock.controller is None else "platform's"
    return f"its clock is {duration(clock.skew)} {side} the {other}"


def remedy(kind: str | None, family: str) -> str:
    """Return what to do where the clock is not set right by a service of this kind, or where none runs (None)."""
    if kind is None:
        return Place(family=family).fix("clock_skew")
    return LOOK_AT.get(kind, REACH.rpartition(";")[0])
