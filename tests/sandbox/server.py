# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform as an HTTP server on loopback, in threads of this process."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from . import codec, tls
from .accounts import Store
from .agent_manager import AgentManager, Caller, Request, Turn
from .clock import Clock
from .connection import Connection, close_with_reset
from .console import Console
from .controls import SPACE, Controls
from .journal import Journal
from .ledger import Ledger
from .refusal import Refusal


@dataclass(frozen=True)
class Answer:
    """What goes back to the caller. `drop` is "reset" or "hangup": nothing goes back, the connection ends so."""

    status: int
    headers: dict[str, str | None]
    body: bytes
    clock: Clock
    delay: float = 0.0
    drop: str = ""


class Platform(Controls):
    """Run the platform: `with Platform() as platform: ... platform.url`.

    `tls`: https with a private authority, whose certificate is in the file `ca`; `names`: host names that the server's
    certificate is for, too. `state`: a file that keeps keys, accounts, agents, tokens, calls and the port over a
    restart. `endpoint`: the API endpoint in tokens and credentials, if it is not the platform's own URL.
    """

    def __init__(
        self,
        tls: bool = False,
        port: int = 0,
        state: str | Path | None = None,
        endpoint: str = "",
        names: Sequence[str] = (),
    ) -> None:
        lock = threading.RLock()
        self._journal = Journal(Path(state) if state else None)
        store = Store(self._journal)
        store.add_space(SPACE)
        self.console = Console(store, Ledger(self._journal), lock)
        self.agent_manager = AgentManager(store, lock)
        self.url = ""
        self.ca: str | None = None
        self._tls, self._port, self._endpoint, self._names = tls, port, endpoint, names
        self._stopped = threading.Event()
        self._folder = contextlib.ExitStack()
        self._server: Server | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    def control(self, which: str, /, **arguments: Any) -> Any:
        """Run a control in this process."""
        return self.console.control(which, arguments)

    def start(self) -> Platform:
        """Listen; return when calls can be made."""
        if self._tls:
            folder = self._tls_folder()
            self._contexts[""], ca_file = tls.server_context(folder, self._names)
            self._contexts.update({kind: tls.distrusted_context(folder, kind) for kind in ("expired", "unknown")})
            self.ca = str(ca_file)
        self._server = self._bound()
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self.console.endpoint = self.agent_manager.endpoint = self._endpoint or self.url
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def tls_context(self, broken: str) -> ssl.SSLContext | None:
        """Return the context for a new connection, by what is to go wrong with it; None without TLS."""
        return self._contexts.get(broken, self._contexts.get(""))

    def _tls_folder(self) -> Path:
        """Return where the authority lives: beside the file that remembers, so that whoever trusts it goes on to."""
        if self._journal.path:
            return Path(f"{self._journal.path}.tls")
        return Path(self._folder.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-tls-")))

    def _bound(self) -> Server:
        """Listen on the port that was asked for, or on the one of before the restart: credentials name it."""
        before = [content for kind, content in self._journal.read() if kind == "port"]
        port = self._port or (before[-1] if before else 0)
        try:
            server = Server(self, port)
        except OSError as exc:
            words = f"{exc.strerror}. End what listens there, or give another port."
            raise OSError(exc.errno, f"Cannot listen on 127.0.0.1:{port}: {words}") from None
        if server.server_port not in before[-1:]:
            self._journal.write(("port", server.server_port))
        return server

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._stopped.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.end_connections()
            self._server = None
        self._folder.close()
        self._journal.close()

    def __enter__(self) -> Platform:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait(self, seconds: float) -> None:
        """Let a fault's delay pass, unless the platform stops."""
        self._stopped.wait(seconds)

    def answer(self, request: Request) -> Answer:
        """Answer a call of an agent, and write it into the ledger before the caller knows."""
        caller = self.agent_manager.caller(request)
        number, fault = self.console.faults_set.take(request.service, request.method, caller.host)
        turn = Turn(request, self.console.clock.moved(fault.clock_offset), fault)
        language = codec.answer_type(request.header("Accept"))
        status, body = self._act(turn, language) if fault.platform_acts else (200, b"")
        outcome = "fault" if fault.spoils else "ok" if status < 400 else "refused"
        status, body, headers = fault.respond(language, status, body)
        drop = "reset" if fault.reset else "hangup" if fault.hangup else ""
        self._note(turn, caller, number=number, outcome=outcome, status=0 if drop else status)
        return Answer(status, {"Content-Type": language, **headers}, body, turn.clock, fault.delay, drop)

    def _act(self, turn: Turn, language: str) -> tuple[int, bytes]:
        try:
            says, result = self.agent_manager.answer(turn)
            return 200, codec.encode(language, says, result)
        except Refusal as exc:
            return exc.status, codec.encode(language, codec.STATUS, {"code": exc.code, "message": exc.message})

    def _note(self, turn: Turn, caller: Caller, number: int | None, outcome: str, status: int) -> None:
        header = turn.request.header
        self.console.ledger.add(
            time=time.time(),
            service=turn.request.service,
            method=turn.request.method,
            host=caller.host,
            outcome=outcome,
            status=status,
            request_id=header("X-Request-ID"),
            agent_mrn=turn.agent_mrn or caller.agent_mrn,
            service_account_mrn=turn.account.mrn if turn.account else caller.service_account_mrn,
            acted=turn.acted,
            fault=number,
            user_agent=header("User-Agent"),
            via=header("Via"),
        )


class Server(ThreadingHTTPServer):
    """Serve connections, each in a thread, and know which are open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform: Platform, port: int) -> None:
        self.platform = platform
        # The connections whose handshake is to break.
        self.broken: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Connection)

    def server_bind(self) -> None:
        """Bind without asking a resolver for this machine's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake is made in the connection's own thread, so that a slow one stops nobody."""
        connection, address = self.socket.accept()
        broken = self.platform.console.breaks_set.take()
        if broken == "reset":
            close_with_reset(connection)
            raise ConnectionResetError  # what serve_forever takes for a caller who has gone
        context = self.platform.tls_context(broken)
        if context:
            connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        if broken == "handshake":
            self.broken.add(connection)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget and end a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """End what is still open, so that a kept-alive connection does not outlive the platform."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet when a caller went away; say anything else on stderr."""
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)
