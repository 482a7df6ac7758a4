# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate that every result and every error of a run leaves through: no secret passes it."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import unquote, urlsplit, urlunsplit

from ansible.module_utils.common.parameters import remove_values

# Anything shorter would cut holes into ordinary words of a message.
SHORTEST_SECRET = 6


class Secrets:
    """Remember the secrets of one run, and take them out of what leaves it."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: t.Any) -> None:
        """Remember every text in `value` (a str, or any nesting of dict and list), and its lines."""
        if isinstance(value, t.Mapping):
            for item in value.values():
                self.add(item)
        elif isinstance(value, (list, tuple, set)):
            for item in value:
                self.add(item)
        elif isinstance(value, bytes):
            self.add(value.decode("utf-8", "replace"))
        elif isinstance(value, str):
            self._add_text(value)

    def add_proxy(self, url: t.Any) -> None:
        """Remember the password of a proxy URL, as written and as decoded."""
        password = proxy_password(url)
        if password:
            self._values.update({password, unquote(password)})

    def _add_text(self, text: str) -> None:
        # A key is printed whole, escaped as JSON does, or line by line (a library that quotes "the" line).
        for form in (text, "".join(text.split()), json.dumps(text)[1:-1], *text.splitlines()):
            if len(form.strip()) >= SHORTEST_SECRET and not form.strip().startswith("-----"):
                self._values.add(form.strip())

    def scrub(self, value: t.Any) -> t.Any:
        """Return `value` (str, or any nesting of dict and list) without the secrets."""
        return remove_values(value, self._values)


def proxy_password(url: t.Any) -> str | None:
    """Return the password in a proxy URL as it is written there, or None."""
    try:
        return urlsplit(url).password if isinstance(url, str) else None
    except ValueError:
        return None


def mask_proxy(url: str) -> str:
    """Return a proxy URL with its password replaced by `***`; a URL that cannot be read is hidden whole."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return "***"
    if password is None:
        # `user:pass@host` without a scheme has no netloc: never show what may be a password.
        return url if parts.netloc or "@" not in url else "***"
    userinfo, host = parts.netloc.rsplit("@", 1)
    return urlunsplit(parts._replace(netloc=f"{userinfo.split(':', 1)[0]}:***@{host}"))
