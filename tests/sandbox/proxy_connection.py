# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy's server and its connections: tunnels, forwarded requests, refusals."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .connection import close_with_reset

if TYPE_CHECKING:
    from .proxy import Proxy

HOP_BY_HOP = ("connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "trailer", "upgrade")
PAGE = "<html><head><title>{0} {1}</title></head><body><h1>{0} {1}</h1><p>proxy.example.com</p></body></html>\n"


@dataclass(frozen=True)
class ProxyRequest:
    """A request to the proxy. `target` is host:port; `outcome` is "passed", "unauthorized",
    "fault" or "unreachable".
    """

    time: float
    method: str
    target: str
    path: str
    user: str
    outcome: str
    status: int


class ProxyServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: Proxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), ProxyConnection)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a caller that goes away is what proxies see all day."""


class ProxyConnection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox-proxy"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 300
    server: ProxyServer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the list of requests has it."""

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _note(self, target: str, outcome: str, status: int) -> None:
        credentials = (self.headers.get("Proxy-Authorization") or "").partition(" ")[2]
        user = ""
        with contextlib.suppress(ValueError):
            user = base64.b64decode(credentials).decode("utf-8", "replace").partition(":")[0]
        path = urlsplit(self.path).path if self.command != "CONNECT" else ""
        record = ProxyRequest(time.time(), self.command, target, path, user, outcome, status)
        self.server.proxy.requests.append(record)

    def _page(self, status: int, headers: dict[str, str] | None = None, body: str = "html") -> None:
        reason = http.client.responses.get(status, "")
        page = b"" if body == "empty" else PAGE.format(status, reason).encode()
        # The request's body may still be unread; what follows on this connection could not be told from it.
        self.close_connection = True
        self._reply(status, {"Content-Type": "text/html", **(headers or {})}, page)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _may_pass(self, target: str) -> bool:
        fault = self.server.proxy.take_fault()
        if fault is not None:
            self._note(target, "fault", 0 if fault.reset else fault.status)
            time.sleep(fault.delay)
            if fault.reset:
                self.close_connection = True
                close_with_reset(self.connection)
            else:
                headers = {"Proxy-Authenticate": 'Basic realm="proxy"'} if fault.status == 407 else {}
                self._page(fault.status, headers, fault.body)
            return False
        if not self.server.proxy.accepts(self.headers.get("Proxy-Authorization")):
            self._note(target, "unauthorized", 407)
            self._page(407, {"Proxy-Authenticate": 'Basic realm="proxy"'})
            return False
        return True

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        if not self._may_pass(self.path):
            return
        host, dummy, port = self.path.rpartition(":")
        try:
            address = self.server.proxy.address(host.strip("[]"), int(port))
            upstream = socket.create_connection(address, timeout=10)
        except (OSError, ValueError):
            self._note(self.path, "unreachable", 502)
            self._page(502)
            return
        self._note(self.path, "passed", 200)
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True
        with upstream:
            for source, data in _both_ways(self.connection, upstream):
                (upstream if source is self.connection else self.connection).sendall(data)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        if parts.scheme != "http" or not parts.hostname:
            self._control(parts.path)
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        target = f"{parts.hostname}:{parts.port or 80}"
        if self._may_pass(target):
            self._forward(target, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _forward(self, target: str, body: bytes) -> None:
        parts = urlsplit(self.path)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            address = self.server.proxy.address(parts.hostname or "", parts.port or 80)
            with contextlib.closing(http.client.HTTPConnection(*address, timeout=60)) as upstream:
                path = parts._replace(scheme="", netloc="").geturl() or "/"
                upstream.request(self.command, path, body, {**headers, "Via": "1.1 sandbox-proxy"})
                answer = upstream.getresponse()
                content = answer.read()
        except (OSError, http.client.HTTPException):
            self._note(target, "unreachable", 502)
            self._page(502)
            return
        self._note(target, "passed", answer.status)
        dropped = (*HOP_BY_HOP, "content-length", "transfer-encoding")
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
        self._reply(answer.status, kept, content)

    def _control(self, path: str) -> None:
        proxy = self.server.proxy
        given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        result: Any = None
        if path == "/sandbox/requests":
            result = [asdict(request) for request in proxy.requests]
        elif path == "/sandbox/fault" and self.command == "POST":
            proxy.fault(**json.loads(given))
        elif path == "/sandbox/clear_faults" and self.command == "POST":
            proxy.clear_faults()
        else:
            self._page(400)
            return
        self._reply(200, {"Content-Type": "application/json"}, json.dumps({"result": result}).encode() + b"\n")


def _both_ways(one: socket.socket, other: socket.socket) -> Iterator[tuple[socket.socket, bytes]]:
    """Yield what either side of a tunnel says, until one ends or both are silent for 300 s."""
    while True:
        readable = select.select([one, other], [], [], 300)[0]
        for source in readable:
            try:
                data = source.recv(64 * 1024)
            except OSError:
                return
            if not data:
                return
            yield source, data
        if not readable:
            return
