# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Law 5, as far as results go: whatever is given and found, no secret is in what a task returns."""

from __future__ import annotations

import base64
import json
import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from states import asked
from states.rows import ROWS

from .conftest import Yard

PASSWORD = "c4n4ry-pr0xy-p4ssw0rd"
FOUND = st.sampled_from(sorted(ROWS.keys() - {"unreadable", "directory"}))
PROXIES = st.sampled_from(
    [
        f"http://fleet:{PASSWORD}@proxy.example.com:3128",
        f"http://fleet:{PASSWORD}/@proxy.example.com",
        f"fleet:{PASSWORD}@proxy",
        f"http://proxy.example.com/?password={PASSWORD}",
        f"socks5://:{PASSWORD}@[::1",
    ]
)
# How a secret may be given: as it should be, damaged, in another form, or in the wrong place.
WAYS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "whole": lambda value: value,
    "cut": lambda value: value[:-7] if isinstance(value, str) else {**value, "certificate": ""},
    "twice": lambda value: f"{value}.{value}" if isinstance(value, str) else [value, value],
    "nested": lambda value: {"value": {"value": [value]}},
    "JSON": json.dumps,
    "cut JSON": lambda value: json.dumps(value)[:-9],
    "base64": lambda value: base64.b64encode(json.dumps(value).encode()).decode(),
    "spaced": lambda value: f" {value}\n" if isinstance(value, str) else value,
}


def keys_of(text: str) -> set[str]:
    """Return the lines of all private keys in a text, in YAML or JSON."""
    plain = text.replace("\\n", "\n")
    parts = plain.split("-----BEGIN PRIVATE KEY-----")[1:]
    lines = [line.strip(' "') for part in parts for line in part.split("-----END")[0].splitlines()]
    return {line for line in lines if len(line) >= 16}


@given(
    FOUND,
    st.sampled_from(sorted(asked.QUESTIONS)),
    st.sampled_from(sorted(WAYS)),
    st.fixed_dictionaries({}, optional={"api_proxy": PROXIES, "controller_proxy": PROXIES, "tokem": st.just("")}),
    st.sampled_from(
        ["", f"private_setting: {PASSWORD}\n", f"password: {PASSWORD} [\n", f"api_proxy: x:{PASSWORD}@y\n"]
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_no_secret_is_in_a_result_whatever_is_given_and_found(
    yard: Yard, found: str, question: str, way: str, more: dict[str, str], extra: str, check: bool
) -> None:
    place, lab = yard.host(found, extra)
    options = {**asked.options(question, place), **more}
    # Values of keys that are known to be harmless are shown, so a secret would be in the wrong place there.
    options.pop("api_endpoint", None)
    if "tokem" in options:
        options["tokem"] = options.get("token", PASSWORD)
    for name in ("token", "credentials"):
        if name in options:
            options[name] = WAYS[way](options[name])
    secrets = {PASSWORD, str(place.ground.token), str(place.document["private_key"])}
    secrets |= keys_of(str(place.document["private_key"])) | keys_of((lab.content or b"").decode())
    said = json.dumps(yard.run(place, lab, options, check=check).result, ensure_ascii=False)
    secrets |= keys_of((lab.content or b"").decode()) if place.config.is_file() else set()
    assert [secret for secret in secrets if secret in said] == []
