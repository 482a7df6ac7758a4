# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step unregister: the host has its new identity, and the previous agent is let go, signed by its own.

Whatever goes wrong, the host is well registered; an agent that is not gone for certain is named.
"""

from __future__ import annotations

from .row import MANY, UNREGISTER, LeftOut, Row
from .sentences import LEFT_BEHIND


def left_behind(fault: str, tries: int | None = 3, gone: bool = False) -> Row:
    """Return a row in which the previous agent is named; `gone`: it is gone, but nobody could tell."""
    agents, left = ("new", "") if gone else ("new old", "old")
    return Row(UNREGISTER, fault, LEFT_BEHIND, "changed", "new", 1, tries, agents, "old", again="none", left=left)


def done(fault: str, tries: int = 1) -> Row:
    """Return a row in which the previous agent is gone for certain."""
    return Row(UNREGISTER, fault, "", "changed", "new", 1, tries, "new", again="none")


ROWS = (
    left_behind("no answer in time", gone=True),
    left_behind("reset before a byte was sent", tries=None),
    left_behind("reset in the handshake", tries=None),
    left_behind("reset before acting"),
    left_behind("reset after acting", gone=True),
    left_behind("CONNECT refused with 407", tries=None),
    left_behind("CONNECT refused with 502", tries=None),
    left_behind("redirect to another host"),
    left_behind("401 bare"),
    left_behind("403", tries=1),
    left_behind("404 bare"),
    left_behind("409 Aborted", tries=MANY),
    left_behind("409 AlreadyExists", tries=1),
    left_behind("429", tries=MANY),
    left_behind("429 with Retry-After", tries=MANY),
    left_behind("500 bare"),
    left_behind("502 bare"),
    left_behind("503 bare"),
    left_behind("504 bare"),
    left_behind("500 with a Status"),
    left_behind("502 with a Status"),
    left_behind("503 with a Status"),
    left_behind("504 with a Status"),
    left_behind("503 with Retry-After", tries=MANY),
    left_behind("HTML with 200"),
    left_behind("empty 200", gone=True),
    left_behind("truncated JSON", gone=True),
    left_behind("unknown CA", tries=None),
    left_behind("expired TLS certificate", tries=None),
    left_behind("proxy 407", tries=None),
    left_behind("proxy HTML", tries=None),
    left_behind("DNS failure", tries=None),
    left_behind("HTML with 200, having acted", gone=True),
    left_behind("401 with a Status", tries=1),
    done("404 because the agent is gone"),
    done("429 once", tries=2),
    done("a ~/.netrc"),
    done("controller clock 1 h ahead"),
    done("controller clock 1 h behind"),
    done("platform clock 1 h ahead"),
    done("platform clock 1 h behind"),
)

LEFT_OUT = (
    LeftOut(
        UNREGISTER,
        ("404",),
        "the platform's word that there is no such agent counts; that it lies is no fault that anybody can see",
    ),
    LeftOut(
        UNREGISTER, ("401 with a Status, once",), "a refusal is not tried again, so it is the same as 401 with a Status"
    ),
    LeftOut(
        UNREGISTER,
        ("proxy refused",),
        "the proxy was there for RegisterAgent a moment before; a new connection that fails is the row of the reset",
    ),
    LeftOut(
        UNREGISTER,
        ("disk full", "read-only", "file changed by someone else"),
        "the host is not touched after the write",
    ),
)
