# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen that `cnspec status` draws on stdout from 13.27.1 on.

Written after the source (status_render.go of mql 13.27 and its golden file): no run of it was recorded. The section
about the client is called mql whatever the command is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stand_in import report
from sandbox.stand_in.report import Findings
from sandbox.stand_in.session import Session
from sandbox.stand_in.versions import numbers

RULE = "─" * 46
WIDTH = 80
MOST_OUTDATED = 8
# The palette of cli/theme/colors, as termenv maps it to 16 colours.
PALETTE = {"bold": "1", "dim": "37", "ok": "92", "bad": "91", "warn": "93", "command": "96", "accent": "95"}


@dataclass(frozen=True)
class Pen:
    """Paint text, or leave it as it is."""

    coloured: bool

    def __call__(self, role: str, text: str) -> str:
        return f"\x1b[{PALETTE[role]}m{text}\x1b[0m" if self.coloured else text


def draw(session: Session, found: Findings) -> str:
    """Return the whole screen."""
    pen = Pen(session.log.coloured)
    lines = ["", *_summary(session, found, pen)]
    lines += ["", _section(pen, "System"), *_system(found, pen)]
    lines += ["", _section(pen, "mql"), *_client(session, found, pen)]
    lines += ["", _section(pen, "Mondoo Platform"), *_platform(session, found, pen)]
    lines += ["", _section(pen, "Providers"), *_providers(found, pen)]
    lines += ["", *_footer(session, found, pen), ""]
    return "\n".join(line.rstrip(" ") for line in lines) + "\n"


def _section(pen: Pen, title: str) -> str:
    return f"  {pen('dim', '──')} {pen('bold', title)} {pen('dim', RULE)}"


def _row(pen: Pen, label: str, value: str) -> str:
    return f"  {pen('dim', '│')}  {pen('dim', label.ljust(9))}  {value}"


def _free(pen: Pen, value: str) -> str:
    return f"  {pen('dim', '│')}  {value}"


def _dot(pen: Pen, role: str, label: str, body: str) -> str:
    return f"  {pen(role, '●')} {pen('bold', label.ljust(9))}  {body}"


def _newer(session: Session, found: Findings) -> bool:
    """Say whether the release site has a newer version: compared by number, unlike before 13.27."""
    return bool(found.latest_version) and numbers(found.latest_version) > numbers(session.profile.version)


def _outdated(found: Findings) -> list[report.Provider]:
    return [provider for provider in found.providers if provider.outdated]


def _summary(session: Session, found: Findings, pen: Pen) -> list[str]:
    if not found.registered:
        lines = [_dot(pen, "bad", "Client", f"{pen('bad', 'not registered')}   {pen('bad', '✗ action needed')}")]
    elif found.ping_error is not None:
        lines = [_dot(pen, "bad", "Client", f"{pen('bold', 'registered')}   {pen('bad', '✗ authentication failed')}")]
    else:
        lines = [_dot(pen, "ok", "Client", f"{pen('bold', 'registered')}   {pen('ok', '✓ authenticated')}")]
    status = found.health.status
    if status == "SERVING":
        body = f"reachable {pen('dim', '·')} {pen('bold', status)}   {pen('ok', '✓ healthy')}"
        lines.append(_dot(pen, "ok", "Platform", body))
    else:
        body = f"{pen('bad', status or 'unreachable')}   {pen('bad', '✗ unreachable')}"
        lines.append(_dot(pen, "bad", "Platform", body))
    parts = []
    if _newer(session, found):
        old, new = pen("dim", session.profile.version), pen("warn", found.latest_version)
        parts.append(f"cnspec {old} {pen('accent', '→')} {new}")
    if _outdated(found):
        parts.append(pen("warn", f"{len(_outdated(found))} providers outdated"))
    body = f" {pen('dim', '·')} ".join(parts) or pen("ok", "up to date")
    return [*lines, _dot(pen, "warn" if parts else "ok", "Updates", body)]


def _system(found: Findings, pen: Pen) -> list[str]:
    here = found.host
    address = " " + pen("dim", f"· {here.ip}") if here.ip else ""
    platform = here.platform
    arch = pen("dim", f"· {platform.get('arch', '')}")
    described = f"{platform.get('name', '')} {pen('bold', str(platform.get('version', '')))} {arch}"
    return [_row(pen, "Host", pen("bold", here.hostname) + address), _row(pen, "Platform", described)]


def _client(session: Session, found: Findings, pen: Pen) -> list[str]:
    version = pen("bold", session.profile.version)
    if _newer(session, found):
        new = f"{pen('warn', found.latest_version)}   {pen('warn', '⚠ update recommended')}"
        version = f"{pen('dim', session.profile.version)}  {pen('accent', '→')}  {new}"
    config = session.config_file()
    shown = pen("bold", config) if config else pen("dim", "defaults — no config file loaded")
    return [
        _row(pen, "Version", version),
        _row(pen, "API", f"v{session.profile.api_version}"),
        _row(pen, "Config", shown),
        _row(pen, "Updates", report.updates_url(session)),
    ]


def _platform(session: Session, found: Findings, pen: Pen) -> list[str]:
    health = found.health
    status = pen("ok" if health.status == "SERVING" else "bad", health.status)
    server = pen("dim", f"API v{health.version}")
    lines = [
        _row(pen, "Endpoint", health.endpoint),
        _row(pen, "Status", f"{status}   {server} {_in_sync(session.profile.api_version, health.version, pen)}"),
        _row(pen, "Time", health.time),
    ]
    if found.registered:
        lines.append(_row(pen, "Client", pen("bold", session.config.option("agent_mrn") or "no managed client")))
        lines.append(_row(pen, "Account", pen("bold", session.config.option("mrn"))))
    else:
        advice = f"{pen('dim', '—')} run {pen('command', 'cnspec login')}"
        lines.append(_row(pen, "Client", f"{pen('bad', '✗ not registered')} {advice}"))
    return lines + [_free(pen, pen("warn", f"⚠ {warning}")) for warning in health.warnings]


def _in_sync(own: str, servers: str, pen: Pen) -> str:
    if own == servers:
        return pen("ok", "✓ in sync")
    if own.isdecimal() and servers.isdecimal() and int(own) > int(servers):
        return pen("ok", "✓ client ahead")
    return pen("warn", "⚠ version mismatch")


def _providers(found: Findings, pen: Pen) -> list[str]:
    total, outdated = len(found.providers), _outdated(found)
    installed = f"{pen('bold', str(total))} {pen('dim', 'installed')}"
    if total and not any(provider.latest for provider in found.providers):
        return [_free(pen, f"{installed}   {pen('warn', 'registry unreachable — provider versions unknown')}")]
    counts = (installed, pen("warn", f"{len(outdated)} outdated"), pen("ok", f"{total - len(outdated)} current"))
    lines = [_free(pen, f" {pen('dim', '·')} ".join(counts))]
    if outdated:
        lines += [_free(pen, ""), _free(pen, pen("dim", f"{'PROVIDER':<18}{'INSTALLED':<11}LATEST"))]
        for item in outdated[:MOST_OUTDATED]:
            drift = f"{pen('dim', item.installed.ljust(9))}{pen('accent', '→')}  {pen('warn', item.latest)}"
            lines.append(_free(pen, pen("bold", item.name.ljust(18)) + drift))
        if len(outdated) > MOST_OUTDATED:
            more = pen("dim", f"+ {len(outdated) - MOST_OUTDATED} more outdated")
            hint = f"{pen('command', 'cnspec providers list')}{pen('dim', ' to see all')}"
            lines.append(_free(pen, f"{more} {pen('dim', '·')} {hint}"))
    current = [provider.name for provider in found.providers if not provider.outdated]
    if current:
        lines += [_free(pen, ""), _free(pen, f"{pen('ok', '✓ current')}  {pen('dim', _fitting(current))}")]
    return lines


def _fitting(names: list[str]) -> str:
    """Return the names that fit into a line, and how many were left out."""
    # The source counts bytes here, in which the glyphs before the names have three each.
    budget = WIDTH - len("  │  ".encode()) - len("✓ current  ".encode())
    used = 0
    for index, name in enumerate(names):
        added = len(name) + (2 if index else 0)
        left = len(names) - index - 1
        marker = len(f", +{left}") if left else 0
        if index and used + added + marker > budget:
            return f"{', '.join(names[:index])}, +{len(names) - index}"
        used += added
    return ", ".join(names)


def _footer(session: Session, found: Findings, pen: Pen) -> list[str]:
    failed = found.registered and found.ping_error is not None
    steps = []
    if not found.registered:
        steps.append(("cnspec login", "register this client with Mondoo Platform"))
    if failed:
        steps.append(("cnspec login --token <token>", "re-register with a fresh token from Mondoo Platform"))
    if _newer(session, found):
        upgrade = f"upgrade {session.profile.version} → {found.latest_version}"
        steps.append((f"visit {report.updates_url(session)}", upgrade))
    if _outdated(found):
        command = "providers install <name>" if len(_outdated(found)) == 1 else "providers update"
        steps.append((f"cnspec {command}", f"update {len(_outdated(found))} outdated providers"))
    if not steps:
        return [f"  {pen('ok', '✓ all systems healthy')}"]
    if failed or not found.registered:
        words = "authentication failed" if failed else "not registered"
        head = f"  {pen('bad', f'✗ {words}')} {pen('dim', '· exit 1 · next steps:')}"
    else:
        head = f"  {pen('dim', 'next steps:')}"
    shown = [
        f"    {pen('command', '→')} {pen('command', left.ljust(28))}    {pen('dim', right)}" for left, right in steps
    ]
    return [head, *shown]
