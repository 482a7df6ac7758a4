# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a platform with a file still knows after it was killed and started again."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doubles.processes import ENVIRONMENT, command
from sandbox import Platform, Remote
from sandbox.journal import Journal


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()  # SIGKILL: nothing can be written any more
    process.wait(10)


def test_a_platform_that_was_killed_knows_everything_when_it_is_back(tmp_path: Path, agent_at: Any) -> None:
    state = str(tmp_path / "state")
    with command("sandbox", "--state", state, "--space", "cellar") as (line, process):
        remote, agent = Remote(line["url"]), agent_at(line["url"])
        token = remote.mint_token(space="kitchen")
        revoked = remote.mint_token()
        remote.revoke_token(revoked)
        made = [agent.register(token, name).json() for name in ("web1", "web2", "web3")]
        agent.signed("UnRegisterAgent", made[1]["credential"], {"mrn": made[1]["agent_mrn"]})
        remote.delete_agent(made[2]["agent_mrn"])
        document = remote.create_service_account()
        remote.fault(method="PingPong", status=503, times=1)
        agent.signed("PingPong", made[0]["credential"])
        before = (remote.agents(), remote.service_accounts(), remote.tokens(), remote.calls(), remote.spaces())
        killed(process)
    with command("sandbox", "--state", state) as (line_again, dummy):
        assert line_again["url"] == line["url"]
        remote = Remote(line["url"])
        after = (remote.agents(), remote.service_accounts(), remote.tokens(), remote.calls(), remote.spaces())
        assert after == before
        assert [agent["name"] for agent in remote.agents()] == ["web1"]
        assert agent_at(line["url"]).signed("PingPong", made[0]["credential"]).status_code == 200
        assert agent_at(line["url"]).signed("PingPong", made[1]["credential"]).status_code == 401
        assert agent_at(line["url"]).signed("PingPong", document).status_code == 200
        assert agent_at(line["url"]).register(token, "web4").status_code == 200
        assert agent_at(line["url"]).register(revoked, "web5").status_code == 401
        assert [call.number for call in remote.calls()] == list(range(1, len(remote.calls()) + 1))
        assert [(call.method, call.host, call.outcome) for call in remote.calls(host="web1")] == [
            ("RegisterAgent", "web1", "ok"),
            ("PingPong", "web1", "fault"),
            ("PingPong", "web1", "ok"),
        ]


def test_whoever_trusts_the_authority_of_a_platform_that_was_killed_goes_on_to(tmp_path: Path, agent_at: Any) -> None:
    state = str(tmp_path / "state")
    with command("sandbox", "--tls", "--state", state) as (line, process):
        trusted = Path(line["ca"]).read_text()
        killed(process)
    (tmp_path / "ca.pem").write_text(trusted)
    with command("sandbox", "--tls", "--state", state) as (line_again, dummy):
        assert line_again == line
        agent = agent_at(line["url"], verify=str(tmp_path / "ca.pem"))
        assert agent.call("Health/Check").status_code == 200
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o77 for path in (tmp_path / "state.tls").iterdir()}
    assert modes == {"ca.key": 0, "ca.pem": 0o44, "server.pem": 0, "expired.pem": 0, "unknown.pem": 0}


def test_the_file_is_only_its_owners(tmp_path: Path) -> None:
    with Platform(state=tmp_path / "state"):
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600


def test_a_port_that_is_asked_for_wins_over_the_one_of_before(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Platform(state=state) as platform, Platform() as other:
        old, free = platform.url, int(other.url.rpartition(":")[2])
    with Platform(state=state, port=free) as platform:
        assert platform.url != old
    with Platform(state=state) as platform:
        assert platform.url == other.url


def test_a_line_that_was_being_written_when_the_process_was_killed_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path)
    journal.write(("space", "kitchen"), ("space", "cellar"))
    journal.close()
    with path.open("a") as stream:
        stream.write('["space","att')
    assert list(Journal(path).read()) == [("space", "kitchen"), ("space", "cellar")]
    Journal(path).write(("space", "garden"))
    assert list(Journal(path).read()) == [("space", "kitchen"), ("space", "cellar"), ("space", "garden")]


@pytest.mark.parametrize("text", ["agent_mrn: x\n", '{"tokens": []}\n', "[]\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    state = tmp_path / "state"
    state.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--state", str(state)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    words = "it is not a file that the sandbox wrote. Name another one."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Cannot read {state}: {words}\n")
    assert state.read_text() == text


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with Platform() as platform:
        port = platform.url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", port],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
    words = f"Cannot listen on 127.0.0.1:{port}: Address already in use. End what listens there, or give another port."
    assert (done.returncode, done.stderr) == (1, f"{words}\n")


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Platform() as platform:
        platform.mint_token()
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_one_line_of_json(tmp_path: Path, agent_at: Any) -> None:
    state = tmp_path / "state"
    with Platform(state=state) as platform:
        agent_at(platform.url).register(platform.mint_token())
    kinds = [json.loads(line)[0] for line in state.read_text().splitlines()]
    assert kinds == ["keys", "space", "port", "token", "token", "account", "agent", "call"]
