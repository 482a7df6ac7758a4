# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forward proxy passes what it should, and nothing else."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import requests

from sandbox import Platform, Proxy


def through(agent_at: Any, platform: Platform, proxy_url: str) -> Any:
    return agent_at(platform.url, proxies={"http": proxy_url, "https": proxy_url}, verify=platform.ca or True)


def test_a_call_in_absolute_form_reaches_the_platform(platform: Platform, agent_at: Any) -> None:
    with Proxy() as proxy:
        agent = through(agent_at, platform, proxy.url)
        answer = agent.register(platform.mint_token(), "web1")
        assert agent.signed("PingPong", answer.json()["credential"]).json() == {}
        assert [(r.method, r.path, r.outcome, r.status) for r in proxy.requests] == [
            ("POST", "/AgentManager/RegisterAgent", "passed", 200),
            ("POST", "/AgentManager/PingPong", "passed", 200),
        ]
    assert [call.via for call in platform.calls()] == ["1.1 sandbox-proxy"] * 2


def test_a_call_over_tls_goes_through_a_tunnel(agent_at: Any) -> None:
    with Platform(tls=True) as platform, Proxy("ann", "p@ss:w/rd") as proxy:
        agent = through(agent_at, platform, proxy.url_with_password)
        assert agent.register(platform.mint_token()).status_code == 200
        agent.call("Health/Check")
        (tunnel,) = proxy.requests
        assert (tunnel.method, tunnel.target, tunnel.user) == ("CONNECT", platform.url.removeprefix("https://"), "ann")


@pytest.mark.parametrize("login", ["", "ann:wrong@", "bob:p4ss@"])
def test_a_caller_without_the_right_password_is_sent_away(login: str, platform: Platform, agent_at: Any) -> None:
    with Proxy("ann", "p4ss") as proxy:
        answer = through(agent_at, platform, proxy.url.replace("//", f"//{login}")).call("Health/Check")
        assert (answer.status_code, answer.headers["Proxy-Authenticate"]) == (407, 'Basic realm="proxy"')
        assert answer.text.startswith("<html>")
        assert [request.outcome for request in proxy.requests] == ["unauthorized"]
    assert platform.calls() == []


def test_a_tunnel_without_the_right_password_is_refused(agent_at: Any) -> None:
    with Platform(tls=True) as platform, Proxy("ann", "p4ss") as proxy:
        with pytest.raises(requests.exceptions.ProxyError, match="407"):
            through(agent_at, platform, proxy.url).call("Health/Check")
        assert platform.calls() == []


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ({"status": 502}, 502, "<html><head><title>502 Bad Gateway<"),
        ({"status": 407}, 407, "<html><head><title>407 Proxy Authentication Required<"),
        ({"status": 503, "body": "empty"}, 503, ""),
        ({"status": 200}, 200, "<html><head><title>200 OK<"),
    ],
    ids=str,
)
def test_a_fault_of_the_proxy_is_answered_by_the_proxy(
    fault: dict[str, Any], status: int, text: str, platform: Platform, agent_at: Any
) -> None:
    with Proxy() as proxy:
        proxy.fault(times=1, **fault)
        agent = through(agent_at, platform, proxy.url)
        answer = agent.call("Health/Check")
        assert (answer.status_code, answer.text[: len(text)] if text else answer.text) == (status, text)
        assert answer.headers["Connection"] == "close"
        assert platform.calls() == []
        assert agent.call("Health/Check").status_code == 200
        assert [request.outcome for request in proxy.requests] == ["fault", "passed"]


def test_the_proxy_can_reset_a_connection(platform: Platform, agent_at: Any) -> None:
    with Proxy() as proxy:
        proxy.fault(reset=True)
        with pytest.raises(requests.ConnectionError, match="reset"):
            through(agent_at, platform, proxy.url).call("Health/Check")
        proxy.clear_faults()
        assert through(agent_at, platform, proxy.url).call("Health/Check").status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_platform_that_cannot_be_reached_is_a_bad_gateway(scheme: str, agent_at: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Proxy() as proxy:
            agent = agent_at(f"{scheme}://127.0.0.1:{unused.getsockname()[1]}")
            agent.session.proxies = {"http": proxy.url, "https": proxy.url}
            if scheme == "http":
                assert agent.call("Health/Check").status_code == 502
            else:
                with pytest.raises(requests.exceptions.ProxyError, match="502"):
                    agent.call("Health/Check")
            assert [request.outcome for request in proxy.requests] == ["unreachable"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["192.0.2.1", "us.api.mondoo.com"])
def test_the_proxy_connects_to_nothing_but_this_machine(scheme: str, host: str, agent_at: Any) -> None:
    with Proxy() as proxy:
        agent = agent_at(f"{scheme}://{host}", proxies={"http": proxy.url, "https": proxy.url})
        if scheme == "http":
            assert agent.call("Health/Check").status_code == 502
        else:
            with pytest.raises(requests.exceptions.ProxyError, match="502"):
                agent.call("Health/Check")
        assert [request.outcome for request in proxy.requests] == ["unreachable"]


def test_the_proxy_takes_a_name_for_an_address_here(agent_at: Any) -> None:
    with Platform() as platform, Proxy(hosts={"us.api.mondoo.com": platform.url.removeprefix("http://")}) as proxy:
        agent = agent_at("http://us.api.mondoo.com", proxies={"http": proxy.url})
        assert agent.call("Health/Check").status_code == 200
        assert [request.target for request in proxy.requests] == ["us.api.mondoo.com:80"]
