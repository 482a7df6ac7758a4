# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on loopback that answer byte by byte as a test says, and remember what they got."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import typing as t

Handler = t.Callable[[socket.socket, int], None]


class Loopback:
    """Accept connections and hand each, with its number, to `handler`. `got` is every byte that arrived."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._handler, self._tls = handler, tls
        self.got: list[bytes] = []
        self.connections = 0
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Loopback:
        self._threads[0].start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, dummy = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(1)  # a caller may keep the connection open for another request
            if self._tls is not None:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._handler(secured, number)
            else:
                self._handler(connection, number)

    def read_request(self, connection: socket.socket) -> bytes:
        """Read one request with its body (or a CONNECT, which has none) and remember it."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return data
            data += chunk
        head, dummy, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        self.got.append(head + b"\r\n\r\n" + body)
        return self.got[-1]


def answering(*answers: bytes) -> Loopback:
    """Return a server that gives each request on a connection the next answer, the last one again and again."""
    given: list[bytes] = []

    def handle(connection: socket.socket, dummy: int) -> None:
        while server.read_request(connection):
            given.append(answers[min(len(given), len(answers) - 1)])
            connection.sendall(given[-1])

    server = Loopback(handle)
    return server


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return the bytes of an HTTP answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
