# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the output of `cnspec status` says, as one value; and what may be concluded from it."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mondoo.fleet.plugins.plugin_utils import status_reason

SERVING = "SERVING"
NO_MANAGED_CLIENT = "no managed client"


@dataclass(frozen=True)
class Report:
    """What one `cnspec status` tells. None means: this output does not say.

    `form`: json, yaml, screen, text, or None when there is no report at all. `reason`: why a call to the platform
    failed, as a code of `status_reason`. `config_problem`: missing, unreadable, malformed or invalid.
    `skew_seconds`: the platform's clock minus the host's. `unparsed`: lines that are not known.
    """

    form: str | None = None
    rc: int | None = None
    registered: bool | None = None
    authenticated: bool | None = None
    reachable: bool | None = None
    managed: bool | None = None
    agent_mrn: str | None = None
    service_account_mrn: str | None = None
    space_mrn: str | None = None
    version: str | None = None
    api_version: str | None = None
    latest_version: str | None = None
    update_available: bool | None = None
    providers: tuple[str, ...] | None = None
    providers_outdated: tuple[str, ...] | None = None
    platform_name: str | None = None
    platform_version: str | None = None
    hostname: str | None = None
    ip: str | None = None
    endpoint: str | None = None
    api_status: str | None = None
    api_time: str | None = None
    server_api_version: str | None = None
    features: tuple[str, ...] | None = None
    config_path: str | None = None
    config_source: str | None = None
    config_problem: str | None = None
    skew_seconds: float | None = None
    reason: str | None = None
    reason_text: str | None = None
    ping_failed: bool = False
    releases_reason: str | None = None
    panicked: bool = False
    warnings: tuple[str, ...] = ()
    last_line: str | None = None
    unparsed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, t.Any]:
        """Return the report as plain Python, with lists for tuples."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass
class Evidence:
    """What the readers find, before anything is concluded. `values` holds texts by the names of Report's fields."""

    form: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    registered: set[bool] = field(default_factory=set)
    said_authenticated: bool = False
    ping_failed: bool = False
    health_failed: bool = False
    refused: bool = False
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)  # by who failed: ping, health, releases, setup
    config_problems: set[str] = field(default_factory=set)
    update_available: bool | None = None
    skew_seconds: float | None = None
    panicked: bool = False
    whole: bool = True
    warnings: list[str] = field(default_factory=list)
    last_line: str | None = None
    last_weight: int = 0
    unparsed: list[str] = field(default_factory=list)

    def note(self, name: str, value: t.Any) -> None:
        """Remember a text; the first one that says something wins."""
        text = value.strip() if isinstance(value, str) else ""
        if not self.values.get(name):
            self.values[name] = text

    def note_list(self, name: str, values: t.Iterable[t.Any]) -> None:
        """Remember a list of texts; the first one wins."""
        self.lists.setdefault(name, tuple(str(value).strip() for value in values if str(value).strip()))

    def note_error(self, who: str, text: str, code: str | None = None) -> None:
        """Remember why a call failed: `who` is ping, health, releases or setup."""
        if text or code:
            self.reasons[who] = (code or status_reason.classify(text) or "", text)
        if who == "ping" and status_reason.is_refusal(text):
            self.refused = True

    def note_line(self, text: str, weight: int) -> None:
        """Remember the last line that says how it stands; `weight` keeps small talk from hiding it."""
        if weight >= self.last_weight and text:
            self.last_line, self.last_weight = text, weight

    def conclude(self, rc: int | None) -> Report:
        """Return what may be concluded."""
        reachable = self._reachable()
        registered = self._registered()
        authenticated = self._authenticated(registered, reachable, rc)
        if not self.whole:
            registered = authenticated = reachable = None
        reason, reason_text = self._reason(reachable)
        text = {name: value or None for name, value in self.values.items()}
        client, account = text.pop("client", None), text.pop("service_account", None)
        space = text.pop("space", None)
        # The API version is the major number of cnspec's own; JSON and YAML leave it out.
        text["api_version"] = text.get("api_version") or _major(text.get("version"))
        return Report(
            **t.cast("dict[str, t.Any]", text),
            **t.cast("dict[str, t.Any]", self.lists),
            form=self.form,
            rc=rc,
            registered=registered,
            authenticated=authenticated,
            reachable=reachable,
            managed=_managed(client),
            agent_mrn=client if _is_mrn(client) else None,
            service_account_mrn=account if _is_mrn(account) else None,
            space_mrn=space if _is_mrn(space) else None,
            update_available=self._update_available(),
            config_problem=self._config_problem(),
            skew_seconds=self.skew_seconds,
            reason=reason,
            reason_text=reason_text,
            ping_failed=self.ping_failed or (registered is True and not self.said_authenticated and rc == 1),
            releases_reason=self.reasons.get("releases", (None, ""))[0],
            panicked=self.panicked,
            warnings=tuple(self.warnings),
            last_line=self.last_line,
            unparsed=tuple(self.unparsed),
        )

    def _reachable(self) -> bool | None:
        status = self.values.get("api_status")
        if status == SERVING:
            return None if self.health_failed else True
        if status:
            # UNKNOWN is what an empty answer of a load balancer becomes: the platform did not say it.
            return None
        if status == "" and self.form in ("json", "yaml", "screen"):
            return False
        return False if self.health_failed else None

    def _registered(self) -> bool | None:
        if len(self.registered) != 1:
            return None
        said = next(iter(self.registered))
        # A file that may not be read is reported as not registered by every version.
        return None if not said and "unreadable" in self.config_problems else said

    def _authenticated(self, registered: bool | None, reachable: bool | None, rc: int | None) -> bool | None:
        if self.refused:
            contradicted = self.said_authenticated or registered is False or reachable is False
            return None if contradicted else False
        if self.ping_failed or rc not in (None, 0):
            return None
        return True if registered and self.said_authenticated and reachable else None

    def _reason(self, reachable: bool | None) -> tuple[str | None, str | None]:
        if self.refused:
            return status_reason.UNAUTHENTICATED, status_reason.REFUSAL
        if self.values.get("api_status") == "UNKNOWN" and not self.values.get("api_time"):
            code, words = self._proxy_behind(status_reason.EMPTY_ANSWER, "")
            return code, words or None
        order = ("setup", "ping") if reachable else ("setup", "ping", "health")
        for who in order:
            if who in self.reasons:
                code, words = self._proxy_behind(*self.reasons[who])
                return code or None, words or None
        return None, None

    def _proxy_behind(self, code: str, words: str) -> tuple[str, str]:
        """Return why a call failed, by the words of the call to the release site where its own have none.

        A proxy that answers a request over plain HTTP itself leaves `code = Unknown desc = ` before 13.29. The release
        site is asked through the same proxy, and as it is HTTPS, with CONNECT, whose refusal Go names.
        """
        of_releases, why = self.reasons.get("releases", ("", ""))
        unnamed = code in (status_reason.FOREIGN_ANSWER, status_reason.EMPTY_ANSWER)
        return (of_releases, why) if unnamed and of_releases == status_reason.PROXY_AUTHENTICATION else (code, words)

    def _update_available(self) -> bool | None:
        if self.update_available is not None:
            return self.update_available
        current, latest = version_of(self.values.get("version")), version_of(self.values.get("latest_version"))
        # cnspec itself only compares texts, and calls an older release newer.
        return latest > current if current and latest else None

    def _config_problem(self) -> str | None:
        return next(
            (name for name in ("unreadable", "malformed", "invalid", "missing") if name in self.config_problems), None
        )


def version_of(text: str | None) -> tuple[int, ...]:
    """Return the numbers of a version such as `v13.27.0+5`; empty when it has none."""
    head = (text or "").strip().lstrip("v").split("+")[0].split("-")[0]
    parts = head.split(".")
    return tuple(int(part) for part in parts) if all(_is_number(part) for part in parts) else ()


def _major(version: str | None) -> str | None:
    numbers = version_of(version)
    return str(numbers[0]) if numbers else None


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) < 10


def _is_mrn(text: str | None) -> bool:
    return bool(text) and str(text).startswith("//")


def _managed(client: str | None) -> bool | None:
    if client is not None and client.lower() == NO_MANAGED_CLIENT:
        return False
    return True if _is_mrn(client) else None
