# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a host, and what to do: from the report of cnspec and from what the hands saw."""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils import status_reason
from ansible_collections.mondoo.fleet.plugins.plugin_utils.problems import (
    HEALTH,
    KINDS,
    NO_PROXY,
    NOT_REACHED,
    ORDER,
    WORDS,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.remedy import Place
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import mask_proxy
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import NOTHING, Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Report

# cnspec warns from here on (health.go, all versions). The platform itself allows 60 s ahead and 120 s behind.
SKEW_LIMIT = 30.0

# What the platform itself may answer to a ping, beside yes and the refusal.
ANSWERS = frozenset(("rate_limited", "server_error", "permission_denied", "not_found"))

# What lies there in place of a file, by the words of the hands.
NO_FILE = {
    "directory": "it is a directory",
    "other": "it is no ordinary file",
    "relative": "the path is not absolute",
    "too_large": "it is far too large",
}

# What systemd calls a unit that does not run, where that wants words and a remedy of their own.
STATES = {
    "failed": ("has failed", "agent_failed"),
    # Between two tries. `systemctl start` would wait for the next one, which is 90 s away with the vendor's unit.
    "activating": ("is not running, systemd is about to start it", "agent_failed"),
    "masked": ("is masked, so that it cannot run", "agent_masked"),
}

# `proxyconnect tcp: dial tcp 127.0.0.1:9: connect: connection refused`, `...: dial tcp: lookup proxy.example.com: ...`
PROXY_ADDRESS = re.compile(
    r"proxyconnect tcp: dial tcp:? (?:lookup )?((?:\[[^\]\s]{1,60}\]|[\w.-]{1,255})(?::\d{1,5})?)"
)


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
    place = place_of(report, seen)
    found = dict(sorted(_problems(report, seen), key=lambda finding: ORDER[finding[0]]))
    deciding = next((HEALTH[code] for code in found if code in HEALTH), None)
    if deciding is None:
        deciding = "ok" if _proved(report) else "unknown"
    remedies = _other_remedies(deciding, seen)
    problems = tuple(
        Problem(code, _message(code, words, report, place), place.fix(remedies.get(code, code)))
        for code, words in found.items()
    )
    return Diagnosis(deciding, problems)


def _other_remedies(health: str, seen: Seen) -> dict[str, str]:
    """Return which remedy takes the place of a problem's own, by its code."""
    remedies = {}
    if health == "clock_skew":
        # A wrong clock looks like a revoked identity, word for word: registering anew would only make an orphan.
        remedies["unauthenticated"] = "clock_first"
    if seen.cnspec_wanted:
        remedies["cnspec_missing"] = "cnspec_path"
    remedies["agent_not_running"] = agent_remedy(seen)
    return remedies


def agent_remedy(seen: Seen) -> str:
    """Return the code of the remedy for an agent that does not run."""
    return STATES.get(seen.agent and seen.agent.state or "", ("", "agent_not_running"))[1]


def place_of(report: Report, seen: Seen) -> Place:
    """Return where remedies are to be applied."""
    return Place(
        family=seen.family,
        config=seen.config_path or report.config_path,
        cnspec=seen.cnspec_path,
        endpoint=report.endpoint,
        shadow=seen.shadow,
        # One line, whatever stands in the file.
        proxy=" ".join(mask_proxy(seen.api_proxy).split())[:200] if seen.api_proxy else None,
        unit=seen.agent.name if seen.agent else None,
    )


# The code of a problem, and the words that its message needs beside those of every message.
Finding = tuple[str, dict[str, str]]


def _message(code: str, words: t.Mapping[str, str], report: Report, place: Place) -> str:
    everywhere = {
        "cnspec": place.cnspec or "cnspec",
        "config": place.config or "mondoo.yml",
        "endpoint": report.endpoint or "Mondoo Platform",
        "unit": place.unit or "cnspec",
        **_proxy_words(report, place),
    }
    return KINDS[code].message.format_map({**WORDS, **everywhere, **words})


def _proxy_words(report: Report, place: Place) -> dict[str, str]:
    """Return how messages name the proxy: from the config, else (for one of the environment) from the words of Go."""
    named = PROXY_ADDRESS.search(report.reason_text or "")
    proxy = place.proxy or (named[1] if named else None)
    if proxy is None:
        return NO_PROXY
    return {**NO_PROXY, "proxy": f"the proxy {proxy}", "something": f"something on the way, perhaps the proxy {proxy},"}


def _proved(report: Report) -> bool:
    return bool(report.registered and report.authenticated and report.reachable)


def _problems(report: Report, seen: Seen) -> t.Iterator[Finding]:
    found = [*_cnspec(report, seen), *_config(report, seen), *_clock(report, seen), *_platform(report, seen)]
    yield from found
    if not _proved(report) and not any(code in HEALTH for code, dummy in found):
        yield "cannot_tell", {}
    yield from _remarks(report, seen)


def _cnspec(report: Report, seen: Seen) -> t.Iterator[Finding]:
    if seen.installed is False and seen.cnspec_path is None:
        wanted, why = seen.cnspec_wanted, seen.cnspec_problem or "not found"
        yield "cnspec_missing", {"where": f" at {wanted}, where cnspec_path says ({why})"} if wanted else {}
    elif seen.installed is False:
        yield "cnspec_not_executable", {"cause": seen.cnspec_problem or "not executable"}
    if seen.timed_out:
        yield "status_timed_out", {}
    if report.panicked:
        yield "cnspec_crashed", {}


def _config(report: Report, seen: Seen) -> t.Iterator[Finding]:
    if seen.config_kind in NO_FILE:
        yield "config_not_a_file", {"cause": NO_FILE[seen.config_kind]}
    elif seen.config_kind == "unreadable" or report.config_problem == "unreadable":
        yield "config_unreadable", {}
    elif seen.config_unreadable or report.config_problem == "malformed":
        yield "config_malformed", {"cause": seen.config_unreadable or "it is not valid YAML"}
    elif seen.config_incomplete:
        yield "config_invalid", {"cause": "only a part of a service account"}
    elif report.config_problem == "invalid":
        yield "config_invalid", {"cause": "no private key that works"}


def _clock(report: Report, seen: Seen) -> t.Iterator[Finding]:
    skew, offset = report.skew_seconds, seen.controller_offset
    if skew is not None and abs(skew) > SKEW_LIMIT:
        side = "behind" if skew > 0 else "ahead of"
        yield "clock_skew", {"duration": duration(skew), "side": side, "other": "platform"}
    elif offset is not None and abs(offset) > SKEW_LIMIT and not report.api_time:
        # cnspec could not compare. A wrong clock breaks TLS, so that it may be the cause.
        side = "behind" if offset < 0 else "ahead of"
        code = "clock_skew" if report.reason in ("tls", "tls_expired") else "clock_offset"
        yield code, {"duration": duration(offset), "side": side, "other": "controller"}


def _platform(report: Report, seen: Seen) -> t.Iterator[Finding]:
    # A host without an identity has nothing to say to the platform; what it asks then is cnspec's default endpoint.
    if report.registered is False:
        is_missing = seen.config_kind == "missing" or (seen.config_kind is None and report.config_problem == "missing")
        yield ("config_missing" if is_missing else "not_registered"), {}
    yield from _reaching(report)
    if report.form is None and report.releases_reason is not None:
        yield "releases_required", {"cause": _why(report.releases_reason, report, seen)}
    if seen.certificate_expired and not report.authenticated:
        yield "certificate_expired", {"cause": seen.certificate_until or "an earlier time"}
    if report.authenticated is False:
        yield "unauthenticated", {"cause": status_reason.REFUSAL}
    elif report.registered is not False and report.ping_failed and report.reachable:
        reason = report.reason or ""
        yield (reason if reason in ANSWERS else "ping_failed"), {"cause": _why(reason, report, seen)}


def _why(reason: str, report: Report, seen: Seen) -> str:
    words = _proxy_words(report, place_of(report, seen))
    return NOT_REACHED.get(reason, "cnspec does not say why").format_map(words)


def _reaching(report: Report) -> t.Iterator[Finding]:
    if report.reachable is True:
        return
    if report.reason == "not_found":
        yield "wrong_endpoint", {}  # the platform itself knows where its own health check is
    elif report.reason in NOT_REACHED:
        yield report.reason, {}
    elif report.reachable is False:
        yield "unreachable", {}


def _remarks(report: Report, seen: Seen) -> t.Iterator[Finding]:
    if seen.shadow:
        yield "config_shadowed", {"cause": seen.shadow}
    if seen.config_kind == "file" and seen.config_mode and seen.family != "Windows" and _wide(seen.config_mode):
        yield "config_mode", {"cause": seen.config_mode}
    yield from _agent(report, seen)
    if seen.clock.ntp_synchronized is False:
        yield "clock_not_synchronized", {}
    if report.form is not None and report.releases_reason is not None:
        yield "releases_unreachable", {"cause": _why(report.releases_reason, report, seen)}
    if report.update_available:
        yield "update_available", {"version": report.version or "", "latest": report.latest_version or "unknown"}
    if report.providers_outdated:
        yield "providers_outdated", {"cause": ", ".join(report.providers_outdated)}
    if report.api_version and report.server_api_version and report.api_version != report.server_api_version:
        cause = f"{report.api_version} here, {report.server_api_version} there"
        yield "api_version_mismatch", {"cause": cause}


def _agent(report: Report, seen: Seen) -> t.Iterator[Finding]:
    if seen.agent is None:
        return
    if seen.agent.active is False and report.registered:
        state = STATES.get(seen.agent.state or "")
        yield "agent_not_running", {"state": state[0]} if state else {}
    elif seen.agent.active and written_since(seen.agent.started, seen):
        yield "agent_not_restarted", {}


def written_since(started: float | None, seen: Seen) -> bool:
    """Tell whether the config was written after a start (seconds since the epoch), as far as that is known."""
    if started is None or seen.config_changed is None:
        return False
    # A file dated in the future (a wrong clock, an archive) would stay newer however often the agent is restarted.
    if seen.time is not None and seen.config_changed > seen.time:
        return False
    # systemd tells whole seconds: what was written in the second of the start was most likely written before it.
    return seen.config_changed >= started + 1


def duration(seconds: float) -> str:
    """Return a length of time for people: `72 h 0 min`, `41 s`."""
    whole = int(abs(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _wide(mode: str) -> bool:
    # A group that may read was given so on purpose: cnspec itself and its packages leave 0644.
    try:
        return int(mode, 8) & 0o037 != 0
    except ValueError:
        return False
