# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step install of one host: its options and what was seen of it, for the plan."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import replace
from urllib.parse import urlsplit

from . import package_archive, package_proxy
from .arguments import Options
from .errors import FleetError
from .host_records import Answer, Look
from .install_plan import NOTHING, Found, Install, Wanted, plan
from .package_files import FILES
from .packages import installed
from .seen import Seen

# Where the family is not known yet, all are looked at: what is not there costs nothing.
PATHS = tuple(dict.fromkeys(path for paths in FILES.values() for path in paths))
# The keys that rpm trusts, which zypper wants to be told of. An older rpm names a key by its last 8 digits.
COMMANDS = {"rpm_keys": ("rpm", "-q", "--qf", "%{VERSION}\\n", "gpg-pubkey")}

VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9][0-9A-Za-z.+~-]*")
FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def prepare(options: Options, answer: Answer, seen: Seen) -> Install:
    """Return what the step has to do. What keeps it from doing that is its `problem`, and fails no other step."""
    if options["state"] == "absent":
        return dict(NOTHING)
    try:
        return plan(find(answer, seen), want(options))
    except FleetError as error:
        return {**NOTHING, "problem": str(error)}


def find(answer: Answer, seen: Seen) -> Found:
    """Return what was seen by a look at PATHS, by packages.COMMANDS and by COMMANDS."""
    look = t.cast(Look, answer.look)
    system, keys = look.system, answer.ran.get("rpm_keys")
    return Found(
        family=seen.family,
        system=system.os_name or system.os_id or system.system,
        path=seen.cnspec_path,
        package=installed(answer.ran, seen.family),
        keys=tuple(keys.stdout.lower().split()) if keys is not None and keys.rc == 0 else (),
        files=look.files,
    )


def want(options: Options) -> Wanted:
    """Read the options. Raises FleetError for one that is wrong."""
    key_url = _url("package_key_url", options["package_key_url"]) if options.get("package_key_url") else ""
    wanted = want_repository(options)
    return replace(
        wanted,
        version=_version(options.get("version", "")),
        archives=tuple(package_archive.read(_absolute(path)) for path in options.get("package_file", [])),
        key_url=key_url,
        fingerprint=_fingerprint(options["package_key_fingerprint"]),
        key_route=_route(key_url or wanted.url, options),
    )


def want_repository(options: Options) -> Wanted:
    """Read what is asked of the repository alone. Raises FleetError."""
    url = _url("package_url", options["package_url"])
    return Wanted(url=url, hold=options.get("hold"), route=_route(url, options))


def _route(url: str, options: Options) -> package_proxy.Route:
    return package_proxy.route(url, options.get("package_proxy", ""), options.get("package_no_proxy", []))


def _url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        known = bool(parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0)
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment or any(character.isspace() for character in text):
        raise _wrong(name, "its value is no URL of a folder or file", "Give one such as https://releases.mondoo.com")
    if "@" in parts.netloc:
        # Every user of a host can read where its packages come from.
        raise _wrong(name, "it holds a user or password", "Let the mirror know the hosts by other means")
    return text.rstrip("/")


def _version(text: str) -> str:
    if text.lower() == "latest":
        return "latest"
    if text and not VERSION.fullmatch(text):
        raise _wrong("version", "its value is no full version", "Give one such as 13.0.1, or latest")
    return text


def _fingerprint(text: str) -> str:
    digits = "".join(text.split()).removeprefix("0x").upper()
    if not FINGERPRINT.fullmatch(digits):
        raise _wrong("package_key_fingerprint", "its value is not 40 (or 64) hexadecimal digits", "Give all of them")
    return digits


def _absolute(path: str) -> str:
    if not os.path.isabs(path):
        raise _wrong("package_file", f"{path} is not found on the controller", "Put it in files/ beside the playbook")
    return path


def _wrong(name: str, cause: str, remedy: str) -> FleetError:
    return FleetError(f"use the option {name}", cause, remedy, code="option_invalid")
