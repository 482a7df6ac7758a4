# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import (
    Document,
    ServiceAccount,
    certificate_valid_until,
    load_key,
    parse_document,
    sign,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from doubles.identities import EU, SPACE, account, document
from sandbox import tokens
from sandbox.authority import key_pem
from sandbox.authority import load_key as sandbox_key

COPY = "Copy the whole service account JSON from the console."


def refusal(value: t.Any) -> str:
    with pytest.raises(FleetError) as caught:
        parse_document(value)
    assert "MIG2" not in str(caught.value)
    return str(caught.value)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in document().items() if name not in names}


FORMS: dict[str, t.Callable[[dict[str, str]], t.Any]] = {
    "dict": dict,
    "json": json.dumps,
    "json with white space": lambda data: f"\n  {json.dumps(data, indent=4)}\n\n",
    "yaml": yaml.safe_dump,
    "base64 of json": lambda data: base64.b64encode(json.dumps(data).encode()).decode(),
    "base64 of json in lines": lambda data: base64.encodebytes(json.dumps(data).encode()).decode(),
    "base64 of yaml": lambda data: base64.b64encode(yaml.safe_dump(data).encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_document_is_the_same_in_every_form(form: str) -> None:
    assert parse_document(FORMS[form](document())) == Document(account(), document())


def test_the_space_of_a_document_is_its_scope_else_its_space_else_its_parent() -> None:
    data = {**document(), "scope_mrn": "scope", "space_mrn": "space", "parent_mrn": "parent"}
    assert parse_document(data).account.space_mrn == "scope"
    del data["scope_mrn"]
    assert parse_document(data).account.space_mrn == "space"
    del data["space_mrn"]
    assert parse_document(data).account.space_mrn == "parent"
    del data["parent_mrn"]
    assert parse_document(data).account.space_mrn is None


def test_what_a_document_says_beside_the_known_fields_is_left_out() -> None:
    assert parse_document({**document(), "note": "canary", "scope_mrn": ""}).fields == without("scope_mrn")


def test_a_key_in_the_older_pem_form_is_read() -> None:
    key = sandbox_key(document()["private_key"])
    older = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    assert parse_document({**document(), "private_key": older}).account.private_key == older


@pytest.mark.parametrize("value", [7, None, [], ["x"], True, b"bytes"])
def test_a_document_that_is_neither_a_dictionary_nor_text_is_refused(value: object) -> None:
    assert refusal(value) == f"Cannot read the credentials: it is neither a dictionary nor text. {COPY}"


def test_json_cut_in_half_is_refused() -> None:
    text = json.dumps(document())
    assert refusal(text[: len(text) // 2]) == f"Cannot read the credentials: it is cut off or damaged. {COPY}"


def test_yaml_that_is_damaged_is_refused() -> None:
    assert refusal("mrn: [canary") == f"Cannot read the credentials: it is cut off or damaged. {COPY}"


def test_base64_cut_in_half_is_refused() -> None:
    text = FORMS["base64 of json"](document())
    assert refusal(text[: len(text) // 2 // 4 * 4]) == f"Cannot read the credentials: it is cut off or damaged. {COPY}"


def test_base64_that_does_not_decode_is_refused() -> None:
    assert refusal("abcde") == f"Cannot read the credentials: it is neither JSON nor YAML nor base64 of it. {COPY}"


@pytest.mark.parametrize("text", ["just: words: of", "[1, 2]", "a-word", "- a\n- b"])
def test_text_that_is_no_document_is_refused(text: str) -> None:
    assert refusal(text) in (
        f"Cannot read the credentials: it holds no service account. {COPY}",
        f"Cannot read the credentials: it is cut off or damaged. {COPY}",
    )


def test_credentials_without_mrn_are_refused() -> None:
    assert refusal(without("mrn")) == f"Cannot read the credentials: it has no mrn. {COPY}"


@pytest.mark.parametrize("key", [None, "", "  ", 7])
def test_credentials_without_a_key_are_refused(key: object) -> None:
    data = {**document(), "private_key": key}
    assert refusal(data) == f"Cannot read the credentials: it has no private_key. {COPY}"


def p256() -> str:
    return key_pem(ec.generate_private_key(ec.SECP256R1()))


def rsa_key() -> str:
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def encrypted() -> str:
    return (
        sandbox_key(document()["private_key"])
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
        .decode()
    )


@pytest.mark.parametrize(
    "make",
    [p256, rsa_key, encrypted, lambda: document()["private_key"][:80], lambda: "canary", lambda: "\ud800", lambda: "é"],
    ids=["P-256", "RSA", "encrypted", "cut", "no PEM", "a surrogate", "no ASCII"],
)
def test_a_key_that_is_not_p_384_is_refused(make: t.Callable[[], str]) -> None:
    data = {**document(), "private_key": make()}
    assert refusal(data) == f"Cannot read the credentials: its private_key is not a P-384 key in PEM. {COPY}"


def test_a_certificate_that_does_not_match_the_key_is_refused() -> None:
    data = {**document(), "certificate": document(1)["certificate"]}
    assert refusal(data) == f"Cannot read the credentials: its certificate does not belong to its private_key. {COPY}"


@pytest.mark.parametrize("certificate", ["canary", "\ud800", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_that_is_none_is_refused(certificate: str) -> None:
    data = {**document(), "certificate": certificate}
    assert refusal(data) == f"Cannot read the credentials: its certificate cannot be read. {COPY}"


def test_credentials_without_a_certificate_are_refused() -> None:
    assert refusal(without("certificate")) == f"Cannot read the credentials: it has no certificate. {COPY}"


YAML_TRAPS = [
    "!!bool canary",
    "!!timestamp canary",
    "!!int canary",
    "!!float canary",
    '"\\UFFFFFFFF"',
    "? [a]\n: b",
    "2024-99-99",
    "<<: 1",
]


@pytest.mark.parametrize("text", YAML_TRAPS)
def test_yaml_that_trips_its_library_is_refused_in_one_line(text: str) -> None:
    message = refusal(f"mrn: {text}" if not text.startswith(("?", "<<")) else text)
    assert message.startswith("Cannot read the credentials: it ")
    assert "canary" not in message


@given(st.text() | st.text(alphabet="{}[]!&*:-? \n\"'ab0|>%@<=#,", max_size=40))
@settings(deadline=None, max_examples=300)
def test_whatever_the_text_reading_gives_one_line(text: str) -> None:
    with pytest.raises(FleetError) as caught:
        parse_document(text)
    assert "\n" not in str(caught.value)


def test_the_key_stands_in_no_representation() -> None:
    for value in (account(), parse_document(document())):
        assert repr(value) == f"{type(value).__name__}({document()['mrn']})"
        assert "PRIVATE" not in f"{value}"


def test_a_signature_is_what_the_platform_checks() -> None:
    token = tokens.decode(sign(account(), b"{}", 1000.9))
    token.verify(sandbox_key(document()["private_key"]).public_key())
    assert token.header == {"alg": "ES384", "kid": document()["mrn"], "typ": "JWT"}
    assert token.claims == {
        "sub": document()["mrn"],
        "iss": "mondoo/ams",
        "iat": 1000,
        "nbf": 1000,
        "exp": 1060,
        "chash": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }


@given(st.binary(max_size=100), st.floats(0, 4e9))
@settings(deadline=None, max_examples=30)
def test_every_body_and_time_is_signed_so_that_it_can_be_checked(body: bytes, now: float) -> None:
    token = tokens.decode(sign(account(), body, now))
    token.verify(sandbox_key(document()["private_key"]).public_key())
    assert token.claims["chash"] == tokens.content_hash(body)
    assert token.claims["exp"] - token.claims["iat"] == 60


def test_an_account_without_a_usable_key_cannot_sign() -> None:
    with pytest.raises(FleetError) as caught:
        sign(ServiceAccount("mrn", "canary"), b"", 0.0)
    assert str(caught.value) == f"Cannot read the credentials: its private_key is not a P-384 key in PEM. {COPY}"


def test_the_end_of_a_certificate_is_told_in_rfc_3339() -> None:
    assert certificate_valid_until(document()["certificate"]) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("pem", ["", "canary", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_cannot_be_read_has_no_end(pem: str) -> None:
    assert certificate_valid_until(pem) is None


def test_a_key_loads_from_what_the_platform_gives() -> None:
    assert load_key(document()["private_key"]) is not None
    assert (account().space_mrn, account().api_endpoint) == (SPACE, EU)


def test_cryptography_missing_is_said_with_the_command_that_installs_it() -> None:
    program = """
import sys
sys.modules["cryptography"] = None
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import load_key
try:
    load_key("canary")
except FleetError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "Cannot read a private key: the Python library cryptography is missing on the controller. "
        "Install it beside ansible-core: python3 -m pip install cryptography."
    )
