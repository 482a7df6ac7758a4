# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m sandbox` and `python -m sandbox.proxy`; TLS, under the names of the real platform too."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from doubles.processes import ENVIRONMENT, command
from sandbox import Platform, Proxy, Remote, sign_call
from sandbox.cnspec_stand_in import install
from sandbox.stand_in.settings import Settings
from sandbox.tls import REAL_NAMES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals, agent_at: Any) -> None:
    with command("sandbox", "--space", "kitchen", "--token") as (line, process):
        remote = Remote(line["url"])
        assert line["ca"] is None
        assert remote.spaces() == ["lunalectric-prod", "kitchen"]
        assert agent_at(line["url"]).register(line["token"]).status_code == 200
        process.send_signal(number)
        assert process.wait(10) == 0


def test_tls_is_trusted_with_the_authority_that_was_made_and_with_no_other(agent_at: Any) -> None:
    with command("sandbox", "--tls") as (line, dummy):
        assert line["url"].startswith("https://")
        token = Remote(line["url"], line["ca"]).mint_token()
        assert agent_at(line["url"], verify=line["ca"]).register(token).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            agent_at(line["url"]).call("Health/Check")
        with Platform(tls=True) as other, pytest.raises(requests.exceptions.SSLError):
            agent_at(line["url"], verify=other.ca).call("Health/Check")


def test_a_reset_under_tls_is_a_reset(agent_at: Any) -> None:
    with Platform(tls=True) as platform:
        platform.fault(reset="after")
        with pytest.raises(requests.ConnectionError):
            agent_at(platform.url, verify=platform.ca).call("Health/Check")
        assert platform.calls()[0].status == 0


def test_a_caller_that_does_not_speak_tls_stops_nobody(agent_at: Any) -> None:
    with Platform(tls=True) as platform:
        with pytest.raises(requests.ConnectionError):
            agent_at(platform.url.replace("https", "http")).call("Health/Check")
        assert agent_at(platform.url, verify=platform.ca).call("Health/Check").status_code == 200


def certified(platform: Platform, name: str) -> bool:
    """Say whether a client that resolves a name to loopback is satisfied."""
    context = ssl.create_default_context(cafile=platform.ca)
    address = ("127.0.0.1", int(platform.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name):
                return True
        except ssl.SSLCertVerificationError:
            return False


def test_the_certificate_is_for_the_real_names_only_if_asked() -> None:
    with Platform(tls=True) as usual, Platform(tls=True, names=REAL_NAMES) as asked:
        assert certified(usual, "localhost")
        assert not certified(usual, "us.api.mondoo.com")
        assert [name for name in ("localhost", "127.0.0.1", *REAL_NAMES) if not certified(asked, name)] == []
        assert not certified(asked, "example.com")


def test_a_client_that_resolves_the_real_name_to_loopback_registers(tmp_path: Path) -> None:
    with command("sandbox", "--tls", "--real-names", "--endpoint", "https://us.api.mondoo.com") as (line, dummy):
        settings = Settings(
            "12.11.0",
            root=str(tmp_path),
            hostname="web1",
            hosts={"us.api.mondoo.com": line["url"].removeprefix("https://")},
        )
        install(str(tmp_path / "cnspec"), settings)
        remote = Remote(line["url"], line["ca"])
        environment = {"HOME": str(tmp_path), "SSL_CERT_FILE": line["ca"], "PATH": "/usr/bin:/bin"}
        argv = [str(tmp_path / "cnspec"), "login", "--token", remote.mint_token(), "--config", str(tmp_path / "m.yml")]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, [agent["name"] for agent in remote.agents()]) == (0, ["web1"]), done.stderr
        assert "api_endpoint: https://us.api.mondoo.com\n" in (tmp_path / "m.yml").read_text()


def test_a_proxy_takes_the_real_name_to_the_sandbox(agent_at: Any) -> None:
    with Platform(tls=True, names=REAL_NAMES, endpoint="https://eu.api.mondoo.com") as platform:
        hosts = {"eu.api.mondoo.com": platform.url.removeprefix("https://")}
        with Proxy("ann", "s3cret", hosts=hosts) as proxy:
            agent = agent_at(
                "https://eu.api.mondoo.com", verify=platform.ca, proxies={"https": proxy.url_with_password}
            )
            document = platform.create_service_account()
            assert document["api_endpoint"] == "https://eu.api.mondoo.com"
            assert agent.call("PingPong", authorization=sign_call(document)).status_code == 200
            assert [request.target for request in proxy.requests] == ["eu.api.mondoo.com:443"]


def test_names_without_tls_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--real-names"], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith("error: --name and --real-names are for certificates: give --tls, too\n")


def test_a_platform_that_has_stopped_answers_nobody_not_even_on_an_open_connection(agent_at: Any) -> None:
    with Platform() as platform:
        agent = agent_at(platform.url)
        assert agent.call("Health/Check").status_code == 200
    with pytest.raises(requests.ConnectionError):
        agent.call("Health/Check")


def test_the_proxy_command_passes_calls_and_lists_them(agent_at: Any) -> None:
    with Platform() as platform, command("sandbox.proxy", "--user", "ann", "--password", "s3cret") as (line, dummy):
        agent = agent_at(platform.url, proxies={"http": line["url_with_password"]})
        assert agent.call("Health/Check").status_code == 200
        seen = requests.get(f"{line['url']}/sandbox/requests", timeout=10).json()["result"]
        assert [(request["user"], request["outcome"]) for request in seen] == [("ann", "passed")]
        requests.post(f"{line['url']}/sandbox/fault", json={"status": 502, "times": 1}, timeout=10)
        assert agent.call("Health/Check").status_code == 502
        requests.post(f"{line['url']}/sandbox/fault", json={"status": 502}, timeout=10)
        requests.post(f"{line['url']}/sandbox/clear_faults", timeout=10)
        assert agent.call("Health/Check").status_code == 200
