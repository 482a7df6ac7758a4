# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exists on the platform: spaces, registration tokens, service accounts and agents."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from .authority import FOREVER, Authority, certificate_pem, key_pem, load_key, new_key
from .journal import Journal

BASE62 = string.digits + string.ascii_letters


def new_id() -> str:
    """Make an id of 27 characters of base 62, as the platform's own (KSUID) look."""
    return "".join(secrets.choice(BASE62) for dummy in range(27))


def space_mrn(space: str) -> str:
    """Return the MRN of a space by its id."""
    return f"//captain.api.mondoo.app/spaces/{space}"


def space_id(mrn: str) -> str:
    """Return the id in a space MRN; "" where it is the MRN of something else."""
    prefix, dummy, name = mrn.rpartition("/")
    return name if prefix == space_mrn("").rstrip("/") else ""


@dataclass
class Token:
    """A registration token that was minted. `expires` in seconds since the epoch, None: never."""

    id: str
    space: str
    expires: float | None
    revoked: bool = False
    uses: int = 0


@dataclass
class ServiceAccount:
    """A service account. `agent_mrn`: the one agent it was made for by a token; "": shared, made in the console."""

    mrn: str
    space: str
    name: str
    certificate: str
    agent_mrn: str = ""
    revoked: bool = False

    def __post_init__(self) -> None:
        # Read once: each signed call asks for it.
        self._certificate = x509.load_pem_x509_certificate(self.certificate.encode())

    def key_at(self, now: float) -> ec.EllipticCurvePublicKey | None:
        """Return the public key while the certificate is valid, else None."""
        at = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        key = self._certificate.public_key()
        valid = self._certificate.not_valid_before_utc <= at <= self._certificate.not_valid_after_utc
        return key if valid and isinstance(key, ec.EllipticCurvePublicKey) else None


@dataclass
class Agent:
    """An agent: one host that registered."""

    mrn: str
    name: str
    space: str
    service_account_mrn: str
    created: float
    info: dict[str, Any] = field(default_factory=dict)
    gone: bool = False


KINDS: dict[type, str] = {Token: "token", ServiceAccount: "account", Agent: "agent"}


class Store:
    """Hold all of it, and write each change into a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.spaces: list[str] = []
        self.tokens: dict[str, Token] = {}
        self.accounts: dict[str, ServiceAccount] = {}
        self.agents: dict[str, Agent] = {}
        keys = next((content for kind, content in journal.read() if kind == "keys"), None)
        if keys is None:
            keys = {"token": key_pem(new_key()), "authority": key_pem(new_key())}
            journal.write(("keys", keys))
        self.token_key = load_key(keys["token"])
        self.authority = Authority("Sandbox Service Accounts", load_key(keys["authority"]))
        for kind, content in journal.read():
            self._learn(kind, content)

    def _learn(self, kind: str, content: Any) -> None:
        if kind == "space":
            self.spaces.append(content)
        elif kind == "token":
            self.tokens[content["id"]] = Token(**content)
        elif kind == "account":
            self.accounts[content["mrn"]] = ServiceAccount(**content)
        elif kind == "agent":
            self.agents[content["mrn"]] = Agent(**content)

    def keep(self, *items: Token | ServiceAccount | Agent) -> None:
        """Write down what was made or has changed: all of it or nothing."""
        self._journal.write(*((KINDS[type(item)], dataclasses.asdict(item)) for item in items))

    def add_space(self, space: str) -> None:
        """Make a space, if it is not there."""
        if space and space not in self.spaces:
            self.spaces.append(space)
            self._journal.write(("space", space))

    def add_account(
        self, space: str, name: str, until: datetime.datetime = FOREVER
    ) -> tuple[ServiceAccount, dict[str, Any]]:
        """Make a service account; return it and the only copy of its credentials (a document without an endpoint)."""
        self.add_space(space)
        mrn = f"//agents.api.mondoo.app/spaces/{space}/serviceaccounts/{new_id()}"
        key = new_key()
        certificate = certificate_pem(self.authority.issue(key.public_key(), [mrn], until))
        account = self.accounts[mrn] = ServiceAccount(mrn, space, name, certificate)
        return account, {
            "mrn": mrn,
            "parent_mrn": space_mrn(space),
            "private_key": key_pem(key),
            "certificate": certificate,
            "scope_mrn": space_mrn(space),
        }

    def add_agent(self, account: ServiceAccount, name: str, info: dict[str, Any], now: float) -> Agent:
        """Make an agent under a service account."""
        mrn = f"//agents.api.mondoo.app/spaces/{account.space}/agents/{new_id()}"
        agent = self.agents[mrn] = Agent(mrn, name, account.space, account.mrn, now, info)
        return agent

    def agents_of(self, account_mrn: str) -> list[Agent]:
        """Return the agents under a service account: those that exist, or the last that did."""
        agents = [agent for agent in self.agents.values() if agent.service_account_mrn == account_mrn]
        return [agent for agent in agents if not agent.gone] or agents[-1:]
