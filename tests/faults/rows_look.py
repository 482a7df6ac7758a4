# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step look: the host is looked at, and the platform asked about the identity that is found there.

One try, and no verdict is no reason to touch anything: a host whose platform cannot be reached is never repaired.
"""

from __future__ import annotations

from .row import LOOK, LeftOut, Row
from .sentences import (
    CUT,
    EMPTY_200,
    EMPTY_307,
    EXPIRED_TLS,
    FOREIGN_200,
    NEW_REFUSED,
    NO_NAME,
    NO_VERDICT,
    NOT_WRITABLE,
    PROXY_407,
    REFUSED_CONNECTION,
    SLOW,
    TUNNEL_502,
    UNKNOWN_CA,
    WRONG_CLOCK,
    bare,
    status,
)


def unproved(fault: str, cause: str, tries: int | None = 1) -> Row:
    """Return a row in which nothing happens but a warning."""
    return Row(LOOK, fault, NO_VERDICT.format(cause), "ok", tries=tries, again="none")


def fine(fault: str, tries: int = 1, reads: str = "") -> Row:
    """Return a row in which the identity is found to be accepted."""
    return Row(LOOK, fault, reads, "ok", tries=tries, again="none")


ROWS = (
    unproved("no answer in time", SLOW),
    unproved("reset before a byte was sent", CUT, tries=None),
    unproved("reset in the handshake", CUT, tries=None),
    unproved("reset before acting", CUT),
    unproved("CONNECT refused with 407", PROXY_407, tries=None),
    unproved("CONNECT refused with 502", TUNNEL_502, tries=None),
    unproved("redirect to another host", EMPTY_307),
    unproved("401 bare", bare(401)),
    unproved("403", status(403, 7)),
    unproved("404", status(404, 5)),
    unproved("404 bare", bare(404)),
    unproved("409 Aborted", status(409, 10)),
    unproved("409 AlreadyExists", status(409, 6)),
    unproved("429", status(429, 8)),
    unproved("429 with Retry-After", status(429, 8)),
    unproved("500 bare", bare(500)),
    unproved("502 bare", bare(502)),
    unproved("503 bare", bare(503)),
    unproved("504 bare", bare(504)),
    unproved("500 with a Status", status(500, 13)),
    unproved("502 with a Status", status(502, 2)),
    unproved("503 with a Status", status(503, 14)),
    unproved("504 with a Status", status(504, 4)),
    unproved("503 with Retry-After", status(503, 14)),
    unproved("HTML with 200", bare(200)),
    unproved("empty 200", EMPTY_200),
    unproved("truncated JSON", FOREIGN_200),
    unproved("unknown CA", UNKNOWN_CA, tries=None),
    unproved("expired TLS certificate", EXPIRED_TLS, tries=None),
    unproved("proxy refused", REFUSED_CONNECTION, tries=None),
    unproved("proxy 407", bare(407), tries=None),
    unproved("proxy HTML", bare(200), tries=None),
    unproved("DNS failure", NO_NAME, tries=None),
    # Refused twice, 5 s apart, in the platform's own words: registered anew, and that is refused as well, six times.
    Row(LOOK, "401 with a Status", NEW_REFUSED, made=1, tries=8, again="none"),
    fine("401 with a Status, once", tries=2),
    fine("a ~/.netrc"),
    # Refused, then signed with the time of the platform's own Health/Check.
    fine("controller clock 1 h ahead", tries=2, reads=WRONG_CLOCK),
    fine("controller clock 1 h behind", tries=2, reads=WRONG_CLOCK),
    fine("platform clock 1 h ahead", tries=2, reads=WRONG_CLOCK),
    fine("platform clock 1 h behind", tries=2, reads=WRONG_CLOCK),
    # Seen before anything is asked of the platform.
    Row(LOOK, "disk full", NOT_WRITABLE.format("No space left on device. Make room there")),
    Row(LOOK, "read-only", NOT_WRITABLE.format("Read-only file system. Mount it writable")),
)

LEFT_OUT = (
    LeftOut(
        LOOK,
        ("reset after acting", "HTML with 200, having acted"),
        "PingPong changes nothing, so it is the same as before acting",
    ),
    LeftOut(LOOK, ("429 once",), "there is one try, so it is the same as 429"),
    LeftOut(LOOK, ("404 because the agent is gone",), "PingPong is about the service account, not about the agent"),
    LeftOut(
        LOOK, ("file changed by someone else",), "what counts is that it changed by the time of the write: that row"
    ),
)
