# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step unregister: the host has its new identity, and the previous agent is let go, signed by its own.

Whatever goes wrong, the host is well registered; an agent that is not gone for certain is named.
"""

from __future__ import annotations

from .row import UNREGISTER, LeftOut, Row
from .sentences import LEFT_BEHIND
from .vocabulary import CLOCKS, UNCONFIRMED, UNHEARD, calls


def left_behind(fault: str, most: int = 3, gone: bool = False) -> Row:
    """Return a row in which the previous agent is named; `gone`: it is gone, but nobody could tell."""
    agents, left = ("new", "") if gone else ("new old", "old")
    tries = calls(fault, most)
    return Row(UNREGISTER, fault, LEFT_BEHIND, "changed", "new", 1, tries, agents, "old", again="none", left=left)


def done(fault: str, tries: int = 1) -> Row:
    """Return a row in which the previous agent is gone for certain."""
    return Row(UNREGISTER, fault, "", "changed", "new", 1, tries, "new", again="none")


ROWS = (
    *(left_behind(fault) for fault in (*UNCONFIRMED, "DNS failure")),
    *(left_behind(fault, gone=True) for fault in UNHEARD),
    *(left_behind(fault, most=1) for fault in ("403", "409 AlreadyExists", "401 with a Status")),
    done("404 because the agent is gone"),
    done("429 once", tries=2),
    done("a ~/.netrc"),
    *(done(clock) for clock in CLOCKS),
)

LEFT_OUT = (
    LeftOut(
        UNREGISTER,
        ("proxy refused",),
        "the proxy was there for RegisterAgent a moment before; a new connection that fails is the row of the reset",
    ),
)
