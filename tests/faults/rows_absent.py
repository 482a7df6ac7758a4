# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With `state: absent`: the agent is unregistered first, and only then is its identity removed from the config.

The config is not touched while nobody knows that the agent is gone.
"""

from __future__ import annotations

from .row import ABSENT_PING, ABSENT_UNREGISTER, ABSENT_WRITE, MANY, LeftOut, Row
from .sentences import (
    CUT,
    EMPTY_200,
    EMPTY_307,
    EXPIRED_TLS,
    FOREIGN_200,
    NO_NAME,
    PROXY_407,
    REFUSED_CONNECTION,
    SLOW,
    TUNNEL_502,
    UNKNOWN_CA,
    WRONG_CLOCK,
    bare,
    status,
)
from .vocabulary import FAULTS

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


def unproved(fault: str, cause: str, tries: int | None = 1) -> Row:
    """Return a row in which it is not known whether the platform would listen, so nothing is done."""
    reads = NOT_UNREGISTERED.format(f"the platform gave no verdict: {cause}")
    return Row(ABSENT_PING, fault, reads, tries=tries, again="unregister")


def unconfirmed(fault: str, tries: int | None = 3) -> Row:
    """Return a row in which the agent is not unregistered for certain, so the config stays."""
    reads = NOT_UNREGISTERED.format("the platform did not confirm it")
    return Row(ABSENT_UNREGISTER, fault, reads, tries=tries, again="unregister")


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
    # Refused twice, in the platform's own words: there is nobody who could unregister the agent.
    Row(ABSENT_PING, "401 with a Status", REJECTED, "changed", "new", 0, 2, "old", "old", "none", "old"),
    done(ABSENT_PING, "401 with a Status, once", tries=2),
    done(ABSENT_PING, "a ~/.netrc"),
    done(ABSENT_PING, "controller clock 1 h ahead", 2, WRONG_CLOCK),
    done(ABSENT_PING, "controller clock 1 h behind", 2, WRONG_CLOCK),
    done(ABSENT_PING, "platform clock 1 h ahead", 2, WRONG_CLOCK),
    done(ABSENT_PING, "platform clock 1 h behind", 2, WRONG_CLOCK),
    unconfirmed("reset before a byte was sent", tries=None),
    unconfirmed("reset in the handshake", tries=None),
    unconfirmed("reset before acting"),
    unconfirmed("CONNECT refused with 407", tries=None),
    unconfirmed("CONNECT refused with 502", tries=None),
    unconfirmed("redirect to another host"),
    unconfirmed("401 bare"),
    refused("403", "403 (code 7)"),
    unconfirmed("404 bare"),
    unconfirmed("409 Aborted", tries=MANY),
    refused("409 AlreadyExists", "409 (code 6)"),
    unconfirmed("429", tries=MANY),
    unconfirmed("429 with Retry-After", tries=MANY),
    unconfirmed("500 bare"),
    unconfirmed("502 bare"),
    unconfirmed("503 bare"),
    unconfirmed("504 bare"),
    unconfirmed("500 with a Status"),
    unconfirmed("502 with a Status"),
    unconfirmed("503 with a Status"),
    unconfirmed("504 with a Status"),
    unconfirmed("503 with Retry-After", tries=MANY),
    unconfirmed("HTML with 200"),
    unconfirmed("unknown CA", tries=None),
    unconfirmed("expired TLS certificate", tries=None),
    unconfirmed("proxy 407", tries=None),
    unconfirmed("proxy HTML", tries=None),
    unconfirmed("401 with a Status", tries=1),
    # The answers are lost; that the identity, accepted a moment ago, is refused now tells that the agent is gone.
    done(ABSENT_UNREGISTER, "no answer in time", tries=3),
    done(ABSENT_UNREGISTER, "reset after acting", tries=3),
    done(ABSENT_UNREGISTER, "HTML with 200, having acted", tries=3),
    done(ABSENT_UNREGISTER, "empty 200", tries=3),
    done(ABSENT_UNREGISTER, "truncated JSON", tries=3),
    done(ABSENT_UNREGISTER, "404 because the agent is gone"),
    done(ABSENT_UNREGISTER, "429 once", tries=2),
    done(ABSENT_UNREGISTER, "a ~/.netrc"),
    unwritten("disk full", NOT_WRITTEN.format("No space left on device")),
    unwritten("read-only", NOT_WRITTEN.format("Read-only file system")),
    unwritten("file changed by someone else", NOT_WRITTEN.format("it was changed by someone else meanwhile"), "theirs"),
)

CLOCKS = tuple(name for name, fault in FAULTS.items() if fault.clock or fault.platform_clock)
PLACES = tuple(name for name, fault in FAULTS.items() if fault.place)
ON_THE_WAY = tuple(name for name, fault in FAULTS.items() if not fault.processes and not fault.place)
LEFT_OUT = (
    LeftOut(
        ABSENT_PING,
        ("reset after acting", "HTML with 200, having acted"),
        "PingPong changes nothing, so it is the same as before acting",
    ),
    LeftOut(ABSENT_PING, ("429 once",), "there is one try, so it is the same as 429"),
    LeftOut(ABSENT_PING, ("404 because the agent is gone",), "PingPong is about the service account, not the agent"),
    LeftOut(ABSENT_PING, PLACES, "the host is not touched during this step: it is found at the write"),
    LeftOut(ABSENT_UNREGISTER, CLOCKS, "the right time is known from PingPong: those rows"),
    LeftOut(ABSENT_UNREGISTER, PLACES, "the host is not touched during this step: it is found at the write"),
    LeftOut(ABSENT_UNREGISTER, ("404",), "the platform's word that there is no such agent counts, whatever is true"),
    LeftOut(ABSENT_UNREGISTER, ("401 with a Status, once",), "a refusal is not tried again: 401 with a Status"),
    LeftOut(
        ABSENT_UNREGISTER,
        ("proxy refused", "DNS failure"),
        "name and proxy were good for PingPong just before; a new connection that fails is the row of the reset",
    ),
    LeftOut(ABSENT_WRITE, ON_THE_WAY, "the platform is not asked anything during this step"),
)
