# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a host, and what to do: from the report of cnspec and from what the hands saw."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils import status_reason
from ansible_collections.mondoo.fleet.plugins.plugin_utils.remedy import Place
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import NOTHING, Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Report

# cnspec warns from here on (health.go, all versions). The platform itself allows 60 s ahead and 120 s behind.
SKEW_LIMIT = 30.0

# Problems that decide the health of a host. Every other one is a remark.
HEALTH = {
    "cnspec_missing": "not_installed",
    "cnspec_not_executable": "not_installed",
    "status_timed_out": "unknown",
    "config_not_a_file": "config_invalid",
    "config_malformed": "config_invalid",
    "config_invalid": "config_invalid",
    "config_unreadable": "unknown",
    "cnspec_crashed": "unknown",
    "clock_skew": "clock_skew",
    "dns": "unreachable",
    "tls": "unreachable",
    "proxy_refused": "unreachable",
    "proxy_authentication": "unreachable",
    "proxy_invalid": "unreachable",
    "empty_answer": "unreachable",
    "foreign_answer": "unreachable",
    "unreachable": "unreachable",
    "unauthenticated": "unauthenticated",
    "config_missing": "not_registered",
    "not_registered": "not_registered",
    "rate_limited": "unknown",
    "server_error": "unknown",
    "permission_denied": "unknown",
    "not_found": "unknown",
    "ping_failed": "unknown",
    "cannot_tell": "unknown",
}

UNREACHABLE = {
    "dns": "its name cannot be resolved",
    "tls": "TLS fails: the certificate shown is not trusted",
    "proxy_refused": "the proxy cannot be reached, or refuses",
    "proxy_authentication": "the proxy wants a user and a password (407)",
    "proxy_invalid": "api_proxy is not a URL",
    "empty_answer": "something on the way gives an empty answer, which cnspec may take for success",
    "foreign_answer": "something on the way answers in its place",
    "refused": "the connection is refused",
    "timeout": "it does not answer in time",
    "no_route": "there is no route to it",
    "reset": "the connection is cut",
}
PING = {
    "rate_limited": "the platform has had too many requests",
    "server_error": "the platform has an error of its own",
    "permission_denied": "the platform says that this service account may not do that",
    "not_found": "the platform does not know this agent",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `code` is stable; `fix` is one line, with the command for this family of systems."""

    code: str
    message: str
    fix: str

    def to_dict(self) -> dict[str, str]:
        """Return the problem as plain Python."""
        return asdict(self)


@dataclass(frozen=True)
class Diagnosis:
    """The health of a host and its problems, causes first."""

    health: str
    problems: tuple[Problem, ...] = ()


def diagnose(report: Report, seen: Seen = NOTHING) -> Diagnosis:
    """Return what is wrong, causes before what they cause."""
    place = Place(
        family=seen.family,
        config=seen.config_path or report.config_path,
        cnspec=seen.cnspec_path,
        endpoint=report.endpoint,
        shadow=seen.shadow,
        unit=seen.agent.name if seen.agent else None,
    )
    found = dict(_problems(report, seen, place))
    deciding = next((HEALTH[code] for code in found if code in HEALTH), None)
    if deciding is None:
        deciding = "ok" if report.registered and report.authenticated and report.reachable else "unknown"
    # A wrong clock looks like a revoked identity, word for word: registering anew would only make an orphan.
    remedies = {"unauthenticated": "clock_first"} if deciding == "clock_skew" else {}
    problems = tuple(Problem(code, words, place.fix(remedies.get(code, code))) for code, words in found.items())
    return Diagnosis(deciding, problems)


Finding = tuple[str, str]


def _problems(report: Report, seen: Seen, place: Place) -> t.Iterator[Finding]:
    """Yield code and message of each problem, in the order of causes."""
    found = [*_cnspec(seen), *_config(report, seen, place), *_clock(report, seen), *_platform(report, seen)]
    yield from found
    proved = report.registered and report.authenticated and report.reachable
    if not proved and not any(code in HEALTH for code, dummy in found):
        yield "cannot_tell", "cnspec does not say how this host stands"
    yield from _remarks(report, seen)


def _cnspec(seen: Seen) -> t.Iterator[Finding]:
    if seen.installed is False and seen.cnspec_path is None:
        yield "cnspec_missing", "there is no cnspec command"
    elif seen.installed is False:
        yield "cnspec_not_executable", f"{seen.cnspec_path} cannot be run: {seen.cnspec_problem or 'not executable'}"
    if seen.timed_out:
        yield "status_timed_out", "cnspec status did not end in time"


def _config(report: Report, seen: Seen, place: Place) -> t.Iterator[Finding]:
    path = place.config or "mondoo.yml"
    if seen.config_kind in ("directory", "other", "relative", "too_large"):
        yield "config_not_a_file", f"{path} is no mondoo.yml ({seen.config_kind.replace('_', ' ')})"
    elif seen.config_kind == "unreadable" or report.config_problem == "unreadable":
        yield "config_unreadable", f"{path} cannot be read"
    elif seen.config_unreadable or report.config_problem == "malformed":
        yield "config_malformed", f"{path} is damaged: {seen.config_unreadable or 'it is not valid YAML'}"
    elif seen.config_incomplete:
        yield "config_invalid", f"{path} has only a part of a service account"
    elif report.config_problem == "invalid":
        yield "config_invalid", f"{path} has no private key that works"
    if report.panicked:
        yield "cnspec_crashed", "cnspec crashed"


def _clock(report: Report, seen: Seen) -> t.Iterator[Finding]:
    skew, offset = report.skew_seconds, seen.controller_offset
    if skew is not None and abs(skew) > SKEW_LIMIT:
        side = "behind" if skew > 0 else "ahead of"
        yield "clock_skew", f"its clock is {duration(skew)} {side} the platform's"
    elif offset is not None and abs(offset) > SKEW_LIMIT and not report.api_time:
        # cnspec could not compare. A wrong clock breaks TLS, so that it may be the cause.
        side = "behind" if offset < 0 else "ahead of"
        code = "clock_skew" if report.reason == "tls" else "clock_offset"
        yield code, f"its clock is {duration(offset)} {side} the controller's"


def _platform(report: Report, seen: Seen) -> t.Iterator[Finding]:
    # A host without an identity has nothing to say to the platform; what it asks then is cnspec's default endpoint.
    if report.registered is False:
        yield _not_registered(report, seen)
    endpoint = report.endpoint or "Mondoo Platform"
    reason = report.reason or ""
    if reason in status_reason.NOT_REACHED and report.reachable is not True:
        code = reason if reason in HEALTH else "unreachable"
        yield code, f"{endpoint} is not reached: {UNREACHABLE[reason]}"
    elif report.reachable is False:
        yield "unreachable", f"{endpoint} is not reached"
    if report.authenticated is False:
        yield "unauthenticated", f"the platform refuses the service account of this host ({status_reason.REFUSAL})"
    elif report.registered is not False and report.ping_failed and report.reachable:
        words = PING.get(reason) or UNREACHABLE.get(reason) or "cnspec does not say why"
        yield (reason if reason in PING else "ping_failed"), f"the platform does not authenticate this host: {words}"


def _not_registered(report: Report, seen: Seen) -> Finding:
    if seen.config_kind == "missing" or (seen.config_kind is None and report.config_problem == "missing"):
        return "config_missing", f"not registered: there is no {seen.config_path or report.config_path}"
    return "not_registered", "not registered"


def _remarks(report: Report, seen: Seen) -> t.Iterator[Finding]:
    """Yield what is worth knowing and keeps nobody from being registered."""
    if seen.shadow:
        yield "config_shadowed", f"{seen.shadow} hides {seen.config_path} from a bare cnspec"
    if seen.config_kind == "file" and seen.config_mode and seen.family != "Windows" and _wide(seen.config_mode):
        yield "config_mode", f"{seen.config_path} holds a private key and has mode {seen.config_mode}"
    yield from _agent(report, seen)
    if seen.clock.ntp_synchronized is False:
        yield "clock_not_synchronized", "nothing keeps its clock right"
    if report.releases_reason is not None:
        yield "releases_unreachable", "the release site is not reached: cnspec cannot look for updates"
    if report.update_available:
        yield "update_available", f"cnspec {report.version} is not the latest ({report.latest_version or 'unknown'})"
    if report.providers_outdated:
        yield "providers_outdated", "outdated providers: " + ", ".join(report.providers_outdated)
    if report.api_version and report.server_api_version and report.api_version != report.server_api_version:
        versions = f"{report.api_version} here, {report.server_api_version} there"
        yield "api_version_mismatch", f"cnspec and platform differ in the API version ({versions}), which is harmless"


def _agent(report: Report, seen: Seen) -> t.Iterator[Finding]:
    if seen.agent is None:
        return
    if seen.agent.active is False and report.registered:
        yield "agent_not_running", f"the service {seen.agent.name} is not running"
    elif seen.agent.active and seen.agent.started and (seen.config_changed or 0) > seen.agent.started:
        yield "agent_not_restarted", f"the service {seen.agent.name} runs with an older {seen.config_path}"


def duration(seconds: float) -> str:
    """Return a length of time for people: `72 h 0 min`, `41 s`."""
    whole = int(abs(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _wide(mode: str) -> bool:
    try:
        return int(mode, 8) & 0o077 != 0
    except ValueError:
        return False
