# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS on loopback: a private authority made at start, whose certificate a caller has to trust."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

from .authority import FOREVER, Authority, certificate_pem, key_pem, load_key, new_key

LOOPBACK = ("127.0.0.1", "localhost")
# The endpoints of the real platform, for whoever resolves them to loopback.
REAL_NAMES = ("us.api.mondoo.com", "eu.api.mondoo.com", "api.edge.mondoo.com", "api.mondoo.com")


def server_context(folder: Path, names: Sequence[str] = ()) -> tuple[ssl.SSLContext, Path]:
    """Return a context and the authority's file; what is made is kept in the folder, and the authority used again.

    `names`: host names that the certificate is for, beside those of loopback.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    return _context(folder / "server.pem", _authority(folder), [*LOOPBACK, *names]), folder / "ca.pem"


def distrusted_context(folder: Path, kind: str) -> ssl.SSLContext:
    """Return a context whose certificate nobody should trust: "expired", or of an "unknown" authority."""
    authority = _authority(folder) if kind == "expired" else Authority("Sandbox TLS of somebody else")
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    return _context(folder / f"{kind}.pem", authority, LOOPBACK, yesterday if kind == "expired" else FOREVER)


def _context(
    pair: Path, authority: Authority, names: Sequence[str], until: datetime.datetime = FOREVER
) -> ssl.SSLContext:
    key = new_key()
    _write_private(pair, key_pem(key) + certificate_pem(authority.issue(key.public_key(), names, until)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


def _authority(folder: Path) -> Authority:
    key_file = folder / "ca.key"
    if key_file.exists():
        return Authority("Sandbox TLS", load_key(key_file.read_text()))
    authority = Authority("Sandbox TLS")
    _write_private(key_file, key_pem(authority.key))
    (folder / "ca.pem").write_text(certificate_pem(authority.certificate))
    return authority


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
