# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step RegisterAgent: it has no idempotency key, so what decides is whether a byte of the request was written.

Each host is registered in another space and asked to move, so that there is an old config and an old agent to lose.
"""

from __future__ import annotations

from .row import MANY, REGISTER, LeftOut, Row
from .sentences import (
    BUSY,
    CUT,
    EMPTY_307,
    EXPIRED_TLS,
    MAYBE_MADE,
    NO_NAME,
    NOT_REACHED,
    PROXY_407,
    REFUSED,
    REFUSED_CONNECTION,
    SLOW,
    TOKEN_REFUSED,
    TUNNEL_502,
    UNKNOWN_CA,
    bare,
    status,
)
from .vocabulary import CLOCKS

UNREADABLE = "its answer cannot be read"


def not_made(fault: str, reads: str, tries: int = 1) -> Row:
    """Return a row in which nothing was made, for certain."""
    return Row(REGISTER, fault, reads, tries=tries)


def maybe(fault: str, cause: str, made: int = 0) -> Row:
    """Return a row in which nobody can tell whether an agent was made; `made` is whether one was."""
    agents, left = ("new old", "new") if made else ("old", "")
    return Row(REGISTER, fault, MAYBE_MADE.format(cause), made=made, tries=1, agents=agents, named="unknown", left=left)


def done(fault: str, tries: int = 1, asked: str = "token") -> Row:
    """Return a row in which the host is registered all the same."""
    return Row(REGISTER, fault, "", "changed", "new", 1, tries, "new", again="none", asked=asked)


ROWS = (
    maybe("no answer in time", SLOW, made=1),
    not_made("reset before a byte was sent", NOT_REACHED.format(CUT), tries=5),
    not_made("reset in the handshake", NOT_REACHED.format(CUT), tries=5),
    maybe("reset before acting", CUT),
    maybe("reset after acting", CUT, made=1),
    not_made("CONNECT refused with 407", NOT_REACHED.format(PROXY_407), tries=1),
    not_made("CONNECT refused with 502", NOT_REACHED.format(TUNNEL_502), tries=5),
    maybe("redirect to another host", EMPTY_307),
    maybe("401 bare", bare(401)),
    not_made("403", REFUSED.format("403 (code 7)")),
    not_made("404", REFUSED.format("404 (code 5)")),
    maybe("404 bare", bare(404)),
    not_made("409 Aborted", BUSY.format("409 (code 10)"), tries=MANY),
    not_made("409 AlreadyExists", REFUSED.format("409 (code 6)")),
    not_made("429", BUSY.format("429 (code 8)"), tries=MANY),
    not_made("429 with Retry-After", BUSY.format("429 (code 8)"), tries=MANY),
    maybe("500 bare", bare(500)),
    maybe("502 bare", bare(502)),
    maybe("503 bare", bare(503)),
    maybe("504 bare", bare(504)),
    maybe("500 with a Status", status(500, 13)),
    maybe("502 with a Status", status(502, 2)),
    maybe("503 with a Status", status(503, 14)),
    maybe("504 with a Status", status(504, 4)),
    not_made("503 with Retry-After", BUSY.format("503 (code 14)"), tries=MANY),
    maybe("HTML with 200", UNREADABLE),
    maybe("empty 200", UNREADABLE, made=1),
    maybe("truncated JSON", UNREADABLE, made=1),
    not_made("unknown CA", NOT_REACHED.format(UNKNOWN_CA), tries=1),
    not_made("expired TLS certificate", NOT_REACHED.format(EXPIRED_TLS), tries=1),
    not_made("proxy refused", NOT_REACHED.format(REFUSED_CONNECTION), tries=5),
    not_made("proxy 407", NOT_REACHED.format(PROXY_407)),
    maybe("proxy HTML", UNREADABLE),
    not_made("DNS failure", NOT_REACHED.format(NO_NAME), tries=5),
    not_made("401 with a Status", TOKEN_REFUSED),
    maybe("HTML with 200, having acted", UNREADABLE, made=1),
    done("429 once", tries=2),
    done("a ~/.netrc"),
    # A token is not signed anew; RegisterAgent by a credentials document is, with the time of the refusal's Date.
    *(done(clock, tries=2, asked="credentials") for clock in CLOCKS),
)

LEFT_OUT = (
    LeftOut(
        REGISTER,
        ("401 with a Status, once",),
        "a token that was refused is not tried again, so it is the same as 401 with a Status",
    ),
    LeftOut(REGISTER, ("404 because the agent is gone",), "the call is about an agent that does not exist yet"),
)
