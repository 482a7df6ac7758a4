# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of a host: durations, tools, services, and the difference from the controller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils import clock, go_duration, units
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

SHOW = "Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=yes\nNTP={ntp}\nNTPSynchronized={synchronized}\n"
UNITS = """\
Id=cnspec.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
ActiveEnterTimestamp=Thu 2026-01-15 09:30:00 UTC

Id=chrony.service
LoadState=loaded
ActiveState=inactive
UnitFileState=disabled
ActiveEnterTimestamp=

Id=systemd-timesyncd.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
ActiveEnterTimestamp=Thu 2026-01-15 08:00:00 UTC

Id=openntpd.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
ActiveEnterTimestamp=
"""
TRACKING = "Reference ID    : C0000201 (192.0.2.1)\nStratum         : 3\nLeap status     : {}\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("72h0m6.277868s", 259206.277868),
        ("-1h0m0.5s", -3600.5),
        ("-40.95s", -40.95),
        ("45s", 45.0),
        ("1m0s", 60.0),
        ("120ms", 0.12),
        ("0s", 0.0),
        (" 45s ", 45.0),
    ],
)
def test_a_go_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert go_duration.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "h", "-", "1", "1d", "1h x", "1h1h", "s", "1:30", "nan", "inf"])
def test_what_is_no_duration_is_not_read(text: str) -> None:
    assert go_duration.seconds(text) is None


@given(st.text(alphabet="0123456789hmsnuµ.-+ ", max_size=60))
def test_no_text_makes_the_duration_parser_fail(text: str) -> None:
    seconds = go_duration.seconds(text)
    assert seconds is None or isinstance(seconds, float)


@given(st.integers(0, 200), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_as_go_prints_it_is_read_back(hours: int, minutes: int, seconds: int) -> None:
    assert go_duration.seconds(f"-{hours}h{minutes}m{seconds}s") == -(hours * 3600 + minutes * 60 + seconds)


@pytest.mark.parametrize(("ntp", "enabled"), [("yes", True), ("no", False)])
@pytest.mark.parametrize(("said", "synchronized"), [("yes", True), ("no", False)])
def test_timedatectl_says_whether_the_clock_is_kept_right(
    ntp: str, enabled: bool, said: str, synchronized: bool
) -> None:
    assert clock.read(SHOW.format(ntp=ntp, synchronized=said), "", {}) == Clock(enabled, synchronized, None)


def test_a_host_without_these_tools_does_not_say() -> None:
    assert clock.read("", "", {}) == Clock(None, None, None)


def test_the_time_service_that_runs_is_named() -> None:
    assert clock.read("", "", units.parse(UNITS)) == Clock(True, None, "systemd-timesyncd")


@pytest.mark.parametrize(("leap", "synchronized"), [("Normal", True), ("Not synchronised", False)])
def test_chrony_says_it_where_timedatectl_does_not(leap: str, synchronized: bool) -> None:
    assert clock.read("", TRACKING.format(leap), {}).ntp_synchronized is synchronized


def test_units_that_are_there_are_read_and_others_are_not() -> None:
    found = units.parse(UNITS)
    assert sorted(found) == ["chrony", "cnspec", "systemd-timesyncd"]
    assert found["cnspec"] == Unit("cnspec", active=True, enabled=True, started=1768469400.0)
    assert found["chrony"] == Unit("chrony", active=False, enabled=False, started=None)


@given(st.text())
def test_no_text_makes_the_readers_of_the_tools_fail(text: str) -> None:
    assert isinstance(clock.read(text, text, units.parse(text)), Clock)


@pytest.mark.parametrize(("host", "offset"), [(105.0, 0.0), (100.0, 0.0), (110.0, 0.0), (115.5, 5.5), (90.0, -10.0)])
def test_what_the_round_trip_leaves_open_is_no_difference(host: float, offset: float) -> None:
    assert clock.offset(host, 100.0, 110.0) == offset
