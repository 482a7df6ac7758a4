# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fuzzer of the parser finds faults that are planted, and a short run of it finds none."""

from __future__ import annotations

import random
import typing as t
from dataclasses import replace

import pytest

import fuzz.__main__ as fuzzer
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse
from fuzz.mutation import MUTATIONS, Sample, mutate, samples
from fuzz.oracle import may_be_ok, may_be_refused

POOL = samples()
OK = "→ API Status:\t\tSERVING\n→ client is registered\n→ client authenticated successfully\n"


def plant(monkeypatch: pytest.MonkeyPatch, fault: t.Callable[[Report], Report]) -> list[str]:
    """Return what the fuzzer finds in a batch with a parser that has a fault."""
    monkeypatch.setattr(fuzzer, "BATCH", 300)
    monkeypatch.setattr(fuzzer, "parse", lambda *said: fault(parse(*said)))
    return fuzzer.batch("planted").findings


def test_a_short_run_finds_nothing() -> None:
    tally = fuzzer.batch("7/0")
    assert (tally.inputs, tally.findings) == (fuzzer.BATCH, [])
    assert tally.healths["ok"] > 50
    assert len(tally.healths) > 5


def test_a_parser_that_believes_a_host_without_serving_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = plant(monkeypatch, lambda report: replace(report, reachable=report.registered, authenticated=True))
    assert "ok, and the marks of success are not in the input" in found[0]


def test_a_parser_that_takes_any_failure_for_a_refusal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = plant(monkeypatch, lambda report: replace(report, authenticated=False if report.ping_failed else None))
    assert "refused, and the platform's words are not in the input" in found[0]


def test_a_parser_that_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(report: Report) -> Report:
        raise ValueError("planted")

    assert "ValueError: planted" in plant(monkeypatch, fail)[0]


def test_a_seed_makes_the_same_inputs_again() -> None:
    first, again = (
        [mutate(POOL, chance) for dummy in range(50)] for chance in (random.Random("1"), random.Random("1"))
    )
    assert first == again
    assert first != [mutate(POOL, random.Random("2")) for dummy in range(50)]


def test_every_mutation_changes_something() -> None:
    sample = next(sample for sample in POOL if sample.name == "12.11.0/status-ok.text")
    for mutation in MUTATIONS:
        changed = {mutation(sample.stderr, "other words\nof another\n", random.Random(seed)) for seed in range(20)}
        assert changed - {sample.stderr}, mutation.__name__


@pytest.mark.parametrize("lost", ["SERVING", "client is registered", "client authenticated successfully"])
def test_the_search_wants_both_marks_and_serving(lost: str) -> None:
    assert may_be_ok("", OK, 0)
    assert not may_be_ok("", OK.replace(lost, ""), 0)
    assert not may_be_ok("", OK, 1)


def test_the_search_knows_every_form_of_success() -> None:
    for sample in POOL:
        if isinstance(sample, Sample) and fuzzer.judge(sample)[0] == "ok":
            assert may_be_ok(sample.stdout, sample.stderr, sample.rc), sample.name


def test_the_search_for_a_refusal_sees_through_colours() -> None:
    assert may_be_refused("", "request \x1b[31mpermission\x1b[0m unauthenticated")
    assert not may_be_refused("", "unauthenticated")
