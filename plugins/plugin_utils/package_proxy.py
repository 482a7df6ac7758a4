# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from a host to the package repository: through a proxy, past it, or as it was."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from .errors import FleetError

OPTION = "use the option package_proxy"
EXPECTED = "Give a URL such as http://proxy.example.com:3128, or none"

# `kept`: nobody said anything, so what the host has stays. `removed`: what the host itself is set to, ours is gone.
Kind = t.Literal["kept", "removed", "direct", "proxy"]


@dataclass(frozen=True)
class Proxy:
    """A proxy: `url` has neither user nor password, which are decoded here."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def authority(self) -> str:
        """Return user and password as they stand in a URL."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}" if self.user else ""


@dataclass(frozen=True)
class Route:
    """How a host reaches a repository; `proxy` belongs to the kind of that name."""

    kind: Kind
    proxy: Proxy | None = None


def route(url: str, proxy: str, no_proxy: t.Sequence[str]) -> Route:
    """Return the way to `url` by the options package_proxy and package_no_proxy. Raises FleetError."""
    if proxy.lower() == "none":
        return Route("removed")
    if is_exempt(url, no_proxy):
        return Route("direct")
    return Route("proxy", parse(proxy)) if proxy else Route("kept")


def parse(url: str) -> Proxy:
    """Read the URL of a proxy. Raises FleetError, which does not quote it."""
    scheme, slashes, rest = url.strip().partition("://")
    # The last @: a password may hold others that nobody escaped.
    userinfo, dummy_at, place = rest.rpartition("@")
    user, dummy_colon, password = userinfo.partition(":")
    place = place.rstrip("/")
    if not slashes or scheme.lower() not in ("http", "https") or not _is_place(f"//{place}"):
        raise FleetError(OPTION, "its value is not the URL of a proxy", EXPECTED, code="option_invalid")
    found = Proxy(f"{scheme.lower()}://{place}", unquote(user), unquote(password))
    if any(character.isspace() or not character.isprintable() for character in found.user + found.password):
        cause = "its user or password holds white space, which the package managers' files cannot"
        raise FleetError(OPTION, cause, "Choose another password", code="option_invalid")
    return found


def _is_place(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and not (parts.path or parts.query or parts.fragment) and (parts.port or 1) > 0
    except ValueError:
        return False


def is_exempt(url: str, no_proxy: t.Sequence[str]) -> bool:
    """Tell whether `url` is to be reached without a proxy.

    An entry is a host, a domain (with all below it; a leading dot or `*.` changes nothing), an address, a network
    (192.0.2.0/24) or `*`; behind a host or domain there may be a port.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
    return any(_matches(host, port, entry.strip().lower()) for entry in no_proxy if entry.strip())


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None:
        name, wanted = _split_port(entry)
        return wanted in (None, port) and (_address(name) == address or _in_network(address, entry))
    name, wanted = _split_port(entry)
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and wanted in (None, port) and (host == domain or host.endswith(f".{domain}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    bare = entry.strip("[]")
    if _address(bare) is not None:
        return bare, None
    name, colon, port = entry.rpartition(":")
    return (name.strip("[]"), int(port)) if colon and port.isdigit() else (entry, None)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return "/" in entry and address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
