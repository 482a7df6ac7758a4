# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all hosts of the table share: two platforms, the tokens, and one credentials document of many hosts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from sandbox import Platform, sign_call
from sandbox.ledger import Call

OTHER_SPACE = "another-space"
LONG_AGO = "2020-01-01T00:00:00Z"
DAY = 86400.0


@dataclass(frozen=True)
class Ground:
    """`here` is where hosts are asked to be; `there` is another platform, with a space of the same name."""

    here: Platform
    there: Platform
    token: str
    expired_token: str
    document: Mapping[str, Any]

    def register(self, name: str, platform: Platform, **claims: Any) -> dict[str, Any]:
        """Make an agent with a token of these claims, by a plain call; return what the platform answers."""
        token = platform.mint_token(lifetime=DAY, **claims)
        return self._call(platform, "RegisterAgent", {"name": name, "token": token}, f"Bearer {token}")

    def register_under(self, document: Mapping[str, Any], name: str) -> str:
        """Make an agent under a service account, by a plain call; return its MRN."""
        body = {"name": name}
        bearer = sign_call(document, json.dumps(body).encode())
        return str(self._call(self.here, "RegisterAgent", body, bearer)["agent_mrn"])

    def unregister(self, account: Mapping[str, Any], agent_mrn: str) -> None:
        """Remove an agent, by a plain call."""
        body = {"mrn": agent_mrn}
        self._call(self.here, "UnRegisterAgent", body, sign_call(account, json.dumps(body).encode()))

    def calls(self, since: tuple[int, int] = (0, 0)) -> list[Call]:
        """Return what is in both ledgers, from a mark on."""
        return [*self.here.calls(since=since[0]), *self.there.calls(since=since[1])]

    def mark(self) -> tuple[int, int]:
        """Return where both ledgers end now."""
        return len(self.here.calls()), len(self.there.calls())

    def agents(self) -> dict[str, set[str]]:
        """Return the agents that exist on both platforms, by their name: that of their host."""
        found: dict[str, set[str]] = {}
        for agent in [*self.here.agents(), *self.there.agents()]:
            found.setdefault(agent["name"], set()).add(agent["mrn"])
        return found

    @staticmethod
    def _call(platform: Platform, method: str, body: dict[str, Any], bearer: str) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{platform.url}/AgentManager/{method}",
                data=json.dumps(body),
                headers={"Authorization": bearer, "Content-Type": "application/json"},
                timeout=30,
            )
        answer.raise_for_status()
        return dict(answer.json())


@contextlib.contextmanager
def prepared() -> Iterator[Ground]:
    """Start both platforms, with what is asked for of them."""
    with Platform() as here, Platform() as there:
        token = here.mint_token(lifetime=DAY)
        yield Ground(here, there, token, here.mint_token(lifetime=-60), here.create_service_account())


@dataclass
class Place:
    """The host of one cell: a folder with its config, and what its builder tells of it.

    `document` is the one that the host is asked to use; `agent` the MRN of the agent that was found. `environment` is
    that of the hands. `kept`: lines that nobody mentions. `endpoint`: registering is asked for with an explicit
    api_endpoint. `as_nobody`: the hands run as a user who may not read the config.
    """

    name: str
    folder: Path
    ground: Ground
    document: Mapping[str, Any]
    agent: str = ""
    kept: bytes = b""
    endpoint: bool = False
    as_nobody: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The path of the config that is given as config_path."""
        return self.folder / "mondoo.yml"
