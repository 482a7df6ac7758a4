# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform's back office: every control, written once, for Python and for HTTP."""

from __future__ import annotations

import dataclasses
import datetime
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from . import tokens
from .accounts import Store, Token, new_id, space_mrn
from .agent_manager import space_of
from .authority import FOREVER
from .breaks import Break, Breaks
from .clock import Clock
from .controls import SPACE
from .faults import Fault, Faults
from .ledger import Ledger
from .usage import with_users

# A GET may read; everything else takes a POST.
READING = (
    "tokens",
    "service_accounts",
    "agents",
    "orphans",
    "spaces",
    "faults",
    "breaks",
    "calls",
    "most_at_once",
    "clock",
)


class UnknownControl(LookupError):
    """Say that there is no control of this name."""


class Console:
    """Do to the platform what its owner, or a test, wants."""

    def __init__(self, store: Store, ledger: Ledger, lock: threading.RLock) -> None:
        self.store = store
        self.clock = Clock()
        self.faults_set = Faults()
        self.breaks_set = Breaks()
        self.ledger = ledger
        self.endpoint = ""
        self._lock = lock
        self._controls: dict[str, Callable[..., Any]] = {
            "mint_token": self._mint_token,
            "revoke_token": self._revoke_token,
            "tokens": lambda: [dataclasses.asdict(token) for token in store.tokens.values()],
            "create_service_account": self._create_service_account,
            "revoke_service_account": lambda mrn: self._set_revoked(mrn, True),
            "restore_service_account": lambda mrn: self._set_revoked(mrn, False),
            "service_accounts": self._service_accounts,
            "agents": self._agents,
            "orphans": self._orphans,
            "delete_agent": self._delete_agent,
            "spaces": lambda: list(store.spaces),
            "add_space": store.add_space,
            "fault": lambda **what: self.faults_set.add(Fault(**what)),
            "faults": self.faults_set.list,
            "clear_faults": self._clear_faults,
            "break_connections": lambda **what: self.breaks_set.add(Break(**what)),
            "breaks": self.breaks_set.list,
            "calls": self.ledger.query,
            "most_at_once": self.ledger.most_at_once,
            "clock": lambda: dataclasses.asdict(self.clock),
            "set_clock": self._set_clock,
        }

    @property
    def controls(self) -> list[str]:
        """Return the names of all controls."""
        return sorted(self._controls)

    def control(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a control; raise UnknownControl, or ValueError, TypeError, LookupError or OSError for wrong arguments."""
        if name not in self._controls:
            raise UnknownControl(f"no control {name!r}; there are {', '.join(self.controls)}")
        with self._lock:
            return self._controls[name](**arguments)

    def _mint_token(
        self,
        space: str | None = SPACE,
        lifetime: float | None = 600,
        organization: str | None = None,
        claims: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        now = int(self.clock.judging())
        scope = f"//captain.api.mondoo.app/organizations/{organization}" if organization else space_mrn(space or "")
        issued = now - 7200 if lifetime is not None and lifetime < 0 else now
        content: dict[str, Any] = {
            "api_endpoint": self.endpoint,
            "aud": ["mondoo"],
            "cert_valid_until": "9999-12-31T23:59:59Z",
            "desc": "sandbox token",
            "exp": None if lifetime is None else int(now + lifetime),
            "iat": issued,
            "iss": tokens.ISSUER,
            "jti": new_id(),
            "nbf": issued,
            "owner": f"//integration.api.mondoo.app/spaces/sandbox/integrations/{new_id()}",
            "scope": scope if organization or space else None,
            "space": space_mrn(space) if space and not organization else None,
            "sub": f"//captain.api.mondoo.app/users/{new_id()}",
        }
        content = {name: value for name, value in {**content, **claims}.items() if value is not None}
        # The public sample of a token has this one as null, not absent.
        content.setdefault("labels", None)
        token = Token(str(content.get("jti")), space_of(content), content.get("exp"))
        if token.space:
            self.store.add_space(token.space)
        self.store.tokens[token.id] = token
        self.store.keep(token)
        return tokens.encode({"alg": "ES384", "typ": "JWT"}, content, self.store.token_key)

    def _revoke_token(self, token: str) -> None:
        minted = self.store.tokens[str(tokens.decode(token).claims["jti"])]
        minted.revoked = True
        self.store.keep(minted)

    def _create_service_account(
        self, space: str = SPACE, name: str = "", valid_until: str | None = None
    ) -> dict[str, Any]:
        until = datetime.datetime.fromisoformat(valid_until.replace("Z", "+00:00")) if valid_until else FOREVER
        account, document = self.store.add_account(space, name, until)
        self.store.keep(account)
        return {
            **document,
            "space_mrn": document["scope_mrn"],
            "api_endpoint": self.endpoint,
            "typename": "ServiceAccountCredential",
        }

    def _set_revoked(self, mrn: str, revoked: bool) -> None:
        self.store.accounts[mrn].revoked = revoked
        self.store.keep(self.store.accounts[mrn])

    def _service_accounts(self, configs: str | Sequence[str] = ()) -> list[dict[str, Any]]:
        accounts = [account for account in self.store.accounts.values() if not account.revoked]
        shown = [{"mrn": a.mrn, "space": a.space, "name": a.name, "agent_mrn": a.agent_mrn} for a in accounts]
        return with_users(shown, configs)

    def _agents(self, configs: str | Sequence[str] = ()) -> list[dict[str, Any]]:
        agents = [dataclasses.asdict(agent) for agent in self.store.agents.values() if not agent.gone]
        shown = [{name: value for name, value in agent.items() if name != "gone"} for agent in agents]
        return with_users(shown, configs)

    def _orphans(self, configs: str | Sequence[str]) -> list[dict[str, Any]]:
        if not configs:
            raise ValueError("name the configurations of the hosts")
        return [agent for agent in self._agents(configs) if not agent["used_by"]]

    def _delete_agent(self, mrn: str) -> None:
        self.store.agents[mrn].gone = True
        self.store.keep(self.store.agents[mrn])

    def _clear_faults(self, number: int | None = None) -> None:
        self.faults_set.clear(number)
        if number is None:
            self.breaks_set.clear()

    def _set_clock(self, offset: float | None = None, judges: bool | None = None) -> None:
        self.clock.offset = self.clock.offset if offset is None else offset
        self.clock.judges = self.clock.judges if judges is None else judges
