# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import Config, Edit, edit, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.config_diff import HARMLESS_KEYS, diff
from doubles.configs import CONFIG_TEXTS
from doubles.identities import agent_mrn, document, registered

PATH = "/etc/opt/mondoo/mondoo.yml"


def shown(before: str | None, after: str | None) -> tuple[str, str]:
    old, new = (parse(None if text is None else text.encode()) for text in (before, after))
    result = diff(old, new, PATH)
    assert (result["before_header"], result["after_header"]) == (PATH, PATH)
    return result["before"], result["after"]


def test_harmless_values_are_shown_as_they_are_written() -> None:
    assert shown("name: old\n", "name: new\nannotations:\n  owner: 'me'\n") == (
        "name: old\n",
        "name: new\nannotations:\n  owner: 'me'\n",
    )


def test_a_missing_file_shows_nothing() -> None:
    assert shown(None, "name: web\n") == ("", "name: web\n")


def test_the_value_of_a_key_that_nobody_knows_is_hidden() -> None:
    assert shown("x: canary\n", "x: canary\ny: canary\n") == ("x: (hidden)\n", "x: (hidden)\ny: (hidden)\n")


def test_a_hidden_value_that_changes_is_said_to_change() -> None:
    assert shown("x: canary1\n", "x: canary2\n") == ("x: (hidden)\n", "x: (hidden, changed)\n")


def test_a_proxy_is_shown_without_its_password() -> None:
    assert shown(None, "api_proxy: http://user:canary@proxy:3128\n")[1] == "api_proxy: http://user:***@proxy:3128\n"


def test_a_proxy_whose_password_alone_changes_is_said_to_change() -> None:
    assert shown("api_proxy: http://user:canary1@proxy\n", "api_proxy: http://user:canary2@proxy\n") == (
        "api_proxy: http://user:***@proxy\n",
        "api_proxy: (hidden, changed)\n",
    )


def test_a_key_and_a_certificate_are_hidden() -> None:
    before, after = shown(None, registered())
    assert after.endswith("private_key: (hidden)\ncertificate: (hidden)\n")
    assert agent_mrn() in after


def test_a_file_that_cannot_be_read_is_shown_as_its_size_and_digest() -> None:
    text = "private_key: canary\n  : ["
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert shown(text, "name: web\n") == (
        f"(it is not valid YAML: {len(text)} bytes, sha256 {digest})\n",
        "name: web\n",
    )


def test_nothing_is_shown_where_nothing_changed_but_what_is_there() -> None:
    before, after = shown(registered(), registered())
    assert before == after


CANARY = "canary-secret"
SECRET_KEYS = st.sampled_from(["private_key", "certificate", "Token", "password", "proxy_password", "x", "some-key"])
HOLDING: st.SearchStrategy[t.Any] = st.recursive(
    st.sampled_from([CANARY, f"before {CANARY} after", f"{CANARY}\nline\n", "other"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", CANARY]), inner, max_size=2),
    max_leaves=4,
)
PROXIES = st.builds(
    lambda key, scheme, rest: {key: f"{scheme}user{rest}:{CANARY}@proxy{rest}:3128"},
    st.sampled_from(["api_proxy", "api-proxy", "API_PROXY", "updates_url", "providers_url"]),
    st.sampled_from(["http://", "https://", "socks5://", ""]),
    st.text(alphabet="/@#? %[", max_size=3),
)
SECRETS = st.dictionaries(SECRET_KEYS, HOLDING, max_size=4) | PROXIES


def config_with(text: str, secrets: dict[str, t.Any]) -> Config:
    config = parse(text.encode())
    return edit(
        Config() if config.problem else config, Edit(settings={key.lower(): value for key, value in secrets.items()})
    )


@given(CONFIG_TEXTS, CONFIG_TEXTS, SECRETS, SECRETS, st.booleans())
@settings(deadline=None, max_examples=150)
def test_no_diff_shows_a_secret(
    one: str, other: str, before: dict[str, t.Any], after: dict[str, t.Any], cut: bool
) -> None:
    old, new = config_with(one, before), config_with(other, after)
    if cut and old.content:
        old = parse(old.content[: len(old.content) // 2])
    shown = diff(old, new, PATH)
    assert CANARY not in json.dumps(shown)


@given(SECRETS)
@settings(deadline=None, max_examples=50)
def test_no_diff_shows_a_key(settings: dict[str, t.Any]) -> None:
    old = config_with(registered(0), settings)
    shown = diff(old, parse(registered(1).encode()), PATH)
    for number in (0, 1):
        for line in (
            document(number)["private_key"].splitlines()[1:-1] + document(number)["certificate"].splitlines()[1:-1]
        ):
            assert line not in shown["before"] + shown["after"]


def test_no_key_that_is_called_harmless_holds_a_secret() -> None:
    assert not {key for key in HARMLESS_KEYS if any(word in key for word in ("key", "cert", "token", "pass", "proxy"))}
