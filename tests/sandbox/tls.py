# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS on loopback: a private authority made at start, whose certificate a caller has to trust."""

from __future__ import annotations

import ssl
from pathlib import Path

from .authority import Authority, certificate_pem, key_pem, new_key

NAMES = ("127.0.0.1", "localhost")


def server_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make an authority and a server certificate in a folder; return the context and the authority's file."""
    authority = Authority("Sandbox TLS")
    key = new_key()
    certificate = authority.issue(key.public_key(), NAMES)
    pair = folder / "server.pem"
    pair.touch(mode=0o600)
    pair.write_text(key_pem(key) + certificate_pem(certificate))
    ca_file = folder / "ca.pem"
    ca_file.write_text(certificate_pem(authority.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context, ca_file
