# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the step install has to do on a host: what was seen and what is wanted, in; what to do, out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mondoo.fleet.plugins.module_utils.openpgp_key import holds_only

from . import package_files as files
from .errors import FleetError
from .host_records import FileSeen
from .package_proxy import Route
from .packages import NAME, Package

Install = dict[str, t.Any]
# How the package comes: the empty text stands for no task at all.
Way = t.Literal["", "present", "latest", "version", "file"]


@dataclass(frozen=True)
class Archive:
    """A package file on the controller. `version`: that of the program; None: it cannot be told."""

    path: str
    kind: t.Literal["deb", "rpm"]
    name: str | None
    version: str | None


@dataclass(frozen=True)
class Wanted:
    """What the options ask for. `hold` None: whatever is; `archives`: packages in place of the repository.

    `url` is the folder above debian/ and rpm/, without a slash behind it; `key_url` empty: the family's own.
    """

    version: str = ""
    hold: bool | None = None
    archives: tuple[Archive, ...] = ()
    url: str = "https://releases.mondoo.com"
    key_url: str = ""
    fingerprint: str = ""
    route: Route = Route("kept")
    key_route: Route = Route("kept")


@dataclass(frozen=True)
class Found:
    """What was seen of a host. `path`: the command cnspec; `keys`: what rpm calls the keys that it trusts."""

    family: str
    system: str
    path: str | None = None
    package: Package | None = None
    keys: tuple[str, ...] = ()
    files: t.Mapping[str, FileSeen] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Return what is in a file; an empty text where there is none."""
        return (self.content(path) or b"").decode("utf-8", "replace")

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file; None where there is none, or it cannot be read."""
        seen = self.files.get(path)
        return None if seen is None else seen.content


NOTHING: Install = {
    "problem": None,
    "todo": False,
    "package": "",
    "version": None,
    "foretold": None,
    "key": None,
    "sources": None,
    "obsolete": [],
    "repository": False,
    "reach": None,
    "kept_proxy": None,
    "hold": "",
    "locks": None,
    "files": [],
}


def plan(found: Found, wanted: Wanted) -> Install:
    """Return what to do, with all keys of NOTHING. Raises FleetError where it cannot be done."""
    if found.package is None and found.path is not None and not (wanted.version or wanted.archives):
        return dict(NOTHING)  # it came some other way, and nobody asked for another
    if found.family not in files.FILES:
        raise unknown_system(found, "install cnspec")
    package = _package(found, wanted)
    todo: Install = {**NOTHING, "package": package, "version": wanted.version or None}
    if wanted.archives:
        _refuse_wrong_archives(found, wanted)
        todo.update(version=_archive_version(wanted), files=[archive.path for archive in wanted.archives])
    else:
        todo.update(_repository(found, wanted))
    todo.update(_hold(found, wanted, bool(package)))
    prepared = bool(todo["key"] or todo["sources"] or todo["obsolete"] or todo["repository"])
    # What the package manager would do can be asked only where it knows the package already.
    if package and (package != "latest" or found.package is None or prepared):
        todo["foretold"] = _foretold(found, todo)
    return {**todo, "todo": prepared or bool(package or todo["hold"])}


def repository_files(found: Found, wanted: Wanted) -> list[files.File]:
    """Return the files that may hold a proxy's password, as they are to be."""
    if found.family == "Debian":
        return files.apt_proxy(wanted.url, wanted.route)
    if found.family == "RedHat":
        present = found.text(files.YUM_REPOSITORY)
        return [files.yum_repository(wanted.url, wanted.route, wanted.hold, present)]
    return [files.zypp_repository(wanted.url, wanted.route, found.text(files.ZYPP_REPOSITORY))]


def _package(found: Found, wanted: Wanted) -> Way:
    there = None if found.package is None else found.package.version
    if wanted.archives:
        return "" if there is not None and there == _archive_version(wanted) else "file"
    if wanted.version == "latest":
        return "latest"
    if wanted.version:
        return "" if there == wanted.version.partition("-")[0] else "version"
    return "present" if there is None else ""


def _repository(found: Found, wanted: Wanted) -> Install:
    debian = found.family == "Debian"
    sources = files.sources(wanted.url) if debian else None
    stale = sources is not None and found.text(sources.path) != sources.text
    differing = [file for file in repository_files(found, wanted) if found.text(file.path) != file.text]
    return {
        "key": _key(found, wanted),
        "sources": {"path": sources.path, "content": sources.text} if sources is not None and stale else None,
        "obsolete": [files.OLD_SOURCES] if debian and found.content(files.OLD_SOURCES) is not None else [],
        "repository": bool(differing),
        "reach": _reach(found, wanted),
        "kept_proxy": files.proxy_in(found.text(files.WITH_PROXY[found.family]))
        if wanted.route.kind == "kept"
        else None,
    }


def _reach(found: Found, wanted: Wanted) -> Install | None:
    """Return what can be asked to know whether a host reaches the repository; None where its way is not known here."""
    if wanted.route.kind not in ("proxy", "direct"):
        return None
    return {"url": _key_url(found, wanted.url), "proxied": wanted.route.kind == "proxy"}


def _key_url(found: Found, url: str) -> str:
    return f"{url}/{'debian' if found.family == 'Debian' else 'rpm'}/pubkey.gpg"


def _key(found: Found, wanted: Wanted) -> Install | None:
    """Return the key that has to be fetched, or made known to rpm; None where neither is left to do."""
    debian = found.family == "Debian"
    path = files.KEYRING if debian else files.RPM_KEY
    fetch = not holds_only(found.content(path), wanted.fingerprint, text=not debian)
    trust = found.family == "Suse" and not any(wanted.fingerprint.lower().endswith(key) for key in found.keys)
    if not fetch and not trust:
        return None
    return {
        "path": path,
        "url": wanted.key_url or _key_url(found, wanted.url),
        "fingerprint": wanted.fingerprint,
        "armored": not debian,
        "use_proxy": wanted.key_route.kind != "direct",
        "proxied": wanted.key_route.kind == "proxy",
        "fetch": fetch,
        "trust": trust,
    }


def _hold(found: Found, wanted: Wanted, changing: bool) -> Install:
    """Return what is to be held or released beside what the repository of dnf says.

    A package that is held stays so when its version is changed.
    """
    if found.package is None and not changing:
        return {}
    locks = found.text(files.ZYPP_LOCKS)
    held = files.is_locked(locks) if found.family == "Suse" else bool(found.package and found.package.held)
    hold = held if wanted.hold is None else wanted.hold
    if found.family == "RedHat" or not (held or hold) or (held == hold and not changing):
        return {}
    told: Install = {"hold": "hold" if hold else "release"}
    if found.family == "Suse":
        told["locks"] = {"held": files.with_lock(locks, True), "released": files.with_lock(locks, False), "now": held}
    return told


def _archive_version(wanted: Wanted) -> str | None:
    return next((archive.version for archive in wanted.archives if archive.name in (NAME, None)), None)


def _foretold(found: Found, todo: Install) -> str:
    version = "in the newest version" if todo["package"] in ("present", "latest") else todo["version"] or ""
    place = f" in place of {found.package.version}" if found.package else ""
    return " ".join(f"{NAME} {version} would be installed{place}.".split())


def _refuse_wrong_archives(found: Found, wanted: Wanted) -> None:
    kind = "deb" if found.family == "Debian" else "rpm"
    for archive in wanted.archives:
        if archive.kind != kind:
            cause = f"{archive.path} is no .{kind}, which this system ({found.system}) installs"
            raise FleetError("install cnspec", cause, "Set cnspec_package_file for each family", code="wrong_package")
    names = [archive.name for archive in wanted.archives]
    if NAME not in names and None not in names:
        cause = f"cnspec_package_file names the package {' and '.join(map(str, names))}, and not {NAME}"
        raise FleetError("install cnspec", cause, f"Add that of {NAME}", code="wrong_package")


def unknown_system(found: Found, what: str) -> FleetError:
    """Return the error of a host whose packages nobody here knows."""
    cause = f"mondoo.fleet does not know the packages of this system ({found.system})"
    return FleetError(what, cause, "Set cnspec_install: false", code="unknown_system")
