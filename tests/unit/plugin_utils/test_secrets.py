# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets, mask_proxy, proxy_password
from doubles.identities import document

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def remembering(*values: t.Any) -> Secrets:
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    return secrets


def test_a_secret_is_taken_out_of_a_text() -> None:
    assert remembering("s3cr3t-token").scrub("it is s3cr3t-token, is it") == "it is ********, is it"


def test_a_value_that_is_a_secret_is_replaced_whole() -> None:
    assert remembering("s3cr3t-token").scrub({"msg": "s3cr3t-token"}) == {"msg": HIDDEN}


def test_what_is_too_short_to_be_told_from_words_stays() -> None:
    assert remembering("short").scrub("in short") == "in short"


def test_numbers_may_be_secrets_but_not_truth() -> None:
    assert remembering({"pin": 12345678, "on": True}).scrub(["is 12345678", 12345678, True]) == [
        "is ********",
        HIDDEN,
        True,
    ]


def test_the_secrets_of_every_nesting_and_kind_are_remembered() -> None:
    secrets = remembering({"a": ["inside-a-list", {"b": ("inside-a-tuple", b"inside-bytes")}]}, {"inside-a-set"})
    told = "inside-a-list inside-a-tuple inside-bytes inside-a-set"
    assert secrets.scrub(told) == "******** ******** ******** ********"


def test_no_part_of_a_longer_secret_stays_beside_a_shorter_one() -> None:
    assert remembering("abcdef", "abcdefghijkl").scrub("say abcdefghijkl") == "say ********"


def test_the_structure_of_a_result_is_kept() -> None:
    result = {"changed": True, "rc": 0, "list": [1, None, 2.5], "dict": {"x": "y"}}
    assert remembering("s3cr3t-token").scrub(result) == result


def test_a_key_is_taken_out_whole_by_line_and_as_json() -> None:
    pem = document()["private_key"]
    secrets = remembering(pem)
    lines = pem.splitlines()[1:-1]
    for form in (pem, json.dumps(pem), pem.replace("\n", "\\n"), pem.replace("\n", ""), *lines):
        clean = secrets.scrub(f"<{form}>")
        assert not any(line in clean for line in lines)


def test_a_key_that_came_on_one_line_is_taken_out() -> None:
    pem = document()["private_key"].replace("\n", "\\n")
    assert remembering(pem).scrub(f"<{pem}>") == "<********>"


def test_the_lines_around_a_key_are_no_secret() -> None:
    told = "-----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----"
    assert remembering(document()["private_key"]).scrub(told) == told


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
SECRETS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="*"), min_size=6, max_size=30).filter(
    lambda text: len(text.strip()) >= 6 and not text.strip().startswith("-----") and text not in HIDDEN
)


def hiding(secret: str) -> st.SearchStrategy[t.Any]:
    """Make results with a secret in texts, keys, lists and dictionaries of any depth."""
    text = st.builds(lambda before, after: f"{before}{secret}{after}", TEXTS, TEXTS)
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | text
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | text, inner, max_size=4), max_leaves=8
    )


def texts_of(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    else:
        yield str(value)


@given(st.data(), st.lists(SECRETS, min_size=1, max_size=3))
@settings(deadline=None, max_examples=200)
def test_no_secret_survives_in_any_nesting(data: st.DataObject, values: list[str]) -> None:
    result = data.draw(hiding(values[0]))
    for text in texts_of(remembering(*values).scrub({"result": result})["result"]):
        for value in values:
            assert value not in text


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("http://user:s3cr3t-pass@proxy:3128", "s3cr3t-pass"),
        ("http://user:s3cr3t%2Fpass@proxy:3128", "s3cr3t%2Fpass"),
        ("http://user:s3cr3t@pass@proxy:3128", "s3cr3t@pass"),
        ("http://user:s3cr3t/pass@proxy:3128", "s3cr3t/pass"),
        ("http://user:s3cr3t#pass@proxy:3128", "s3cr3t#pass"),
        ("http://user:s3cr3t?pass@proxy:3128", "s3cr3t?pass"),
        ("user:s3cr3t-pass@proxy:3128", "s3cr3t-pass"),
        ("http://user@proxy:3128", None),
        ("http://user:@proxy:3128", None),
        ("http://proxy:3128", None),
        ("mail: me@example.com", None),
        (None, None),
        (7, None),
    ],
)
def test_the_password_of_a_proxy_is_found_as_it_is_written(url: t.Any, password: str | None) -> None:
    assert proxy_password(url) == password


def test_the_password_of_a_proxy_is_taken_out_as_written_and_as_decoded() -> None:
    secrets = Secrets()
    secrets.add_proxy("http://user:s3cr3t%2Fpass@proxy:3128")
    assert secrets.scrub("s3cr3t%2Fpass is s3cr3t/pass") == "******** is ********"


def test_a_short_password_is_taken_out_of_its_url_and_cuts_no_holes_into_words() -> None:
    secrets = Secrets()
    secrets.add_proxy("http://user:a@proxy:3128")
    assert secrets.scrub("at http://user:a@proxy:3128") == "at http://user********proxy:3128"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://user@proxy:3128", "http://user@proxy:3128"),
        ("http://user:canary@proxy:3128", "http://user:***@proxy:3128"),
        ("http://user:cana/ry@proxy:3128", "http://user:***@proxy:3128"),
        ("http://user:cana#ry@proxy:3128", "http://user:***@proxy:3128"),
        ("http://user:cana@ry@proxy:3128", "http://user:***@proxy:3128"),
        ("user:canary@proxy:3128", "***"),
        ("http://[::1:canary@x", "http://[:***@x"),
        ("https://updates.example.com/x?key=canary", "https://updates.example.com/x?***"),
        ("https://updates.example.com/x?mail=canary@y", "***"),
        ("http://user:x@host/?key=canary", "***"),
        ("", ""),
    ],
)
def test_a_proxy_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert mask_proxy(url) == shown


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["http://", "https://", "socks5://", ""]))
@settings(deadline=None, max_examples=300)
def test_no_password_is_shown_whatever_stands_in_the_url(user: str, host: str, scheme: str) -> None:
    assert "canary-password" not in mask_proxy(f"{scheme}{user}:canary-password@{host}")
