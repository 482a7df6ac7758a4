# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readers of time services against the recorded output of their tools."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils import clock, time_services, units
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings/time"
INDEX: dict[str, dict[str, t.Any]] = json.loads((RECORDINGS / "index.json").read_text(encoding="utf-8"))
READERS = {service.command[0]: service.read for service in time_services.TIME_SERVICES}


def text(name: str) -> str:
    return (RECORDINGS / name).read_text(encoding="utf-8")


def said(state: str) -> tuple[dict[str, str], str]:
    """Return what each command of clock printed in a recorded state, as the hands would tell it; and the units."""
    found: dict[str, str] = {}
    for name, run in INDEX[state]["files"].items():
        if run["exit"] == 0:
            found.update({key: text(name) for key, argv in clock.COMMANDS.items() if list(argv) == run["argv"]})
            if run["argv"][0] == "systemctl":
                found["units"] = text(name)
    return found, found.pop("units", "")


@pytest.mark.parametrize("state", [state for state in INDEX if not state.startswith("agent-")])
def test_the_service_and_whether_it_is_in_step_are_read_from_what_the_tools_printed(state: str) -> None:
    outputs, systemctl = said(state)
    found = clock.read(outputs, units.parse(systemctl))
    assert (found.service, found.ntp_synchronized) == (INDEX[state]["service"], INDEX[state]["synchronized"])
    assert found.ntp_enabled is (INDEX[state]["service"] is not None)


@pytest.mark.parametrize(
    "state", [state for state in INDEX if not state.startswith(("timesyncd", "no-service", "agent"))]
)
def test_without_systemd_the_tool_of_the_service_tells(state: str) -> None:
    outputs = {name: output for name, output in said(state)[0].items() if name != "timedatectl"}
    found = clock.read(outputs, {})
    assert found == Clock(True, INDEX[state]["synchronized"], INDEX[state]["service"].replace("ntpsec", "ntpd"))


@pytest.mark.parametrize(("state", "active"), [("agent-running", True), ("agent-stopped", False)])
def test_the_agents_unit_is_read_by_its_own_name_though_it_was_asked_for_by_both(state: str, active: bool) -> None:
    found = units.parse(said(state)[1])
    assert "mondoo" not in found
    assert (found["cnspec"].active, found["cnspec"].enabled) == (active, True)
    assert found["cnspec"].started == 1795234078.0


@pytest.mark.parametrize("service", ["systemd-timesyncd", "chrony", "ntpsec", "openntpd"])
@pytest.mark.parametrize("synchronized", [True, False])
def test_each_service_is_recorded_in_step_and_not(service: str, synchronized: bool) -> None:
    assert any(state["service"] == service and state["synchronized"] is synchronized for state in INDEX.values())


def test_every_file_is_in_the_index_or_says_that_it_is_from_the_documentation() -> None:
    listed = {name for state in INDEX.values() for name in state["files"]}
    there = {path.name for path in RECORDINGS.glob("*.txt")}
    assert listed == {name for name in there if "-documentation-" not in name}


def test_the_kernels_word_is_not_taken_where_the_service_says_otherwise() -> None:
    outputs, systemctl = said("chrony-x-synced")
    assert "NTPSynchronized=no" in outputs["timedatectl"]
    assert clock.read(outputs, units.parse(systemctl)).ntp_synchronized is True


def test_a_chronyd_that_follows_nothing_but_itself_is_not_in_step_though_it_says_normal() -> None:
    outputs, systemctl = said("chrony-local-reference")
    assert "Leap status     : Normal" in outputs["chrony"]
    assert clock.read(outputs, units.parse(systemctl)).ntp_synchronized is False


@pytest.mark.parametrize("state", [state for state in INDEX if state.startswith("openntpd")])
def test_where_the_tool_of_the_service_is_not_there_the_kernel_is_asked(state: str) -> None:
    outputs, systemctl = said(state)
    found = clock.read({"timedatectl": outputs["timedatectl"]}, units.parse(systemctl))
    assert found == Clock(True, INDEX[state]["synchronized"], "openntpd")


@pytest.mark.parametrize(("state", "synchronized"), [("synced", True), ("unsynced", False), ("own-clock", False)])
def test_windows_time_is_read_as_documented(state: str, synchronized: bool) -> None:
    found = clock.read({"w32time": text(f"w32tm-documentation-{state}.txt")}, {})
    assert found == Clock(True, synchronized, "w32time")


def test_windows_time_in_another_language_is_read_by_its_numbers() -> None:
    german = text("w32tm-documentation-synced.txt").replace(
        "Leap Indicator: 0(no warning)", "Sprungindikator: 0(keine)"
    )
    assert time_services.w32tm(german) is True
    assert time_services.w32tm(german.replace(": 0(keine)", ": 3(nicht synchronisiert)")) is False


def test_a_windows_time_that_is_stopped_does_not_say() -> None:
    assert clock.read({"w32time": text("w32tm-documentation-stopped.txt")}, {}) == Clock()


@pytest.mark.parametrize(("state", "synchronized"), [("synced", True), ("unsynced", False)])
@pytest.mark.parametrize(("setting", "enabled"), [("on", True), ("off", False)])
def test_timed_of_macos_is_read_as_documented(state: str, synchronized: bool, setting: str, enabled: bool) -> None:
    outputs = {
        "systemsetup": text(f"systemsetup-documentation-{setting}.txt"),
        "timed": text(f"timed-documentation-{state}.txt"),
    }
    assert clock.read(outputs, {}) == Clock(enabled, synchronized, "timed")


@given(st.text(), st.sampled_from(sorted(READERS)))
def test_no_text_makes_a_reader_fail_or_guess(words: str, tool: str) -> None:
    assert READERS[tool](words) is None


@given(st.sampled_from(sorted(path.name for path in RECORDINGS.glob("*.txt"))), st.integers(0), st.integers(0))
def test_no_piece_of_what_a_tool_printed_makes_a_reader_fail(name: str, begin: int, end: int) -> None:
    piece = text(name)[begin % 1000 : end % 1000]
    for read in READERS.values():
        assert read(piece) in (True, False, None)
    assert set(time_services.kernel(piece).values()) <= {True, False, None}
