# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With `state: absent`: the agent is unregistered first, and only then is its identity removed from the config.

The config is not touched while nobody knows that the agent is gone.
"""

from __future__ import annotations

from .row import ABSENT_PING, ABSENT_UNREGISTER, ABSENT_WRITE, LeftOut, Row
from .sentences import WITHOUT_VERDICT, WRONG_CLOCK
from .vocabulary import CLOCKS, NO_WAY, UNCONFIRMED, UNHEARD, calls

NOT_UNREGISTERED = (
    "Cannot unregister the agent: {}. The config is as it was; run again when the platform can be reached, "
    "or set unregister_previous: false to leave the agent there."
)
REJECTED = (
    "The platform rejects the identity already, so the host is taken off here only. "
    "Its agent may still be there: see left_behind in the result."
)
NOT_WRITTEN = (
    "Cannot write the config {{path}}: {}. "
    "The agent is unregistered already; run again to remove what is left in the config."
)


def unproved(fault: str, cause: str) -> Row:
    """Return a row in which it is not known whether the platform would listen, so nothing is done."""
    reads = NOT_UNREGISTERED.format(f"the platform gave no verdict: {cause}")
    return Row(ABSENT_PING, fault, reads, tries=calls(fault, 1), again="unregister")


def unconfirmed(fault: str, most: int = 3) -> Row:
    """Return a row in which the agent is not unregistered for certain, so the config stays."""
    reads = NOT_UNREGISTERED.format("the platform did not confirm it")
    return Row(ABSENT_UNREGISTER, fault, reads, tries=calls(fault, most), again="unregister")


def refused(fault: str, answer: str) -> Row:
    """Return a row in which the platform says that it will not, so the config stays."""
    reads = (
        f"Cannot unregister the agent: the platform refused with {answer}. The config is as it was; check what its "
        "identity may do in this space, or set unregister_previous: false to leave the agent there."
    )
    return Row(ABSENT_UNREGISTER, fault, reads, tries=1, again="unregister")


def done(step: str, fault: str, tries: int = 1, reads: str = "") -> Row:
    """Return a row in which the host is taken off all the same."""
    return Row(step, fault, reads, "changed", "new", tries=tries, agents="", again="none")


def unwritten(fault: str, reads: str, host: str = "old") -> Row:
    """Return a row in which the agent is gone and the config is not; the next run mends that."""
    return Row(ABSENT_WRITE, fault, reads, host=host, agents="", again="unregister")


ROWS = (
    *(unproved(fault, cause) for fault, cause in WITHOUT_VERDICT),
    # Refused twice, in the platform's own words: there is nobody who could unregister the agent.
    Row(ABSENT_PING, "401 with a Status", REJECTED, "changed", "new", 0, 2, "old", "old", "none", "old"),
    done(ABSENT_PING, "401 with a Status, once", tries=2),
    done(ABSENT_PING, "a ~/.netrc"),
    *(done(ABSENT_PING, clock, 2, WRONG_CLOCK) for clock in CLOCKS),
    *(unconfirmed(fault) for fault in UNCONFIRMED),
    refused("403", "403 (code 7)"),
    refused("409 AlreadyExists", "409 (code 6)"),
    unconfirmed("401 with a Status", most=1),
    # The answers are lost; that the identity, accepted a moment ago, is refused now tells that the agent is gone.
    *(done(ABSENT_UNREGISTER, fault, tries=3) for fault in UNHEARD),
    done(ABSENT_UNREGISTER, "404 because the agent is gone"),
    done(ABSENT_UNREGISTER, "429 once", tries=2),
    done(ABSENT_UNREGISTER, "a ~/.netrc"),
    unwritten("disk full", NOT_WRITTEN.format("No space left on device")),
    unwritten("read-only", NOT_WRITTEN.format("Read-only file system")),
    unwritten("file changed by someone else", NOT_WRITTEN.format("it was changed by someone else meanwhile"), "theirs"),
)

LEFT_OUT = (
    LeftOut(ABSENT_UNREGISTER, CLOCKS, "the right time is known from PingPong: those rows"),
    LeftOut(
        ABSENT_UNREGISTER,
        NO_WAY,
        "name and proxy were good for PingPong just before; a new connection that fails is the row of the reset",
    ),
)
