# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in does what the real cnspec was recorded doing: every recording of every version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import readings, transcripts
from sandbox.arrangements import Lab
from sandbox.recorded_host import NotHere
from sandbox.recordings import TRANSCRIPTS, Recording, masked, recordings, versions
from sandbox.stand_in.profiles import RECORDED
from sandbox.stand_in.versions import PROFILES, profile_of

RECORDINGS = [recording for version in versions() for recording in recordings(version)]
STATUS_OK = ("status-ok.text", "status-ok.json", "version", "login")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: f"{recording.version}-{recording.name}")
def test_the_stand_in_does_what_was_recorded(lab: Lab, recording: Recording) -> None:
    try:
        differing = lab.compare(recording)
    except NotHere as reason:
        pytest.skip(str(reason))
    if differing and profile_of(recording.version).plays:
        pytest.skip(f"no profile of {recording.version}: make transcripts shows what differs")
    assert not differing, "\n".join(differing)


def test_every_profile_was_recorded_or_says_that_it_was_not() -> None:
    assert {name for name, profile in PROFILES.items() if profile.source == RECORDED} <= set(versions())
    assert [name for name, profile in PROFILES.items() if profile.source != RECORDED] == ["13.35.2"]


@pytest.mark.parametrize(
    ("version", "plays"),
    [("7.0.3", "7.12.1"), ("9.0.0", "7.12.1"), ("12.23.1", "12.11.0"), ("13.20.0", "13.0.1"), ("14.0.0", "13.35.2")],
)
def test_a_version_without_a_profile_is_played_as_the_one_before_it(version: str, plays: str) -> None:
    profile = profile_of(version)
    assert (profile.version, profile.plays) == (version, plays)
    assert profile.api_version == version.partition(".")[0]


def dropped(folder: Path, version: str, like: str = "12.11.0") -> Path:
    """Drop a folder of recordings of another version, which is said to have done the same; return where."""
    for state in STATUS_OK:
        shutil.copytree(TRANSCRIPTS / like / state, folder / version / state)
        for path in (folder / version / state).iterdir():
            path.write_bytes(path.read_bytes().replace(like.encode(), version.encode()))
    return folder / version


def test_a_new_version_is_a_folder_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dropped(tmp_path, "12.23.1")
    assert transcripts.main(["--folder", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[2:6]] == [
        ["12.23.1/login", "same", "-", "-", "-", "-"],
        ["12.23.1/status-ok.json", "same", "yes/yes", "yes/yes", "yes/yes", "-/-"],
        ["12.23.1/status-ok.text", "same", "yes/yes", "yes/yes", "yes/yes", "-/-"],
        ["12.23.1/version", "same", "-", "-", "-", "-"],
    ]
    assert lines[6] == "4 recordings, 4 stand-in same, 0 unexplained, 2 parser right, 0 parser wrong"


def test_what_a_version_without_a_profile_does_differently_is_told_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = dropped(tmp_path, "12.23.1") / "status-ok.text" / "stderr"
    new.write_text(new.read_text().replace("API Status", "API Condition"))
    assert transcripts.main(["--folder", str(tmp_path), "12.23.1"]) == 1
    said = capsys.readouterr().out
    assert "12.23.1/status-ok.text                             no profile " in said
    assert "    no profile of 12.23.1 in stand_in/versions.py; that of 12.11.0:\n    --- recorded stderr\n" in said
    # The stand-in has a reason; the parser has none.
    assert "    reachable: the parser found None, and True can be read\n" in said
    assert "    the parser does not know the line: API Condition:\t\tSERVING\n" in said


def test_a_difference_of_a_version_with_a_profile_has_no_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(TRANSCRIPTS / "12.11.0" / "version", tmp_path / "12.11.0" / "version")
    (tmp_path / "12.11.0" / "version" / "stdout").write_text("cnspec 12.11.1 (lab, unknown)\n")
    assert transcripts.main(["--folder", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "    -cnspec 12.11.1 (lab, unknown)\n    +cnspec 12.11.0 (lab, unknown)\n" in said
    assert said.endswith("1 recordings, 1 stand-in differs, 1 unexplained\n")


def test_a_recording_that_needs_another_one_that_is_missing_is_told(tmp_path: Path) -> None:
    shutil.copytree(TRANSCRIPTS / "12.11.0" / "login-again", tmp_path / "12.11.0" / "login-again")
    (row,) = transcripts.rows(["12.11.0"], tmp_path)
    assert row.unexplained
    assert row.reasons[0].startswith("the state cannot be arranged: [Errno 2] No such file or directory: ")


def test_no_recordings_at_all_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        transcripts.main(["--folder", str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"there is no recording of anything in {tmp_path}\n")


@pytest.mark.parametrize(
    ("reads", "state", "problem"),
    [
        ({"registered": False}, {"registered": False}, "registered: the parser found True, and False can be read"),
        (
            {"registered": None},
            {"registered": False},
            "registered: the parser found True, where nothing can be read and False was true",
        ),
    ],
)
def test_a_parser_that_is_wrong_is_told(
    tmp_path: Path, reads: dict[str, bool], state: dict[str, bool], problem: str
) -> None:
    shutil.copytree(TRANSCRIPTS / "12.11.0" / "status-ok.json", tmp_path / "status-ok.json")
    run = json.loads((tmp_path / "status-ok.json" / "run.json").read_text())
    run |= {"reads": run["reads"] | reads, "state": run["state"] | state}
    reading = readings.read(Recording(tmp_path / "status-ok.json", run))
    assert reading is not None
    assert reading.problems == (problem,)


def test_masks_take_out_only_what_differs_from_run_to_run() -> None:
    text = (
        "→ token will expire at Sat, 21 Nov 2026 02:09:47 UTC\n"
        "! possible clock skew detected: -1h0m0.256086277s\n"
        "→ Installed Providers:\tsbom | core | mock\n"
        '{"time":"2026-11-21T02:00:24Z","message":"Time:\\t\\t\\t2026-11-21T02:00:24Z"}\n'
        "DBG local> run command uname -s\n"
        "DBG non-ok http request body= status=503\n"
        "→ Client:\t\t//agents.api.mondoo.app/spaces/a/agents/C4QByR7tQkO6LcrNqGzQHX2Mk6A\n"
    )
    assert masked(text, {}) == (
        "→ token will expire at <date>\n"
        "! possible clock skew detected: -3600s\n"
        "→ Installed Providers:\tcore | mock | sbom\n"
        '{"time":"<time>","message":"Time:\\t\\t\\t<time>"}\n'
        "DBG non-ok http request body= status=503\n"
        "→ Client:\t\t//agents.api.mondoo.app/spaces/a/agents/<id>\n"
    )
