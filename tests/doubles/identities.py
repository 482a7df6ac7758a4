# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities with real keys and certificates, and registration tokens."""

from __future__ import annotations

import base64
import functools
import json
import typing as t

from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import ServiceAccount
from sandbox.authority import Authority, certificate_pem, key_pem, new_key

SPACE = "//captain.api.mondoo.app/spaces/lunalectric-prod"
OTHER_SPACE = "//captain.api.mondoo.app/spaces/lunalectric-test"
AGENTS = "//agents.api.mondoo.app/spaces/lunalectric-prod"
EU = "https://eu.api.mondoo.com"


def document(number: int = 0) -> dict[str, str]:
    """Return credentials document number `number`, as the console gives it; the same each time."""
    return dict(_document(number))


@functools.cache
def _document(number: int) -> dict[str, str]:
    mrn = f"{AGENTS}/serviceaccounts/2rWcQbrdXRv4qhtV2CZmIGC{number}"
    key = new_key()
    certificate = Authority("doubles").issue(key.public_key(), [mrn])
    return {
        "mrn": mrn,
        "certificate": certificate_pem(certificate),
        "private_key": key_pem(key),
        "scope_mrn": SPACE,
        "space_mrn": SPACE,
        "api_endpoint": EU,
        "typename": "ServiceAccountCredential",
    }


def account(number: int = 0) -> ServiceAccount:
    """Return the service account of credentials document number `number`."""
    data = document(number)
    return ServiceAccount(data["mrn"], data["private_key"], data["certificate"], SPACE, EU)


def agent_mrn(number: int = 0) -> str:
    """Return the MRN of agent number `number`."""
    return f"{AGENTS}/agents/2rWcQbrdXRv4qhtV2CZmIGA{number}"


def registered(number: int = 0, **changes: str) -> str:
    """Return a mondoo.yml of a host that is registered with identity `number`; an empty value leaves a key out."""
    data = document(number)
    fields = {"agent_mrn": agent_mrn(number), "mrn": data["mrn"], "space_mrn": SPACE, "api_endpoint": EU, **changes}
    lines = [f"{key}: {value}" for key, value in fields.items() if value]
    for key in ("private_key", "certificate"):
        if changes.get(key) is None:
            lines += [f"{key}: |", *(f"  {line}" for line in data[key].splitlines())]
    return "\n".join(lines) + "\n"


def token(**claims: t.Any) -> str:
    """Return a registration token with these claims (None takes one out); nobody signed it."""
    known = {"space": SPACE, "api_endpoint": EU, "exp": 4102444800, "desc": "a fleet", **claims}
    payload = {name: value for name, value in known.items() if value is not None}
    return ".".join((part({"alg": "ES384", "typ": "JWT"}), part(payload), "c2lnbmVk"))


def part(value: t.Any) -> str:
    """Return one part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
