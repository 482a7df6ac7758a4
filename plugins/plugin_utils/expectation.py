# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user expects of a host, held against what is known of it. What is not known satisfies nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import (
    SKEW_LIMIT,
    Diagnosis,
    agent_remedy,
    place_of,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.problems import HEALTH, NOT_REACHED
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import NOTHING, Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Report

NAMES = ("registered", "authenticated", "clock_in_sync", "reachable", "service_running", "up_to_date")

# What keeps cnspec from telling anything, or from knowing who the host is.
SILENT = (
    *("cnspec_missing", "cnspec_not_executable", "cnspec_crashed", "status_timed_out"),
    *("releases_required", "cannot_tell"),
)
NO_IDENTITY = (
    *("config_not_a_file", "config_unreadable", "config_malformed", "config_invalid"),
    *("config_missing", "not_registered"),
)
NO_WAY = (*NOT_REACHED, "unreachable", "clock_skew")

# Which problems explain an expectation that is false, and one that is not known; the space is as `registered`.
FALSE_BY: dict[str, tuple[str, ...]] = {
    "registered": NO_IDENTITY,
    "authenticated": (*HEALTH, "certificate_expired"),
    "clock_in_sync": ("clock_skew", "clock_offset", "clock_not_synchronized"),
    "reachable": NO_WAY,
    "service_running": ("agent_not_running",),
    "up_to_date": ("update_available", "providers_outdated"),
}
UNKNOWN_BY: dict[str, tuple[str, ...]] = {
    "registered": (*SILENT, *NO_IDENTITY),
    "authenticated": (*HEALTH, "certificate_expired"),
    "clock_in_sync": (*SILENT, *NO_IDENTITY, *NO_WAY),
    "reachable": (*SILENT, *NO_IDENTITY, *NO_WAY),
    "service_running": ("cnspec_missing",),
    "up_to_date": (*SILENT, "releases_unreachable"),
}

# What to say of an expectation that no problem explains: why it does not hold, and the remedy.
UNEXPLAINED = {
    "clock_in_sync": (
        "cnspec could not compare it with the platform's",
        "Compare the clock of the host with a time server (NTP), or leave clock_in_sync out",
    ),
    "service_running": (
        "systemd there knows no service of the agent",
        "Install cnspec from its package, which has the service, or leave service_running out",
    ),
    "up_to_date": (
        "cnspec does not say which version is the latest",
        "Let the host reach https://releases.mondoo.com, or leave up_to_date out",
    ),
}


@dataclass(frozen=True)
class Expectations:
    """What has to hold: names out of NAMES, and the MRN (or the id) of the space."""

    names: tuple[str, ...] = ()
    space: str | None = None

    def __bool__(self) -> bool:
        return bool(self.names or self.space)


@dataclass(frozen=True)
class Unmet:
    """An expectation that does not hold. `value`: False, or None when it is not known; `name` may be `space`."""

    name: str
    value: bool | None
    phrase: str


def failed(wanted: Expectations, report: Report, seen: Seen = NOTHING) -> tuple[Unmet, ...]:
    """Return what does not hold."""
    values = {name: _value(name, report, seen) for name in wanted.names}
    unmet = [
        Unmet(name, value, f"{name} is {'false' if value is False else 'not known'}")
        for name, value in values.items()
        if value is not True
    ]
    if wanted.space is not None and not _same_space(wanted.space, report.space_mrn):
        value = None if report.space_mrn is None else False
        unmet.append(Unmet("space", value, f"the space is {report.space_mrn or 'not known'}, not {wanted.space}"))
    return tuple(unmet)


def failure(wanted: Expectations, report: Report, seen: Seen, diagnosis: Diagnosis) -> FleetError | None:
    """Return the error that names every expectation that does not hold, why, and what to do; None when all hold."""
    unmet = failed(wanted, report, seen)
    if not unmet:
        return None
    codes = {item.name: _explaining(item, diagnosis) for item in unmet}
    problems = [problem for problem in diagnosis.problems if any(problem.code in found for found in codes.values())]
    unexplained = [_unexplained(item, report, seen) for item in unmet if not codes[item.name]]
    messages = _numbered([*(problem.message for problem in problems), *(message for message, dummy in unexplained)])
    fixes = _numbered([*(problem.fix for problem in problems), *(fix for dummy, fix in unexplained)])
    explained = ", ".join(item.phrase for item in unmet if codes[item.name])
    return FleetError(
        "confirm what is expected of this host",
        (f"{explained}: " if explained else "") + "; ".join(messages),
        ". ".join(fixes),
        code="expectation_failed",
        health=diagnosis.health,
    )


def _numbered(texts: list[str]) -> list[str]:
    """Return the texts with numbers before them, so that a problem and its remedy are seen to belong together."""
    return texts if len(texts) == 1 else [f"({number}) {text}" for number, text in enumerate(texts, 1)]


def _explaining(unmet: Unmet, diagnosis: Diagnosis) -> set[str]:
    """Return the codes of the problems because of which an expectation does not hold."""
    if unmet.name == "space" and unmet.value is False:
        return set()
    name = "registered" if unmet.name == "space" else unmet.name
    causes = FALSE_BY[name] if unmet.value is False else UNKNOWN_BY[name]
    return {problem.code for problem in diagnosis.problems if problem.code in causes}


def _unexplained(unmet: Unmet, report: Report, seen: Seen) -> tuple[str, str]:
    """Return what to say of an expectation that no problem explains, and its remedy."""
    place = place_of(report, seen)
    if unmet.name == "space" and unmet.value is False:
        remedy = "Register it there with mondoo.fleet.mondoo_registration and move: true, or correct expect_space"
        return unmet.phrase, remedy
    if unmet.name == "service_running" and unmet.value is False:
        return unmet.phrase, place.fix(agent_remedy(seen))  # of a host that is not registered it is no problem
    why, remedy = UNEXPLAINED.get(unmet.name, ("cnspec does not say", place.fix("cannot_tell")))
    return f"{unmet.phrase} ({why})", remedy


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
    if not report.api_time and seen.controller_offset is not None and abs(seen.controller_offset) > SKEW_LIMIT:
        return False
    return None


def _same_space(wanted: str, found: str | None) -> bool:
    if found is None:
        return False
    return wanted == found or ("/" not in wanted and found.endswith(f"/spaces/{wanted}"))
