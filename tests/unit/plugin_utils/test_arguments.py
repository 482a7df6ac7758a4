# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Sequence

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REGISTRATION_OPTIONS
from ansible_collections.mondoo.fleet.plugins.plugin_utils.arguments import is_empty, plain, read
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets
from doubles.identities import document

try:
    from ansible.parsing.vault import EncryptedString
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 and older have neither
    EncryptedString = trust_as_template = None

NEEDS_TAGS = pytest.mark.skipif(trust_as_template is None, reason="ansible-core 2.18 and older do not tag values")


class Vaulted(Sequence[str]):
    """A vaulted value as ansible-core 2.18 and older hand it over: a Sequence that is no str."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, index: t.Any) -> t.Any:
        return self._text[index]

    def __len__(self) -> int:
        return len(self._text)

    def __str__(self) -> str:
        return self._text


class Text(str):
    """A str of another class, as templating makes them."""

    def itself(self) -> Text:
        return self

    __str__ = itself


class Whole(int):
    """An int of another class."""


class Real(float):
    """A float of another class."""


def is_plain(value: t.Any) -> bool:
    if value.__class__ is dict:
        return all(key.__class__ is str and is_plain(item) for key, item in value.items())
    if value.__class__ is list:
        return all(map(is_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def options(**arguments: t.Any) -> dict[str, t.Any]:
    return read(arguments, REGISTRATION_OPTIONS, Secrets())


def refusal(**arguments: t.Any) -> str:
    with pytest.raises(FleetError) as caught:
        options(**arguments)
    assert "canary" not in str(caught.value) + repr(caught.value.detail)
    return str(caught.value)


def kind_of(value: t.Any) -> str:
    """Name a case by the type of what is in it: what an object shows of itself differs from one process to another."""
    return f"{type(value).__name__}-{plain(value)}"


DEFAULTS = {name: option["default"] for name, option in REGISTRATION_OPTIONS.items() if "default" in option}


# Plain Python


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Vaulted("secret"), "secret"),
        (Text("x"), "x"),
        (Whole(3), 3),
        (Real(1.5), 1.5),
        (b"bytes", "bytes"),
        ((1, 2), [1, 2]),
        ({"a"}, ["a"]),
        ({1: {True: None}}, {"1": {"True": None}}),
        ({Text("k"): Vaulted("v")}, {"k": "v"}),
        ([Vaulted("v"), {"a": [Text("x")]}], ["v", {"a": ["x"]}]),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05"),
        (True, True),
        (None, None),
    ],
    ids=kind_of,
)
def test_what_ansible_hands_over_becomes_plain_python(value: t.Any, expected: t.Any) -> None:
    made = plain(value)
    assert made == expected
    assert is_plain(made)


@NEEDS_TAGS
def test_tagged_values_of_every_kind_become_plain_python() -> None:
    tagged = {"text": trust_as_template("x"), "nested": [trust_as_template("y"), {trust_as_template("k"): 1}]}
    assert plain(tagged) == {"text": "x", "nested": ["y", {"k": 1}]}
    assert is_plain(plain(tagged))


@NEEDS_TAGS
def test_what_the_template_engine_makes_becomes_plain_python() -> None:
    variables = {
        "word": trust_as_template("{{ 'templated' }}"),
        "number": trust_as_template("{{ 41 + 1 }}"),
        "nested": {"a": [trust_as_template("{{ word }}"), 1.5, True, None]},
    }
    templar = Templar(loader=DataLoader(), variables=variables)
    made = templar.template({name: trust_as_template("{{ " + name + " }}") for name in variables})
    assert plain(made) == {"word": "templated", "number": 42, "nested": {"a": ["templated", 1.5, True, None]}}
    assert is_plain(plain(made))


@NEEDS_TAGS
def test_a_vaulted_value_that_nobody_templated_becomes_its_text() -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext

    lib = VaultLib([("default", VaultSecret(b"password"))])
    if VaultSecretsContext.current(optional=True) is None:
        VaultSecretsContext.initialize(VaultSecretsContext(lib.secrets))
    try:
        vaulted = EncryptedString(ciphertext=lib.encrypt("s3cr3t").decode())
        assert plain({"token": vaulted}) == {"token": "s3cr3t"}
        assert is_plain(plain({"token": vaulted}))
    finally:
        VaultSecretsContext._current = None


VALUES: st.SearchStrategy[t.Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.builds(Text, st.text())
    | st.builds(Vaulted, st.text()) | st.builds(Whole, st.integers()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
@settings(deadline=None, max_examples=200)
def test_everything_becomes_plain_and_stays_so(value: t.Any) -> None:
    made = plain(value)
    assert is_plain(made)
    assert plain(made) == made


# Empty is not given


@pytest.mark.parametrize("value", ["", "  ", "\n", None, {}, []])
def test_empty_is_not_given(value: t.Any) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", [0, False, 0.0, "0", "x", {"a": None}, [None]])
def test_zero_and_false_are_given(value: t.Any) -> None:
    assert not is_empty(value)


@pytest.mark.parametrize("name", sorted(REGISTRATION_OPTIONS))
@pytest.mark.parametrize("value", ["", " ", None, {}, []], ids=repr)
def test_every_option_that_is_empty_counts_as_not_given(name: str, value: t.Any) -> None:
    assert options(**{name: value}) == DEFAULTS


def test_an_empty_part_of_a_scan_interval_counts_as_not_given() -> None:
    assert options(scan_interval={"timer": "60", "splay": ""})["scan_interval"]["timer"] == 60
    assert options(scan_interval={"timer": "", "splay": None}) == DEFAULTS


# Validation


def test_options_are_validated_and_have_their_types() -> None:
    given = options(timeout="30", force="yes", unset="a,b", annotations='{"owner": "me"}', verify=True, mode=0o640)
    assert given == {
        **DEFAULTS,
        "timeout": 30,
        "force": True,
        "unset": ["a", "b"],
        "annotations": {"owner": "me"},
        "verify": "true",
        "mode": 0o640,
    }
    assert is_plain(given)


def test_a_credentials_document_stays_as_it_was_given() -> None:
    assert options(credentials=document())["credentials"] == document()
    assert options(credentials="text")["credentials"] == "text"


@pytest.mark.parametrize("value", [True, "true", "True", False, "false", "False", "strict"])
def test_verify_takes_its_words_and_truth_values(value: t.Any) -> None:
    assert options(verify=value)["verify"] == str(value).lower()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("no", "false"),
        ("No", "false"),
        ("OFF", "false"),
        ("n", "false"),
        ("f", "false"),
        ("0", "false"),
        (0, "false"),
        (0.0, "false"),
        (" false\n", "false"),
        ("Yes", "true"),
        ("on", "true"),
        ("Y", "true"),
        ("t", "true"),
        ("1", "true"),
        (1, "true"),
        ("TRUE ", "true"),
        ("STRICT", "strict"),
        (" Strict", "strict"),
        (Vaulted("No"), "false"),
        (Text("STRICT"), "strict"),
    ],
    ids=str,
)
def test_verify_takes_every_word_for_true_and_false_in_any_case(value: t.Any, word: str) -> None:
    assert options(verify=value)["verify"] == word


@pytest.mark.parametrize(
    "value", ["2", 2, 1.5, "strictly", "yess", "nope", "none", ["true"], {"true": 1}, "0x0"], ids=str
)
def test_verify_takes_no_other_word(value: t.Any) -> None:
    expected = "one of true, false, strict"
    assert refusal(verify=value) == f"Cannot use the option verify: its value is not {expected}. Give {expected}."


@pytest.mark.parametrize("vaulted", [Vaulted, Text, str])
def test_vaulted_templated_and_literal_values_give_the_same(vaulted: t.Any) -> None:
    given = options(
        token=vaulted("a.b.c"), annotations={vaulted("owner") if vaulted is not Vaulted else "owner": vaulted("me")}
    )
    assert given == {**DEFAULTS, "token": "a.b.c", "annotations": {"owner": "me"}}
    assert is_plain(given)


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    assert refusal(tokn="canary") == "Cannot use an option: there is no option 'tokn'. Write token instead."
    assert refusal(xyzzy="canary") == "Cannot use an option: there is no option 'xyzzy'. ansible-doc lists the options."


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("timeout", "canary", "a whole number"),
        ("timeout", 1.5, "a whole number"),
        ("timeout", True, "a whole number"),
        ("retries", ["canary"], "a whole number"),
        ("force", "canary", "true or false"),
        ("force", {"canary": 1}, "true or false"),
        ("annotations", "canary", "a dictionary"),
        ("annotations", ["canary"], "a dictionary"),
        ("annotations", "{canary.call()}", "a dictionary"),
        ("annotations", "{'when': datetime.date(2026, 11, 21), 'what': 'canary'}", "a dictionary"),
        ("labels", "{import canary}", "a dictionary"),
        ("settings", "{canary", "a dictionary"),
        ("unset", {"canary": 1}, "a list"),
        ("token", {"canary": 1}, "text"),
        ("api_proxy", ["canary"], "text"),
        ("ca_path", ["canary"], "a path on the controller"),
        ("verify", "canary", "one of true, false, strict"),
        ("scan_interval", "canary", "a dictionary of timer (a whole number) and splay (a whole number)"),
        ("scan_interval", {"timer": "canary"}, "a dictionary of timer (a whole number) and splay (a whole number)"),
        ("scan_interval", "{canary.call()}", "a dictionary of timer (a whole number) and splay (a whole number)"),
        ("scan_interval", {"canary": 5}, "a dictionary of timer (a whole number) and splay (a whole number)"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_and_not_quoted(name: str, value: t.Any, expected: str) -> None:
    assert refusal(**{name: value}) == f"Cannot use the option {name}: its value is not {expected}. Give {expected}."


# Secrets


def told(secret: str, **arguments: t.Any) -> str:
    secrets = Secrets()
    try:
        read(arguments, REGISTRATION_OPTIONS, secrets)
    except FleetError as error:
        assert secret not in str(error)
    return str(secrets.scrub(f"<{secret}>"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"token": "canary-secret"},
        {"tokn": "canary-secret"},
        {"tokn": {"deep": ["canary-secret"]}},
        {"credentials": "canary-secret"},
        {"credentials": {"private_key": "canary-secret"}},
        {"credentials": {"unknown": ["canary-secret"]}},
        {"credentials": ["canary-secret"]},
        {"api_proxy": "http://user:canary-secret@proxy:3128"},
        {"controller_proxy": "user:canary-secret@proxy"},
        {"controller_proxy": "http://user:canary-secret@pro xy"},
        {"updates_url": "https://user:canary-secret@mirror.example.com"},
        {"api_endpoint": "https://user:canary-secret@api.example.com"},
        {"settings": {"some_token": "canary-secret"}},
        {"settings": {"Private-Key": {"deep": "canary-secret"}}},
        {"settings": {"other_proxy": "http://user:canary-secret@proxy"}},
        {"token": "canary-secret", "timeout": "wrong"},
        {"token": Vaulted("canary-secret"), "nothing": 1},
    ],
    ids=lambda arguments: str(plain(arguments)),
)
def test_the_secrets_among_the_arguments_are_known_before_anything_can_fail(arguments: dict[str, t.Any]) -> None:
    assert "canary" not in told("canary-secret", **arguments)


def test_what_is_harmless_in_a_credentials_document_may_be_shown() -> None:
    mrn = document()["mrn"]
    assert told(mrn, credentials=document()) == f"<{mrn}>"


def test_a_text_with_a_nul_byte_is_refused_before_any_host_is_asked() -> None:
    assert refusal(config_path="/etc/\0mondoo.yml") == (
        "Cannot use the option config_path: it holds a NUL byte. Remove it."
    )
