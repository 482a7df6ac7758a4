# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter mondoo.fleet.token_claims: what a token says of itself, and nothing of the token."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.filter.token_claims import FilterModule
from doubles.identities import EU, SPACE, token

token_claims = FilterModule().filters()["token_claims"]


def refusal(value: t.Any) -> str:
    with pytest.raises(AnsibleFilterError) as caught:
        token_claims(value)
    return str(caught.value)


def test_the_claims_and_the_expiry_of_a_token_are_told() -> None:
    found = token_claims(token(owner="//integration.api.mondoo.app/x", labels={"env": "production"}))
    left = found.pop("expires_in")
    assert abs(left - (4102444800 - time.time())) < 5
    assert found == {
        "space_mrn": SPACE,
        "api_endpoint": EU,
        "description": "a fleet",
        "owner": "//integration.api.mondoo.app/x",
        "labels": {"env": "production"},
        "expires_at": "2100-01-01T00:00:00Z",
        "expired": False,
    }


def test_a_token_that_has_expired_is_no_error() -> None:
    found = token_claims(token(exp=1768469400))
    assert (found["expires_at"], found["expired"]) == ("2026-01-15T09:30:00Z", True)
    assert found["expires_in"] < 0


def test_a_token_that_never_expires_says_so() -> None:
    found = token_claims(token(exp=None))
    assert (found["expires_at"], found["expires_in"], found["expired"]) == (None, None, False)


def test_the_result_is_plain_json() -> None:
    found = token_claims(token())
    assert json.loads(json.dumps(found)) == found


def test_white_space_around_the_token_is_no_harm() -> None:
    assert token_claims(f"\n {token()} \n")["space_mrn"] == SPACE


def test_a_token_of_an_organization_is_refused() -> None:
    assert refusal(token(space=None, scope="//captain.api.mondoo.app/organizations/x")) == (
        "Cannot use the registration token: it belongs to an organization, not to a space. "
        "Make a registration token of a space."
    )


@pytest.mark.parametrize("value", [None, 12, ["a"], {"token": "a"}])
def test_what_is_no_text_is_refused(value: t.Any) -> None:
    assert refusal(value) == "Cannot read the registration token: it is no text. Give the token itself."


def test_no_part_of_a_damaged_token_is_in_the_error() -> None:
    whole = token(desc="canary-swordfish")
    header, payload, signature = whole.split(".")
    for damaged in (header, f"{header}.{payload}", f"{header}.%{payload}.{signature}", f"{header}.{payload[5:]}.x"):
        words = refusal(damaged)
        assert words.startswith("Cannot read the registration token: ")
        assert "\n" not in words
        for secret in (header, payload, signature, payload[5:25], "canary-swordfish"):
            assert secret not in words


@given(st.text())
def test_no_text_raises_anything_but_a_refusal_of_one_line(text: str) -> None:
    assert "\n" not in refusal(text)
