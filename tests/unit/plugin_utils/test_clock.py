# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of a host: durations, and the difference from the controller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils import clock, go_duration, units
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock


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


def test_a_host_without_any_tool_does_not_say() -> None:
    assert clock.read({}, {}) == Clock(None, None, None)


@given(st.text())
def test_no_text_makes_the_readers_of_the_tools_fail(text: str) -> None:
    assert isinstance(clock.read(dict.fromkeys(clock.COMMANDS, text), units.parse(text)), Clock)


@pytest.mark.parametrize(("host", "offset"), [(105.0, 0.0), (100.0, 0.0), (110.0, 0.0), (115.5, 5.5), (90.0, -10.0)])
def test_what_the_round_trip_leaves_open_is_no_difference(host: float, offset: float) -> None:
    assert clock.offset(host, 100.0, 110.0) == offset
