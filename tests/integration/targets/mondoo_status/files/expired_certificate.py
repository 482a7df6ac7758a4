# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve TLS on loopback with a certificate that expired a day ago; the argument is a folder for ca.pem and url."""

from __future__ import annotations

import datetime
import socketserver
import ssl
import sys
import threading
from pathlib import Path

from sandbox.authority import Authority, certificate_pem, key_pem, new_key

LIFETIME_SECONDS = 600


class Handler(socketserver.BaseRequestHandler):
    """Shake hands; nobody who looks at the certificate goes on."""

    context: ssl.SSLContext

    def handle(self) -> None:
        """Answer one connection."""
        try:
            with self.context.wrap_socket(self.request, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            return


def main(folder: Path) -> None:
    """Serve until killed, at most ten minutes."""
    authority, key = Authority("Expired"), new_key()
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    pair = folder / "server.pem"
    pair.write_text(key_pem(key) + certificate_pem(authority.issue(key.public_key(), ["127.0.0.1"], yesterday)))
    (folder / "ca.pem").write_text(certificate_pem(authority.certificate))
    Handler.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Handler.context.load_cert_chain(pair)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        (folder / "url").write_text(f"https://127.0.0.1:{server.server_address[1]}")
        timer = threading.Timer(LIFETIME_SECONDS, server.shutdown)
        timer.daemon = True
        timer.start()
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
