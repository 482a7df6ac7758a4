# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every problem that a diagnosis can name: the one table of codes, in the order of causes."""

from __future__ import annotations

import string
import typing as t
from dataclasses import dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils.remedy import FIXES


@dataclass(frozen=True)
class Kind:
    """A kind of problem. `message` is a template; `health` is what a host is called for it, None for a remark."""

    message: str
    health: str | None = None


# Why an endpoint is not reached, by the codes of status_reason; templates as the messages are.
NOT_REACHED = {
    "wrong_endpoint": "what answers there is not Mondoo Platform, or it is no URL",
    "dns": "its name cannot be resolved",
    "refused": "the connection is refused",
    "no_route": "there is no route to it",
    "timeout": "it does not answer in time",
    "reset": "the connection is cut",
    "tls_expired": "TLS fails: the certificate shown has expired, or is not valid yet",
    "tls": "TLS fails: the certificate shown is not trusted",
    "proxy_refused": "{proxy} cannot be reached, or refuses",
    "proxy_authentication": "{proxy} wants a user and a password that it knows (407)",
    "proxy_invalid": "api_proxy is not a URL",
    "empty_answer": "{something} gives an empty answer, which cnspec may take for success",
    "foreign_answer": "{something} answers in its place",
}

# Causes come before what they cause: a wrong clock explains a refusal, and both are told of an identity that is there.
KINDS = {
    "cnspec_missing": Kind("there is no cnspec command{where}", "not_installed"),
    "cnspec_not_executable": Kind("{cnspec} cannot be run: {cause}", "not_installed"),
    "status_timed_out": Kind("cnspec status did not end in time", "unknown"),
    "config_not_a_file": Kind("{config} is no mondoo.yml ({cause})", "config_invalid"),
    "config_unreadable": Kind("{config} cannot be read", "unknown"),
    "config_malformed": Kind("{config} is damaged: {cause}", "config_invalid"),
    "config_invalid": Kind("{config} has {cause}", "config_invalid"),
    "cnspec_crashed": Kind("cnspec crashed", "unknown"),
    "clock_skew": Kind("its clock is {duration} {side} the {other}'s", "clock_skew"),
    "config_missing": Kind("not registered: there is no {config}", "not_registered"),
    "not_registered": Kind("not registered", "not_registered"),
    **{code: Kind(f"{{endpoint}} is not reached: {why}", "unreachable") for code, why in NOT_REACHED.items()},
    "unreachable": Kind("{endpoint} is not reached", "unreachable"),
    "releases_required": Kind("this version of cnspec tells nothing without the release site: {cause}", "unknown"),
    "certificate_expired": Kind("the certificate of its service account expired at {cause}"),
    "unauthenticated": Kind("the platform refuses the service account of this host ({cause})", "unauthenticated"),
    "rate_limited": Kind(
        "the platform does not authenticate this host: the platform has had too many requests", "unknown"
    ),
    "server_error": Kind(
        "the platform does not authenticate this host: the platform has an error of its own", "unknown"
    ),
    "permission_denied": Kind(
        "the platform does not authenticate this host: the platform says that this service account may not do that",
        "unknown",
    ),
    "not_found": Kind("the platform does not authenticate this host: the platform does not know this agent", "unknown"),
    "ping_failed": Kind("the platform does not authenticate this host: {cause}", "unknown"),
    "cannot_tell": Kind("cnspec does not say how this host stands", "unknown"),
    # Remarks: worth knowing, and they keep nobody from being registered.
    "config_shadowed": Kind("{cause} hides {config} from a bare cnspec"),
    "config_mode": Kind("{config} holds a private key and has mode {cause}"),
    "agent_not_running": Kind("the service {unit} {state}"),
    "agent_not_restarted": Kind("the service {unit} runs with an older {config}"),
    "clock_offset": Kind("its clock is {duration} {side} the {other}'s"),
    "clock_not_synchronized": Kind("nothing keeps its clock right"),
    "releases_unreachable": Kind("cnspec cannot look for updates, the release site is not reached: {cause}"),
    "update_available": Kind("cnspec {version} is not the latest ({latest})"),
    "providers_outdated": Kind("outdated providers: {cause}"),
    "api_version_mismatch": Kind("cnspec and platform differ in the API version ({cause}), which is harmless"),
}
# Words of messages and remedies where nothing more is known of the proxy.
NO_PROXY = {"proxy": "the proxy", "something": "something on the way", "through": ""}
# Words of messages that have others only where more is known.
WORDS = {**NO_PROXY, "where": "", "state": "is not running"}
ORDER = {code: number for number, code in enumerate(KINDS)}
HEALTH = {code: kind.health for code, kind in KINDS.items() if kind.health is not None}


def table() -> list[dict[str, t.Any]]:
    """Return the table as plain Python, for documentation: code, health (None: a remark), message, fixes by family.

    Placeholders stand in capitals; the family `*` is every one that has no line of its own.
    """
    return [
        {
            "code": code,
            "health": kind.health,
            "message": _with_placeholders(kind.message),
            "fixes": {family: _with_placeholders(line) for family, line in FIXES[code].items()},
        }
        for code, kind in KINDS.items()
    ]


def _with_placeholders(template: str) -> str:
    names = {name for dummy, name, dummy_spec, dummy_conversion in string.Formatter().parse(template) if name}
    return template.format_map({**{name: name.upper() for name in names}, **WORDS})
