# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step PingPong: the new identity is proved before the host gets it.

Refused for 15 s, it is unmade again. Without an answer it is written all the same, and the old agent is kept.
"""

from __future__ import annotations

from .row import MANY, PING, LeftOut, Row
from .sentences import (
    CUT,
    EMPTY_200,
    EMPTY_307,
    EXPIRED_TLS,
    FOREIGN_200,
    LEFT_BEHIND,
    NEW_REFUSED,
    NO_VERDICT,
    PROXY_407,
    SLOW,
    TUNNEL_502,
    UNKNOWN_CA,
    bare,
    status,
)


def unproved(fault: str, cause: str, tries: int | None = 3) -> Row:
    """Return a row in which the platform gives no verdict in three tries."""
    reads = f"{NO_VERDICT.format(cause)} {LEFT_BEHIND}"
    return Row(PING, fault, reads, "changed", "new", 1, tries, "new old", "old", again="none", left="old")


def done(fault: str, tries: int = 1) -> Row:
    """Return a row in which the identity is proved all the same."""
    return Row(PING, fault, "", "changed", "new", 1, tries, "new", again="none")


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
    unproved("409 Aborted", status(409, 10), tries=MANY),
    unproved("409 AlreadyExists", status(409, 6)),
    unproved("429", status(429, 8), tries=MANY),
    unproved("429 with Retry-After", status(429, 8), tries=MANY),
    unproved("500 bare", bare(500)),
    unproved("502 bare", bare(502)),
    unproved("503 bare", bare(503)),
    unproved("504 bare", bare(504)),
    unproved("500 with a Status", status(500, 13)),
    unproved("502 with a Status", status(502, 2)),
    unproved("503 with a Status", status(503, 14)),
    unproved("504 with a Status", status(504, 4)),
    unproved("503 with Retry-After", status(503, 14), tries=MANY),
    unproved("HTML with 200", bare(200)),
    unproved("empty 200", EMPTY_200),
    unproved("truncated JSON", FOREIGN_200),
    unproved("unknown CA", UNKNOWN_CA, tries=None),
    unproved("expired TLS certificate", EXPIRED_TLS, tries=None),
    unproved("proxy 407", bare(407), tries=None),
    unproved("proxy HTML", bare(200), tries=None),
    Row(PING, "401 with a Status", NEW_REFUSED, made=1, tries=6),
    # A new account may need a moment.
    done("401 with a Status, once", tries=2),
    done("429 once", tries=2),
    done("a ~/.netrc"),
    # Signed with the platform's time, which the answer to RegisterAgent told.
    done("controller clock 1 h ahead"),
    done("controller clock 1 h behind"),
    done("platform clock 1 h ahead"),
    done("platform clock 1 h behind"),
)

LEFT_OUT = (
    LeftOut(
        PING,
        ("reset after acting", "HTML with 200, having acted"),
        "PingPong changes nothing, so it is the same as before acting",
    ),
    LeftOut(PING, ("404 because the agent is gone",), "PingPong is about the service account, not about the agent"),
    LeftOut(
        PING,
        ("proxy refused", "DNS failure"),
        "name and proxy were good for RegisterAgent just before; a new connection that fails is the row of the reset",
    ),
    LeftOut(
        PING,
        ("disk full", "read-only", "file changed by someone else"),
        "the host is not touched during this step: it is found at the write",
    ),
)
