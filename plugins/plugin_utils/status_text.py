# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of `cnspec status` as log lines (cnspec 7 to 13.25), and the log lines beside any other report."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mondoo.fleet.plugins.plugin_utils import status_reason
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_json import read_warning
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_lines import Line, read_line
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Evidence
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_talk import (
    read_config,
    read_end,
    read_releases,
    read_setup,
    read_small_talk,
)

MOST_UNPARSED = 50
LONGEST_UNPARSED = 400

# `Space` stands where the documentation shows it; cnspec itself has always said `Owner`.
LABELS = {
    "Platform": "platform_name",
    "Hostname": "hostname",
    "IP": "ip",
    "Time": "",
    "Latest Version": "latest_version",
    "Updates URL": "",
    "Providers URL": "",
    "Installed Providers": "providers",
    "Outdated Providers": "providers_outdated",
    "API ConnectionConfig": "endpoint",
    "API Status": "api_status",
    "API Time": "api_time",
    "API Version": "server_api_version",
    "Features": "features",
    "Owner": "space",
    "Space": "space",
    "Client": "client",
    "Service Account": "service_account",
    "Version": "version",
}
LISTS = {"providers": "|", "providers_outdated": "|", "features": ","}
LABEL = re.compile(r"(?P<label>" + "|".join(sorted(LABELS, key=len, reverse=True)) + r"):(?:[ \t]+(?P<value>.*))?$")
CLIENT_VERSION = re.compile(r"(?P<version>\S+)[ \t]\(API Version:[ \t]?(?P<api>[^)]*)\)")
CREDENTIALS = re.compile(r"The Mondoo Platform credentials provided at (?P<path>.+?) didn't successfully authenticate")


# Lines that stand in one: the documentation, and whoever joins lines with spaces, leave the prefixes inside.
JOINT = re.compile(
    r"(?:(?<=\s)(?:[-!x]|WRN|ERR)|[^\x00-\x7f]{1,12})[ \t]"
    r"(?=(?:" + "|".join(LABELS) + r"):|client is (?:not )?registered|client authenticated successfully"
    r"|could not c|The Mondoo Platform credentials|possible clock skew|A newer version is|API versions do not)"
)


def read_text(text: str, evidence: Evidence) -> None:
    """Read what is left of a cleaned text after other forms of report were taken out of it."""
    block = False
    for whole in text.split("\n"):
        for raw in split_joined(whole) if len(whole) < 65536 else [whole]:
            if not raw.strip():
                continue
            line = read_line(raw)
            known = _read(line, evidence)
            if known:
                # A usage or a stack trace goes on until something else is said.
                block = line.text.startswith(("Usage:", "panic:", "goroutine ", "[signal "))
            elif not block:
                _keep(line, evidence)


def split_joined(raw: str) -> list[str]:
    """Split a line that holds several log lines."""
    starts = [match.start() for match in JOINT.finditer(raw)]
    cuts = [0, *(start for start in starts if raw[:start].strip()), len(raw)] if starts else [0, len(raw)]
    return [raw[begin:end] for begin, end in zip(cuts, cuts[1:], strict=False)]


def _read(line: Line, evidence: Evidence) -> bool:
    """Read one line; tell whether it is known."""
    return any(reader(line, evidence) for reader in READERS)


def _read_debug(line: Line, evidence: Evidence) -> bool:
    said, status = line.fields.get("body", ""), line.fields.get("status", "")
    number = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 0
    if line.message == "non-ok http request with non-proto body":
        # From 13.29 on (ranger-rpc 0.8.1): what something in between answered, or the status line of an empty answer.
        evidence.note_error("ping", said[:LONGEST_UNPARSED], status_reason.classify_foreign(number, said))
    elif line.message == "non-ok http request":
        if number:
            code = status_reason.classify_http(number, said)
            evidence.note_error("ping", said, code)
            evidence.refused = evidence.refused or code == status_reason.UNAUTHENTICATED
    else:
        return line.level == "debug"
    evidence.note_line(line.text[:LONGEST_UNPARSED], 3)
    return True


def _read_label(line: Line, evidence: Evidence) -> bool:
    match = LABEL.match(line.text)
    if match is None:
        return False
    label, value = match["label"], (match["value"] or "").strip()
    name = LABELS[label]
    client = CLIENT_VERSION.match(value) if label == "Version" else None
    if client:
        evidence.note("version", client["version"])
        evidence.note("api_version", client["api"])
    elif label == "Version":
        evidence.note("platform_version", value)
    elif name in LISTS:
        evidence.note_list(name, value.split(LISTS[name]))
    elif name:
        evidence.note(name, value)
    if name in ("api_status", "endpoint", "client", "service_account") or client:
        evidence.form = evidence.form or "text"
    evidence.note_line(line.text, 1)
    return True


def _read_state(line: Line, evidence: Evidence) -> bool:
    said = line.message.rstrip(".")
    if said == "client is registered":
        evidence.registered.add(True)
    elif said == "client is not registered":
        evidence.registered.add(False)
    elif said == "client authenticated successfully":
        evidence.said_authenticated = True
    else:
        return False
    evidence.form = evidence.form or "text"
    evidence.note_line(line.text, 4)
    return True


def _read_ping(line: Line, evidence: Evidence) -> bool:
    credentials = CREDENTIALS.match(line.message)
    if credentials is None and not line.message.startswith("could not connect to mondoo platform"):
        return False
    if credentials:
        evidence.note("config_path", credentials["path"])
    # Up to 11.28 the line is also printed, without an error, for a host that is not registered.
    if line.error:
        evidence.ping_failed = True
        evidence.note_error("ping", line.error)
    elif evidence.registered != {False}:
        evidence.ping_failed = True
    evidence.note_line(line.text, 4)
    return True


def _read_health(line: Line, evidence: Evidence) -> bool:
    if line.message.startswith("could not check upstream health"):
        evidence.health_failed = True
    elif not line.message.startswith("could not run api health check"):
        # 7.0 to 7.12 say that the check could not be run, whatever came of it: the error alone tells.
        return False
    evidence.note_error("health", line.error)
    evidence.note_line(line.text, 3)
    return True


def _read_warning(line: Line, evidence: Evidence) -> bool:
    text = line.message
    if not text.startswith(
        ("possible clock skew detected:", "cannot run clock skew check", "detected very long round-trip times:")
    ):
        return False
    if text not in evidence.warnings:
        read_warning(text, evidence)
    evidence.note_line(line.text, 5)
    return True


Reader = t.Callable[[Line, Evidence], bool]
READERS: tuple[Reader, ...] = (
    _read_debug,
    _read_label,
    _read_state,
    _read_ping,
    _read_health,
    _read_warning,
    read_config,
    read_setup,
    read_releases,
    read_end,
    read_small_talk,
)


def _keep(line: Line, evidence: Evidence) -> None:
    """Keep a line that is not known: it may say what nobody has seen yet."""
    if len(evidence.unparsed) < MOST_UNPARSED:
        evidence.unparsed.append(line.text[:LONGEST_UNPARSED])
    elif len(evidence.unparsed) == MOST_UNPARSED:
        evidence.unparsed.append("(and more)")
    evidence.note_line(line.text[:LONGEST_UNPARSED], 3 if line.level == "error" else 1)
