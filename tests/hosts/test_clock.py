# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with a clock of its own, which a real time server sets right, and what mondoo_status says of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts import uml
from hosts.controller import Controller
from hosts.podman import Podman
from hosts.services import Services
from hosts.uml import UmlHost

# Left out of make test; make hosts runs it.
pytestmark = pytest.mark.slow

DAYS = 72 * 3600
# The guest's clock is read over ssh, on a busy machine.
RIGHT = 2.0
SYNCHRONIZED = "timedatectl show --property=NTPSynchronized --value"
NewHost = Callable[..., UmlHost]


def test_a_host_has_a_clock_a_kernel_and_file_times_of_its_own(new_clock: NewHost) -> None:
    host = new_clock(offset=-DAYS)
    # No service keeps it right, and no other clock (of a chip, say) is there to take the time from.
    assert host.try_to("ls /dev/rtc*").returncode != 0
    assert host.clock_offset() == pytest.approx(-DAYS, abs=RIGHT)
    before, measured = time.time(), time.monotonic()
    host.set_clock(3600)
    assert time.time() - before == pytest.approx(time.monotonic() - measured, abs=0.5), "this machine's clock was set"
    assert host.clock_offset() == pytest.approx(3600, abs=RIGHT)
    written = float(host.run("echo >/root/new && stat --format %.9Y /root/new"))
    assert written - time.time() == pytest.approx(3600, abs=RIGHT)
    assert host.run("systemd-detect-virt").strip() == "uml"


def test_a_host_that_is_gone_leaves_nothing(lab: Podman, new_clock: NewHost) -> None:
    host = new_clock(offset=0)
    folder, kernel = host.folder, f"umid=kernel\0lab={host.folder}"
    assert processes(kernel)
    host.__exit__()
    assert not folder.exists()
    assert processes(kernel) == []
    assert list(uml.FOLDER.glob(f"{host.name}*")) == []
    assert not Path("/sys/class/net/uml0").exists()


def processes(words: str) -> list[str]:
    """Return the numbers of the processes whose command line has these words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in path.read_text(errors="replace"):
                found.append(path.parent.name)
        except OSError:
            continue  # it ended meanwhile
    return found


def wait_until_synchronized(host: UmlHost) -> None:
    """Wait for a minute at most. Raises AssertionError then."""
    host.run(f"for try in $(seq 120); do test $({SYNCHRONIZED}) = no || exit 0; sleep 0.5; done; exit 1")


# Ahead and behind: timesyncd itself sets a clock that is behind its last known time forward, without any server.
@pytest.mark.parametrize("offset", [DAYS, -DAYS], ids=["ahead", "behind"])
def test_systemd_timesyncd_sets_the_clock_right_by_the_time_server(
    new_clock: NewHost, services: Services, offset: int
) -> None:
    host = new_clock(offset=offset)
    server = services.ntp(host.gateway)
    host.write("/etc/systemd/timesyncd.conf.d/lab.conf", f"[Time]\nNTP={host.gateway}\n")
    server.stop()
    host.run("apt-get update -q && apt-get install -q -y systemd-timesyncd")
    assert host.run("systemctl is-active systemd-timesyncd") == "active\n"
    assert host.clock_offset() == pytest.approx(offset, abs=RIGHT)
    assert host.run(SYNCHRONIZED) == "no\n"
    server.start()
    host.run("systemctl restart systemd-timesyncd")
    wait_until_synchronized(host)
    assert abs(host.clock_offset()) < RIGHT
    server.stop()


def test_chrony_sets_the_clock_right_by_the_time_server(new_clock: NewHost, services: Services) -> None:
    host = new_clock(offset=-DAYS)
    server = services.ntp(host.gateway)
    host.run("apt-get update -q && apt-get install -q -y chrony")
    assert host.run("systemctl is-active chrony") == "active\n"
    assert host.clock_offset() == pytest.approx(-DAYS, abs=RIGHT)
    assert host.run(SYNCHRONIZED) == "no\n"
    host.write("/etc/chrony/conf.d/lab.conf", f"server {host.gateway} iburst\n")
    host.run("systemctl restart chrony")
    wait_until_synchronized(host)
    assert abs(host.clock_offset()) < RIGHT
    server.stop()


def test_status_tells_the_offset_of_a_clock_that_nothing_keeps_right(new_clock: NewHost, tmp_path: Path) -> None:
    host = new_clock(offset=-DAYS)
    host.install_cnspec()
    result = Controller(tmp_path).run(host, "mondoo_status")
    assert result["state"] == "ok", result["said"]
    fact = result["ansible_facts"]["mondoo"]
    assert fact["platform"]["hostname"] == "web1"
    # The time that the way there and back takes counts.
    assert fact["clock"]["controller_offset_seconds"] == pytest.approx(-DAYS, abs=10)
    assert (fact["clock"]["ntp_synchronized"], fact["clock"]["service"]) == (False, None)
    messages = {problem["code"]: problem["message"] for problem in fact["problems"]}
    assert re.fullmatch("its clock is (72 h|71 h 59 min) behind the controller's", messages["clock_offset"])
    assert messages["clock_not_synchronized"] == "nothing keeps its clock right"
