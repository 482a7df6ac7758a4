# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step look: the host is looked at, and the platform asked about the identity that is found there.

One try, and no verdict is no reason to touch anything: a host whose platform cannot be reached is never repaired.
"""

from __future__ import annotations

from .row import LOOK, LeftOut, Row
from .sentences import NEW_REFUSED, NO_VERDICT, NOT_WRITABLE, WITHOUT_VERDICT, WRONG_CLOCK
from .vocabulary import CLOCKS, calls


def unproved(fault: str, cause: str) -> Row:
    """Return a row in which nothing happens but a warning."""
    return Row(LOOK, fault, NO_VERDICT.format(cause), "ok", tries=calls(fault, 1), again="none")


def fine(fault: str, tries: int = 1, reads: str = "") -> Row:
    """Return a row in which the identity is found to be accepted."""
    return Row(LOOK, fault, reads, "ok", tries=tries, again="none")


ROWS = (
    *(unproved(fault, cause) for fault, cause in WITHOUT_VERDICT),
    # Refused twice, 5 s apart, in the platform's own words: registered anew, and that is refused as well, six times.
    Row(LOOK, "401 with a Status", NEW_REFUSED, made=1, tries=8, again="none"),
    fine("401 with a Status, once", tries=2),
    fine("a ~/.netrc"),
    # Refused, then signed with the time of the platform's own Health/Check.
    *(fine(clock, tries=2, reads=WRONG_CLOCK) for clock in CLOCKS),
    # Seen before anything is asked of the platform.
    Row(LOOK, "disk full", NOT_WRITABLE.format("No space left on device. Make room there")),
    Row(LOOK, "read-only", NOT_WRITABLE.format("Read-only file system. Mount it writable")),
)

LEFT_OUT = (
    LeftOut(
        LOOK, ("file changed by someone else",), "what counts is that it changed by the time of the write: that row"
    ),
)
