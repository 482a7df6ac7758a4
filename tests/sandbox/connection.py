# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to the platform: HTTP/1.1 with keep-alive, calls of agents and controls."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .agent_manager import METHODS, Request
from .clock import Clock
from .console import READING, UnknownControl

if TYPE_CHECKING:
    from .server import Platform, Server

SERVICES = {service for service, dummy in METHODS}


def close_with_reset(connection: socket.socket) -> None:
    """End a connection with a TCP RST: with a lingering time of zero, that is what closing sends."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


class Connection(BaseHTTPRequestHandler):
    """Read requests and write answers."""

    protocol_version = "HTTP/1.1"
    server_version = "mondoo-sandbox"
    disable_nagle_algorithm = True
    # One packet for an answer, header and body together.
    wbufsize = 64 * 1024
    timeout = 300
    server: Server
    clock = Clock()

    @property
    def platform(self) -> Platform:
        """Return the platform that this is a connection to."""
        return self.server.platform

    def setup(self) -> None:
        """Make the TLS handshake, if there is one to make; break off in the middle if that is wanted."""
        if self.request in self.server.broken:
            self.server.broken.discard(self.request)
            socket.socket.recv(self.request, 1)
            close_with_reset(self.request)
            raise ConnectionResetError
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(self.timeout)
            self.request.do_handshake()
        super().setup()

    def version_string(self) -> str:
        """Return the Server header."""
        return self.server_version

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date of an answer by the platform's clock: callers sign with it."""
        return super().date_time_string(self.clock.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the ledger has it."""

    def handle_one_request(self) -> None:
        """Serve one request; a caller who has gone is no error."""
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def finish(self) -> None:
        """Flush, unless the caller has gone."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _serve(self) -> None:
        self.clock = self.platform.console.clock
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(411, {"Content-Type": "text/plain"}, b"Content-Length is missing\n")
            return
        # The last two parts: an endpoint may have a sub-path before them.
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        service, method = parts[-2:] if len(parts) > 1 else ("", "")
        if parts[0] == "sandbox":
            self._control(method, body)
        elif service in SERVICES:
            self._call(Request(self.command, service, method, dict(self.headers.items()), body))
        else:
            self._send(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding"):
            return None
        length = self.headers.get("Content-Length") or "0"
        return self.rfile.read(int(length)) if length.isdigit() else None

    def _call(self, request: Request) -> None:
        platform = self.platform
        with platform.console.ledger.in_flight(request.method):
            answer = platform.answer(request)
            platform.wait(answer.delay)
        self.clock = answer.clock
        if answer.drop:
            self.close_connection = True
            if answer.drop == "reset":
                close_with_reset(self.connection)
            return
        self._send(answer.status, answer.headers, answer.body)

    def _control(self, name: str, body: bytes) -> None:
        try:
            result = self.platform.console.control(name, self._arguments(name, body))
            status, text = 200, {"result": result}
        except UnknownControl as exc:
            status, text = 404, {"error": exc.args[0]}
        except (ValueError, TypeError, LookupError, OSError) as exc:
            status, text = 400, {"error": f"{type(exc).__name__}: {exc}"}
        self._send(status, {"Content-Type": "application/json"}, json.dumps(text).encode() + b"\n")

    def _arguments(self, name: str, body: bytes) -> dict[str, Any]:
        if self.command == "GET" and name not in READING:
            raise ValueError("this takes a POST")
        arguments: dict[str, Any] = dict(parse_qsl(urlsplit(self.path).query))
        if "since" in arguments:
            arguments["since"] = int(arguments["since"])
        given = json.loads(body) if body.strip() else {}
        if not isinstance(given, dict):
            raise ValueError("the body must be a JSON object")
        return {**arguments, **given}

    def _send(self, status: int, headers: Mapping[str, str | None], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {"Server": self.version_string(), "Date": self.date_time_string(), **headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
