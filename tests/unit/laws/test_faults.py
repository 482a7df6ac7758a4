# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Laws 3 and 4: whatever sequence of faults, host and platform lose nothing, and at most one agent is made."""

from __future__ import annotations

import re
import signal
import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.lab import Lab
from states import asked
from states.ground import Place
from states.looking import Run, View, key_fits, look

from .conftest import Yard

FOUND = st.sampled_from(
    [
        "no file",
        "settings only",
        "malformed YAML",
        "cut in half",
        "managed agent",
        "managed under the document",
        "service account",
        "another space",
        "revoked",
        "another key",
    ]
)
QUESTIONS = st.sampled_from(["token", "credentials", "credentials not managed", "settings", "absent", "force", "move"])
METHODS = st.sampled_from([None, "RegisterAgent", "PingPong", "UnRegisterAgent", "Check"])
# What the platform, or something in between, may do to a call.
EFFECTS: list[dict[str, t.Any]] = [
    {},
    *({"status": status} for status in (400, 401, 403, 404, 409, 429, 500, 503)),
    *({"status": status, "body": "html"} for status in (200, 401, 407, 500, 502, 503)),
    {"status": 503, "body": "html", "acts": True},
    {"status": 429, "retry_after": 1},
    {"status": 409, "code": 6},
    {"body": "html", "acts": True},
    {"body": "empty"},
    {"body": "truncated"},
    {"reset": "before"},
    {"reset": "after"},
    {"hangup": "after"},
    {"redirect": "http://127.0.0.1:9/"},
    {"clock_offset": 7200.0},
    {"answer_space": "yet-another-space"},
    {"answer_endpoint": "https://eu.api.mondoo.com"},
    {"answer": {"agent_mrn": None}},
    {"answer": {"credential": {"private_key": None}}},
    {"answer": {"credential": {"certificate": "no certificate"}}},
]
FAULTS = st.lists(
    st.fixed_dictionaries(
        {"method": METHODS, "times": st.sampled_from([1, 2, None]), "skip": st.integers(0, 2)},
    ).flatmap(lambda calls: st.sampled_from(EFFECTS).map(lambda effect: {**calls, **effect})),
    max_size=4,
)
# What happens on the host when the file is about to be written, and to the answer.
ON_HOST = st.sampled_from(["", "", "lost before", "lost after", "gone before", "gone after", "changed", "stopped"])


@given(FOUND, QUESTIONS, FAULTS, ON_HOST, st.booleans())
@settings(deadline=None, max_examples=120)
def test_whatever_fails_nothing_is_lost_and_no_agent_is_left_unnamed(
    yard: Yard, found: str, question: str, faults: list[dict[str, t.Any]], on_host: str, unregister_previous: bool
) -> None:
    place, lab = yard.host(found)
    options = {**asked.options(question, place), "unregister_previous": unregister_previous, "retries": 3}
    before, agents = look(place), yard.agents(place)
    try:
        for fault in faults:
            yard.ground.here.fault(**fault)
        happens(on_host, lab)
        run = yard.run(place, lab, options)
    finally:
        yard.ground.here.clear_faults()
    assert run.registered <= 1, "more than one agent was made"
    assert run.result.get("code") != "mistake"
    assert run.view.text == before.text or is_whole(run, before, agents, place), "the config is neither old nor new"
    unused = run.agents - run.view.names(*run.agents)
    assert unused <= named(run) or "unknown" in named(run), f"nobody names {unused - named(run)}"


def happens(on_host: str, lab: Lab) -> None:
    """Prepare what happens to the host when it is written to."""
    what, dummy, when = on_host.partition(" ")
    if what in ("lost", "gone"):
        lab.host.lost = when

    def before_write() -> None:
        lab.host.gone = what == "gone"
        if what == "changed":
            lab.write((lab.content or b"") + b"theirs: true\n")
        if what == "stopped" and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            # Elsewhere the process ends, and the platform has made nothing.
            signal.raise_signal(signal.SIGTERM)

    lab.host.before_write = before_write


def is_whole(run: Run, before: View, agents: frozenset[str], place: Place) -> bool:
    """Tell whether the host has a whole new config: of a new agent, of the document, or of none."""
    text = run.view.text or b""
    if text == (before.text or b"") + b"theirs: true\n":
        return True
    fields = run.view.fields
    if not fields.get("mrn"):
        return place.kept in text
    whole = bool(fields.get("private_key")) and key_fits(fields) and place.kept in text
    agent = fields.get("agent_mrn")
    return whole and (agent in run.agents or (agent is None and fields["mrn"] == place.document["mrn"]))


def named(run: Run) -> set[str]:
    """Return the agents that the result names, and `unknown`."""
    said = " ".join([str(run.result.get("msg", "")), *map(str, run.result.get("warnings", ()))])
    return {*run.result.get("left_behind", ()), *re.findall(r"//agents\S+/agents/\w+", said)}
