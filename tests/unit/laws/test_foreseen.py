# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Laws 1 and 2: check mode says what is then done, and done again there is nothing to do."""

from __future__ import annotations

import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.configs import CONFIG_TEXTS, SETTINGS, UNSETTABLE
from states import asked
from states.looking import Run, look
from states.rows import ROWS

from .conftest import Yard

FOUND = st.sampled_from(sorted(ROWS.keys() - {"unreadable", "directory", "home config", "MONDOO_CONFIG_BASE64"}))
# Whether another platform takes a token, and whether a revoked document still opens anything, only asking can tell.
QUESTIONS = st.sampled_from(sorted(asked.QUESTIONS.keys() - {"endpoint"}))
# What nobody can know before it is made, and what is said in another tense.
NOT_FORESEEN = {
    "agent_mrn",
    "service_account_mrn",
    "verified",
    "api_attempts",
    "certificate_valid_until",
    "backup_file",
    "warnings",
    "diff",
}
TO_BE_MADE = "(made when this is applied)"


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, t.Any]:
    """Make options beside those of a question; many contradict them, and are refused."""
    given = draw(SETTINGS)
    free = {name: given.pop(name) for name in ("log-level", "first", "second", "some-key") if name in given}
    # The name of the agent tells the ledger which host it is.
    given.pop("name", None)
    return {
        **given,
        "settings": free,
        **draw(st.fixed_dictionaries({}, optional={"unset": st.lists(st.sampled_from(UNSETTABLE), max_size=2)})),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "unregister_previous": st.booleans(),
                    "verify": st.sampled_from(["true", "false", "strict"]),
                    "backup": st.booleans(),
                    "mode": st.sampled_from(["0600", "0640"]),
                },
            )
        ),
    }


@given(FOUND, st.just("") | CONFIG_TEXTS, QUESTIONS, wishes())
@settings(deadline=None, max_examples=150)
def test_check_mode_says_what_is_then_done_and_again_there_is_nothing_to_do(
    yard: Yard, found: str, extra: str, question: str, more: dict[str, t.Any]
) -> None:
    place, lab = yard.host(found, "" if found == "revoked document" else extra)
    options = {**asked.options(question, place), **more}
    before, agents = look(place), yard.agents(place)
    check = yard.run(place, lab, options, check=True)
    assert (check.view, check.agents, check.acted) == (before, agents, 0), "check mode did something"
    real = yard.run(place, lab, options)
    assert foreseen(check) == foreseen(real)
    if real.result.get("failed"):
        assert (real.view, real.agents, real.registered) == (before, agents, 0)
    elif real.result["action"] not in ("register", "adopt"):
        assert check.result.get("diff") == real.result.get("diff")
    else:
        assert shown(check) == shown(real)
    again = yard.run(place, lab, options)
    if real.result.get("failed"):
        assert again.result["msg"] == real.result["msg"]
    elif not asked.QUESTIONS[question].force:
        assert (again.result["action"], again.result["changed"]) == ("none", False)
        assert (again.view, again.agents, again.acted) == (real.view, real.agents, 0)


def foreseen(run: Run) -> dict[str, t.Any]:
    """Return what check mode can know of a result."""
    return {name: value for name, value in run.result.items() if name not in NOT_FORESEEN}


def shown(run: Run) -> dict[str, t.Any]:
    """Return the diff of a new identity, without its MRNs, which check mode cannot know."""
    diff = run.result["diff"]
    names = ("agent_mrn: ", "mrn: ", "private_key: ", "certificate: ")
    after = [line for line in diff["after"].splitlines() if not line.startswith(names)]
    return {**diff, "after": after}
