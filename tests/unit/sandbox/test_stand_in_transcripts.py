# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in does what the real cnspec was recorded doing: every recording of every version it plays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.arrangements import NOT_ARRANGED, Lab
from sandbox.recorded_host import NotHere
from sandbox.recordings import TRANSCRIPTS, Recording, masked, recordings
from sandbox.stand_in.profiles import PROFILES

RECORDINGS = [recording for version in PROFILES for recording in recordings(version)]


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
    assert not differing, "\n".join(differing)


def test_every_recorded_version_has_a_profile() -> None:
    recorded = {path.name for path in TRANSCRIPTS.iterdir() if (path / "version" / "run.json").exists()}
    assert recorded == set(PROFILES)


def test_what_is_not_arranged_has_been_recorded() -> None:
    assert set(NOT_ARRANGED) <= {(recording.version, recording.name) for recording in RECORDINGS}


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
