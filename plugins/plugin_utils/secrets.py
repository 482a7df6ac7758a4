# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate that every result and every error of a run leaves through: no secret passes it."""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import unquote

from ansible.module_utils.common.parameters import remove_values, sanitize_keys

# Anything shorter would cut holes into ordinary words of a message.
SHORTEST_SECRET = 6

# The lines around a key or certificate, which are no secret.
ARMOUR = re.compile(r"-----[A-Z ]*-----")


class Secrets:
    """Remember the secrets of one run, and take them out of what leaves it."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: t.Any) -> None:
        """Remember every text in `value` (a str or number, or any nesting of dict and list), and its lines."""
        if isinstance(value, t.Mapping):
            for item in value.values():
                self.add(item)
        elif isinstance(value, (list, tuple, set)):
            for item in value:
                self.add(item)
        elif isinstance(value, bytes):
            self.add(value.decode("utf-8", "replace"))
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            self._add_text(str(value))

    def add_proxy(self, url: t.Any) -> None:
        """Remember the password of a proxy URL, as written and as decoded."""
        password = proxy_password(url)
        if password is None:
            return
        for form in (password, unquote(password)):
            # A short one is known by its place in a URL alone.
            self._values.add(form if len(form) >= SHORTEST_SECRET else f":{form}@")

    def _add_text(self, text: str) -> None:
        # A key is printed whole, escaped as JSON does, or line by line (a library that quotes "the" line).
        for form in (text, "".join(text.split()), json.dumps(text)[1:-1], *text.splitlines()):
            if len(form.strip()) >= SHORTEST_SECRET and not ARMOUR.fullmatch(form.strip()):
                self._values.add(form.strip())

    def scrub(self, value: t.Any) -> t.Any:
        """Return `value` (str, or any nesting of dict and list) without the secrets; a dict's own keys are kept."""
        # Longest first: ansible-core 2.16 does not sort them, and a part taken out would leave the rest.
        secrets = sorted(self._values, key=len, reverse=True)
        clean = remove_values(value, secrets)
        if isinstance(clean, t.Mapping):
            return {key: sanitize_keys(item, secrets) for key, item in clean.items()}
        return sanitize_keys(clean, secrets)


def proxy_password(url: t.Any) -> str | None:
    """Return the password in a proxy URL as it is written there, or None.

    It is what stands between the first colon and the last @, whether or not the rest is a URL: urlsplit sees no
    password in `http://user:p/w@host`, where somebody forgot to escape the slash.
    """
    if not isinstance(url, str) or ("://" not in url and len(url.split()) != 1):
        return None  # words, such as `Mail: me@example.com`
    userinfo = url.strip().split("://", 1)[-1].rpartition("@")[0]
    return userinfo.partition(":")[2] or None


def mask_proxy(url: str) -> str:
    """Return a URL with its password and its query replaced by `***`; one that cannot be read is hidden whole."""
    scheme, slashes, rest = url.partition("://")
    userinfo, at, host = rest.rpartition("@")
    if "@" not in url:
        place, question, dummy_query = url.partition("?")
        return f"{place}?***" if question else url
    # `user:pass@host` without a scheme is no URL: never show what may be a password.
    if not slashes or not at or "?" in host or (":" not in userinfo and "?" in userinfo):
        return "***"
    user, colon, dummy_password = userinfo.partition(":")
    return f"{scheme}://{user}:***@{host}" if colon else url
