# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange with the platform, and the one question that decides about trying again: was a byte sent?

The only file that knows requests, which the parent process pays for once: Ansible loads an action plugin before it
forks, so the import is at module level.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import sys
import threading
import typing as t
from dataclasses import dataclass, field

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies
except ImportError:  # said in one line when a call is made, not when the plugin is loaded
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

from .errors import FleetError

CONNECT_SECONDS = 10.0
LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True)
class Route:
    """The controller's own way to the platform. `proxy` None: as the controller's environment says."""

    proxy: str | None = None
    ca_path: str | None = None
    validate_certs: bool = True


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status, headers with lower-case names, and the body (at most 1 MiB)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class NoAnswer(Exception):
    """Nothing readable came back. `sent`: a byte of the request was written, so the other side may have acted.

    `cause` is one of a few fixed texts, never a library's message (requests quotes headers and proxy URLs).
    `lasting`: trying again at once would not help, or do harm (retries lock proxy accounts).
    """

    def __init__(self, cause: str, *, sent: bool, lasting: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.sent, self.lasting = cause, sent, lasting


class Transport(t.Protocol):
    """What the API client needs of HTTP."""

    def post(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        """Send one request and return its answer within `seconds`, or raise NoAnswer."""


class HttpTransport:
    """POST over requests: no redirects, no netrc, no environment but its proxies, no retries of its own."""

    def __init__(self, route: Route) -> None:
        if not HAS_REQUESTS:
            raise FleetError(
                "talk to Mondoo Platform",
                f"the Python library requests is missing for {sys.executable} on the controller",
                f"Run: {sys.executable} -m pip install requests",
                code="library_missing",
            )
        if route.validate_certs:
            _check_authorities(route.ca_path)
        else:
            # Said by the option already; urllib3 would say it for every call.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._route = route
        self._wire = _Wire()
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _adapter(self._wire))

    def post(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        """Send one request and return its answer within `seconds`, or raise NoAnswer."""
        failure: NoAnswer | None = None
        with self._wire.watched(seconds):
            try:
                answer = self._exchange(url, body, headers, seconds)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                failure = _no_answer(error, self._wire.written)
        if self._wire.expired and (failure is not None or not _is_whole(answer)):
            written = self._wire.written
            raise NoAnswer("it did not answer in time" if written else NOT_IN_TIME, sent=written)
        if failure is not None:
            raise failure
        return answer

    def _exchange(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        with self._session.post(
            url,
            data=body,
            headers=headers,
            timeout=(min(CONNECT_SECONDS, seconds), seconds),
            allow_redirects=False,
            stream=True,
            proxies=self._proxies(url),
            verify=(self._route.ca_path or True) if self._route.validate_certs else False,
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, names, _read(response))

    def _proxies(self, url: str) -> dict[str, str]:
        if self._route.proxy:
            return {"http": self._route.proxy, "https": self._route.proxy}
        return dict(get_environ_proxies(url, no_proxy=None))


class _Wire:
    """The connection in use, and whether a byte of the request itself (not of CONNECT or TLS) was written."""

    def __init__(self) -> None:
        self.written = False
        self.expired = False
        # A duplicate: requests' own object is in use in the thread that talks, and TLS takes it to pieces.
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def watched(self, seconds: float) -> t.Iterator[None]:
        """Cut the connection after `seconds`: requests' own timeout starts anew with every byte that comes."""
        self.written = self.expired = False
        alarm = threading.Timer(seconds, self._expire)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()
            alarm.join()
            self._forget()

    def connected(self, connection: t.Any) -> None:
        """Watch a socket. Raises TimeoutError when the time is over: an alarm that was early found nothing to cut."""
        with self._lock:
            if self.expired:
                raise TimeoutError
            self._forget()
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))

    def writing(self, connection: t.Any) -> None:
        """Say that the request is about to be written. Raises TimeoutError when the time is over."""
        if self._socket is None:
            self.connected(connection)  # one that is used again
        with self._lock:
            if self.expired:
                raise TimeoutError
            self.written = True

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # the other side was quicker
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _adapter(wire: _Wire) -> HTTPAdapter:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    def watched(connection: t.Any, pool: t.Any) -> t.Any:
        class Connection(connection):
            connecting = False

            def connect(self) -> None:
                self.connecting = True
                try:
                    super().connect()
                finally:
                    self.connecting = False

            def _new_conn(self) -> t.Any:
                # What comes next, TLS and CONNECT, is talk with the other side that may drip for ever, too.
                new = super()._new_conn()
                try:
                    wire.connected(new)
                except OSError:
                    new.close()
                    raise
                return new

            def send(self, data: t.Any) -> None:
                if self.sock is None and not self.connecting:
                    self.connect()
                if not self.connecting:
                    wire.writing(self.sock)
                super().send(data)

        return type("Pool", (pool,), {"ConnectionCls": Connection})

    pools = {
        "http": watched(HTTPConnection, HTTPConnectionPool),
        "https": watched(HTTPSConnection, HTTPSConnectionPool),
    }

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

    return Adapter(max_retries=0)


def _is_whole(answer: Answer) -> bool:
    """Tell whether the end of an answer was seen, so that it counts though the time was over a moment later.

    Elsewhere the end is where the connection ends, which is what the alarm brings about.
    """
    if "chunked" in answer.headers.get("transfer-encoding", "").lower():
        return True  # urllib3 raises when the last chunk is missing
    return answer.headers.get("content-length", "") == str(len(answer.body))


def _read(response: requests.Response) -> bytes:
    body = b""
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer("its answer is larger than 1 MiB", sent=True)
    return body


def _check_authorities(path: str | None) -> None:
    if path is None or os.path.isdir(path):
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except FileNotFoundError:
        cause = "there is no such file on the controller"
    except ssl.SSLError:
        cause = "the file holds no certificate"
    except OSError:
        cause = "the file cannot be read on the controller"
    else:
        return
    remedy = "Give the path of a file with the certificates of authorities in PEM"
    raise FleetError("use the option ca_path", cause, remedy, code="ca_path_invalid")


def _no_answer(error: BaseException, sent: bool) -> NoAnswer:
    chain = list(_chain(error))
    for item in chain:
        if isinstance(item, ssl.SSLCertVerificationError):
            why = f"its certificate is not trusted ({item.verify_message.rstrip('.')})"
            return NoAnswer(why, sent=sent, lasting=True)
        if isinstance(item, OSError) and "Tunnel connection failed: 407" in str(item):
            return NoAnswer("the proxy wants a user and a password (407)", sent=sent, lasting=True)
        if isinstance(item, OSError) and "Tunnel connection failed: " in str(item):
            status = str(item).split("Tunnel connection failed: ", 1)[1][:3]
            refused = not status.startswith("5")
            return NoAnswer(f"the proxy refused the connection ({status})", sent=sent, lasting=refused)
    for kinds, cause in _causes():
        if any(isinstance(item, kinds) for item in chain):
            broken = "the TLS connection broke" if sent and cause == NO_HANDSHAKE else cause
            return NoAnswer(broken, sent=sent, lasting=cause == PROXY_UNREADABLE)
    return NoAnswer("the connection broke" if sent else "no connection came about", sent=sent)


NOT_IN_TIME = "no connection came about in time"
PROXY_UNREADABLE = "the proxy URL of the controller cannot be used"
NO_HANDSHAKE = "the TLS handshake failed"


def _causes() -> list[tuple[tuple[type[BaseException], ...], str]]:
    return [
        ((socket.gaierror, urllib3.exceptions.LocationParseError), "its name cannot be resolved"),
        ((requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema), PROXY_UNREADABLE),
        ((ConnectionRefusedError,), "the connection was refused"),
        ((ssl.SSLError, requests.exceptions.SSLError), NO_HANDSHAKE),
        ((ConnectionResetError, BrokenPipeError, urllib3.exceptions.ProtocolError), "the connection was cut"),
        # A ConnectTimeoutError for urllib3, whatever the reason was.
        ((urllib3.exceptions.NewConnectionError,), "no connection came about"),
        ((urllib3.exceptions.ConnectTimeoutError, requests.ConnectTimeout), NOT_IN_TIME),
        ((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "it did not answer in time"),
    ]


def _chain(error: t.Any) -> t.Iterator[BaseException]:
    """Yield an exception and everything behind it: requests hides the cause in args and in `reason`."""
    seen: list[t.Any] = []
    todo = [error]
    while todo and len(seen) < 32:
        item = todo.pop(0)
        if not isinstance(item, BaseException) or any(item is other for other in seen):
            continue
        seen.append(item)
        yield item
        todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
