# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What status found, as text lines, JSON or YAML."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.stand_in import go_yaml
from sandbox.stand_in.api import CallError, Health
from sandbox.stand_in.go_words import compact_json
from sandbox.stand_in.host import Host
from sandbox.stand_in.session import Session

UPDATES_URL = "https://releases.mondoo.com"


@dataclass(frozen=True)
class Provider:
    """One provider: its version, and the newest that the registry told of ("": it did not)."""

    name: str
    installed: str
    latest: str

    @property
    def outdated(self) -> bool:
        return bool(self.latest) and self.latest != self.installed and self.name != "core"


@dataclass(frozen=True)
class Findings:
    """Everything a report shows. `release_failure` is why the release site was not reached, "" when it was.

    `providers` is only for versions that draw a screen.
    """

    host: Host
    timestamp: str
    health: Health
    latest_version: str
    release_failure: str
    registered: bool
    ping_error: CallError | None
    providers: tuple[Provider, ...] = ()


def updates_url(session: Session) -> str:
    return session.config.option("updates_url") or UPDATES_URL


def _providers_url(session: Session) -> str:
    return session.config.option("providers_url") or f"{updates_url(session)}/providers"


def document(session: Session, found: Findings) -> dict[str, Any]:
    """Return the report as a document; empty values are left out, the ping's error is always {}."""
    profile = session.profile
    client: dict[str, Any] = {"timestamp": found.timestamp}
    if found.registered:
        client["mrn"] = session.config.option("agent_mrn") or "no managed client"
        client["service_account"] = session.config.option("mrn")
        client["parentMrn"] = session.scope()
    client |= {
        "version": profile.version,
        "latest_version": found.latest_version,
        "build": session.settings.build,
        "platform": found.host.platform,
        "ip": found.host.ip,
        "hostname": found.host.hostname,
        "registered": found.registered,
    }
    client = {key: value for key, value in client.items() if value}
    if found.ping_error is not None:
        client["pingPongError"] = {}
    if profile.shows_updates_url:
        client["updatesUrl"] = updates_url(session)
    if profile.shows_providers_url:
        client["providersUrl"] = _providers_url(session)
    if profile.screen and session.config_file():
        client["configFile"] = session.config_file()
    health = found.health
    api = {"endpoint": health.endpoint, "status": health.status, "timestamp": health.time, "version": health.version}
    upstream: dict[str, Any] = {"api": {key: value for key, value in api.items() if value}}
    if health.warnings:
        upstream["warnings"] = health.warnings
    return {"client": client, "upstream": upstream}


def as_json(session: Session, found: Findings) -> str:
    """Return the report as JSON, without a newline at the end."""
    return compact_json(document(session, found))


def as_yaml(session: Session, found: Findings) -> str:
    """Return the report as YAML."""
    return go_yaml.write_sigs(document(session, found))


def as_text(session: Session, found: Findings) -> None:
    """Write the report as log lines."""
    _host_lines(session, found)
    _release_lines(session, found)
    _api_lines(session, found.health)
    _client_lines(session, found)
    for warning in found.health.warnings:
        session.log.warn(warning)


def _label(session: Session, label: str, value: str, tabs: int) -> None:
    session.log.info(f"{label}:" + "\t" * (tabs if session.profile.wide_labels else max(1, tabs - 1)) + value)


def _host_lines(session: Session, found: Findings) -> None:
    _label(session, "Platform", str(found.host.platform.get("name", "")), 2)
    _label(session, "Version", str(found.host.platform.get("version", "")), 2)
    _label(session, "Hostname", found.host.hostname, 2)
    _label(session, "IP", found.host.ip, 3)
    _label(session, "Time", found.timestamp, 3)
    _label(session, "Version", f"{session.profile.version} (API Version: {session.profile.api_version})", 2)


def _release_lines(session: Session, found: Findings) -> None:
    profile, log = session.profile, session.log
    if not profile.release_feed:
        return
    if found.latest_version:
        log.info(f"Latest Version:\t{found.latest_version}")
        if found.latest_version != profile.version:
            log.warn("A newer version is available")
    if profile.shows_updates_url:
        _label(session, "Updates URL", updates_url(session), 2)
    if profile.shows_providers_url:
        log.info(f"Providers URL:\t{_providers_url(session)}")
    ask_registry(session, bool(found.latest_version), found.release_failure)
    order = random.sample(profile.builtin_providers, len(profile.builtin_providers))
    log.info(f"Installed Providers:\t{' | '.join(order)}")
    outdated = {*session.settings.outdated_providers, "core"} - (set() if profile.outdated_includes_core else {"core"})
    if outdated:
        log.info(f"Outdated Providers:\t{' | '.join(sorted(outdated))}")


def ask_registry(session: Session, reached: bool, failure: str) -> tuple[Provider, ...]:
    """Ask for the newest version of each provider, say what is said about that, and return the providers."""
    profile, log, url = session.profile, session.log, f"{_providers_url(session)}/latest.json"
    for dummy in profile.builtin_providers if reached else ():
        log.debug("performing request", method="GET", url=_request_url(session))
    if "connection refused" in failure and profile.tells_registry_failure:
        text = f'Get "{url}": GET {url} giving up after 4 attempt(s): Get "{url}": {failure}'
        log.warn("failed to get provider info", error=text)
    newer = dict.fromkeys(session.settings.outdated_providers, f"{profile.version}.1")
    return tuple(
        Provider(name, profile.version, newer.get(name, profile.version) if reached else "")
        for name in random.sample(profile.builtin_providers, len(profile.builtin_providers))
    )


def _request_url(session: Session) -> str | dict[str, Any]:
    """Return the URL of a request to the registry as the versions log it: a string, or Go's url.URL."""
    url = f"{_providers_url(session)}/latest.json"
    if not session.profile.logs_url_as_struct:
        return url
    parts = urlsplit(url)
    texts = {"Fragment": "", "Host": parts.netloc, "Opaque": "", "Path": parts.path, "RawFragment": "", "RawPath": ""}
    struct = {**texts, "RawQuery": "", "Scheme": parts.scheme, "ForceQuery": False, "OmitHost": False, "User": None}
    return dict(sorted(struct.items()))


def _api_lines(session: Session, health: Health) -> None:
    session.log.info(f"API ConnectionConfig:\t{health.endpoint}")
    _label(session, "API Status", health.status, 2)
    _label(session, "API Time", health.time, 2)
    _label(session, "API Version", health.version, 2)
    if health.version != session.profile.api_version:
        session.log.warn("API versions do not match, please update the client")


def _client_lines(session: Session, found: Findings) -> None:
    log, owner = session.log, session.scope() if found.registered else ""
    if owner or session.profile.owner_always:
        _label(session, "Owner", owner, 2)
    if not found.registered:
        log.error("client is not registered")
        if session.profile.ping_report != "right":
            log.error(session.profile.unauthenticated.format(path=session.config.path))
        return
    _label(session, "Client", session.config.option("agent_mrn") or "no managed client", 2)
    _label(session, "Service Account", session.config.option("mrn"), 2)
    log.info(log.success("client is registered"))
    if found.ping_error is None:
        log.info(log.success("client authenticated successfully"))
    elif session.profile.ping_report != "inverted":
        text = session.profile.unauthenticated.format(path=session.config.path)
        log.error(text, error=str(found.ping_error))
