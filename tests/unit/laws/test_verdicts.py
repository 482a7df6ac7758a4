# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Law 6: unknown is never rejected, rejected is never unknown; told by what became of each single call."""

from __future__ import annotations

import typing as t

from hypothesis import example, given, settings
from hypothesis import strategies as st

from states import asked

from .conftest import Yard

WORD = "the platform's own word"
# What becomes of a call. An answer without a fault is the platform's own: yes, or no where the account is revoked.
FATES: dict[str, dict[str, t.Any]] = {
    "answered": {},
    WORD: {"status": 401},
    "its word as a 403": {"status": 403, "code": 16},
    "bare 401": {"status": 401, "body": "html"},
    "empty 401": {"status": 401, "body": "empty"},
    "another word": {"status": 401, "code": 7},
    "403": {"status": 403},
    "busy": {"status": 503, "retry_after": 1},
    "html": {"status": 503, "body": "html"},
    "html 200": {"body": "html"},
    "empty": {"body": "empty"},
    "truncated": {"body": "truncated"},
    "reset": {"reset": "after"},
    "redirect": {"redirect": "http://127.0.0.1:9/"},
}
# A Status of code 16 is the platform's own word with whatever HTTP status it comes.
REFUSALS = (WORD, "its word as a 403")
PINGS = st.sampled_from(sorted(FATES))
HEALTH = st.sampled_from(["answered", "answered", "answered", "html", "empty", "reset", WORD])
CLOCKS = st.sampled_from([0.0, 0.0, 3600.0, -3600.0])


def expected(first: str, health: str, second: str, revoked: bool, clock: float) -> bool | None:
    """Return True for accepted, False for rejected, and None for unknown."""
    if refused(first, revoked or clock != 0):
        return None if health != "answered" else judged(second, revoked)
    return judged(first, revoked)


def refused(fate: str, would_be: bool) -> bool:
    """Tell whether a call got the platform's own refusal."""
    return fate in REFUSALS or (fate == "answered" and would_be)


def judged(fate: str, revoked: bool) -> bool | None:
    """Return what one call alone says."""
    return False if refused(fate, revoked) else True if fate == "answered" else None


@given(PINGS, HEALTH, PINGS, st.booleans(), CLOCKS)
@settings(deadline=None, max_examples=120)
@example(WORD, "answered", WORD, False, 0.0)
@example("answered", "answered", "answered", True, 0.0)
@example("answered", "answered", "answered", False, 3600.0)
@example("answered", "reset", "answered", True, 0.0)
@example(WORD, "answered", "bare 401", False, 0.0)
@example("bare 401", "answered", WORD, True, 0.0)
def test_rejected_takes_the_platforms_own_word_twice_and_its_clock_in_between(
    yard: Yard, first: str, health: str, second: str, revoked: bool, clock: float
) -> None:
    place, lab = yard.host("revoked" if revoked else "managed agent")
    here, lab.clock_error = yard.ground.here, clock
    try:
        for fate in (first, second):
            here.fault(method="PingPong", times=1, **FATES[fate])
        here.fault(method="Check", **FATES[health])
        run = yard.run(place, lab, asked.options("token", place), check=True)
    finally:
        here.clear_faults()
    result, verdict = run.result, expected(first, health, second, revoked, clock)
    assert not result.get("failed"), result.get("msg")
    assert (result["reason"] == "credentials_rejected") == (verdict is False)
    if verdict is not False:
        assert (result["action"], result["verified"]) == ("none", verdict)
        assert any("not proved" in warning for warning in result["warnings"]) == (verdict is None)
    else:
        assert sum(lab.slept) >= 5, "asked again too early"
