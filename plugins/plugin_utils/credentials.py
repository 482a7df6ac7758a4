# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service account: the identity that signs. Parsed from a credentials document, checked, used to sign."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import typing as t
from dataclasses import dataclass
from datetime import timezone

import yaml

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
except ImportError:  # ansible-core requires it; a Python that lacks it still has to be able to load the plugins
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

from .errors import FleetError

ISSUER = "mondoo/ams"
TOKEN_SECONDS = 60
P384_BYTES = 48
GET_ANOTHER = "Copy the whole service account JSON from the console"


@dataclass(frozen=True)
class ServiceAccount:
    """An identity: an MRN, its P-384 private key, and what else the document says."""

    mrn: str
    private_key: str
    certificate: str = ""
    space_mrn: str | None = None
    api_endpoint: str | None = None

    def __repr__(self) -> str:
        """Keep the key out of every log and traceback."""
        return f"ServiceAccount({self.mrn})"


@dataclass(frozen=True)
class Document:
    """A credentials document: the service account in it, and its fields as they are to stand in mondoo.yml."""

    account: ServiceAccount
    fields: dict[str, str]

    def __repr__(self) -> str:
        """Keep the key out of every log and traceback."""
        return f"Document({self.account.mrn})"


FIELDS = (
    "mrn",
    "private_key",
    "certificate",
    "space_mrn",
    "scope_mrn",
    "parent_mrn",
    "api_endpoint",
    "typename",
)


def parse_document(value: t.Any) -> Document:
    """Read a credentials document: a dict, or its JSON or YAML text, or base64 of that.

    Raises FleetError with code `credentials_malformed`, `credentials_without_key`, `credentials_key` or
    `credentials_certificate`.
    """
    data = value if isinstance(value, dict) else _parse_text(value)
    fields = {name: _scalar(data.get(name)) for name in FIELDS}
    fields = {name: text for name, text in fields.items() if text}
    for name in ("mrn", "private_key"):
        if name not in fields:
            code = "credentials_without_key" if name == "private_key" else "credentials_malformed"
            raise _unreadable(f"it has no {name}", code)
    account = ServiceAccount(
        mrn=fields["mrn"],
        private_key=fields["private_key"],
        certificate=fields.get("certificate", ""),
        space_mrn=fields.get("scope_mrn") or fields.get("space_mrn") or fields.get("parent_mrn"),
        api_endpoint=fields.get("api_endpoint"),
    )
    _check(account)
    return Document(account, fields)


def _parse_text(value: t.Any) -> dict[str, t.Any]:
    if not isinstance(value, str):
        raise _unreadable("it is neither a dictionary nor text", "credentials_malformed")
    text = value.strip()
    if re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}", text):
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise _unreadable("it is neither JSON nor YAML nor base64 of it", "credentials_malformed") from None
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except Exception:  # PyYAML also raises KeyError, AttributeError and OverflowError for what is no value
        raise _unreadable("it is cut off or damaged", "credentials_malformed") from None
    if not isinstance(data, dict):
        raise _unreadable("it holds no service account", "credentials_malformed")
    return data


def _scalar(value: t.Any) -> str:
    return value.strip() + ("\n" if "\n" in value.strip() else "") if isinstance(value, str) else ""


def _check(account: ServiceAccount) -> None:
    key = load_key(account.private_key)
    if key is None:
        raise _unreadable("its private_key is not a P-384 key in PEM", "credentials_key")
    if not account.certificate:
        raise _unreadable("it has no certificate", "credentials_certificate")
    public = _public_key(account.certificate)
    if public is None:
        raise _unreadable("its certificate cannot be read", "credentials_certificate")
    if public != key.public_key():
        raise _unreadable("its certificate does not belong to its private_key", "credentials_certificate")


def certificate_fits(account: ServiceAccount) -> bool:
    """Tell whether the certificate belongs to the key; none at all does no harm, because only the key signs.

    A file that was cut off often ends within the certificate.
    """
    key = load_key(account.private_key)
    return not account.certificate or (key is not None and _public_key(account.certificate) == key.public_key())


def _public_key(certificate: str) -> t.Any:
    try:
        return x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except (ValueError, TypeError):
        return None


def load_key(pem: str) -> ec.EllipticCurvePrivateKey | None:
    """Load a P-384 private key from PEM; None when it is no such key."""
    _require_cryptography()
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except Exception:  # cryptography raises ValueError, TypeError, UnsupportedAlgorithm, and panics of its backend
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    return None


def certificate_valid_until(pem: str) -> str | None:
    """Return until when a certificate is valid, in RFC 3339; None when it cannot be read."""
    _require_cryptography()
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, TypeError):
        return None
    # not_valid_after_utc came with cryptography 42; older ones only know the naive form, also in UTC.
    until = getattr(certificate, "not_valid_after_utc", None) or certificate.not_valid_after
    return until.replace(tzinfo=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(account: ServiceAccount, body: bytes, now: float) -> str:
    """Make the bearer token that signs one request with this body: a JWT, ES384, valid for 60 s from `now`."""
    key = load_key(account.private_key)
    if key is None:
        raise _unreadable("its private_key is not a P-384 key in PEM", "credentials_key")
    issued = int(now)
    header = {"alg": "ES384", "kid": account.mrn, "typ": "JWT"}
    claims = {
        "sub": account.mrn,
        "iss": ISSUER,
        "iat": issued,
        "nbf": issued,
        "exp": issued + TOKEN_SECONDS,
        "chash": hashlib.sha256(body).hexdigest(),
    }
    signed = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
    return f"{signed}.{_encode(r.to_bytes(P384_BYTES, 'big') + s.to_bytes(P384_BYTES, 'big'))}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _require_cryptography() -> None:
    if not HAS_CRYPTOGRAPHY:
        raise FleetError(
            "read a private key",
            "the Python library cryptography is missing on the controller",
            "Install it beside ansible-core: python3 -m pip install cryptography",
            code="library_missing",
        )


def _unreadable(cause: str, code: str) -> FleetError:
    return FleetError("read the credentials", cause, GET_ANOTHER, code=code)
