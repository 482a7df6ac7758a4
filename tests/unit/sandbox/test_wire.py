# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox answers to the recorded exchanges is what was recorded."""

from __future__ import annotations

import re

import pytest

from sandbox.exchanges import Answer, differences, exchanges, readable, recorded_body, replay

RECORDS = exchanges()


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer]:
    return replay(RECORDS)


def test_all_recorded_exchanges_are_there() -> None:
    assert len(RECORDS) >= 46


@pytest.mark.parametrize("name", RECORDS)
def test_the_answer_is_what_was_recorded(name: str, answers: dict[str, Answer]) -> None:
    assert differences(RECORDS[name], answers[name]) == []


def test_another_answer_than_the_recorded_one_is_told() -> None:
    record = {"response": {"status": 200, "headers": {"Content-Type": "application/json"}, "text": "{}"}}
    assert differences(record, (500, "text/html", b"<p>")) == [
        "status: recorded 200, here 500",
        "Content-Type: recorded application/json, here text/html",
        "body: recorded '{}', here '<p>'",
    ]


@pytest.mark.parametrize("name", [name for name in RECORDS if re.search("(by|login)-token-.*registeragent", name)])
def test_private_keys_are_as_long_as_the_recorded_ones(name: str, answers: dict[str, Answer]) -> None:
    recorded = RECORDS[name]["response"]
    if recorded["status"] == 200:
        old, new = readable(recorded_body(recorded)), readable(answers[name][2])
        assert len(new["credential"]["private_key"]) == len(old["credential"]["private_key"])
