# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the host's own cnspec is called: its arguments, its environment, and the config that it is given. Pure.

Only flags that login, status and logout have in every version from 7.0.3 on are used, because a flag that a version
does not know ends it at once. What else a call needs goes through the config, which keeps secrets out of argv, too.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .config import Config, Edit, edit
from .credentials import ServiceAccount

# What would make cnspec answer for another config, or in another form, than the file that it is told to use.
UNSET_ENV = ("MONDOO_*", "DEBUG", "TRACE", "CLICOLOR*")
# cnspec 13 replaces itself, or waits a minute for the release site, unless it is told not to.
SET_ENV = {"MONDOO_AUTO_UPDATE_ENGINE": "false", "NO_COLOR": "1", "LC_ALL": "C", "TZ": "UTC"}
# One call tells all: the JSON on stdout, and on stderr the reason that it hides. `trace` would print tokens.
STATUS_OPTIONS = ("-o", "json", "-v")
# The hands put the path of the copy here.
COPY = "{copy}"


@dataclass(frozen=True)
class Caller:
    """The cnspec command on the host, and the way that it has to take to an endpoint."""

    path: str
    endpoint: str
    api_proxy: str | None = field(default=None, repr=False)

    def status(self) -> tuple[str, ...]:
        """Return the argv that asks how the copy stands with the platform."""
        return (self.path, "status", "--config", COPY, *STATUS_OPTIONS)

    def login(self, name: str, token: str | None) -> tuple[str, ...]:
        """Return the argv that registers by a token, or without one by the service account in the copy."""
        given = () if token is None else ("--token", token)
        # Which of flag, config and token wins changed in 11.16; all say the same here.
        endpoint = ("--api-endpoint", self.written_endpoint)
        return (self.path, "login", "--config", COPY, *endpoint, "--name", name, *given)

    def logout(self) -> tuple[str, ...]:
        """Return the argv that unregisters the agent in the copy."""
        return (self.path, "logout", "--force", "--config", COPY)

    def environment(self) -> dict[str, str]:
        """Return what is set in the environment of every call."""
        # Versions before 8.3 know no api_proxy; later ones prefer that in the config to this.
        return SET_ENV if self.api_proxy is None else {**SET_ENV, "HTTPS_PROXY": self.api_proxy}

    @property
    def written_endpoint(self) -> str:
        """The endpoint as cnspec wants it: a path counts only when it ends in a slash."""
        return f"{self.endpoint}/" if urlsplit(self.endpoint).path else self.endpoint

    def copy(self, account: ServiceAccount | None = None, agent_mrn: str | None = None) -> bytes:
        """Return the config for one call: an identity or none, and the way to the platform; nothing else counts."""
        identity = {"api_endpoint": self.written_endpoint}
        if account is not None:
            named = {"agent_mrn": agent_mrn, "space_mrn": account.space_mrn, "mrn": account.mrn}
            keys = {"certificate": account.certificate, "private_key": account.private_key}
            identity |= {name: text for name, text in {**named, **keys}.items() if text}
        settings: dict[str, t.Any] = {} if self.api_proxy is None else {"api_proxy": self.api_proxy}
        return edit(Config(), Edit(identity=identity, settings=settings)).content or b""
