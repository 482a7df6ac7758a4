# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that tell a package manager of the repository: what is to be in them, given what is in them now."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from .package_proxy import Proxy, Route

WRITTEN_BY = "Written by the role mondoo.fleet.cnspec."
NAME = "cnspec"

KEYRING = "/usr/share/keyrings/mondoo-archive-keyring.gpg"
SOURCES = "/etc/apt/sources.list.d/mondoo.sources"
# What the vendor's installer writes. Beside ours it would be the same source twice, and with another key apt refuses
# both: "Conflicting values set for option Signed-By".
OLD_SOURCES = "/etc/apt/sources.list.d/mondoo.list"
APT_PROXY = "/etc/apt/apt.conf.d/80mondoo-fleet-proxy"
# Read by apt as root before it becomes another user, see apt_auth.conf(5): so the file above holds no secret, and apt
# works for users as before.
APT_LOGIN = "/etc/apt/auth.conf.d/80mondoo-fleet-proxy.conf"

RPM_KEY = "/etc/pki/rpm-gpg/RPM-GPG-KEY-mondoo"
YUM_REPOSITORY = "/etc/yum.repos.d/mondoo.repo"
ZYPP_REPOSITORY = "/etc/zypp/repos.d/mondoo.repo"
ZYPP_LOCKS = "/etc/zypp/locks"
SECTION = "mondoo"

FILES = {
    "Debian": (KEYRING, SOURCES, OLD_SOURCES, APT_PROXY, APT_LOGIN),
    "RedHat": (RPM_KEY, YUM_REPOSITORY),
    "Suse": (RPM_KEY, ZYPP_REPOSITORY, ZYPP_LOCKS),
}

WITH_PROXY = {"Debian": APT_PROXY, "RedHat": YUM_REPOSITORY, "Suse": ZYPP_REPOSITORY}
PROXY = re.compile(
    r'(?:^Acquire::https?::Proxy::\S+ "|^proxy[ \t]*=[ \t]*|[?&]proxy=)(?P<scheme>https?://)(?P<place>[^"&\s]+)', re.M
)


@dataclass(frozen=True)
class File:
    """What is to be in a file; `text` empty: there is to be none. `secret`: nobody else may read it."""

    path: str
    text: str = field(repr=False)
    secret: bool = False


def sources(url: str) -> File:
    """Return the source of apt, as deb822 (sources.list(5))."""
    lines = [f"# {WRITTEN_BY}", "Types: deb", f"URIs: {url}/debian/", "Suites: stable", "Components: main"]
    return File(SOURCES, "\n".join([*lines, f"Signed-By: {KEYRING}", ""]))


def apt_proxy(url: str, route: Route) -> list[File]:
    """Return the files that tell apt of the proxy, for the repository's host only; see apt-transport-http(1)."""
    if route.kind == "kept":
        return []
    way, login = "", ""
    if route.kind != "removed":
        place = route.proxy.url if route.proxy else "DIRECT"
        host = urlsplit(url).hostname
        way = f"// {WRITTEN_BY}\n"
        way += "".join(f'Acquire::{scheme}::Proxy::{host} "{place}";\n' for scheme in ("http", "https"))
    if route.proxy and route.proxy.user:
        # Without the scheme, apt would use a login for https only.
        login = f"# {WRITTEN_BY}\n"
        login += f"machine {route.proxy.url} login {route.proxy.user} password {route.proxy.password}\n"
    return [File(APT_LOGIN, login, secret=True), File(APT_PROXY, way)]


def proxy_in(text: str) -> str | None:
    """Return the proxy that a file of WITH_PROXY names, without its user and password."""
    found = PROXY.search(text)
    return found.group("scheme") + found.group("place").rpartition("@")[2] if found else None


def yum_repository(url: str, route: Route, hold: bool | None, found: str) -> File:
    """Return the repository of dnf; what `found` has beside what is ours stays."""
    parser = _parsed(found)
    section = parser[SECTION]
    section.update(_shared(f"{url}/rpm/$basearch/"))
    if route.kind != "kept":
        for name in ("proxy", "proxy_username", "proxy_password"):
            section.pop(name, None)
    if route.kind == "direct":
        section["proxy"] = "_none_"
    if route.proxy:
        section["proxy"] = route.proxy.url
        if route.proxy.user:
            section.update(proxy_username=route.proxy.user, proxy_password=route.proxy.password)
    if hold is not None:
        kept = [name for name in _words(section.get("exclude", "")) if name != NAME]
        section["exclude"] = " ".join([*kept, NAME] if hold else kept)
        if not section["exclude"]:
            section.pop("exclude")
    return File(YUM_REPOSITORY, _rendered(parser), secret="proxy_password" in section)


def is_excluded(found: str) -> bool:
    """Tell whether dnf leaves the package alone."""
    return NAME in _words(_parsed(found)[SECTION].get("exclude", ""))


def zypp_repository(url: str, route: Route, found: str) -> File:
    """Return the repository of zypper; what `found` has beside what is ours stays.

    The proxy is a part of the address, and zypper never shows its password. The signature of each package is checked,
    that of the list of packages is not, as with dnf: a repository need not have one.
    """
    parser = _parsed(found)
    section = parser[SECTION]
    query = section.get("baseurl", "").partition("?")[2] if route.kind == "kept" else _zypp_query(route)
    address = f"{url}/rpm/$basearch/" + (f"?{query}" if query else "")
    section.update(_shared(address), autorefresh="1", type="rpm-md", repo_gpgcheck="0", pkg_gpgcheck="1")
    return File(ZYPP_REPOSITORY, _rendered(parser), secret="proxypass=" in query)


def _zypp_query(route: Route) -> str:
    if route.kind == "direct":
        return "proxy=_none_"
    return "&".join(f"{name}={quote(value, safe=':/')}" for name, value in _zypp_proxy(route.proxy))


def _zypp_proxy(proxy: Proxy | None) -> list[tuple[str, str]]:
    if proxy is None:
        return []
    login = [("proxyuser", proxy.user), ("proxypass", proxy.password)] if proxy.user else []
    return [("proxy", proxy.url), *login]


def is_locked(locks: str) -> bool:
    """Tell whether zypper leaves the package alone."""
    return any(map(_is_ours, _stanzas(locks)))


def with_lock(locks: str, lock: bool) -> str:
    """Return the locks of zypper with or without that of the package; other locks stay."""
    kept = [stanza for stanza in _stanzas(locks) if not _is_ours(stanza)]
    ours = [f"type: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: {NAME}"] if lock else []
    return "".join(f"\n{stanza}\n" for stanza in [*kept, *ours])


def _stanzas(text: str) -> list[str]:
    return [stanza.strip("\n") for stanza in re.split(r"\n[ \t]*\n", text) if stanza.strip()]


def _is_ours(stanza: str) -> bool:
    return f"solvable_name: {NAME}" in [line.strip() for line in stanza.splitlines()]


def _shared(baseurl: str) -> dict[str, str]:
    return {"name": "Mondoo", "baseurl": baseurl, "enabled": "1", "gpgcheck": "1", "gpgkey": f"file://{RPM_KEY}"}


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    try:
        parser.read_string(text)
    except configparser.Error:
        parser.clear()  # no package manager reads it either
    if not parser.has_section(SECTION):
        parser.add_section(SECTION)
    return parser


def _rendered(parser: configparser.RawConfigParser) -> str:
    blocks = []
    for name in parser.sections():
        lines = [f"{key}={value}".replace("\n", "\n    ") for key, value in parser[name].items()]
        blocks.append("\n".join([f"[{name}]", *lines, ""]))
    return f"# {WRITTEN_BY}\n" + "\n".join(blocks)
