# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import (
    LARGEST_ANSWER,
    Answer,
    HttpTransport,
    NoAnswer,
    Route,
)
from doubles.servers import Loopback, answering, free_port, http, reset
from sandbox.authority import FOREVER, Authority, certificate_pem, key_pem, new_key

OK = http("200 OK", b"{}", "Content-Type: application/json")
HEADERS = {"Authorization": "Bearer canary-bearer-token", "X-Request-ID": "4711"}
DIALOGUE = b'{"name": "web-one"}'
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def post(url: str, seconds: float = 5.0, route: Route | None = None) -> Answer:
    return HttpTransport(route or Route()).post(f"{url}/AgentManager/PingPong", DIALOGUE, HEADERS, seconds)


def failure(url: str, seconds: float = 5.0, route: Route | None = None) -> tuple[str, bool, bool]:
    with pytest.raises(NoAnswer) as caught:
        post(url, seconds, route)
    assert str(caught.value) == caught.value.cause
    assert "canary" not in caught.value.cause
    return caught.value.cause, caught.value.sent, caught.value.lasting


def dripping(start: bytes, drop: bytes = b"x", hello: bool = False) -> Loopback:
    """Return a server that starts an answer to a request (or to the hello of TLS), and goes on drop by drop for 5 s."""

    def handle(connection: socket.socket, dummy: int) -> None:
        if hello:
            connection.recv(100000)
        else:
            server.read_request(connection)
        connection.sendall(start)
        for dummy in range(100):
            connection.sendall(drop)
            time.sleep(0.05)

    server = Loopback(handle)
    return server


def given_up(url: str, route: Route | None = None) -> tuple[str, bool, bool]:
    """Return the failure of a request that may take 0.4 s, and takes not much longer."""
    before = time.monotonic()
    failed = failure(url, seconds=0.4, route=route)
    assert time.monotonic() - before < 2
    return failed


def test_an_answer_is_its_status_its_headers_in_lower_case_and_its_body() -> None:
    with answering(http("409 Conflict", b'{"code": 10}', "Retry-After: 3")) as server:
        answer = post(server.url)
    assert answer == Answer(409, {"content-length": "12", "retry-after": "3"}, b'{"code": 10}')


def test_the_request_is_a_post_with_our_headers_and_body_and_no_others_credentials() -> None:
    with answering(OK) as server:
        post(server.url)
    head, dummy, body = server.got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /AgentManager/PingPong HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer canary-bearer-token" in head
    assert b"\r\nX-Request-ID: 4711" in head
    assert body == DIALOGUE


def test_a_refused_connection_sent_nothing() -> None:
    assert failure(f"http://127.0.0.1:{free_port()}") == ("the connection was refused", False, False)


def test_a_name_that_does_not_resolve_sent_nothing() -> None:
    assert failure("http://platform.invalid") == ("its name cannot be resolved", False, False)


def test_a_connection_that_is_never_accepted_sent_nothing() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        try:
            for dummy in range(4):  # fill the queue of connections that nobody accepts
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(listener.getsockname())
            time.sleep(0.05)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert failure(url, seconds=0.5) == ("no connection came about in time", False, False)
        finally:
            for item in waiting:
                item.close()


def test_a_reset_after_the_request_was_read_may_have_acted() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        reset(connection)

    with Loopback(handle) as server:
        assert failure(server.url) == ("the connection was cut", True, False)


def test_a_reset_before_the_request_was_read_may_have_acted_because_bytes_were_written() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        connection.recv(1)
        reset(connection)

    with Loopback(handle) as server:
        assert failure(server.url) == ("the connection was cut", True, False)


def test_what_counts_is_whether_a_byte_was_written_when_the_connection_is_reset_at_once() -> None:
    with Loopback(lambda connection, dummy: reset(connection)) as server:
        cause, dummy_sent, lasting = failure(server.url)  # the kernel may say so while connecting, or later
    assert (cause, lasting) == ("the connection was cut", False)


def test_a_connection_that_ends_without_an_answer_may_have_acted() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)

    with Loopback(handle) as server:
        assert failure(server.url) == ("the connection was cut", True, False)


def test_a_silent_platform_may_have_acted() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.recv(1)

    with Loopback(handle) as server:
        assert failure(server.url, seconds=0.3) == ("it did not answer in time", True, False)


def test_something_that_does_not_speak_http_may_have_acted() -> None:
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n") as server:
        assert failure(server.url) == ("the connection was cut", True, False)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", id="with a length"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="until the end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="in its headers"),
    ],
)
def test_an_answer_that_drips_is_given_up_in_time(head: bytes) -> None:
    with dripping(head) as server:
        assert given_up(server.url) == ("it did not answer in time", True, False)


def test_a_chunked_answer_that_drips_is_given_up_in_time() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n") as server:
        assert given_up(server.url) == ("it did not answer in time", True, False)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of a request be over when its answer was read whole, and before anybody could say so."""
    read = requests.Response.iter_content

    def read_and_wait(response: requests.Response, size: int) -> t.Iterator[bytes]:
        yield from read(response, size)
        time.sleep(0.5)

    monkeypatch.setattr(requests.Response, "iter_content", read_and_wait)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Content-Length: 2\r\n\r\n{}", id="with a length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", id="in chunks"),
    ],
)
@pytest.mark.usefixtures("late")
def test_an_answer_that_was_read_whole_counts_though_the_time_is_over_a_moment_later(head: bytes) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n" + head) as server:
        transport = HttpTransport(Route())
        for dummy in range(2):  # the second on a connection of its own: the first was cut
            assert transport.post(server.url, DIALOGUE, HEADERS, 0.3).body == b"{}"


@pytest.mark.usefixtures("late")
def test_an_answer_whose_end_nobody_saw_is_no_answer_when_the_time_is_over() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")

    with Loopback(handle) as server:
        assert failure(server.url, seconds=0.3) == ("it did not answer in time", True, False)


def test_a_name_that_takes_longer_than_the_time_limit_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_slowly(*arguments: t.Any, **options: t.Any) -> t.Any:
        time.sleep(0.5)
        return resolve(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
    with answering(OK) as server:
        assert failure(server.url, seconds=0.2) == ("no connection came about in time", False, False)
    assert server.got == []


def test_an_answer_cut_in_half_is_no_answer() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}")

    with Loopback(handle) as server:
        assert failure(server.url) == ("the connection was cut", True, False)


def test_an_answer_of_1_mib_is_read() -> None:
    with answering(http("200 OK", b"x" * LARGEST_ANSWER)) as server:
        assert len(post(server.url).body) == 1048576


def test_an_answer_larger_than_1_mib_is_not_read() -> None:
    with answering(http("200 OK", b"x" * (LARGEST_ANSWER + 1))) as server:
        assert failure(server.url) == ("its answer is larger than 1 MiB", True, False)


def test_an_html_page_is_an_answer_like_any_other() -> None:
    with answering(http("502 Bad Gateway", b"<html>oops</html>", "Content-Type: text/html")) as server:
        answer = post(server.url)
    assert (answer.status, answer.body) == (502, b"<html>oops</html>")


def test_a_redirect_is_not_followed() -> None:
    with answering(OK) as other, answering(http("302 Found", b"", f"Location: {other.url}/")) as server:
        assert post(server.url).status == 302
    assert other.got == []


def test_a_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password canary-netrc\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    with answering(OK) as server:
        HttpTransport(Route()).post(server.url, b"{}", {}, 5.0)
    assert b"Authorization" not in server.got[0]


def test_a_connection_is_used_again() -> None:
    with answering(OK) as server:
        transport = HttpTransport(Route())
        for dummy in range(3):
            assert transport.post(server.url, b"{}", {}, 5.0).status == 200
    assert (server.connections, len(server.got)) == (1, 3)


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(OK)

    with Loopback(handle) as server:
        transport = HttpTransport(Route())
        for dummy in range(3):
            assert transport.post(server.url, b"{}", {}, 5.0).status == 200
            time.sleep(0.05)
    assert (server.connections, len(server.got)) == (3, 3)


def test_a_request_on_a_stale_connection_that_gets_lost_is_not_sent_a_second_time() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(OK)
        server.read_request(connection)
        reset(connection)

    with Loopback(handle) as server:
        transport = HttpTransport(Route())
        transport.post(server.url, b"{}", {}, 5.0)
        with pytest.raises(NoAnswer) as caught:
            transport.post(server.url, b"{}", {}, 5.0)
    assert (caught.value.cause, caught.value.sent) == ("the connection was cut", True)
    assert len(server.got) == 2


def test_a_failure_that_sent_nothing_is_told_from_an_earlier_call_that_did() -> None:
    transport = HttpTransport(Route())
    with answering(OK) as server:
        transport.post(server.url, b"{}", {}, 5.0)
    with pytest.raises(NoAnswer) as caught:
        transport.post(f"http://127.0.0.1:{free_port()}", b"{}", {}, 5.0)
    assert caught.value.sent is False


# TLS


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("a private authority")


def tls_context(
    authority: Authority, folder: Path, until: datetime = FOREVER, name: str = "127.0.0.1"
) -> ssl.SSLContext:
    key = new_key()
    pair = folder / "server.pem"
    pair.write_text(key_pem(key) + certificate_pem(authority.issue(key.public_key(), [name], until)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


@pytest.fixture
def ca_path(authority: Authority, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(certificate_pem(authority.certificate))
    return str(path)


def secured(authority: Authority, folder: Path, **changes: t.Any) -> Loopback:
    def handle(connection: socket.socket, dummy: int) -> None:
        while server.read_request(connection):
            connection.sendall(OK)

    server = Loopback(handle, tls=tls_context(authority, folder, **changes))
    return server


def test_an_authority_in_ca_path_is_trusted(authority: Authority, tmp_path: Path, ca_path: str) -> None:
    with secured(authority, tmp_path) as server:
        assert post(server.url, route=Route(ca_path=ca_path)).status == 200


def test_an_unknown_authority_is_not_trusted_and_not_tried_again(authority: Authority, tmp_path: Path) -> None:
    with secured(authority, tmp_path) as server:
        cause, sent, lasting = failure(server.url)
    assert cause == "its certificate is not trusted (unable to get local issuer certificate)"
    assert (sent, lasting, server.got) == (False, True, [])


def test_an_expired_certificate_is_not_trusted_and_not_tried_again(
    authority: Authority, tmp_path: Path, ca_path: str
) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    with secured(authority, tmp_path, until=yesterday) as server:
        failed = failure(server.url, route=Route(ca_path=ca_path))
    assert failed == ("its certificate is not trusted (certificate has expired)", False, True)


def test_a_certificate_of_another_name_is_not_trusted(authority: Authority, tmp_path: Path, ca_path: str) -> None:
    with secured(authority, tmp_path, name="platform.example.com") as server:
        cause, sent, lasting = failure(server.url, route=Route(ca_path=ca_path))
    assert cause.startswith("its certificate is not trusted (")
    assert (sent, lasting) == (False, True)


def test_validate_certs_false_trusts_anybody(authority: Authority, tmp_path: Path) -> None:
    with secured(authority, tmp_path) as server:
        assert post(server.url, route=Route(validate_certs=False)).status == 200


def test_the_environment_names_no_authority(
    authority: Authority, tmp_path: Path, ca_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    monkeypatch.setenv("CURL_CA_BUNDLE", ca_path)
    with secured(authority, tmp_path) as server:
        assert failure(server.url)[1:] == (False, True)


def test_a_handshake_that_breaks_sent_nothing() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        connection.recv(1)
        connection.sendall(b"this is no TLS, and never was\r\n")

    with Loopback(handle) as server:
        assert failure(f"https://127.0.0.1:{server.port}") == ("the TLS handshake failed", False, False)


def test_a_handshake_that_is_reset_sent_nothing() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        connection.recv(1)
        reset(connection)

    with Loopback(handle) as server:
        assert failure(f"https://127.0.0.1:{server.port}") == ("the connection was cut", False, False)


def test_a_handshake_that_never_ends_sent_nothing() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        connection.recv(100000)
        connection.recv(1)

    with Loopback(handle) as server:
        cause, sent, lasting = failure(f"https://127.0.0.1:{server.port}", seconds=0.3)
    assert (sent, lasting) == (False, False)


def test_a_handshake_that_drips_is_given_up_in_time_and_sent_nothing() -> None:
    record = b"\x16\x03\x03\x40\x00"  # of 16 KiB, which are to come
    with dripping(record, hello=True) as server:
        assert given_up(f"https://127.0.0.1:{server.port}") == ("no connection came about in time", False, False)


def test_a_tls_connection_that_is_cut_after_the_request_may_have_acted(
    authority: Authority, tmp_path: Path, ca_path: str
) -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    with Loopback(handle, tls=tls_context(authority, tmp_path)) as server:
        cause, sent, lasting = failure(server.url, route=Route(ca_path=ca_path))
    assert cause in ("the connection was cut", "the TLS connection broke")
    assert (sent, lasting) == (True, False)


def test_tls_that_breaks_after_the_request_may_have_acted(authority: Authority, tmp_path: Path, ca_path: str) -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        os.write(connection.fileno(), b"this is no TLS any more\r\n" * 10)

    with Loopback(handle, tls=tls_context(authority, tmp_path)) as server:
        failed = failure(server.url, route=Route(ca_path=ca_path))
    assert failed == ("the TLS connection broke", True, False)


def test_a_ca_path_without_a_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FleetError) as caught:
        HttpTransport(Route(ca_path=str(tmp_path / "nowhere.pem")))
    assert str(caught.value) == (
        "Cannot use the option ca_path: there is no such file on the controller. "
        "Give the path of a file with the certificates of authorities in PEM."
    )


def test_a_ca_path_without_a_certificate_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("canary, and no certificate")
    with pytest.raises(FleetError) as caught:
        HttpTransport(Route(ca_path=str(path)))
    assert str(caught.value) == (
        "Cannot use the option ca_path: the file holds no certificate. "
        "Give the path of a file with the certificates of authorities in PEM."
    )


# Proxies


def proxy(answer: bytes) -> Loopback:
    return answering(answer)


def through(server: Loopback, user: str = "somebody:canary-password@") -> Route:
    return Route(proxy=f"http://{user}127.0.0.1:{server.port}")


def test_the_controllers_proxy_is_asked_with_its_password() -> None:
    with proxy(OK) as server:
        assert post("http://platform.invalid", route=through(server)).status == 200
    assert server.got[0].startswith(b"POST http://platform.invalid/AgentManager/PingPong HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic " in server.got[0]


def test_a_proxy_that_wants_another_password_sent_nothing_and_is_not_asked_again() -> None:
    with proxy(http("407 Proxy Authentication Required")) as server:
        failed = failure("https://platform.invalid", route=through(server))
    assert failed == ("the proxy wants a user and a password (407)", False, True)


def test_a_connect_that_fails_sent_nothing_and_may_be_tried_again() -> None:
    with proxy(http("502 Bad Gateway")) as server:
        failed = failure("https://platform.invalid", route=through(server))
    assert failed == ("the proxy refused the connection (502)", False, False)


def test_a_connect_that_is_forbidden_sent_nothing_and_is_not_tried_again() -> None:
    with proxy(http("403 Forbidden")) as server:
        failed = failure("https://platform.invalid", route=through(server))
    assert failed == ("the proxy refused the connection (403)", False, True)


def test_a_connect_whose_answer_drips_is_given_up_in_time_and_sent_nothing() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ") as server:
        outcome = given_up("https://platform.example.com", Route(proxy=server.url))
        assert outcome == ("no connection came about in time", False, False)


def test_a_connect_holds_nothing_of_the_request() -> None:
    with proxy(http("502 Bad Gateway")) as server:
        failure("https://platform.invalid", route=through(server))
    assert len(server.got) == 1
    assert b"canary-bearer-token" not in server.got[0]
    assert b"web-one" not in server.got[0]


def test_a_proxy_that_cuts_the_connect_sent_nothing() -> None:
    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        reset(connection)

    with Loopback(handle) as server:
        cause, sent, lasting = failure("https://platform.invalid", route=through(server))
    assert (sent, lasting) == (False, False)


def test_a_proxy_that_refuses_the_connection_sent_nothing() -> None:
    route = Route(proxy=f"http://127.0.0.1:{free_port()}")
    assert failure("https://platform.invalid", route=route) == ("the connection was refused", False, False)


def test_a_tunnel_is_used_for_the_request(authority: Authority, tmp_path: Path, ca_path: str) -> None:
    context = tls_context(authority, tmp_path)

    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as tunnel:
            server.read_request(tunnel)
            tunnel.sendall(OK)

    with Loopback(handle) as server:
        route = Route(proxy=f"http://127.0.0.1:{server.port}", ca_path=ca_path)
        assert post("https://127.0.0.1:9", route=route).status == 200
    assert server.got[0].startswith(b"CONNECT 127.0.0.1:9 HTTP/1.")
    assert server.got[1].endswith(DIALOGUE)


def test_a_tunnel_that_is_cut_after_the_request_may_have_acted(
    authority: Authority, tmp_path: Path, ca_path: str
) -> None:
    context = tls_context(authority, tmp_path)

    def handle(connection: socket.socket, dummy: int) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as tunnel:
            server.read_request(tunnel)

    with Loopback(handle) as server:
        route = Route(proxy=f"http://127.0.0.1:{server.port}", ca_path=ca_path)
        cause, sent, lasting = failure("https://127.0.0.1:9", route=route)
    assert (sent, lasting) == (True, False)


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(OK) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        assert post("http://platform.invalid").status == 200
    assert len(server.got) == 1


def test_no_proxy_of_the_environment_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(OK) as unwanted, answering(OK) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unwanted.port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert post(server.url).status == 200
    assert (len(unwanted.got), len(server.got)) == (0, 1)


def test_the_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(OK) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("no_proxy", "platform.invalid")
        assert post("http://platform.invalid", route=through(server)).status == 200


def test_a_proxy_url_that_cannot_be_used_is_not_tried_again() -> None:
    failed = failure("https://platform.invalid", route=Route(proxy="http:///canary"))
    assert failed == ("the proxy URL of the controller cannot be used", False, True)


def test_requests_missing_is_said_with_the_command_that_installs_it() -> None:
    program = """
import sys
sys.modules["requests"] = None
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import HttpTransport, Route
try:
    HttpTransport(Route())
except FleetError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        f"Cannot talk to Mondoo Platform: the Python library requests is missing for {sys.executable} on the "
        f"controller. Run: {sys.executable} -m pip install requests."
    )
