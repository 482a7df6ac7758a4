# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A forward proxy on loopback: absolute-form HTTP and CONNECT, with a password, faults and a list of requests."""

from __future__ import annotations

import argparse
import base64
import errno
import json
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from .proxy_connection import ProxyRequest, ProxyServer


@dataclass
class ProxyFault:
    """What the proxy answers itself, and how often (None: always)."""

    status: int = 502
    body: str = "html"
    times: int | None = None
    skip: int = 0
    reset: bool = False
    delay: float = 0.0


class Proxy:
    """Run a proxy: `with Proxy(user="u", password="p") as proxy: ... proxy.url_with_password`.

    It connects to nothing but this machine. `hosts`: names that it takes for an address here, as
    {"us.api.mondoo.com": "127.0.0.1:8443"}.
    """

    def __init__(
        self, user: str = "", password: str = "", port: int = 0, hosts: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.hosts = dict(hosts)
        self.user, self.password = user, password
        self.url = self.url_with_password = ""
        self.requests: list[ProxyRequest] = []
        self._faults: list[ProxyFault] = []
        self._lock = threading.Lock()
        self._port = port
        self._server: ProxyServer | None = None

    def start(self) -> Proxy:
        """Listen; return when it can be used."""
        self._server = ProxyServer(self, self._port)
        address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = self.url_with_password = f"http://{address}"
        if self.user:
            login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
            self.url_with_password = f"http://{login}@{address}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Proxy:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def fault(self, **what: Any) -> None:
        """Answer the next requests with a status and a body ("html" or "empty") of the proxy's own."""
        with self._lock:
            self._faults.append(ProxyFault(**what))

    def clear_faults(self) -> None:
        """Take back all faults."""
        with self._lock:
            self._faults.clear()

    def take_fault(self) -> ProxyFault | None:
        """Return the fault for the next request, if there is one."""
        with self._lock:
            for fault in self._faults:
                if fault.skip > 0:
                    fault.skip -= 1
                elif fault.times is None:
                    return fault
                elif fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def address(self, host: str, port: int) -> tuple[str, int]:
        """Return where a request for a host goes. Raises OSError for what is not on this machine."""
        known = self.hosts.get(host.lower(), "")
        if known:
            host, dummy, number = known.rpartition(":")
            port = int(number)
        if host not in ("localhost", "::1") and not host.startswith("127."):
            raise OSError(errno.ENETUNREACH, "this proxy connects to nothing but this machine")
        return host, port

    def accepts(self, header: str | None) -> bool:
        """Tell whether a Proxy-Authorization header has the right name and password."""
        if not self.user:
            return True
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return header == f"Basic {expected}"


def main() -> None:
    """Serve until SIGTERM or SIGINT; one JSON line says where."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.proxy", description="A forward proxy on loopback.")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--user", default="", help="ask for this user name")
    parser.add_argument("--password", default="", help="and this password")
    parser.add_argument(
        "--host", action="append", default=[], metavar="NAME=ADDRESS:PORT", help="take a name for an address here"
    )
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *dummy: stop.set())
    hosts = dict(pair.split("=", 1) for pair in options.host)
    with Proxy(options.user, options.password, options.port, hosts) as proxy:
        print(json.dumps({"url": proxy.url, "url_with_password": proxy.url_with_password}), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
