# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`cnspec status`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from sandbox.stand_in import host, report
from sandbox.stand_in.api import Api, CallError, Health, load_signer
from sandbox.stand_in.go_words import BadKey, rfc3339
from sandbox.stand_in.session import CommandError, Crash, Session

RELEASES = "https://releases.mondoo.com"


@dataclass(frozen=True)
class Releases:
    """What the release site answered: the newest version, or why not."""

    latest: str = ""
    failure: str = ""


def run(session: Session) -> int:
    """Report. Returns the exit code."""
    session.announce_config()
    api = session.api_or_error("failed to set up Mondoo API client")
    if session.profile.screen:
        api.network.limit(session.settings.http_timeout)
    here = host.gather(session.profile, session.settings, session.log)
    timestamp = rfc3339(session.settings.now_ns())
    health, trouble = api.health(session.endpoint())
    if trouble is not None:
        session.log.error(session.profile.health_failed, error=str(trouble))
    releases = _releases(session, trouble)
    registered = bool(session.config.option("mrn"))
    ping_error = _ping(session, api, health) if registered else None
    asks = session.profile.screen
    providers = report.ask_registry(session, bool(releases.latest), releases.failure) if asks else ()
    findings = report.Findings(
        here, timestamp, health, releases.latest, releases.failure, registered, ping_error, providers
    )
    form = str(session.config.get("output") or session.arguments.given.get("output", "")).lower()
    if form == "json":
        sys.stdout.write(report.as_json(session, findings))
    elif form == "yaml":
        sys.stdout.write(report.as_yaml(session, findings))
    elif session.profile.screen:
        _draw(session, findings)
    else:
        report.as_text(session, findings)
    return 0 if registered and ping_error is None else 1


def _draw(session: Session, findings: report.Findings) -> None:
    """Draw the screen; the spinner that turned on a terminal meanwhile is wiped away first."""
    from sandbox.stand_in import screen

    if sys.stderr.isatty() and not session.config.get("output"):
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
    sys.stdout.write(screen.draw(session, findings))


def _releases(session: Session, trouble: CallError | None) -> Releases:
    """Return what the release site would say: reached like the platform, through the same proxy."""
    if not session.profile.release_feed:
        return Releases()
    reason = ""
    if trouble is not None and trouble.of_proxy:
        # A 407 over plain HTTP is an answer; the release site is asked with CONNECT, whose refusal Go names.
        reason = str(trouble).partition('": ')[2] or "Proxy Authentication Required"
    elif session.settings.release_failure == "dns":
        reason = f"dial tcp: lookup releases.mondoo.com on {session.settings.resolver}: no such host"
    elif session.settings.release_failure:
        reason = "dial tcp 127.0.0.9:443: connect: connection refused"
    if not reason:
        return Releases(latest=session.settings.latest_version)
    feed = f"{RELEASES}/{session.profile.engine}/latest.json?ignoreCache=1"
    text = f'error fetching latest release: Get "{feed}": {reason}'
    if session.profile.release_feed == "fatal":
        raise CommandError(f"failed to get latest version: {text}")
    session.log.warn("Failed to get latest version", error=text)
    return Releases(failure=reason)


def _ping(session: Session, api: Api, health: Health) -> CallError | None:
    try:
        signer = load_signer(session.config.option("mrn"), session.config.option("private_key"), session.log)
    except BadKey as error:
        if session.profile.crashes_on_bad_key:
            raise Crash(session.profile, "status-bad-pem.text") from None
        raise CommandError(f"invalid credentials: cannot load retrieved key: {error}", 78) from None
    try:
        api.call(health.endpoint, "AgentManager/PingPong", {}, bearer=signer)
    except CallError as error:
        return error
    return None
