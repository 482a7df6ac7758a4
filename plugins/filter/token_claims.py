# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter `mondoo.fleet.token_claims`."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_claims
short_description: Read what a registration token says of itself
version_added: 0.1.0
description:
  - Reads the claims of a Mondoo registration token, and when it expires, without asking anybody.
  - Only the platform can tell whether the token is genuine, and whether it was revoked. Nothing here proves that.
  - White space around the token is no harm. No part of the token is in the result or in an error.
positional: _input
options:
  _input:
    description: The registration token.
    type: str
    required: true
seealso:
  - module: mondoo.fleet.mondoo_registration
"""

EXAMPLES = r"""
- name: Stop before a token that ends within the hour is used
  ansible.builtin.assert:
    that:
      - claims.expires_in is none or claims.expires_in > 3600
      - claims.space_mrn == '//captain.api.mondoo.app/spaces/production'
    fail_msg: "The registration token is for {{ claims.space_mrn }} and expires at {{ claims.expires_at }}"
  vars:
    claims: "{{ vaulted_registration_token | mondoo.fleet.token_claims }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The claims. C(space_mrn) is the space to which the token registers, C(api_endpoint) the platform, C(description)
      and C(owner) what was given in the console, C(labels) the labels of agents that register with it. What the token
      does not say is V(null).
    - C(expires_at) is when it expires (RFC 3339, UTC), C(expires_in) how many seconds are left (negative when it has
      expired); both are V(null) for a token that never does. C(expired) is then V(false).
  type: dict
  sample:
    space_mrn: //captain.api.mondoo.app/spaces/production
    api_endpoint: https://us.api.mondoo.com
    description: fleet
    owner:
    labels:
    expires_at: "2026-01-15T09:30:00Z"
    expires_in: 599
    expired: false
"""

import time
import typing as t
from datetime import datetime, timezone

from ansible.errors import AnsibleFilterError

from ansible_collections.mondoo.fleet.plugins.plugin_utils.arguments import plain
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.token import TokenClaims, read_claims


def token_claims(value: t.Any) -> dict[str, t.Any]:
    """Return what a registration token says of itself. Raises AnsibleFilterError, which quotes nothing of it."""
    token = plain(value)
    if not isinstance(token, str):
        raise AnsibleFilterError("Cannot read the registration token: it is no text. Give the token itself.")
    try:
        return _claims(read_claims(token), time.time())
    except FleetError as error:
        raise AnsibleFilterError(str(error)) from None


def _claims(claims: TokenClaims, now: float) -> dict[str, t.Any]:
    until = claims.expires_at
    return {
        "space_mrn": claims.space_mrn,
        "api_endpoint": claims.api_endpoint,
        "description": claims.description,
        "owner": claims.owner,
        "labels": claims.labels,
        "expires_at": None if until is None else _rfc3339(until),
        "expires_in": None if until is None else int(until - now),
        "expired": claims.expiry_problem(now) is not None,
    }


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"token_claims": token_claims}
