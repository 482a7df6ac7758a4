# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform says when it does not do what was asked: an HTTP status with a google.rpc.Status body."""

from __future__ import annotations

# google.rpc.Code -> HTTP status and name, as the platform's RPC layer maps them (ranger-rpc v0.8.1, status/http.go).
CODES = {
    1: (408, "canceled"),
    2: (500, "unknown"),
    3: (400, "invalid argument"),
    4: (504, "deadline exceeded"),
    5: (404, "not found"),
    6: (409, "already exists"),
    7: (403, "permission denied"),
    8: (429, "resource exhausted"),
    9: (412, "failed precondition"),
    10: (409, "aborted"),
    12: (501, "not implemented"),
    13: (500, "internal error"),
    14: (503, "unavailable"),
    16: (401, "request permission unauthenticated"),
}
CODE_OF_STATUS = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    408: 1,
    409: 10,
    412: 9,
    429: 8,
    500: 13,
    501: 12,
    503: 14,
    504: 4,
}


class Refusal(Exception):
    """Refuse a call with a google.rpc.Code; the HTTP status follows from it."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.status, name = CODES[code]
        self.code = code
        self.message = name if message is None else message
        super().__init__(self.message)


def unauthenticated() -> Refusal:
    """Return the one refusal that all failures of authentication share, word for word."""
    return Refusal(16)
