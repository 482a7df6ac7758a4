# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The claims of a registration token."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from .errors import FleetError

GET_ANOTHER = "Make a new registration token in the console (space, Integrations, or Settings > Registration Token)"
SPACE_PREFIX = "//captain.api.mondoo.app/spaces/"


@dataclass(frozen=True)
class TokenClaims:
    """What a registration token says of itself; nobody but the platform can tell whether it is true."""

    space_mrn: str
    api_endpoint: str | None = None
    expires_at: float | None = None  # seconds since the epoch; None: never
    description: str | None = None
    owner: str | None = None
    labels: dict[str, str] | None = None

    def expiry_problem(self, now: float) -> FleetError | None:
        """Return what is wrong with using the token at `now` (seconds since the epoch); None when it still lives."""
        if self.expires_at is None or now < self.expires_at:
            return None
        when = datetime.fromtimestamp(self.expires_at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        return FleetError("use the registration token", f"it expired at {when}", GET_ANOTHER, code="token_expired")


def read_claims(token: str) -> TokenClaims:
    """Read the claims of a registration token (a JWT; its signature is the platform's business).

    Raises FleetError with code `token_malformed`, `token_without_space` or `token_of_organization`.
    """
    claims = _payload(token.strip())
    space = _text(claims, "space")
    if space is None:
        scope = _text(claims, "scope") or ""
        if "/organizations/" in scope:
            raise _unusable("it belongs to an organization, not to a space", "token_of_organization")
        raise _unusable("it names no space", "token_without_space")
    if "/organizations/" in space:
        raise _unusable("it belongs to an organization, not to a space", "token_of_organization")
    labels = claims.get("labels")
    return TokenClaims(
        space_mrn=space,
        api_endpoint=_text(claims, "api_endpoint"),
        expires_at=_expiry(claims.get("exp")),
        description=_text(claims, "desc"),
        owner=_text(claims, "owner"),
        labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else None,
    )


def _payload(token: str) -> dict[str, t.Any]:
    if not token.isascii():
        raise _malformed("it has a character that no token has")
    parts = token.split(".")
    if len(parts) != 3:
        raise _malformed(f"it has {len(parts)} part{'' if len(parts) == 1 else 's'} between dots, not 3")
    try:
        # Tolerant of padding, strict about the alphabet: b64decode would silently skip what does not belong to it.
        raw = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("its middle part is not base64") from None
    try:
        claims = json.loads(raw)
    except (ValueError, RecursionError):
        raise _malformed("its middle part holds no JSON") from None
    if not isinstance(claims, dict):
        raise _malformed("its middle part holds no JSON object")
    return claims


def _text(claims: dict[str, t.Any], name: str) -> str | None:
    value = claims.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _expiry(value: t.Any) -> float | None:
    """Return the `exp` claim; absent means that the token never expires, anything odd that it cannot be read."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 253402300800:
        raise _malformed("its expiry is not a time")
    return float(value)


def _malformed(cause: str) -> FleetError:
    return FleetError(
        "read the registration token", cause, "Copy the whole token from the console", code="token_malformed"
    )


def _unusable(cause: str, code: str) -> FleetError:
    return FleetError("use the registration token", cause, "Make a registration token of a space", code=code)
