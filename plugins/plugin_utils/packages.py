# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package cnspec, as the package managers of the Linux families know it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .host_records import Ran

NAME = "cnspec"

# A tool that is not there costs nothing; on a host that has both, the family says whose word counts.
COMMANDS = {
    "dpkg-query": ("dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Version}\\n", NAME),
    "rpm": ("rpm", "-q", "--qf", "ii |%{VERSION}\\n", NAME),
}
TOOLS = {"Debian": "dpkg-query", "RedHat": "rpm", "Suse": "rpm"}


@dataclass(frozen=True)
class Package:
    """An installed package. `version`: that of the program, without epoch and revision; `held`: None is not known."""

    name: str
    version: str
    held: bool | None


def plain_version(text: str) -> str:
    """Return a version without epoch and revision."""
    return text.rpartition(":")[2].partition("-")[0]


def installed(ran: t.Mapping[str, Ran], family: str) -> Package | None:
    """Return the package cnspec from what COMMANDS printed; None where it is not installed, or nobody can tell."""
    said = ran.get(TOOLS.get(family, ""))
    if said is None or not said.found or said.rc != 0:
        return None
    state, separator, version = said.stdout.strip().partition("|")
    if not separator or state[1:2] != "i":
        return None  # removed, its configuration left behind
    held = state[:1] == "h" if TOOLS[family] == "dpkg-query" else None
    return Package(NAME, plain_version(version), held)
