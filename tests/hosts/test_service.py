# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What mondoo_status says of the agent's service, on hosts that really have the trouble; each remedy is carried out."""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.controller import until
from hosts.controller import Controller, Result
from hosts.host import CONFIG, UNIT, Host
from sandbox import Platform

CANNOT = "Cannot confirm what is expected of this host: "
RESTART = "Run there: sudo journalctl -n 20 -u cnspec; sudo systemctl enable cnspec; sudo systemctl restart cnspec"
START = "Run there: sudo systemctl enable --now cnspec"


@dataclass
class Scene:
    """A registered host whose agent runs, and the one who asks how it stands."""

    host: Host
    controller: Controller

    def status(self, **options: t.Any) -> Result:
        return self.controller.run(self.host, "mondoo_status", **options)

    def agent_problems(self, health: str = "ok") -> list[dict[str, str]]:
        """Return what status tells of the agent, of a host with this health."""
        fact = self.status()["ansible_facts"]["mondoo"]
        assert fact["health"] == health, fact
        return [problem for problem in fact["problems"] if problem["code"].startswith("agent_")]

    def follow(self, fix: str) -> None:
        """Carry out a remedy, word for word."""
        told = re.fullmatch("Run there: (.*)", fix)
        assert told, fix
        self.host.run(told[1])

    def start(self, unit: str = "cnspec") -> None:
        self.host.run(f"systemctl enable --now {unit}")

    def wait_until(self, line: str) -> None:
        """Wait until systemd says this of the agent's unit."""
        show = f"systemctl show --property={line.partition('=')[0]} cnspec"
        until(lambda: self.host.run(show).strip() == line, f"it never came to {line}")

    def let_a_second_pass(self) -> None:
        """Wait until what is written is newer than the agent: systemd tells its start in whole seconds."""
        self.host.run("sleep 1.1")


@pytest.fixture(scope="module")
def registered(
    new_host: t.Callable[[], t.ContextManager[Host]], platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the mondoo.yml of a host that was registered; each test puts it on a host of its own."""
    with new_host() as host:
        controller = Controller(tmp_path_factory.mktemp("registered"))
        result = controller.run(host, "mondoo_registration", token=platform.mint_token())
        assert (result["state"], result["changed"]) == ("ok", True), result["said"]
        return host.run(f"cat {CONFIG}")


@pytest.fixture
def scene(host: Host, registered: str, tmp_path: Path) -> Scene:
    host.write(CONFIG, registered, mode="600")
    return Scene(host, Controller(tmp_path))


def test_an_agent_that_runs_is_found_running(scene: Scene) -> None:
    scene.start()
    result = scene.status(expect=["registered", "authenticated", "reachable", "service_running"])
    fact = result["ansible_facts"]["mondoo"]
    assert result["state"] == "ok", result["said"]
    assert fact["health"] == "ok"
    assert [problem for problem in fact["problems"] if problem["code"].startswith("agent_")] == []


def stopped(scene: Scene) -> None:
    scene.start()
    scene.host.run("systemctl stop cnspec")


def never_enabled(scene: Scene) -> None:
    assert scene.host.try_to("systemctl is-enabled cnspec").stdout == "disabled\n"


@pytest.mark.parametrize("trouble", [stopped, never_enabled])
def test_an_agent_that_does_not_run_is_told_and_the_remedy_starts_it(
    scene: Scene, trouble: t.Callable[[Scene], None]
) -> None:
    trouble(scene)
    (problem,) = scene.agent_problems()
    assert problem == {"code": "agent_not_running", "message": "the service cnspec is not running", "fix": START}
    scene.follow(problem["fix"])
    assert scene.agent_problems() == []
    assert scene.host.run("systemctl is-enabled cnspec; systemctl is-active cnspec") == "enabled\nactive\n"


def test_an_agent_that_died_is_told_and_the_remedy_does_not_wait_for_systemd(scene: Scene) -> None:
    scene.start()
    scene.host.run("systemctl kill --signal=KILL cnspec")
    scene.wait_until("SubState=auto-restart")
    (problem,) = scene.agent_problems()
    message = "the service cnspec is not running, systemd is about to start it"
    assert problem == {"code": "agent_not_running", "message": message, "fix": RESTART}
    began = time.monotonic()
    scene.follow(problem["fix"])
    assert time.monotonic() - began < 45, "it waited for RestartSec"
    assert scene.agent_problems() == []


def test_an_agent_that_failed_is_told_and_the_remedy_shows_why_and_starts_it(scene: Scene) -> None:
    scene.host.run(f"cp -p {CONFIG} {CONFIG}.good && printf 'api_endpoint: [1]\\n' > {CONFIG}")
    scene.start()
    scene.wait_until("ActiveState=failed")
    assert scene.host.run("systemctl show --property=ExecMainStatus cnspec") == "ExecMainStatus=78\n"
    scene.host.run(f"mv {CONFIG}.good {CONFIG}")
    (problem,) = scene.agent_problems()
    assert problem == {"code": "agent_not_running", "message": "the service cnspec has failed", "fix": RESTART}
    scene.follow(problem["fix"])
    assert scene.agent_problems() == []


def test_an_agent_whose_unit_is_masked_is_told_and_the_remedy_starts_it(scene: Scene) -> None:
    # Only a unit outside of /etc can be masked: a link to /dev/null there takes its place.
    scene.host.run(f"mv {UNIT} /lib/systemd/system/ && systemctl daemon-reload && systemctl mask cnspec")
    (problem,) = scene.agent_problems()
    fix = "Run there: sudo systemctl unmask cnspec && sudo systemctl enable --now cnspec"
    message = "the service cnspec is masked, so that it cannot run"
    assert problem == {"code": "agent_not_running", "message": message, "fix": fix}
    scene.follow(problem["fix"])
    assert scene.agent_problems() == []


def test_a_unit_that_is_called_mondoo_is_found_and_named(scene: Scene) -> None:
    scene.host.run(f"sed /^Alias/d {UNIT} > /etc/systemd/system/mondoo.service && rm {UNIT} && systemctl daemon-reload")
    (problem,) = scene.agent_problems()
    assert problem["message"] == "the service mondoo is not running"
    scene.follow(problem["fix"])
    result = scene.status(expect=["service_running"])
    assert result["state"] == "ok", result["said"]


def test_a_config_written_after_the_start_is_told_and_the_remedy_makes_the_agent_read_it(scene: Scene) -> None:
    scene.start()
    assert scene.agent_problems() == []
    scene.let_a_second_pass()
    changed = scene.controller.run(scene.host, "mondoo_registration", annotations={"owner": "web"})
    assert changed.get("changed") is True, changed["said"]
    (problem,) = scene.agent_problems()
    fix = "Run there: sudo systemctl restart cnspec"
    message = f"the service cnspec runs with an older {CONFIG}"
    assert problem == {"code": "agent_not_restarted", "message": message, "fix": fix}
    scene.let_a_second_pass()
    scene.follow(problem["fix"])
    assert scene.agent_problems() == []


def test_the_start_is_told_right_wherever_the_host_is(scene: Scene) -> None:
    scene.host.run("ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime")
    scene.start()
    assert scene.host.run("date +%Z") == "JST\n"
    assert scene.agent_problems() == []
    scene.let_a_second_pass()
    scene.host.run(f"touch {CONFIG}")
    assert [problem["code"] for problem in scene.agent_problems()] == ["agent_not_restarted"]


def test_a_config_dated_in_the_future_is_not_held_against_the_agent(scene: Scene) -> None:
    scene.start()
    scene.host.run(f"touch -d '+1 day' {CONFIG}")
    assert scene.agent_problems() == []


def test_an_ordinary_user_sees_whether_the_agent_runs(scene: Scene) -> None:
    scene.start()
    scene.host.run("useradd --create-home anna")
    running = scene.controller.run(scene.host, "mondoo_status", user="anna", expect=["service_running"])
    assert running["state"] == "ok", running["said"]
    assert running["ansible_facts"]["mondoo"]["health"] == "unknown"
    codes = [problem["code"] for problem in running["ansible_facts"]["mondoo"]["problems"]]
    assert codes[0] == "config_unreadable"
    assert "agent_not_running" not in codes and "agent_not_restarted" not in codes


def test_an_expectation_of_an_agent_that_does_not_run_fails_with_the_remedy(scene: Scene) -> None:
    result = scene.status(expect=["registered", "service_running"])
    assert (result["state"], result["code"]) == ("failed", "expectation_failed")
    assert result["msg"] == f"{CANNOT}service_running is false: the service cnspec is not running. {START}."


def test_an_expectation_of_a_host_without_the_unit_says_what_is_missing(scene: Scene) -> None:
    scene.host.run(f"rm {UNIT} && systemctl daemon-reload")
    assert scene.agent_problems() == []
    result = scene.status(expect=["service_running"])
    assert result["msg"] == (
        f"{CANNOT}service_running is not known (systemd there knows no service of the agent). "
        "Install cnspec from its package, which has the service, or leave service_running out."
    )


def test_a_wrong_cnspec_path_is_named(scene: Scene) -> None:
    problem = scene.status(cnspec_path="/opt/cnspec")["ansible_facts"]["mondoo"]["problems"][0]
    assert problem == {
        "code": "cnspec_missing",
        "message": "there is no cnspec command at /opt/cnspec, where cnspec_path says (No such file or directory)",
        "fix": "Correct cnspec_path, or leave it out",
    }
