# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test can do to the platform: the same methods on Platform (in this process) and Remote (over HTTP)."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .ledger import Call

SPACE = "lunalectric-prod"
Configs = str | Path | Iterable[str | Path]


def paths(configs: Configs) -> list[str]:
    """Return one path or several as a list of absolute ones, which mean the same to another process."""
    several = [configs] if isinstance(configs, (str, Path)) else configs
    return [str(Path(path).absolute()) for path in several]


class Controls(abc.ABC):
    """The methods, each of which names one control of `console.py`; values are what JSON can carry."""

    @abc.abstractmethod
    def control(self, which: str, /, **arguments: Any) -> Any:
        """Run a control by its name."""

    def mint_token(
        self,
        space: str | None = SPACE,
        lifetime: float | None = 600,
        organization: str | None = None,
        **claims: Any,
    ) -> str:
        """Make a registration token (a JWT).

        `lifetime` in seconds, None: never expires, negative: expired that long ago. `space` None: without a space;
        `organization`: of an organization. `claims` replace the token's claims, None removes one.
        """
        token = self.control("mint_token", space=space, lifetime=lifetime, organization=organization, claims=claims)
        return str(token)

    def revoke_token(self, token: str) -> None:
        """Revoke a registration token."""
        self.control("revoke_token", token=token)

    def tokens(self) -> list[dict[str, Any]]:
        """Return the tokens minted: id, space, expires, revoked, uses."""
        return list(self.control("tokens"))

    def create_service_account(
        self, space: str = SPACE, name: str = "", valid_until: str | None = None
    ) -> dict[str, Any]:
        """Make a shared service account; return its credentials document. `valid_until`: RFC 3339."""
        return dict(self.control("create_service_account", space=space, name=name, valid_until=valid_until))

    def revoke_service_account(self, mrn: str) -> None:
        """End a service account; its agents stay."""
        self.control("revoke_service_account", mrn=mrn)

    def restore_service_account(self, mrn: str) -> None:
        """Let a service account work again."""
        self.control("restore_service_account", mrn=mrn)

    def service_accounts(self, configs: Configs = ()) -> list[dict[str, Any]]:
        """Return the service accounts that work: mrn, space, name, agent_mrn ("" if shared), and as `agents` does."""
        return list(self.control("service_accounts", configs=paths(configs)))

    def agents(self, configs: Configs = ()) -> list[dict[str, Any]]:
        """Return the agents that exist: mrn, name, space, service_account_mrn, created, info.

        `configs`: configuration files of hosts (mondoo.yml), or folders that have them somewhere below; each agent
        then has `used_by` too, the files that name it.
        """
        return list(self.control("agents", configs=paths(configs)))

    def orphans(self, configs: Configs) -> list[dict[str, Any]]:
        """Return the agents that exist and that none of the hosts uses; `configs` as for `agents`."""
        return list(self.control("orphans", configs=paths(configs)))

    def delete_agent(self, mrn: str) -> None:
        """Remove an agent, as the console does; its service account stays."""
        self.control("delete_agent", mrn=mrn)

    def spaces(self) -> list[str]:
        """Return the ids of the spaces."""
        return list(self.control("spaces"))

    def add_space(self, space: str) -> None:
        """Make a space; minting a token for one makes it too."""
        self.control("add_space", space=space)

    def fault(self, **what: Any) -> int:
        """Make calls go wrong (the fields of Fault, see README.md); return the fault's number."""
        return int(self.control("fault", **what))

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are set, each with its number and how often it was used."""
        return list(self.control("faults"))

    def clear_faults(self, number: int | None = None) -> None:
        """Take back one fault; or all, broken connections included."""
        self.control("clear_faults", number=number)

    def break_connections(self, kind: str, times: int | None = None, skip: int = 0) -> None:
        """Let new connections break before a request can be made (the fields of Break, see README.md)."""
        self.control("break_connections", kind=kind, times=times, skip=skip)

    def breaks(self) -> list[dict[str, Any]]:
        """Return what was set to go wrong with new connections."""
        return list(self.control("breaks"))

    def calls(
        self, method: str | None = None, host: str | None = None, outcome: str | None = None, since: int = 0
    ) -> list[Call]:
        """Return the calls in the ledger; `since`: only those with a greater number."""
        found = self.control("calls", method=method, host=host, outcome=outcome, since=since)
        return [Call(**call) for call in found]

    def most_at_once(self, method: str) -> int:
        """Return how many calls of a method were being answered at the same time, at most."""
        return int(self.control("most_at_once", method=method))

    @property
    def clock_offset(self) -> float:
        """The platform's clock, in seconds ahead of the true time: in Date headers, answers and judgement."""
        return float(self.control("clock")["offset"])

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self.control("set_clock", offset=seconds)

    @property
    def judge_signatures_by_offset(self) -> bool:
        """Whether signatures and tokens are judged by the platform's clock (else by the true time)."""
        return bool(self.control("clock")["judges"])

    @judge_signatures_by_offset.setter
    def judge_signatures_by_offset(self, judges: bool) -> None:
        self.control("set_clock", judges=judges)
