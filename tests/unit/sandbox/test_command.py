# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m sandbox` and `python -m sandbox.proxy`; TLS; what survives a restart."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import Platform, Remote

TESTS = str(Path(__file__).parents[2])


@contextmanager
def command(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    environment = {**os.environ, "PYTHONPATH": TESTS}
    argv = [sys.executable, "-m", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


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


def test_what_is_there_survives_a_restart(tmp_path: Path, agent_at: Any) -> None:
    state = tmp_path / "state.json"
    with Platform(state=state) as platform:
        token = platform.mint_token(space="kitchen")
        made = agent_at(platform.url).register(token).json()
        document = platform.create_service_account()
        agents = platform.agents()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with Platform(state=str(state)) as platform:
        agent = agent_at(platform.url)
        assert platform.agents() == agents
        assert agent.signed("PingPong", made["credential"]).status_code == 200
        assert agent.signed("PingPong", document).status_code == 200
        assert agent.register(token).status_code == 200
        assert platform.spaces() == ["lunalectric-prod", "kitchen"]


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
