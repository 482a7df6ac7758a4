# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promises of the demo: what is not kept is said, and counts."""

from __future__ import annotations

import pytest

from demo.promises import Promises, listed
from demo.steps import one_line


def test_a_promise_that_is_kept_is_said_with_yes(capsys: pytest.CaptureFixture[str]) -> None:
    promises = Promises("step 2")
    promises.check(True, "nothing is changed")
    assert promises.sum_up() == []
    assert capsys.readouterr().out == "  yes  nothing is changed\n\n1 of 1 promises were kept.\n"


def test_a_promise_that_is_not_kept_is_named_at_the_end_with_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    promises = Promises("step 2")
    promises.check(False, "nothing is changed (changed: web1)")
    assert promises.sum_up() == ["step 2: nothing is changed (changed: web1)"]
    assert capsys.readouterr().out.splitlines() == [
        "  NOT AS PROMISED  nothing is changed (changed: web1)",
        "",
        "Not as promised, step 2: nothing is changed (changed: web1).",
        "0 of 1 promises were kept.",
    ]


def test_no_names_are_none() -> None:
    assert (listed([]), listed(["web1", "db1"])) == ("none", "web1, db1")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Cannot move the host: it is elsewhere. Set move: true.", True),
        ("Cannot move the host: it is elsewhere.\nSet move: true.", False),
        ("MODULE FAILURE: see stdout.", False),
        ("Cannot move the host", False),
    ],
)
def test_an_error_is_one_line_with_cause_and_remedy(message: str, told: bool) -> None:
    assert one_line(message) is told
