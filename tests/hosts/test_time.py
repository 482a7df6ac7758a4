# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step time on hosts of each family, through runs that follow each other; none of them may set the clock."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from hosts.controller import Controller, Played
from hosts.host import Host
from hosts.image import FAMILIES, made
from hosts.podman import Podman
from tooling.collections import collection

# Left out of make test; make hosts runs it.
pytestmark = pytest.mark.slow

# Documentation's own addresses (RFC 5737): nobody answers.
SERVERS = ["192.0.2.1", "ntp.example.com"]
# -x: it does not touch the clock, so that it runs where it may not. No port: the hosts of a lab share their loopback.
RUN_CHRONYD = (
    "sed -i '1i cmdport 0' /etc/chrony.conf && mkdir /etc/systemd/system/chronyd.service.d && "
    "printf '[Unit]\\nConditionCapability=\\n[Service]\\nEnvironment=OPTIONS=-x\\nEnvironmentFile=\\n' "
    "> /etc/systemd/system/chronyd.service.d/test.conf && systemctl daemon-reload && systemctl start chronyd"
)
# The family of each host, and what was done to it before.
HOSTS = {
    "debian": ("debian-bookworm", "true"),
    "redhat": ("redhat", "true"),
    "suse": ("suse", "true"),
    "chronyd": ("redhat", f"dnf install -q -y chrony && {RUN_CHRONYD}"),
    "bare": ("debian-bookworm", "test ! -d /run/systemd/system"),
    "openntpd": (
        "debian-bookworm",
        "apt-get update -q && apt-get install -q -y openntpd && systemctl is-active openntpd",
    ),
}
# One without an init system.
BARE = ("--systemd=false", "--entrypoint", '["sleep", "infinity"]')
FRESH = ("debian", "redhat", "suse")
RUNNING = ("chronyd", "openntpd")
PACKAGES = {"debian": "systemd-timesyncd", "redhat": "chrony", "suse": "chrony"}
UNITS = {"debian": "systemd-timesyncd", "redhat": "chronyd", "suse": "chronyd", "openntpd": "openntpd"}
WRITTEN = {
    **dict.fromkeys(("debian", "bare"), "/etc/systemd/timesyncd.conf.d/mondoo-fleet.conf"),
    "openntpd": "/etc/openntpd/ntpd.conf",
    **dict.fromkeys(("redhat", "suse", "chronyd"), "/etc/chrony.d/mondoo-fleet.conf"),
}
# What check mode says, as what is done then; and what the package did by itself, which only its installation shows.
SAID = {
    "Say which time service would be installed": "Install the time service",
    "Say which time service would be enabled and started": "Enable and start the time service",
}
PACKAGED = {
    **dict.fromkeys(("debian", "redhat"), "Enable and start the time service"),
    "suse": "Make the folder for the time servers",
}
INCLUDE = "# BEGIN mondoo.fleet: time servers\ninclude /etc/chrony.d/*.conf\n# END mondoo.fleet: time servers\n"
# Every file that a step of the role could have left.
OURS = "grep -rls 'mondoo.fleet: time servers' /etc || true"


@dataclass
class Fleet:
    """Hosts, and what came of each run of the step."""

    hosts: dict[str, Host]
    controller: Controller
    before: dict[str, str] = field(default_factory=dict)
    foreseen: dict[str, Played] = field(default_factory=dict)
    first: dict[str, Played] = field(default_factory=dict)
    second: dict[str, Played] = field(default_factory=dict)

    def play(self, *words: str, only: tuple[str, ...] = tuple(HOSTS), **variables: t.Any) -> dict[str, Played]:
        """Run the step alone; with --tags as a part of the whole role."""
        hosts = [self.hosts[name] for name in only]
        whole = "main" if "--tags" in words else "time"
        return self.controller.play(*hosts, words=words, tasks_from=whole, **variables)

    def all(self, command: str) -> dict[str, str]:
        return {name: host.run(command) for name, host in self.hosts.items()}


@pytest.fixture(scope="module")
def fleet(lab: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with ExitStack() as stack:
        hosts = {
            name: stack.enter_context(Host(lab, made(lab, FAMILIES[family]), name, BARE if name == "bare" else ()))
            for name, (family, dummy) in HOSTS.items()
        }
        for name, (dummy, command) in HOSTS.items():
            (hosts[name] if name == "bare" else hosts[name].booted()).run(command)
        found = Fleet(hosts, Controller(tmp_path_factory.mktemp("time"), collection("community.general")))
        found.foreseen = found.play("--check", "--diff", cnspec_ntp_servers=SERVERS)
        found.before = found.all(OURS)
        found.first = found.play(cnspec_ntp_servers=SERVERS)
        found.second = found.play(cnspec_ntp_servers=SERVERS)
        yield found


@pytest.mark.parametrize("name", HOSTS)
def test_no_host_fails_and_the_second_run_changes_nothing(fleet: Fleet, name: str) -> None:
    for played in (fleet.foreseen[name], fleet.first[name], fleet.second[name]):
        assert played.failure == "", played.said
    assert fleet.second[name].changed == []
    assert fleet.second[name].sums["changed"] == 0


@pytest.mark.parametrize("name", HOSTS)
def test_check_mode_tells_what_is_done_and_does_nothing(fleet: Fleet, name: str) -> None:
    assert fleet.before[name] == ""
    foreseen = [SAID.get(task, task) for task in fleet.foreseen[name].changed]
    done = [task.replace(", by new lists", "") for task in fleet.first[name].changed]
    assert [task for task in foreseen if task != PACKAGED.get(name)] == done


@pytest.mark.parametrize("name", FRESH)
def test_check_mode_names_what_would_be_installed_and_shows_the_servers(fleet: Fleet, name: str) -> None:
    played = fleet.foreseen[name]
    assert [task["msg"] for task in played.of("Say which")] == [
        f"{PACKAGES[name]} would be installed.",
        f"{UNITS[name]} would be enabled.",
    ]
    assert f"+++ after: {WRITTEN[name]}" in played.said


@pytest.mark.parametrize("name", FRESH)
def test_a_container_gets_its_familys_time_service_which_does_not_run_and_says_so(fleet: Fleet, name: str) -> None:
    host, unit = fleet.hosts[name], UNITS[name]
    assert host.try_to(f"systemctl is-enabled {unit}; systemctl is-active {unit}").stdout == "enabled\ninactive\n"
    for played in (fleet.first[name], fleet.second[name]):
        said = {task["msg"] for task in played.of("Say what is left undone")}
        assert said == {f"{unit} is enabled and not started: the clock is not one that a container may set."}
        assert played.of("Look until") == []


def test_servers_stand_where_the_service_reads_them(fleet: Fleet) -> None:
    for name in ("redhat", "suse", "chronyd"):
        assert fleet.hosts[name].run("chronyd -p -f /etc/chrony.conf | grep -E '192.0.2.1|ntp.example.com'") == (
            "server 192.0.2.1 iburst\nserver ntp.example.com iburst\n"
        )
    assert "NTP=192.0.2.1 ntp.example.com\n" in fleet.hosts["debian"].run(
        "systemd-analyze cat-config systemd/timesyncd.conf"
    )
    assert "server 192.0.2.1\nserver ntp.example.com\n" in fleet.hosts["openntpd"].run("cat /etc/openntpd/ntpd.conf")


def test_only_a_chrony_conf_that_reads_no_folder_gets_a_line(fleet: Fleet) -> None:
    for name in ("redhat", "chronyd"):
        assert fleet.hosts[name].run("cat /etc/chrony.conf").endswith(INCLUDE)
    assert INCLUDE not in fleet.hosts["suse"].run("cat /etc/chrony.conf")
    for name in WRITTEN:
        assert fleet.hosts[name].run(f"stat --format '%a %U' $(dirname {WRITTEN[name]}) {WRITTEN[name]}") == (
            "755 root\n644 root\n"
        )


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_that_runs_gets_the_servers_and_none_beside_it(fleet: Fleet, name: str) -> None:
    host = fleet.hosts[name]
    unit = UNITS.get(name, name)
    assert fleet.first[name].changed[-1] == "Restart the time service"
    assert host.run(f"systemctl is-active {unit}") == "active\n"
    assert host.try_to("command -v /lib/systemd/systemd-timesyncd").returncode != 0
    ask = {"chronyd": "chronyc -n sources", "openntpd": "ntpctl -s peers"}[name]
    assert "192.0.2.1" in host.run(ask)


def test_a_host_without_an_init_system_is_configured_and_no_service_is_touched(fleet: Fleet) -> None:
    changed = ["Install the time service, by new lists", "Make the folder for the time servers", "Add the time servers"]
    assert fleet.first["bare"].changed == changed
    assert fleet.first["bare"].of("Enable") == []
    # Each run that writes says so.
    said = "systemd-timesyncd is told of the time servers, and not restarted: systemd does not run it."
    assert [task["msg"] for task in fleet.first["bare"].of("Say what is left undone")] == [said]
    assert fleet.second["bare"].of("Have something keep the clock right") == []


def test_the_list_is_followed_and_without_one_everything_is_left_alone(fleet: Fleet) -> None:
    other = fleet.play(
        "--tags", "cnspec_time", only=RUNNING, cnspec_ntp_servers="192.0.2.9"
    )  # as a survey of AWX gives it
    none = fleet.play(only=RUNNING, cnspec_ntp_servers="")
    for name in RUNNING:
        assert other[name].changed == ["Add the time servers", "Restart the time service"], other[name].said
        written = fleet.hosts[name].run(f"cat {WRITTEN[name]}")
        assert "192.0.2.9" in written and "192.0.2.1" not in written
        # One look at the host, and nothing else is done there.
        assert [task["action"] for task in none[name].tasks] == [
            "ansible.builtin.validate_argument_spec",
            "mondoo.fleet.cnspec_prepare",
        ]


def test_a_host_that_is_taken_off_the_platform_keeps_its_time_service_as_it_is(fleet: Fleet) -> None:
    gone = fleet.play(only=("debian",), cnspec_state="absent", cnspec_ntp_servers=["192.0.2.9"])["debian"]
    assert (gone.failure, gone.changed, gone.of("Have something keep the clock right")) == ("", [], [])


def test_a_server_that_is_none_is_refused_before_any_host_is_asked(fleet: Fleet) -> None:
    refused = fleet.play(only=("debian",), cnspec_ntp_servers=["a.example.com", "b.example.com\nmakestep 1 -1"])
    assert refused["debian"].failure == (
        "Cannot use cnspec_ntp_servers: item 2 is neither the name of a host nor an address. "
        "Give names or addresses: [time.example.com]."
    )
