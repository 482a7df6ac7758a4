# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold in each cell: complaints, one line each, about what three runs gave."""

from __future__ import annotations

from collections.abc import Iterator

from states.asked import SETTINGS
from states.ground import Place
from states.looking import Run, Runs, View, key_fits
from states.table import Host

# What check mode says has to come true.
FORESEEN = ("changed", "action", "reason", "code", "left_behind", "msg", "space_mrn", "api_endpoint", "config_path")
IDENTITY = ("agent_mrn", "mrn", "private_key", "certificate", "space_mrn", "scope_mrn", "parent_mrn", "api_endpoint")
SPACE = "//captain.api.mondoo.app/spaces/lunalectric-prod"
UNSET = ("api_proxy", "api-proxy", "scan_interval", "scan_interval.timer", "auto_update", "auto-update")


def complaints(host: Host, place: Place, runs: Runs) -> list[str]:
    """Return what is not as the cell says it is; nothing when all is well."""
    check, real, again = runs.runs
    found = [*_check(check, real, runs)]
    if host.cell.fails:
        found += _failed(host, real, runs)
        found += [f"again: {line}" for line in _failed(host, again, runs)]
        if real.result.get("msg") != again.result.get("msg"):
            found.append("again: another message")
        return found
    found += _done(host, place, real, runs)
    if not real.result.get("failed"):
        found += [*_file(host, place, real, runs), *_again(host, real, again)]
    return found


def _check(check: Run, real: Run, runs: Runs) -> Iterator[str]:
    if check.view != runs.before:
        yield "check mode changed something below the host's folder"
    if check.acted or check.agents != runs.agents:
        yield "check mode changed something on the platform"
    for name in FORESEEN:
        if check.result.get(name) != real.result.get(name):
            yield f"check mode says {name} {check.result.get(name)!r}, and it is {real.result.get(name)!r}"


def _failed(host: Host, run: Run, runs: Runs) -> Iterator[str]:
    told = (run.result.get("failed"), run.result.get("code"), run.result.get("reason"))
    if told != (True, host.cell.code, host.cell.reason):
        yield f"failed, code and reason are {told}"
    message = str(run.result.get("msg"))
    if "\n" in message or not message.startswith("Cannot ") or not message.endswith("."):
        yield f"the message is not one line of the known form: {message}"
    if run.view != runs.before:
        yield "a failure changed something below the host's folder"
    if run.agents != runs.agents or run.registered:
        yield "a failure changed something on the platform"


def _done(host: Host, place: Place, run: Run, runs: Runs) -> Iterator[str]:
    cell, result = host.cell, run.result
    expected = (cell.action, cell.reason, cell.action != "none", False)
    told = (result.get("action"), result.get("reason"), result.get("changed"), bool(result.get("failed")))
    if told != expected:
        yield f"action, reason, changed and failed are {told}: {result.get('msg')}"
    named = {"agent": [place.agent], "unknown": ["unknown"], "": []}[cell.left]
    if result.get("left_behind") != named:
        yield f"left_behind is {result.get('left_behind')}, not {named}"
    if run.registered != (cell.action == "register"):
        yield f"{run.registered} RegisterAgent acted"
    unused = run.agents - run.view.names(*run.agents)
    if "unknown" not in named and unused != set(named):
        yield f"no host uses {sorted(unused)}, and left_behind is {named}"
    if cell.action == "none" and (run.view != runs.before or run.agents != runs.agents):
        yield "nothing was to be done, and something was"


def _file(host: Host, place: Place, run: Run, runs: Runs) -> Iterator[str]:
    """Read the config again."""
    cell, view = host.cell, run.view
    goes = cell.action == "unregister" and not (place.kept and host.question.keeps_settings)
    strays = {name for name in view.entries.keys() ^ runs.before.entries.keys() if name != "mondoo.yml"}
    if strays and not goes:
        yield f"other files came or went: {sorted(strays)}"
    if goes:
        yield from ["there is still a config"] if view.text is not None and b"name:" not in view.text else []
    elif view.text is not None and place.kept not in view.text:
        yield "what nobody mentioned is not as it was written"
    if cell.action in ("register", "adopt", "configure") and _mode(view) != 0o600:
        yield f"the mode of the config is {_mode(view):04o}"
    yield from _identity(host, place, run, runs)
    yield from _settings(host, view)


def _mode(view: View) -> int:
    entry = view.entries["mondoo.yml"]
    if entry.content.startswith("link to "):
        entry = view.entries["elsewhere.yml"]
    return entry.mode


def _identity(host: Host, place: Place, run: Run, runs: Runs) -> Iterator[str]:
    action, result, fields = host.cell.action, run.result, run.view.fields
    before = runs.before.fields if action == "configure" else {}
    if action in ("register", "adopt"):
        if not key_fits(fields):
            yield "key and certificate do not belong together"
        places = {fields.get(name) for name in ("space_mrn", "scope_mrn", "parent_mrn")} - {None}
        if (places, fields.get("api_endpoint")) != ({SPACE}, place.ground.here.url):
            yield f"the config is for {places} at {fields.get('api_endpoint')}"
        if result.get("verified") is not True:
            yield f"verified is {result.get('verified')}"
    if action == "register" and {fields.get("agent_mrn")} != run.agents - runs.agents - {None}:
        yield "the config does not name the agent that was made"
    if action == "adopt" and (fields.get("mrn"), "agent_mrn" in fields) != (place.document["mrn"], False):
        yield "the config is not that of the document"
    if action == "configure" and any(fields.get(name) != before.get(name) for name in IDENTITY):
        yield "writing settings touched the identity"
    if action == "unregister" and any(name in fields for name in IDENTITY):
        yield "there is still an identity in the config"
    for name, key in (("agent_mrn", "agent_mrn"), ("service_account_mrn", "mrn")):
        if action != "none" and result.get(name) != fields.get(key):
            yield f"the result says {name} {result.get(name)}, the config {fields.get(key)}"


def _settings(host: Host, view: View) -> Iterator[str]:
    fields = view.fields
    if host.question.settings:
        wanted = {**SETTINGS, "annotations": {"Owner": "platform-team", "env": "on"}, "auto-update": False}
        wrong = [name for name, value in wanted.items() if fields.get(name) != value]
        if wrong or "api-proxy" in fields or "scan_interval.timer" in fields:
            yield f"settings are not as wanted: {wrong}"
    if host.question.unset and any(name in fields for name in UNSET):
        yield "what was to be unset is still there"


def _again(host: Host, real: Run, again: Run) -> Iterator[str]:
    result = again.result
    if host.question.force:
        if (result.get("action"), result.get("reason"), again.registered) != ("register", "forced", 1):
            yield f"again: force gave {result.get('action')}, {result.get('reason')}"
        return
    if (result.get("changed"), result.get("action"), result.get("left_behind")) != (False, "none", []):
        yield f"again: {result.get('action')}, {result.get('reason')}: {result.get('msg')}"
    if again.view != real.view or again.agents != real.agents or again.registered:
        yield "again: something was changed"
