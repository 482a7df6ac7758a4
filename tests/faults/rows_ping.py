# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step PingPong: the new identity is proved before the host gets it.

Refused for 15 s, it is unmade again. Without an answer it is written all the same, and the old agent is kept.
"""

from __future__ import annotations

from .row import PING, LeftOut, Row
from .sentences import LEFT_BEHIND, NEW_REFUSED, NO_VERDICT, WITHOUT_VERDICT
from .vocabulary import CLOCKS, NO_WAY, calls


def unproved(fault: str, cause: str) -> Row:
    """Return a row in which the platform gives no verdict in three tries."""
    reads = f"{NO_VERDICT.format(cause)} {LEFT_BEHIND}"
    return Row(PING, fault, reads, "changed", "new", 1, calls(fault), "new old", "old", again="none", left="old")


def done(fault: str, tries: int = 1) -> Row:
    """Return a row in which the identity is proved all the same."""
    return Row(PING, fault, "", "changed", "new", 1, tries, "new", again="none")


ROWS = (
    *(unproved(fault, cause) for fault, cause in WITHOUT_VERDICT if fault not in NO_WAY),
    Row(PING, "401 with a Status", NEW_REFUSED, made=1, tries=6),
    # A new account may need a moment.
    done("401 with a Status, once", tries=2),
    done("429 once", tries=2),
    done("a ~/.netrc"),
    # Signed with the platform's time, which the answer to RegisterAgent told.
    *(done(clock) for clock in CLOCKS),
)

LEFT_OUT = (
    LeftOut(
        PING,
        NO_WAY,
        "name and proxy were good for RegisterAgent just before; a new connection that fails is the row of the reset",
    ),
)
