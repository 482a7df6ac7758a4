# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate authority on P-384: it signs the certificates of service accounts, or of the TLS server."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FOREVER = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a P-384 key, the kind that service accounts have."""
    return ec.generate_private_key(ec.SECP384R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a key as PKCS#8 PEM, as it stands in mondoo.yml."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """Read a private key on an elliptic curve from PEM; raise ValueError for any other."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key on an elliptic curve")
    return key


def _name(text: str) -> x509.Name:
    # A common name has at most 64 characters (RFC 5280, ub-common-name); MRNs have more and go to the SAN as URI.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mondoo Sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, text[-64:]),
        ]
    )


class Authority:
    """Sign certificates with one key."""

    def __init__(self, name: str, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self.key = key or new_key()
        self.name = _name(name)
        now = datetime.datetime.now(datetime.timezone.utc)
        basics = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = (
            self._builder(self.name, now, FOREVER)
            .public_key(self.key.public_key())
            .add_extension(basics, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA384())
        )

    def _builder(self, subject: x509.Name, now: datetime.datetime, until: datetime.datetime) -> x509.CertificateBuilder:
        # Dated back, so that a platform clock that is moved back later does not end the certificates.
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, until) - datetime.timedelta(days=365))
            .not_valid_after(until)
        )

    def issue(
        self, key: ec.EllipticCurvePublicKey, names: Sequence[str], until: datetime.datetime = FOREVER
    ) -> x509.Certificate:
        """Certify a key for names: IP addresses, host names, or MRNs (which become URIs)."""
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return (
            self._builder(_name(names[0]), datetime.datetime.now(datetime.timezone.utc), until)
            .public_key(key)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self.key, hashes.SHA384())
        )


def _general_name(name: str) -> x509.GeneralName:
    if name.startswith("//"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
