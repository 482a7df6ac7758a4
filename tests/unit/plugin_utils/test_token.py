# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.token import TokenClaims, read_claims
from doubles.identities import EU, SPACE, part, token

COPY = "Copy the whole token from the console."


def refusal(text: str) -> str:
    with pytest.raises(FleetError) as caught:
        read_claims(text)
    return str(caught.value)


def test_the_claims_of_a_token_are_read() -> None:
    claims = read_claims(token(owner="//integration.api.mondoo.app/x", labels={"env": "production"}))
    assert claims == TokenClaims(
        space_mrn=SPACE,
        api_endpoint=EU,
        expires_at=4102444800.0,
        description="a fleet",
        owner="//integration.api.mondoo.app/x",
        labels={"env": "production"},
    )


def test_what_a_token_does_not_say_is_none() -> None:
    claims = read_claims(token(api_endpoint=None, exp=None, desc=None, labels=None))
    assert claims == TokenClaims(space_mrn=SPACE)


def test_white_space_around_a_token_does_not_matter() -> None:
    assert read_claims(f" \n{token()}\n").space_mrn == SPACE


def test_a_token_with_padding_is_read() -> None:
    header, payload, signature = token(desc="ab").split(".")
    padded = payload + "=" * (-len(payload) % 4)
    assert read_claims(f"{header}.{padded}.{signature}").description == "ab"


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_a_token_without_three_parts_is_refused(parts: int) -> None:
    noun = "part" if parts == 1 else "parts"
    assert refusal(".".join(["canary"] * parts)) == (
        f"Cannot read the registration token: it has {parts} {noun} between dots, not 3. {COPY}"
    )


@pytest.mark.parametrize("middle", ["canary!", "a b", "abcde"])
def test_a_token_that_is_not_base64_is_refused(middle: str) -> None:
    assert refusal(f"eyJ9.{middle}.c2ln") == (
        f"Cannot read the registration token: its middle part is not base64. {COPY}"
    )


def test_a_token_with_letters_that_no_token_has_is_refused() -> None:
    assert refusal(token().replace("ey", "éy", 1)) == (
        f"Cannot read the registration token: it has a character that no token has. {COPY}"
    )


@pytest.mark.parametrize("raw", [b"canary", b'{"space": "cut', b"\xff\xfe\xfd", b"[" * 100000])
def test_a_token_that_is_not_json_is_refused(raw: bytes) -> None:
    middle = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert refusal(f"eyJ9.{middle}.c2ln") == (
        f"Cannot read the registration token: its middle part holds no JSON. {COPY}"
    )


@pytest.mark.parametrize("value", [[], "text", 7, None])
def test_a_token_whose_claims_are_no_object_is_refused(value: object) -> None:
    assert refusal(f"eyJ9.{part(value)}.c2ln") == (
        f"Cannot read the registration token: its middle part holds no JSON object. {COPY}"
    )


@pytest.mark.parametrize("space", [None, "", "  ", 7, ["x"]])
def test_a_token_without_space_is_refused(space: object) -> None:
    assert refusal(token(space=space)) == (
        "Cannot use the registration token: it names no space. Make a registration token of a space."
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"space": None, "scope": "//captain.api.mondoo.app/organizations/lunalectric"},
        {"space": "//captain.api.mondoo.app/organizations/lunalectric"},
    ],
)
def test_a_token_of_an_organization_is_refused(claims: dict[str, t.Any]) -> None:
    assert refusal(token(**claims)) == (
        "Cannot use the registration token: it belongs to an organization, not to a space. "
        "Make a registration token of a space."
    )


@pytest.mark.parametrize("exp", ["tomorrow", True, -1, 10**400, float("nan"), float("inf"), []])
def test_an_expiry_that_is_no_time_is_refused(exp: object) -> None:
    assert refusal(token(exp=exp)) == f"Cannot read the registration token: its expiry is not a time. {COPY}"


def test_a_token_lives_until_its_expiry() -> None:
    assert read_claims(token(exp=1000)).expiry_problem(999.9) is None


def test_an_expired_token_is_said_with_the_time() -> None:
    problem = read_claims(token(exp=1000)).expiry_problem(1000.0)
    assert problem is not None
    assert problem.code == "token_expired"
    assert str(problem) == (
        "Cannot use the registration token: it expired at 1970-01-01 00:16:40 UTC. Make a new registration token in "
        "the console (space, Integrations, or Settings > Registration Token)."
    )


def test_a_token_without_expiry_lives_for_ever() -> None:
    assert read_claims(token(exp=None)).expiry_problem(1e12) is None


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_whatever_the_text_reading_gives_claims_or_one_line(text: str) -> None:
    for candidate in (text, f"a.{text}.c"):
        try:
            read_claims(candidate)
        except FleetError as error:
            assert "\n" not in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["space", "scope", "exp", "labels", "api_endpoint", "desc", "owner"]), JSON))
@settings(deadline=None, max_examples=200)
def test_whatever_the_claims_reading_gives_claims_or_one_line(claims: dict[str, t.Any]) -> None:
    try:
        read = read_claims(f"a.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.c")
    except FleetError as error:
        assert "\n" not in str(error)
    else:
        assert read.space_mrn == claims["space"].strip()
