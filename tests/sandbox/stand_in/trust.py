# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS as Go does it: the system's authorities, SSL_CERT_FILE, and its words for what fails."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext, SSLError, SSLSocket

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class TlsFailure(Exception):
    """No TLS connection; the text is Go's."""


def _trust() -> SSLContext:
    import ssl

    chosen = os.environ.get("SSL_CERT_FILE") or next((path for path in SYSTEM_BUNDLES if os.path.exists(path)), None)
    return ssl.create_default_context(cafile=chosen)


def secured(connection: socket.socket, host: str) -> SSLSocket:
    import ssl

    try:
        return _trust().wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise TlsFailure(f"tls: failed to verify certificate: x509: {_distrust(error, host)}") from None
    except ssl.SSLError as error:
        raise TlsFailure(_tls_trouble(error)) from None
    except TimeoutError:
        raise TlsFailure("net/http: TLS handshake timeout") from None
    except OSError:
        raise TlsFailure("EOF") from None


def _distrust(error: SSLError, host: str) -> str:
    code = getattr(error, "verify_code", 0)
    if code == 62:
        return f"certificate is not valid for any names, but wanted to match {host}"
    if code == 64:
        return f"cannot validate certificate for {host} because it doesn't contain any IP SANs"
    if code in (9, 10):
        return "certificate has expired or is not yet valid"
    return "certificate signed by unknown authority"


def _tls_trouble(error: SSLError) -> str:
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "http: server gave HTTP response to HTTPS client"
    return f"remote error: tls: {(error.reason or 'handshake failure').lower().replace('_', ' ')}"
