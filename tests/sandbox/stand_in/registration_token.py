# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registration token as cnspec reads it: a JWT whose signature nobody on the host checks."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any


class Malformed(ValueError):
    """Not a token, in the words of the JWT library."""


@dataclass(frozen=True)
class Claims:
    """What a token says."""

    description: str
    api_endpoint: str
    space: str
    expires: float | None


def read(token: str) -> Claims:
    """Read the claims without checking the signature. Raises Malformed."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Malformed("token contains an invalid number of segments")
    _decoded(parts[0], "header")
    claims = _decoded(parts[1], "claim")
    expires = claims.get("exp")
    return Claims(
        description=str(claims.get("desc") or ""),
        api_endpoint=str(claims.get("api_endpoint") or ""),
        space=str(claims.get("space") or ""),
        expires=float(expires) if isinstance(expires, (int, float)) else None,
    )


def _decoded(part: str, what: str) -> dict[str, Any]:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        at = next((index for index, letter in enumerate(part) if not (letter.isalnum() or letter in "-_")), len(part))
        raise Malformed(f"could not base64 decode {what}: illegal base64 data at input byte {at}") from None
    try:
        found = json.loads(text)
    except ValueError:
        first = text[:1].decode("latin-1")
        reason = f"invalid character '{first}' looking for beginning of value" if first else "EOF"
        raise Malformed(f"could not JSON decode {what}: {reason}") from None
    if not isinstance(found, dict):
        raise Malformed(f"could not JSON decode {what}: json: cannot unmarshal into Go value")
    return found
