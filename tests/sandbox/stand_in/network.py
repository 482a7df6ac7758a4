# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One POST over HTTP, its failures in the words of Go's net/http, its proxies chosen as cnspec chooses them."""

from __future__ import annotations

import base64
import errno
import http.client
import ipaddress
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote

from sandbox.stand_in.go_words import parse_url
from sandbox.stand_in.profiles import Profile
from sandbox.stand_in.settings import Settings
from sandbox.stand_in.trust import TlsFailure, secured

CONTEXT_DONE = "context deadline exceeded"
TIMED_OUT = f"{CONTEXT_DONE} (Client.Timeout exceeded while awaiting headers)"


class WireError(Exception):
    """The request got no answer; the text is Go's. `of_proxy` when the proxy was the reason."""

    def __init__(self, text: str, *, of_proxy: bool = False) -> None:
        super().__init__(text)
        self.of_proxy = of_proxy


@dataclass(frozen=True)
class Answer:
    """What came back; `truncated` when the body ended early, `reason` as the status line has it."""

    status: int
    body: bytes
    truncated: bool = False
    reason: str = ""


def proxy_for(profile: Profile, api_proxy: str, environment: Mapping[str, str]) -> tuple[str, SplitResult | None]:
    """Return where the proxy comes from ("set", "environment" or "") and its URL. Raises NotAUrl.

    The order is MONDOO_API_PROXY (also when empty), api_proxy, HTTPS_PROXY, then Go's own reading of the environment.
    """
    if not profile.knows_proxy:
        return "environment", None
    if "MONDOO_API_PROXY" in environment:
        return "set", parse_url(environment["MONDOO_API_PROXY"])
    if api_proxy:
        return "set", parse_url(api_proxy)
    if profile.explicit_https_proxy and "HTTPS_PROXY" in environment:
        return "set", parse_url(environment["HTTPS_PROXY"])
    return "environment", None


def environment_proxy(target: SplitResult, environment: Mapping[str, str]) -> SplitResult | None:
    """Choose a proxy as http.ProxyFromEnvironment does: never for loopback, and with NO_PROXY."""
    name = "HTTPS_PROXY" if target.scheme == "https" else "HTTP_PROXY"
    text = environment.get(name) or environment.get(name.lower()) or ""
    host = target.hostname or ""
    if not text or host == "localhost" or _is_loopback(host):
        return None
    for word in (environment.get("NO_PROXY") or environment.get("no_proxy") or "").split(","):
        word = word.strip().lstrip(".")
        if word == "*" or (word and (host == word or host.endswith(f".{word}"))):
            return None
    return parse_url(text if "://" in text else f"http://{text}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Network:
    """The way to the platform: direct or through a proxy, never off the machine and its private networks."""

    def __init__(self, profile: Profile, settings: Settings, environment: Mapping[str, str], api_proxy: str) -> None:
        self.settings, self.environment = settings, environment
        self.origin, self.proxy = proxy_for(profile, api_proxy, environment)
        self._last_moment: float | None = None

    def limit(self, seconds: float) -> None:
        """Let all calls together take so long, from now on."""
        self._last_moment = time.monotonic() + seconds

    @property
    def expired(self) -> bool:
        """Say whether the time for all calls is over."""
        return self._last_moment is not None and time.monotonic() >= self._last_moment

    def _deadline(self) -> float:
        deadline = time.monotonic() + self.settings.http_timeout
        return deadline if self._last_moment is None else min(deadline, self._last_moment)

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send one POST. Raises WireError."""
        target = parse_url(url)
        if not target.hostname:
            raise WireError("http: no Host in request URL")
        proxy = self.proxy if self.origin == "set" else environment_proxy(target, self.environment)
        connection = self._connect(target, proxy, self._deadline())
        try:
            return self._exchange(connection, target, proxy, headers, body)
        finally:
            connection.close()

    def _exchange(
        self,
        connection: socket.socket,
        target: SplitResult,
        proxy: SplitResult | None,
        headers: dict[str, str],
        body: bytes,
    ) -> Answer:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        sent = dict(headers)
        if proxy is not None and target.scheme == "http":
            path = target.geturl()
            sent |= _proxy_authorization(proxy)
        client = http.client.HTTPConnection(target.hostname or "", target.port)
        client.sock = connection
        try:
            client.putrequest("POST", path, skip_accept_encoding=True)
            for name, value in {**sent, "Content-Length": str(len(body))}.items():
                client.putheader(name, value)
            client.endheaders(body)
            response = client.getresponse()
            try:
                return Answer(response.status, response.read(), reason=response.reason)
            except http.client.IncompleteRead as error:
                return Answer(response.status, error.partial, truncated=True)
        except TimeoutError:
            raise WireError(TIMED_OUT if self._last_moment is None else CONTEXT_DONE) from None
        except (http.client.RemoteDisconnected, BrokenPipeError):
            raise WireError("EOF") from None
        except ConnectionResetError:
            raise WireError(f"read tcp {_pair(connection)}: read: connection reset by peer") from None
        except http.client.HTTPException as error:
            raise WireError(
                f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{error}"'
            ) from None

    def _connect(self, target: SplitResult, proxy: SplitResult | None, deadline: float) -> socket.socket:
        port = target.port or (443 if target.scheme == "https" else 80)
        if proxy is None:
            connection = self._dial(target.hostname or "", port, deadline)
        else:
            try:
                proxy_port = proxy.port or {"http": 80, "https": 443}.get(proxy.scheme, 0)
                connection = self._dial(proxy.hostname or "", proxy_port, deadline)
            except WireError as error:
                raise WireError(f"proxyconnect tcp: {error}", of_proxy=True) from None
            if target.scheme == "https":
                _tunnel(connection, f"{_bracketed(target.hostname or '')}:{port}", proxy)
        if target.scheme != "https":
            return connection
        try:
            return secured(connection, target.hostname or "")
        except TlsFailure as error:
            raise WireError(str(error)) from None

    def _dial(self, host: str, port: int, deadline: float) -> socket.socket:
        address, port = self._address(host, port)
        shown = f"{_bracketed(address)}:{port}"
        if not port:
            raise WireError(f"dial tcp {shown}: connect: connection refused")
        try:
            return socket.create_connection((address, port), timeout=max(0.05, deadline - time.monotonic()))
        except TimeoutError:
            raise WireError(f"dial tcp {shown}: i/o timeout") from None
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO).lower()
            raise WireError(f"dial tcp {shown}: connect: {reason}") from None

    def _address(self, host: str, port: int) -> tuple[str, int]:
        """Return the address behind a name. Names come from the settings and /etc/hosts, never from DNS."""
        if not host:
            return "", 0
        known = self.settings.hosts.get(host) or _etc_hosts().get(host) or host
        name, colon, other_port = known.rpartition(":") if known.count(":") == 1 else (known, "", "")
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            raise WireError(f"dial tcp: lookup {host} on {self.settings.resolver}: no such host") from None
        port = int(other_port) if colon else port
        if not (address.is_private or address.is_loopback):
            raise WireError(f"dial tcp {_bracketed(name)}:{port}: connect: network is unreachable")
        return name, port


def _etc_hosts() -> dict[str, str]:
    found = {"localhost": "127.0.0.1"}
    try:
        with open("/etc/hosts", encoding="utf-8") as stream:
            for line in stream:
                address, *names = line.partition("#")[0].split() or [""]
                for name in names:
                    found.setdefault(name, address)
    except OSError:
        pass
    return found


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _pair(connection: socket.socket) -> str:
    try:
        near, far = connection.getsockname(), connection.getpeername()
    except OSError:
        return "127.0.0.1:0->127.0.0.1:0"
    return f"{_bracketed(near[0])}:{near[1]}->{_bracketed(far[0])}:{far[1]}"


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _tunnel(connection: socket.socket, authority: str, proxy: SplitResult) -> None:
    """Ask the proxy for a tunnel; its refusal is the text of its status line."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", "User-Agent: Go-http-client/1.1"]
    lines += [f"{name}: {value}" for name, value in _proxy_authorization(proxy).items()]
    try:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            read = connection.recv(1)
            if not read:
                raise WireError("EOF", of_proxy=True)
            head += read
    except TimeoutError:
        raise WireError(TIMED_OUT, of_proxy=True) from None
    except ConnectionError:
        raise WireError("EOF", of_proxy=True) from None
    dummy, dummy, status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    code, dummy, reason = status.partition(" ")
    if code != "200":
        raise WireError(reason or "unknown status code", of_proxy=True)
