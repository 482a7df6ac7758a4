# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ES384 JSON Web Tokens: registration tokens, and the signature that a service account puts on each call."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .authority import load_key

ISSUER = "mondoo/ams"
# The guard of the platform's RPC layer validates with the default leeway of go-jose.
LEEWAY_SECONDS = 60
# A signature of ES384 is r and s of 48 bytes each (RFC 7518, section 3.4), not the DER that OpenSSL makes.
HALF = 48


class BadToken(ValueError):
    """Say that a text is not a JWT of ours, or not valid now."""


@dataclass(frozen=True)
class Jwt:
    """A JWT taken apart, not yet trusted."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def verify(self, key: ec.EllipticCurvePublicKey) -> None:
        """Check the signature; raise BadToken."""
        if self.header.get("alg") != "ES384" or len(self.signature) != 2 * HALF:
            raise BadToken("not signed with ES384")
        r, s = (int.from_bytes(part, "big") for part in (self.signature[:HALF], self.signature[HALF:]))
        try:
            key.verify(encode_dss_signature(r, s), self.signed, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature as exc:
            raise BadToken("signed by another key") from exc

    def check_times(self, now: float, leeway: float = LEEWAY_SECONDS, leeway_after: float = LEEWAY_SECONDS) -> None:
        """Check `nbf`, `iat` and `exp`, each only if there; raise BadToken."""
        for claim in ("nbf", "iat"):
            if self._time(claim) is not None and now + leeway < (self._time(claim) or 0):
                raise BadToken(f"{claim} lies ahead")
        expires = self._time("exp")
        if expires is not None and now - leeway_after > expires:
            raise BadToken("expired")

    def _time(self, claim: str) -> float | None:
        value = self.claims.get(claim)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return value
        raise BadToken(f"{claim} is not a number")


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpart(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encode(header: Mapping[str, Any], claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """Sign claims with a P-384 key."""
    signed = ".".join(_part(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
    return f"{signed}.{_part(r.to_bytes(HALF, 'big') + s.to_bytes(HALF, 'big'))}"


def decode(text: str) -> Jwt:
    """Take a JWT apart without trusting it; raise BadToken."""
    try:
        signed, signature = text.rsplit(".", 1)
        header, claims = (json.loads(_unpart(part)) for part in signed.split("."))
        jwt = Jwt(header, claims, signed.encode("ascii"), _unpart(signature))
    except (ValueError, binascii.Error) as exc:
        raise BadToken("not a JWT") from exc
    if not isinstance(jwt.header, dict) or not isinstance(jwt.claims, dict):
        raise BadToken("not a JWT")
    return jwt


def content_hash(body: bytes) -> str:
    """Return what the claim `chash` has to be for a body."""
    return hashlib.sha256(body).hexdigest()


def sign_call(document: Mapping[str, Any], body: bytes = b"{}", at: float | None = None, **changes: Any) -> str:
    """Return the Authorization header of a call, signed by the service account of a credentials document.

    `at` is the caller's clock (seconds since the epoch). `changes` replace claims (None removes one); `kid` replaces
    the header's key id.
    """
    now = int(time.time() if at is None else at)
    header = {"alg": "ES384", "typ": "JWT", "kid": changes.pop("kid", document["mrn"])}
    claims = {"sub": document["mrn"], "iss": ISSUER, "iat": now, "nbf": now, "exp": now + 60}
    claims.update({"chash": content_hash(body), **changes})
    claims = {name: value for name, value in claims.items() if value is not None}
    return "Bearer " + encode(header, claims, load_key(document["private_key"]))
