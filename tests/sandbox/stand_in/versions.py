# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every version that the stand-in plays, and which of them plays for a version that has no profile."""

from __future__ import annotations

import re
from dataclasses import replace

from sandbox.stand_in.arguments import Flag
from sandbox.stand_in.profiles import V7_12_1, V9_14_0, V11_69_1, V12_11_0, V13_0_1, Profile

# Nobody recorded 13.35: what differs from 13.0 was read in the source of mql 13.27 (status.go, status_render.go), of
# ranger-rpc 0.8.1 (client.go; in cnspec from 13.29.0 on) and of cnspec 13.35.2 (cnspec.go). What is not known is as in
# 13.0.1: how often a broken configuration is read, and the words of --help, of which those of --logging-config are
# left out.
V13_35_2 = replace(
    V13_0_1,
    version="13.35.2",
    source="the source code of 13.35.2, not a recording",
    panics_as=V13_0_1.version,
    screen=True,
    empty_answer_is_success=False,
    joins_auto_update=True,
    global_flags=tuple(
        sorted((*V13_0_1.global_flags, Flag("logging-config", "string", "")), key=lambda flag: flag.name)
    ),
    bound_flags=(*V13_0_1.bound_flags, ("logging-config", "logging-config")),
)

PROFILES = {profile.version: profile for profile in (V7_12_1, V9_14_0, V11_69_1, V12_11_0, V13_0_1, V13_35_2)}


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as what it is compared by."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", version))


def profile_of(version: str) -> Profile:
    """Return the profile of a version; one that has none behaves as the newest before it, or as the oldest there is."""
    if version in PROFILES:
        return PROFILES[version]
    known = sorted(PROFILES, key=numbers)
    before = [name for name in known if numbers(name) <= numbers(version)]
    nearest = PROFILES[before[-1] if before else known[0]]
    panics_as = nearest.panics_as or nearest.version
    return replace(nearest, version=version, plays=nearest.version, panics_as=panics_as)
