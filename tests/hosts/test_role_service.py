# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role does to the agent's service: a fleet of every kind of host, through runs that follow each other."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faults.controller import until
from hosts.controller import Controller, Played
from hosts.host import CONFIG, UNIT, Host
from hosts.podman import Podman
from sandbox import Platform

# Left out of make test; make hosts runs it.
pytestmark = pytest.mark.slow

REGISTERED = "Register the host with Mondoo Platform"
ENABLED = "Enable and start the agent's service"
TO_COME = "Say what would be done to a service that is not there yet"
RESTARTED = "Restart the agent"
WHY = "Say why the agent is restarted"

# As in the vendor's package for RedHat and Suse: without a configuration it does not start, and starting it succeeds.
CONDITION = f"sed -i '/^After=/a ConditionFileNotEmpty={CONFIG}' {UNIT}"
# What the package before cnspec 9.12.2 had.
CALLED_MONDOO = f"sed /^Alias/d {UNIT} > /etc/systemd/system/mondoo.service && rm {UNIT}"
MASKED = f"mv {UNIT} /lib/systemd/system/ && systemctl daemon-reload && systemctl mask cnspec"

# How each host is made, beside the stand-in for cnspec and its unit, neither enabled nor started.
HOSTS = {
    "fresh": "true",
    "alias": "systemctl enable --now cnspec",
    "mondoo": CALLED_MONDOO,
    "rpm": CONDITION,
    "masked": MASKED,
    "byhand": f"rm {UNIT}",
    "bare": "true",
}
# One without an init system.
BARE = ("--systemd=false", "--entrypoint", '["sleep", "infinity"]')
RUNNING = ("fresh", "alias", "mondoo")
AGENTS = (*RUNNING, "rpm")


@dataclass
class Counted:
    """A host whose round trips are counted: each is a call of ssh, because pipelining sends modules by it."""

    host: Host
    log: Path
    hostname: str = ""

    def ssh(self, folder: Path, user: str = "root") -> Path:
        """Write the command that takes the place of ssh, which writes down that it was called."""
        real, path = self.host.ssh(folder, user), folder / f"counted-{self.host.hostname}"
        path.write_text(f'#!/bin/sh\necho >> {self.log}\nexec {real} "$@"\n')
        path.chmod(0o700)
        return path

    def count(self) -> int:
        """Return how often it was called."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@dataclass
class Fleet:
    """The hosts, and what each run gave. `agents`: the number of each agent's process after a run, 0 for none."""

    hosts: dict[str, Counted]
    controller: Controller
    token: str
    runs: dict[str, dict[str, Played]] = field(default_factory=dict)
    agents: dict[str, dict[str, int]] = field(default_factory=dict)
    trips: dict[str, dict[str, int]] = field(default_factory=dict)

    def play(self, run: str, names: t.Iterable[str], *words: str, **variables: t.Any) -> None:
        """Run the role, without the steps that are not about the service, and keep what came of it."""
        before = {name: host.count() for name, host in self.hosts.items()}
        given = {"cnspec_token": self.token, "cnspec_time": False, "cnspec_install": False, **variables}
        hosts = [self.hosts[name] for name in names]
        self.runs[run] = self.controller.play(*hosts, words=("--forks", "7", *words), **given)
        self.trips[run] = {name: host.count() - before[name] for name, host in self.hosts.items()}
        self.agents[run] = {name: self.agent(name) for name in HOSTS if name not in ("bare", "byhand")}

    def run(self, name: str, command: str) -> str:
        return self.hosts[name].host.run(command)

    def agent(self, name: str) -> int:
        return int(self.run(name, f"systemctl show --property=MainPID --value {unit(name)}"))

    def state(self, name: str) -> str:
        """Return whether the unit is enabled, and active."""
        host = self.hosts[name].host
        return host.try_to(f"systemctl is-enabled {unit(name)}; systemctl is-active {unit(name)}").stdout


def unit(name: str) -> str:
    return "mondoo" if name == "mondoo" else "cnspec"


def only_for(name: str, value: t.Any) -> str:
    """Return a template that gives one host a value, and the others nothing."""
    return f"{{{{ {value!r} if inventory_hostname == {name!r} else {{}} }}}}"


@pytest.fixture(scope="module")
def fleet(
    podman: Podman, image: str, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        hosts = {}
        for name in HOSTS:
            host = stack.enter_context(Host(podman, image, name, BARE if name == "bare" else ()))
            hosts[name] = Counted(host, folder / f"trips-{name}", name)
        for name, made in HOSTS.items():
            host = hosts[name].host
            if name == "bare":
                host.run("mkdir -p /etc/opt/mondoo && ln -s /bin/true /usr/local/bin/systemctl")
            else:
                host.booted()
            host.install_cnspec()
            host.run(f"{made} && systemctl daemon-reload")
        story = Fleet(hosts, Controller(folder), platform.mint_token())
        tell(story)
        yield story


def tell(fleet: Fleet) -> None:
    """Run the role in check mode, for real, again, when things have happened, in check mode again, and to the end."""
    # As the step install says that it would install, or has installed, the package: there it is left out.
    to_install = only_for("byhand", {"changed": True})
    unregistered = "{{ inventory_hostname != 'rpm' }}"
    fleet.play("check", HOSTS, "--check", "--diff", cnspec_register=unregistered, __cnspec_package=to_install)
    expect = {"cnspec_expect": "{{ ['registered'] if inventory_hostname == 'bare' else ['service_running'] }}"}
    less = {"cnspec_register": unregistered, "cnspec_verify": unregistered, **expect}
    fleet.play("first", HOSTS, __cnspec_package=only_for("fresh", {"changed": True}), **less)
    fleet.play("again", (*AGENTS, "bare"), **less)
    fleet.run("alias", f"sleep 1.1 && touch {CONFIG}")
    fleet.run("mondoo", "systemctl kill --signal=KILL mondoo")
    show = "systemctl show --property=SubState mondoo"
    until(lambda: fleet.run("mondoo", show) == "SubState=auto-restart\n", "it was not seen that the agent died")
    fleet.run("bare", "sed -i -e s/^ID=.*/ID=opensuse-leap/ -e /^ID_LIKE/d /usr/lib/os-release")
    only_bare = "{{ inventory_hostname == 'bare' }}"
    fleet.play("suse", ("bare", "alias"), cnspec_install=only_bare, cnspec_version="13.0.1", cnspec_service=False)
    fleet.play("foreseen", AGENTS, "--check", cnspec_annotations=only_for("fresh", {"owner": "web"}), **expect)
    fleet.play("later", AGENTS, cnspec_annotations=only_for("fresh", {"owner": "web"}), **expect)
    fleet.run("fresh", "systemctl disable --now cnspec")
    fleet.play("alone", ("fresh",), tasks_from="service")
    fleet.run("rpm", "systemctl stop cnspec")
    fleet.play("absent", AGENTS, tasks_from="unregister")


def test_check_mode_tells_what_would_be_done_and_does_nothing(fleet: Fleet) -> None:
    check = fleet.runs["check"]
    assert check["fresh"].changed == [REGISTERED, ENABLED]
    assert check["alias"].changed == [REGISTERED, RESTARTED]
    assert check["rpm"].changed == [ENABLED]
    assert [name for name, agent in fleet.agents["check"].items() if agent] == ["alias"]


def test_check_mode_tells_of_a_service_that_comes_with_the_package(fleet: Fleet) -> None:
    played = fleet.runs["check"]["byhand"]
    assert played.changed == [REGISTERED, TO_COME]
    assert played.of(TO_COME)[0]["msg"] == "The service cnspec would be enabled and started."
    assert played.failure == ""


def test_a_fresh_host_is_registered_then_its_agent_is_enabled_and_started_but_not_restarted(fleet: Fleet) -> None:
    for name in ("fresh", "mondoo"):
        assert fleet.runs["first"][name].changed == [REGISTERED, ENABLED], fleet.runs["first"][name].said
        assert fleet.runs["first"][name].failure == ""
    assert fleet.runs["first"]["fresh"].sums["ok"] == fleet.runs["first"]["mondoo"].sums["ok"] + 3  # it looked again


def test_an_agent_that_ran_before_its_host_was_registered_is_restarted_once_for_both_of_its_names(fleet: Fleet) -> None:
    assert fleet.run("alias", "systemctl show --property=Id --value mondoo") == "cnspec.service\n"
    assert fleet.runs["first"]["alias"].changed == [REGISTERED, RESTARTED]
    assert 0 < fleet.agents["check"]["alias"] != fleet.agents["first"]["alias"] > 0


def test_an_agent_without_a_configuration_is_enabled_and_waits(fleet: Fleet) -> None:
    assert fleet.runs["first"]["rpm"].changed == [ENABLED]
    assert fleet.agents["first"]["rpm"] == 0


def test_a_masked_service_is_an_error_of_that_host_in_one_line(fleet: Fleet) -> None:
    assert fleet.runs["first"]["masked"].failure == (
        "Cannot start the agent: its service cnspec is masked. Run there: sudo systemctl unmask cnspec; or set "
        "cnspec_service: false."
    )


def test_a_cnspec_without_its_service_is_an_error_of_that_host_in_one_line(fleet: Fleet) -> None:
    assert fleet.runs["first"]["byhand"].failure == (
        "Cannot start the agent: systemd there knows no service of it, which comes with the package of cnspec. "
        "Let the step install run, or set cnspec_service: false."
    )


def test_a_host_without_an_init_system_is_left_alone_and_says_why(fleet: Fleet) -> None:
    played = fleet.runs["first"]["bare"]
    assert played.changed == [REGISTERED]
    assert [result["msg"] for result in played.of("Say why the agent's service is left alone")] == [
        "The service of the agent is left alone: this host does not run systemd."
    ]
    assert played.failure == ""


def test_a_collection_that_is_missing_is_said_once_and_an_error_only_of_the_hosts_that_need_it(fleet: Fleet) -> None:
    missing = (
        "Cannot manage packages of this host: the collection community.general, which Suse needs, is not installed on "
        "the controller. Run there: ansible-galaxy collection install community.general."
    )
    played = fleet.runs["suse"]
    assert (played["bare"].failure, played["alias"].failure) == (missing, "")
    said = " ".join(played["bare"].said.split())
    assert said.count(f"[WARNING]: {missing}") == 1


def test_again_nothing_changes_and_no_agent_is_restarted(fleet: Fleet) -> None:
    assert [(played.changed, played.failure) for played in fleet.runs["again"].values()] == [([], "")] * 5
    assert fleet.agents["again"] == fleet.agents["first"]


def test_a_run_with_nothing_to_do_is_three_round_trips_to_a_host(fleet: Fleet) -> None:
    # The look, the registration and the status.
    trips = fleet.trips["again"]
    assert {name: trips[name] for name in (*RUNNING, "bare")} == dict.fromkeys((*RUNNING, "bare"), 3)


def test_an_agent_whose_settings_changed_is_restarted(fleet: Fleet) -> None:
    assert fleet.runs["later"]["fresh"].changed == [REGISTERED, RESTARTED]
    assert fleet.agents["later"]["fresh"] not in (0, fleet.agents["again"]["fresh"])


def test_a_restart_that_was_missed_is_made_up_for_and_says_why(fleet: Fleet) -> None:
    played = fleet.runs["later"]["alias"]
    assert played.changed == [WHY, RESTARTED]
    assert played.of(WHY)[0]["msg"] == "The agent is restarted: its configuration was written after it started."
    assert fleet.agents["later"]["alias"] not in (0, fleet.agents["again"]["alias"])


def test_an_agent_that_died_is_restarted_without_waiting_for_systemd(fleet: Fleet) -> None:
    played = fleet.runs["later"]["mondoo"]
    assert played.changed == [WHY, RESTARTED]
    assert played.of(WHY)[0]["msg"] == "The agent is restarted: it ended, and systemd is about to start it."
    assert fleet.agents["later"]["mondoo"] not in (0, fleet.agents["again"]["mondoo"])


def test_an_agent_starts_when_its_host_is_registered(fleet: Fleet) -> None:
    assert fleet.runs["later"]["rpm"].changed == [REGISTERED, ENABLED]
    assert fleet.agents["later"]["rpm"] > 0
    assert fleet.runs["later"]["rpm"].failure == ""


def test_check_mode_foresees_restarts_and_expects_nothing_of_them_yet(fleet: Fleet) -> None:
    for name in AGENTS:
        foreseen, done = fleet.runs["foreseen"][name], fleet.runs["later"][name]
        assert (foreseen.changed, foreseen.failure) == (done.changed, ""), name
    assert fleet.agents["foreseen"] == {**fleet.agents["again"], "mondoo": 0}


def test_the_step_can_be_run_alone(fleet: Fleet) -> None:
    played = fleet.runs["alone"]["fresh"]
    assert (played.changed, played.of(REGISTERED), played.failure) == ([ENABLED], [], "")


def test_an_agent_of_a_host_that_is_taken_off_is_restarted_to_forget_its_identity(fleet: Fleet) -> None:
    for name in RUNNING:
        assert fleet.runs["absent"][name].changed == ["Take the host off Mondoo Platform", RESTARTED]
        assert fleet.agents["absent"][name] not in (0, fleet.agents["alone"][name])
        assert fleet.state(name) == "enabled\nactive\n"


def test_an_agent_of_a_host_that_is_taken_off_is_not_started(fleet: Fleet) -> None:
    assert fleet.runs["absent"]["rpm"].changed == ["Take the host off Mondoo Platform"]
    assert fleet.state("rpm") == "enabled\ninactive\n"
