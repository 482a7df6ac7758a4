# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of `cnspec status -o json` and `-o yaml`, wherever in the output it stands."""

from __future__ import annotations

import json
import re
import typing as t

import yaml

from ansible_collections.mondoo.fleet.plugins.plugin_utils import go_duration
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Evidence

# The JSON has no trailing newline: with both streams in one text a log line may stand before or behind it.
JSON_START = re.compile(r'\{\s*"(?:client|upstream)"\s*:')
YAML_START = re.compile(r"(?m)^(?:client|upstream):[ \t]*\n(?=[ ]{1,8}[A-Za-z_]+:)")
YAML_LINE = re.compile(r"(?:[ ]+\S|(?:client|upstream|ingest):[ \t]*$)")

MOST_STARTS = 8
MOST_YAML = 65536
SKEW = "possible clock skew detected:"

CLIENT_TEXTS = {
    "version": "version",
    "latest_version": "latest_version",
    "client": "mrn",
    "service_account": "service_account",
    "space": "parentMrn",
    "hostname": "hostname",
    "ip": "ip",
    "config_path": "configFile",
}
API_TEXTS = {
    "endpoint": "endpoint",
    "api_status": "status",
    "api_time": "timestamp",
    "server_api_version": "version",
}


def read_documents(text: str, evidence: Evidence) -> str:
    """Read the JSON or YAML report in a cleaned text into `evidence`; return the text without it."""
    for reader in (_take_json, _take_yaml):
        document, form, rest = reader(text)
        if document is not None:
            evidence.form = form
            _read(document, evidence)
            return rest
    return text


def _take_json(text: str) -> tuple[dict[str, t.Any] | None, str, str]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    for count, match in enumerate(JSON_START.finditer(text)):
        if count >= MOST_STARTS:
            break
        try:
            document, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if _is_report(document):
            return document, "json", text[: match.start()] + "\n" + text[end:]
    return None, "json", text


def _take_yaml(text: str) -> tuple[dict[str, t.Any] | None, str, str]:
    match = YAML_START.search(text)
    if match is None:
        return None, "yaml", text
    lines = text[match.start() : match.start() + MOST_YAML].split("\n")
    size = next((number for number, line in enumerate(lines) if not YAML_LINE.match(line)), len(lines))
    block = "\n".join(lines[:size])
    try:
        # All scalars stay text: nothing here needs to be a number or a date.
        document = yaml.load(block, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None, "yaml", text
    if not _is_report(document):
        return None, "yaml", text
    return document, "yaml", text[: match.start()] + "\n" + text[match.start() + len(block) :]


def _is_report(document: t.Any) -> bool:
    return isinstance(document, dict) and any(isinstance(document.get(key), dict) for key in ("client", "upstream"))


def _read(document: dict[str, t.Any], evidence: Evidence) -> None:
    client, upstream = _dict(document, "client"), _dict(document, "upstream")
    for name, key in CLIENT_TEXTS.items():
        if isinstance(client.get(key), str):
            evidence.note(name, client[key])
    platform = _dict(client, "platform")
    evidence.note("platform_name", platform.get("name"))
    evidence.note("platform_version", platform.get("version") or platform.get("release"))
    if client:
        # Every key is left out when it is empty or false.
        evidence.registered.add(client.get("registered") in (True, "true"))
        # The error is always `{}`: the key alone says that the ping failed.
        evidence.ping_failed = "pingPongError" in client
        evidence.said_authenticated = evidence.registered == {True} and not evidence.ping_failed
    api = _dict(upstream, "api")
    for name, key in API_TEXTS.items():
        if api:
            evidence.note(name, api.get(key))
    if isinstance(upstream.get("features"), list):
        evidence.note_list("features", (item for item in upstream["features"] if isinstance(item, str)))
    for warning in upstream["warnings"] if isinstance(upstream.get("warnings"), list) else ():
        if isinstance(warning, str):
            read_warning(warning, evidence)
    _note_last_line(evidence)


def read_warning(text: str, evidence: Evidence) -> None:
    """Remember one warning of the health check, and the clock skew in it."""
    evidence.warnings.append(text)
    if text.startswith(SKEW) and evidence.skew_seconds is None:
        evidence.skew_seconds = go_duration.seconds(text[len(SKEW) :])


def _note_last_line(evidence: Evidence) -> None:
    """JSON has no last line: use the words that the text form has for the same members."""
    if evidence.said_authenticated:
        evidence.note_line("client authenticated successfully", 4)
    elif evidence.registered == {False}:
        evidence.note_line("client is not registered", 4)
    elif evidence.registered == {True}:
        evidence.note_line("client is registered", 2)
    if evidence.warnings:
        evidence.note_line(evidence.warnings[-1], 5)


def _dict(values: t.Mapping[str, t.Any], key: str) -> dict[str, t.Any]:
    value = values.get(key)
    return value if isinstance(value, dict) else {}
