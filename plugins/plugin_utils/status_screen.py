# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen that `cnspec status` draws from 13.27 on. The glyphs become other text under a Windows code page, so
that only the ASCII words are compared."""

from __future__ import annotations

import re

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_json import read_warning
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Evidence

GLYPHS = re.compile(r"[^A-Za-z0-9/]*")
SUMMARY = re.compile(r"(?P<label>Client|Platform|Updates)[ ]{2,}(?P<body>\S.*)$")
SECTION = re.compile(r"(?P<title>System|mql|cnspec|Mondoo Platform|Providers)[ ]+[^A-Za-z0-9 ]{8,}[ ]*$")
ROW = re.compile(r"(?P<label>[A-Z][A-Za-z]{1,11})[ ]{2,}(?P<value>\S.*)$")
# A value ends where two spaces or a glyph begin.
VALUE = re.compile(r"(?P<value>[\x21-\x7e]+(?:[ ][\x21-\x7e]+)*)")
COUNTS = re.compile(r"(?P<installed>[0-9]{1,6}) installed\b")
OUTDATED = re.compile(r"(?P<name>[A-Za-z][\w./-]{0,60})[ ]{2,}v?[0-9][\w.+-]{0,40}[ ]+[^\x00-\x7f?]{1,12}")
CURRENT = re.compile(r"current[ ]{2}(?P<names>[A-Za-z].*)$")
FOOTERS = ("all systems healthy", "not registered", "authentication failed", "next steps:")
ROWS = {
    ("Mondoo Platform", "Endpoint"): "endpoint",
    ("Mondoo Platform", "Status"): "api_status",
    ("Mondoo Platform", "Time"): "api_time",
    ("Mondoo Platform", "Client"): "client",
    ("Mondoo Platform", "Account"): "service_account",
    ("System", "Host"): "hostname",
    ("mql", "Version"): "version",
    ("cnspec", "Version"): "version",
}


def read_screen(text: str, evidence: Evidence) -> str:
    """Read the screen in a cleaned text into `evidence`; return the text without it."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if _is_first(line)), None)
    if first is None:
        return text
    evidence.form = evidence.form or "screen"
    rest, section = lines[:first], ""
    for line in lines[first:]:
        said = _without_glyphs(line)
        title = SECTION.match(said)
        if title:
            section = title["title"]
        elif not said:
            continue
        elif not _read_line(section, said, evidence):
            rest.append(line)
    return "\n".join(rest)


def _is_first(line: str) -> bool:
    said = SUMMARY.match(_without_glyphs(line))
    return (
        said is not None and said["label"] == "Client" and said["body"].startswith(("registered  ", "not registered"))
    )


def _without_glyphs(line: str) -> str:
    glyphs = GLYPHS.match(line)
    return line[glyphs.end() if glyphs else 0 :].rstrip()


def _read_summary(said: str, evidence: Evidence) -> bool:
    match = SUMMARY.match(said)
    if match is None:
        return False
    label, body = match["label"], match["body"]
    if label == "Client":
        evidence.registered.add(not body.startswith("not registered"))
        evidence.said_authenticated = body.startswith("registered") and body.rstrip().endswith(" authenticated")
        evidence.ping_failed = "authentication failed" in body
    elif label == "Platform" and body.startswith("unreachable"):
        evidence.note("api_status", "")
    elif label == "Updates":
        if body.startswith("up to date"):
            evidence.update_available = False
            evidence.note_list("providers_outdated", ())
        elif re.match(r"[a-z]+ v?[0-9]", body):
            evidence.update_available = True
    return True


def _read_line(section: str, said: str, evidence: Evidence) -> bool:
    known = _read_row(section, said, evidence) if section else _read_summary(said, evidence)
    return known or _read_footer(said, evidence)


def _read_row(section: str, said: str, evidence: Evidence) -> bool:
    if section == "Providers":
        if _read_providers(said, evidence):
            return True
    elif said.startswith(("possible clock skew", "cannot run clock skew", "detected very long")):
        read_warning(said, evidence)
        return True
    match = ROW.match(said)
    if match is None:
        return (section, said) in ROWS  # a row of which there is nothing to say, as the time of a dead platform
    label, whole = match["label"], match["value"]
    found = VALUE.match(whole)
    value = found["value"] if found else ""
    name = ROWS.get((section, label))
    if name in ("client", "service_account"):
        evidence.note(name, value)
    elif name == "api_status":
        # Without a status the row begins with the API version.
        evidence.note(name, "" if value.startswith("API v") else value.split(" ")[0])
        server = re.search(r"API v(?P<version>[A-Za-z0-9]{1,12})", whole)
        evidence.note("server_api_version", server["version"] if server else "")
    elif name == "version":
        _read_version(whole, value, evidence)
    elif name:
        evidence.note(name, value)
    else:
        return _read_other(section, label, whole, evidence)
    if name == "hostname":
        evidence.note("ip", whole.rsplit(" ", 1)[-1] if " " in whole else "")
    return True


def _read_version(whole: str, value: str, evidence: Evidence) -> None:
    evidence.note("version", value)
    if "update recommended" in whole:
        numbers = re.findall(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}[\w.+-]{0,40}", whole)
        evidence.update_available = True
        evidence.note("latest_version", numbers[-1] if len(numbers) > 1 else "")


def _read_other(section: str, label: str, whole: str, evidence: Evidence) -> bool:
    if label == "Platform":
        name, dummy, rest = whole.partition(" ")
        evidence.note("platform_name", name)
        evidence.note("platform_version", rest.split(" ")[0])
    elif label == "API":
        evidence.note("api_version", whole.strip().removeprefix("v"))
    elif label == "Config":
        if whole.startswith("defaults"):
            evidence.note("config_source", "none")
        else:
            evidence.note("config_path", whole)
    elif label == "Features":
        evidence.note_list("features", whole.split(","))
    else:
        return label in ("Updates", "Channel", "Ingest", "Time", "Host", "Version")
    return True


def _read_providers(said: str, evidence: Evidence) -> bool:
    current, outdated = CURRENT.match(said), OUTDATED.match(said)
    if COUNTS.match(said) or said.startswith("PROVIDER ") or re.match(r"[0-9]{1,6} more outdated", said):
        return True
    if current:
        # A name that begins with + or a digit says how many were left out.
        names = [name.strip() for name in current["names"].split(",")]
        evidence.note_list("providers", (*evidence.lists.get("providers_outdated", ()), *names))
        if any(name.startswith("+") for name in names):
            evidence.lists.pop("providers", None)
    elif outdated:
        known = evidence.lists.get("providers_outdated", ())
        evidence.lists["providers_outdated"] = (*known, outdated["name"])
    else:
        return False
    return True


def _read_footer(said: str, evidence: Evidence) -> bool:
    """Read the verdict at the end and the next steps below it."""
    if said.startswith(FOOTERS):
        verdict = re.split(r"[^\x00-\x7f]", said)[0].strip()
        evidence.note_line(verdict, 4)
        return True
    return bool(re.match(r"(?:mql|cnspec|cnquery|visit)[ ]", said))
