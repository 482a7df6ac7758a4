# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role does to a clock that is wrong: hosts with clocks of their own, and a real time server."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.controller import until
from hosts.controller import Controller, Played
from hosts.services import Services
from hosts.uml import UmlHost
from sandbox import Platform

OFF = 72 * 3600 + 1800
EXPECT = ["registered", "authenticated", "clock_in_sync"]
RESTARTED = "Restart the time service"
REGISTERED = "Register the host with Mondoo Platform"
NOBODY = "10.213.0.99"

NewHost = Callable[..., UmlHost]


def play(host: UmlHost, platform: Platform, folder: Path, **variables: t.Any) -> Played:
    given: dict[str, t.Any] = {
        "cnspec_token": platform.mint_token(),
        "cnspec_expect": EXPECT,
        "cnspec_install": False,
        **variables,
    }
    return Controller(folder).play(host, **given)[host.hostname]


def test_a_host_three_days_behind_is_set_right_before_it_is_registered(
    new_clock: NewHost, services: Services, platform: Platform, tmp_path: Path
) -> None:
    host = new_clock(1, offset=-OFF)
    host.install_cnspec()
    host.forward(int(platform.url.rpartition(":")[2]))
    services.ntp(host.gateway)
    calls = len(platform.calls("RegisterAgent"))
    # Registered, authenticated and in sync, as the host itself says at the end.
    played = play(host, platform, tmp_path, cnspec_ntp_servers=[host.gateway])
    assert played.failure == "", played.said
    assert abs(host.clock_offset()) < 1
    assert played.changed[:6] == [
        "Install the time service, by new lists",
        "Make the folder for the time servers",
        "Add the time servers",
        "Have the time service set the clock",
        RESTARTED,
        REGISTERED,
    ]
    assert len(platform.calls("RegisterAgent")) == calls + 1


@pytest.mark.slow
def test_a_clock_that_stays_wrong_keeps_a_host_from_being_registered_until_it_is_right(
    new_clock: NewHost, services: Services, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    host = new_clock(2, offset=OFF)
    host.install_cnspec()
    host.forward(int(platform.url.rpartition(":")[2]))
    calls = len(platform.calls("RegisterAgent"))

    def run(**variables: t.Any) -> Played:
        return play(host, platform, tmp_path_factory.mktemp("play"), **variables)

    failed = run(cnspec_ntp_servers=[NOBODY], cnspec_ntp_wait=1)
    assert re.sub(r"72 h \d+ min", "72 h", failed.failure) == (
        "Cannot register this host: its clock is 72 h ahead of the platform's, and did not come right within 1 s. "
        "Let it reach a time server (UDP port 123), or name others in cnspec_ntp_servers; run there: "
        "timedatectl timesync-status."
    )
    assert len(platform.calls("RegisterAgent")) == calls

    services.ntp(host.gateway)
    right = run(cnspec_ntp_servers=[host.gateway])
    assert right.failure == "", right.said
    assert abs(host.clock_offset()) < 1
    assert right.changed[:4] == [
        "Add the time servers",
        "Have the time service set the clock",
        RESTARTED,
        REGISTERED,
    ]
    again = run(cnspec_ntp_servers=[host.gateway])
    assert (again.failure, again.changed, again.of("Have something keep")) == ("", [], [])


@pytest.mark.slow
def test_a_chronyd_that_would_only_nudge_a_wrong_clock_is_restarted_so_that_it_sets_it(
    new_clock: NewHost, services: Services, tmp_path: Path
) -> None:
    host = new_clock(3)
    services.ntp(host.gateway)
    host.run("apt-get update -q && apt-get install -q -y chrony")
    host.write("/etc/chrony/conf.d/lab.conf", f"server {host.gateway} iburst minpoll 0 maxpoll 0\n")
    host.run("systemctl restart chrony")
    # After three updates chronyd no longer steps (makestep 1 3, which Debian sets): a fourth has an interval.
    until(lambda: "Leap status     : Normal" in host.run("chronyc -n tracking"), "chronyd never was in step", 60)
    host.run("sleep 5")
    host.set_clock(OFF)
    host.run("sleep 5")
    assert host.clock_offset() > OFF - 60
    assert "Leap status     : Normal" in host.run("chronyc -n tracking")

    # The step alone: nobody has asked the platform how the controller's clock stands.
    played = Controller(tmp_path).play(host, tasks_from="time")["web1"]
    assert (played.failure, played.changed) == ("", ["Have the time service set the clock", RESTARTED]), played.said
    assert abs(host.clock_offset()) < 1
