# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users read, whole; the rows fill in the cause."""

from __future__ import annotations

NO_VERDICT = "The registration is not proved: the platform gave no verdict, {}."
LEFT_BEHIND = "The previous agent is left behind on the platform: see left_behind in the result."
WRONG_CLOCK = "The controller's clock is off from the platform's by more than 30 s. Set it right."

NOT_REACHED = (
    "Cannot register the agent: the platform was not reached: {}. Nothing was made; check the way from the controller "
    "to the platform (api_endpoint, controller_proxy, ca_path)."
)
MAYBE_MADE = (
    "Cannot register the agent: the platform gave no clear answer: {}, after the request with the id {{id}} was sent. "
    "An agent of this name may have been made; look for it in the console before running again."
)
BUSY = (
    "Cannot register the agent: the platform answered {} to {{many}} tries with the request id {{id}}. "
    "Nothing was made; run again later, or raise timeout."
)
REFUSED = (
    "Cannot register the agent: the platform refused with {}. Check what the registration token may do in this space."
)
TOKEN_REFUSED = (
    "Cannot register the agent: the platform does not accept the registration token (expired, revoked, or of another "
    "platform). Make a new one in the console."
)
NEW_REFUSED = (
    "Cannot prove the new identity: the platform refused it for 15 s. "
    "The host is as it was; look at the platform's state and run again."
)
NOT_WRITTEN = "Cannot write the config {{path}}: {}. Mend that and run again; the host is as it was."
NOT_WRITABLE = "Cannot write the config {{path}}: {}; nothing was changed."
CHANGED_MEANWHILE = "Cannot write the config {path}: it was changed by someone else meanwhile. Run again."

# Causes that several steps give.
CUT = "the connection was cut"
SLOW = "it did not answer in time"
NO_NAME = "its name cannot be resolved"
REFUSED_CONNECTION = "the connection was refused"
PROXY_407 = "the proxy wants a user and a password (407)"
TUNNEL_502 = "the proxy refused the connection (502)"
UNKNOWN_CA = "its certificate is not trusted (unable to get local issuer certificate)"
EXPIRED_TLS = "its certificate is not trusted (certificate has expired)"


def bare(status: int) -> str:
    """Say that a page of something in between came."""
    return f"it answered {status} with an HTML page"


def status(number: int, code: int) -> str:
    """Say that a google.rpc.Status came."""
    return f"it answered {number} (code {code})"


EMPTY_200 = "it answered 200 with an empty body"
EMPTY_307 = "it answered 307 with an empty body"
FOREIGN_200 = "it answered 200 with something that is not the platform's"

# The faults after which PingPong has given no verdict, and the cause that is named then.
WITHOUT_VERDICT = (
    ("no answer in time", SLOW),
    ("reset before a byte was sent", CUT),
    ("reset in the handshake", CUT),
    ("reset before acting", CUT),
    ("CONNECT refused with 407", PROXY_407),
    ("CONNECT refused with 502", TUNNEL_502),
    ("redirect to another host", EMPTY_307),
    ("401 bare", bare(401)),
    ("403", status(403, 7)),
    ("404", status(404, 5)),
    ("404 bare", bare(404)),
    ("409 Aborted", status(409, 10)),
    ("409 AlreadyExists", status(409, 6)),
    ("429", status(429, 8)),
    ("429 with Retry-After", status(429, 8)),
    ("500 bare", bare(500)),
    ("502 bare", bare(502)),
    ("503 bare", bare(503)),
    ("504 bare", bare(504)),
    ("500 with a Status", status(500, 13)),
    ("502 with a Status", status(502, 2)),
    ("503 with a Status", status(503, 14)),
    ("504 with a Status", status(504, 4)),
    ("503 with Retry-After", status(503, 14)),
    ("HTML with 200", bare(200)),
    ("empty 200", EMPTY_200),
    ("truncated JSON", FOREIGN_200),
    ("unknown CA", UNKNOWN_CA),
    ("expired TLS certificate", EXPIRED_TLS),
    ("proxy refused", REFUSED_CONNECTION),
    ("proxy 407", bare(407)),
    ("proxy HTML", bare(200)),
    ("DNS failure", NO_NAME),
)
