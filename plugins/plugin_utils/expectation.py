# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user expects of a host, held against what is known of it. What is not known satisfies nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import SKEW_LIMIT, Diagnosis, Problem
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.problems import HEALTH
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import NOTHING, Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Report

NAMES = ("registered", "authenticated", "clock_in_sync", "reachable", "service_running", "up_to_date")

# Which problems explain an expectation that does not hold, beside those that decide the health.
EXPLAINED_BY = {
    "clock_in_sync": ("clock_skew", "clock_offset", "clock_not_synchronized"),
    "service_running": ("agent_not_running", "cnspec_missing"),
    "up_to_date": ("update_available", "providers_outdated", "releases_unreachable", "releases_required"),
}


@dataclass(frozen=True)
class Expectations:
    """What has to hold: names out of NAMES, and the MRN (or the id) of the space."""

    names: tuple[str, ...] = ()
    space: str | None = None

    def __bool__(self) -> bool:
        return bool(self.names or self.space)


def failed(wanted: Expectations, report: Report, seen: Seen = NOTHING) -> tuple[str, ...]:
    """Return what does not hold, each as a phrase."""
    phrases = []
    for name in wanted.names:
        value = _value(name, report, seen)
        if value is not True:
            phrases.append(f"{name} is {'false' if value is False else 'not known'}")
    if wanted.space is not None and not _same_space(wanted.space, report.space_mrn):
        phrases.append(f"the space is {report.space_mrn or 'not known'}, not {wanted.space}")
    return tuple(phrases)


def failure(wanted: Expectations, report: Report, seen: Seen, diagnosis: Diagnosis) -> FleetError | None:
    """Return the error that names every expectation that does not hold, why, and what to do; None when all hold."""
    phrases = failed(wanted, report, seen)
    if not phrases:
        return None
    explaining = _explaining(wanted, phrases, diagnosis)
    problems = [*explaining, *(problem for problem in diagnosis.problems if problem not in explaining)]
    fixes = [problem.fix for problem in problems]
    if not explaining or (report.space_mrn and any(phrase.startswith("the space is") for phrase in phrases)):
        fixes.append(_without_problem(phrases))
    cause = ", ".join(phrases)
    if problems:
        cause += ": " + "; ".join(_numbered([problem.message for problem in problems]))
    remedy = ". ".join(_numbered(fixes))
    return FleetError(
        "confirm what is expected of this host", cause, remedy, code="expectation_failed", health=diagnosis.health
    )


def _numbered(texts: list[str]) -> list[str]:
    """Return the texts with numbers before them, so that a problem and its remedy are seen to belong together."""
    return texts if len(texts) == 1 else [f"({number}) {text}" for number, text in enumerate(texts, 1)]


def _explaining(wanted: Expectations, phrases: tuple[str, ...], diagnosis: Diagnosis) -> list[Problem]:
    """Return the problems because of which something does not hold; the others are told after them."""
    codes: set[str] = set()
    for name in NAMES:
        if any(phrase.startswith(name + " ") for phrase in phrases):
            codes.update(EXPLAINED_BY.get(name, (*HEALTH, "certificate_expired")))
    return [problem for problem in diagnosis.problems if problem.code in codes]


def _without_problem(phrases: tuple[str, ...]) -> str:
    if any(phrase.startswith("the space is") for phrase in phrases):
        return "Register it there with mondoo.fleet.mondoo_registration and move: true, or correct expect_space"
    return "Look at ansible_facts.mondoo, or leave this expectation out"


def _value(name: str, report: Report, seen: Seen) -> bool | None:
    if name in ("registered", "authenticated", "reachable"):
        value: bool | None = getattr(report, name)
        return value
    if name == "clock_in_sync":
        return _clock_in_sync(report, seen)
    if name == "service_running":
        return seen.agent.active if seen.agent else None
    # Without a screen or a text nobody asks for the providers; then cnspec itself decides.
    if report.providers_outdated:
        return False
    return None if report.update_available is None else not report.update_available


def _clock_in_sync(report: Report, seen: Seen) -> bool | None:
    if report.skew_seconds is not None:
        return abs(report.skew_seconds) <= SKEW_LIMIT
    if report.reachable and report.api_time and "cannot run clock skew check" not in report.warnings:
        return True  # cnspec compared, and had nothing to say
    if seen.controller_offset is not None and abs(seen.controller_offset) > SKEW_LIMIT:
        return False
    return None


def _same_space(wanted: str, found: str | None) -> bool:
    if found is None:
        return False
    return wanted == found or ("/" not in wanted and found.endswith(f"/spaces/{wanted}"))
