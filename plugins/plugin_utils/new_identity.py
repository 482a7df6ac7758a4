# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The identity of a new registration: what the platform is told of a host, and what then stands in its config."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .config import DEFAULT_ENDPOINT, Config, Edit, edit
from .credentials import ServiceAccount
from .host import System
from .plan import space_of
from .platform import Confirmation
from .wanted import Wanted

# In check mode nobody has been made yet; the same words stand in the diff.
TO_BE_MADE = "(made when this is applied)"


@dataclass(frozen=True)
class NewAgent:
    """The identity that signs for an agent that was just made, and the config that would hold it."""

    account: ServiceAccount
    config: Config


def register_endpoint(wanted: Wanted, found: Config) -> str:
    """Return the endpoint to register at: what was asked for, else where the host is, else the product's default."""
    return wanted.register_endpoint or found.text("api_endpoint") or DEFAULT_ENDPOINT


def registration_request(wanted: Wanted, system: System) -> dict[str, t.Any]:
    """Return what RegisterAgent is told of the host, in cnspec's own words."""
    info = {
        "platform_name": system.os_id or system.system.lower(),
        "platform_release": system.os_version,
        "platform_arch": system.arch,
        "platform_ip": system.ip,
        "platform_hostname": system.hostname,
        "labels": wanted.settings.get("labels"),
        "platform_id": f"//platformid.api.mondoo.app/hostname/{system.hostname}",
    }
    return {
        "name": wanted.settings.get("name") or system.hostname,
        "agent_info": {key: value for key, value in info.items() if value},
    }


def new_account(wanted: Wanted, made: Confirmation) -> ServiceAccount:
    """Return the identity that signs for a new agent: the document's, or the one that the platform made for it."""
    if wanted.document is not None:
        return wanted.document.account
    credential = made.credential
    return ServiceAccount(
        mrn=credential["mrn"],
        private_key=credential["private_key"].strip() + "\n",
        certificate=credential["certificate"].strip() + "\n",
        space_mrn=credential.get("scope_mrn") or credential.get("parent_mrn") or space_of(made.agent_mrn),
    )


def new_agent(wanted: Wanted, made: Confirmation, settled: Config, endpoint: str) -> NewAgent:
    """Return what a confirmation makes of a config; `endpoint` is where it was asked for."""
    account = new_account(wanted, made)
    stored = made.credential.get("api_endpoint") or wanted.register_endpoint or endpoint
    return NewAgent(account, edit(settled, new_identity(made.agent_mrn, account, wanted, stored)))


def new_identity(agent_mrn: str | None, account: ServiceAccount | None, wanted: Wanted, endpoint: str) -> Edit:
    """Return the edit that puts an identity into a config; `account` None: one that is yet to be made."""
    if wanted.document is not None:
        fields = dict(wanted.document.fields)
    elif account is not None:
        fields = {"mrn": account.mrn, "private_key": account.private_key, "certificate": account.certificate}
    else:
        fields = dict.fromkeys(("mrn", "private_key", "certificate"), TO_BE_MADE)
    space = (account.space_mrn if account is not None else None) or wanted.space_mrn or space_of(agent_mrn)
    places = {"agent_mrn": agent_mrn or "", "api_endpoint": endpoint, "space_mrn": space or ""}
    # The key comes last: a file that was cut off anywhere then lacks it, and shows that it was.
    ordered = {**places, **{name: text for name, text in fields.items() if name != "private_key"}, **places}
    return Edit(identity={**ordered, "private_key": fields["private_key"]})
