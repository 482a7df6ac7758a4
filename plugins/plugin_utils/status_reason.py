# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a call to the platform failed, told from the words of cnspec (Go's and the RPC layer's own errors)."""

from __future__ import annotations

import re

# The platform's own refusal of an identity. Anything else that says Unauthenticated may come from something between.
REFUSAL = "request permission unauthenticated"

UNAUTHENTICATED = "unauthenticated"
EMPTY_ANSWER = "empty_answer"
FOREIGN_ANSWER = "foreign_answer"
PROXY_AUTHENTICATION = "proxy_authentication"

# In this order: a proxy that cannot be resolved is the proxy's trouble, not DNS.
_PHRASES = (
    (PROXY_AUTHENTICATION, ("proxy authentication required",)),
    ("proxy_refused", ("proxyconnect tcp:",)),
    (
        "dns",
        (
            "dial tcp: lookup",
            "no such host",
            "server misbehaving",
            "temporary failure in name resolution",
            "no suitable address",
        ),
    ),
    ("wrong_endpoint", ("unsupported protocol scheme", "no host in request url")),
    ("tls_expired", ("certificate has expired or is not yet valid",)),
    ("tls", ("x509:", "tls:", "certificate signed by", "server gave http response to https client")),
    ("timeout", ("deadline exceeded", "client.timeout", "i/o timeout", "handshake timeout", "timed out")),
    ("no_route", ("network is unreachable", "no route to host", "host is down", "network is down")),
    ("refused", ("connection refused", "actively refused")),
    ("reset", ("connection reset", "broken pipe", "forcibly closed", "unexpected eof", ": eof")),
    (FOREIGN_ANSWER, ("failed to unmarshal proto response",)),
    ("proxy_invalid", ("could not parse proxy url", "failed to set up mondoo api client: parse")),
)

# What a proxy that refuses CONNECT leaves of its answer: the status text alone.
_CONNECT_REFUSED = re.compile(r'Post "[^"]{1,2000}": (?:Bad Gateway|Forbidden|Service Unavailable|Gateway Timeout)')
_RPC = re.compile(r"rpc error: code = (?P<code>[A-Za-z]+) desc = ?(?P<words>.*)", re.DOTALL)
_STATUS_LINE = re.compile(r"(?P<status>[1-5][0-9]{2})(?: [A-Za-z' -]{0,60})?$")
_RPC_CODES = {
    "PermissionDenied": "permission_denied",
    "NotFound": "not_found",
    "ResourceExhausted": "rate_limited",
    "Internal": "server_error",
    "Unavailable": "server_error",
    "DeadlineExceeded": "timeout",
}
_HTTP_CODES = {403: "permission_denied", 404: "not_found", 429: "rate_limited"}


def classify(text: str) -> str | None:
    """Return the code for the error that cnspec printed; None when its words are not known."""
    rpc = _RPC.search(text)
    if rpc is not None:
        return _classify_rpc(rpc["code"], rpc["words"].strip())
    lower = text.lower()
    for code, phrases in _PHRASES:
        if any(phrase in lower for phrase in phrases):
            return code
    return "proxy_refused" if _CONNECT_REFUSED.search(text) else None


def classify_http(status: int, body: str) -> str | None:
    """Return the code for an answer as the debug log shows it."""
    if status == 401 and body.strip() == REFUSAL:
        return UNAUTHENTICATED
    if not body.strip() or body.lstrip().startswith("<") or status in (401, 407):
        return classify_foreign(status, body)
    return _HTTP_CODES.get(status, "server_error" if status >= 500 else None)


def classify_foreign(status: int, body: str) -> str:
    """Return the code for an answer that is not the platform's own; a status line stands for an empty body."""
    if status == 407:
        return PROXY_AUTHENTICATION
    if status == 404:
        return "not_found"
    empty = not body.strip() or _STATUS_LINE.match(body.strip())
    return EMPTY_ANSWER if empty else FOREIGN_ANSWER


def is_refusal(text: str) -> bool:
    """Tell whether an error is the platform's own refusal of the identity."""
    return classify(text) == UNAUTHENTICATED


def platform_code(text: str) -> str | None:
    """Return the RPC code in an error if the platform itself said it, such as `PermissionDenied`.

    A code without words was made from the bare HTTP status of something in between.
    """
    rpc = _RPC.search(text)
    words = rpc["words"].strip() if rpc is not None else ""
    if rpc is None or not words or words.startswith("<") or _STATUS_LINE.match(words):
        return None
    return rpc["code"]


def _classify_rpc(code: str, words: str) -> str | None:
    if not words and code != "NotFound":
        return FOREIGN_ANSWER  # the platform always says something; this was made from a bare HTTP status
    # From 13.29 on, the answer of something in between stands there: its page, or the status line of an empty answer.
    line = _STATUS_LINE.match(words)
    if line is not None or words.startswith("<"):
        return classify_foreign(int(line["status"]) if line else 0, words)
    if code == "Unauthenticated":
        # The documentation's own example has a piece of the line twice, so what follows is not compared.
        return UNAUTHENTICATED if words.startswith(REFUSAL) else "refused_by_other_words"
    return _RPC_CODES.get(code)
