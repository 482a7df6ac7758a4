# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in is told beside its command line: the settings file next to the installed command."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The host and the world around it as far as the stand-in simulates them.

    `root` is the folder that plays the host's /; `as_root` says whether root plays cnspec (null: as it really is);
    `clock_offset` seconds are added to the time of day, and the clock
    runs `clock_rate` times as fast as it should (so that what is slow need not be waited for).
    `releases_unreachable` is false, "refused" (or true) or "dns". The release site is never called: what it would say
    is `latest_version`. `hosts` maps names to addresses ("127.0.0.1" or "127.0.0.1:8443"); any other name that
    /etc/hosts does not know does not exist, and only loopback and private addresses are dialled, so nothing ever goes
    out to the internet. `time_scale` multiplies the pauses that cnspec makes before it retries (0: none);
    `http_timeout` is in seconds.
    """

    version: str
    root: str = ""
    as_root: bool | None = None
    clock_offset: float = 0.0
    clock_rate: float = 1.0
    latest_version: str = "13.35.2"
    releases_unreachable: bool | str = False
    outdated_providers: list[str] = field(default_factory=list)
    build: str = "lab"
    hostname: str = ""
    ip: str = ""
    platform: dict[str, Any] = field(default_factory=dict)
    default_endpoint: str = "https://us.api.mondoo.com"
    hosts: dict[str, str] = field(default_factory=dict)
    resolver: str = "192.0.2.53:53"
    http_timeout: float = 30.0
    time_scale: float = 0.0
    began: int = field(default_factory=time.monotonic_ns, init=False, compare=False, repr=False)

    def now_ns(self) -> int:
        """Return what this host takes for the time, in nanoseconds."""
        gained = (time.monotonic_ns() - self.began) * (self.clock_rate - 1)
        return time.time_ns() + int(self.clock_offset * 1_000_000_000 + gained)

    @property
    def release_failure(self) -> str:
        """Return why the release site cannot be reached: "", "refused" or "dns"."""
        if isinstance(self.releases_unreachable, str):
            return self.releases_unreachable
        return "refused" if self.releases_unreachable else ""


def load(path: str) -> Settings:
    """Read a settings file. Raises TypeError for a setting that does not exist."""
    with open(path, encoding="utf-8") as stream:
        return Settings(**json.load(stream))


def dump(settings: Settings, path: str) -> None:
    """Write the settings that differ from the defaults."""
    given = {}
    for item in dataclasses.fields(settings):
        if not item.init:
            continue
        value = getattr(settings, item.name)
        default = item.default_factory() if item.default_factory is not dataclasses.MISSING else item.default
        if value != default:
            given[item.name] = value
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(given, stream, indent=1, sort_keys=True)
        stream.write("\n")
