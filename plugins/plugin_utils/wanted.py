# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user wants of one host, read from the options and checked before anything is asked of host or platform."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .arguments import Options
from .config import IDENTITY_KEYS, spellings
from .credentials import Document, parse_document
from .endpoint import check_endpoint
from .errors import FleetError
from .token import TokenClaims, read_claims

# Options that are settings of mondoo.yml, each under its own name.
SETTINGS = ("api_proxy", "annotations", "labels", "name", "scan_interval", "updates_url", "auto_update")
# The agent on the host speaks socks5 too; the controller would need one more library for it.
PROXY_SCHEMES = {"api_proxy": ("http", "https", "socks5"), "controller_proxy": ("http", "https")}


@dataclass(frozen=True)
class Wanted:
    """The identity, settings and permissions that the user gave; `endpoint` only when given as an option."""

    token: str | None = field(default=None, repr=False)
    claims: TokenClaims | None = None
    token_problem: FleetError | None = None
    document: Document | None = None
    managed: bool = True
    endpoint: str | None = None
    settings: dict[str, t.Any] = field(default_factory=dict, repr=False)
    unset: tuple[str, ...] = ()
    force: bool = False
    move: bool = False

    @property
    def has_identity(self) -> bool:
        """Tell whether a token or a document was given, readable or not."""
        return self.token is not None or self.document is not None

    @property
    def space_mrn(self) -> str | None:
        """The space that the given identity belongs to."""
        if self.document is not None:
            return self.document.account.space_mrn
        return self.claims.space_mrn if self.claims is not None else None

    @property
    def register_endpoint(self) -> str | None:
        """Where the given identity belongs: the option, else what the token or the document says."""
        if self.endpoint is not None:
            return self.endpoint
        if self.document is not None:
            return self.document.account.api_endpoint
        return self.claims.api_endpoint if self.claims is not None else None


def read_wanted(options: Options) -> Wanted:
    """Read what the user wants. Raises FleetError for whatever could never be applied to any host."""
    token, credentials = options.get("token"), options.get("credentials")
    absent = options.get("state") == "absent"
    if absent:
        token = None  # not needed, so it cannot be wrong
    if token is not None and credentials is not None:
        raise _invalid("token and credentials", "both were given", "Give one of them")
    claims, problem = None, None
    if token is not None:
        token = "".join(token.split())
        try:
            claims = read_claims(token)
        except FleetError as error:
            problem = error
    endpoint = options.get("api_endpoint")
    for name in ("api_proxy", "controller_proxy"):
        check_proxy(name, options.get(name))
    return Wanted(
        token=token,
        claims=claims,
        token_problem=problem,
        document=None if credentials is None else _document(credentials, optional=absent),
        managed=options.get("managed", True),
        endpoint=None if endpoint is None else check_endpoint(endpoint),
        settings=_settings(options),
        unset=_unset(options),
        force=options.get("force", False),
        move=options.get("move", False),
    )


def _document(credentials: t.Any, *, optional: bool) -> Document | None:
    """Read the credentials document; where it only may help, one that cannot be read is as good as none."""
    try:
        return parse_document(credentials)
    except FleetError:
        if optional:
            return None
        raise


def check_proxy(name: str, url: t.Any) -> None:
    """Raise FleetError (code `proxy_invalid`) unless `url` is None or the URL of a proxy; it is never quoted."""
    # An @ after the host: a slash of the password was not escaped, and its rest taken for a path.
    if url is not None and (not _is_url(url, PROXY_SCHEMES[name]) or "@" in url.partition(urlsplit(url).netloc)[2]):
        remedy = "Give one like http://proxy.example.com:3128"
        raise FleetError(f"use the option {name}", "it is not the URL of a proxy", remedy, code="proxy_invalid")


def check_updates_url(url: t.Any) -> None:
    """Raise FleetError (code `option_invalid`) unless `url` is None or an http(s) URL; it is never quoted."""
    if url is not None and not _is_url(url, ("http", "https")):
        remedy = "Give one like https://mirror.example.com"
        raise _invalid("the option updates_url", "it is not an http or https URL", remedy)


def _is_url(url: t.Any, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    # urlsplit drops tabs and line breaks silently.
    return usable and not any(character.isspace() for character in url)


def file_mode(value: t.Any) -> str:
    """Return a file mode as four octal digits; YAML reads an unquoted 0600 as the number 384, as Ansible's own do."""
    text = f"{value:04o}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise _invalid("the option mode", "it is not an octal file mode", "Give one like '0600'")
    if int(text, 8) & 0o007:
        raise _invalid("the option mode", "it would let others read a private key", "Give one like '0600' or '0640'")
    return text.zfill(4)


def _settings(options: Options) -> dict[str, t.Any]:
    given = {name: options[name] for name in SETTINGS if name in options}
    for name in ("annotations", "labels"):
        if name in given:
            given[name] = {str(key): _as_text(value) for key, value in given[name].items()}
    for name in ("annotations", "labels"):
        if not all(key.strip() for key in given.get(name, {})):
            raise _invalid(f"the option {name}", "it has a key without text", "Give each value a key")
        if len({key.lower() for key in given.get(name, {})}) != len(given.get(name, {})):
            cause = "it has a key twice (cnspec reads keys without case)"
            raise _invalid(f"the option {name}", cause, "Give each key once")
    check_updates_url(given.get("updates_url"))
    interval = given.get("scan_interval")
    if interval is not None:
        given["scan_interval"] = {name: value for name, value in interval.items() if value is not None}
        if any(value < 1 for value in given["scan_interval"].values()):
            raise _invalid("the option scan_interval", "a number of minutes is less than 1", "Give positive numbers")
    for key, value in options.get("settings", {}).items():
        _check_free_setting(key)
        given[key.lower()] = value
    return given


def _as_text(value: t.Any) -> str:
    """Return the value of an annotation or a label as text, which is all that cnspec takes there."""
    if isinstance(value, (dict, list)):
        raise _invalid("the options annotations and labels", "a value is no text", "Give a text for each key")
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _check_free_setting(key: str) -> None:
    if not key.strip():
        raise _invalid("the option settings", "it has a key without text", "Give each value a key")
    known = {spelling for name in SETTINGS for spelling in spellings(name)}
    if key.lower() in known:
        raise _invalid("the option settings", f"{key.lower()} has an option of its own", "Use that option")
    if key.lower() in IDENTITY_KEYS:
        raise _invalid("the option settings", f"{key.lower()} belongs to the registration", "Use token or credentials")


def _unset(options: Options) -> tuple[str, ...]:
    names = tuple(str(name).strip() for name in options.get("unset", []) if str(name).strip())
    settings = _settings(options)
    given = {spelling for name in settings for spelling in spellings(name)}
    # One part of the interval may be set and the other taken away.
    given -= {f"scan_interval.{part}" for part in ("timer", "splay") if part not in settings.get("scan_interval", {})}
    for name in names:
        key = name.lower().replace("-", "_")
        if key in IDENTITY_KEYS:
            raise _invalid("the option unset", f"{key} belongs to the registration", "Name a setting")
        if given & set(spellings(key)) or name.lower() in given:
            raise _invalid("the option unset", f"{name.lower()} is also given a value", "Do one or the other")
    return names


def _invalid(what: str, cause: str, remedy: str) -> FleetError:
    return FleetError(f"use {what}", cause, remedy, code="option_invalid")
