# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of systemd, as `systemctl show` prints them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState", "ActiveEnterTimestamp")
STARTED = "%a %Y-%m-%d %H:%M:%S %Z"


@dataclass(frozen=True)
class Unit:
    """One unit. `started`: when it became active (seconds since the epoch); None means that it is not known.

    `state` is systemd's ActiveState, or `masked` for a unit that may not be started.
    """

    name: str
    active: bool | None = None
    enabled: bool | None = None
    started: float | None = None
    state: str | None = None


def command(*names: str) -> tuple[str, ...]:
    """Return the command that asks for units; it wants TZ=UTC and LC_ALL=C in its environment."""
    return ("systemctl", "show", "--no-pager", "--property=" + ",".join(PROPERTIES), *names)


def parse(text: str) -> dict[str, Unit]:
    """Return the units that are there, by name without `.service`."""
    units = {}
    for block in text.replace("\r\n", "\n").split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = values.get("Id", "").removesuffix(".service")
        if name and values.get("LoadState") not in (None, "not-found"):
            units[name] = _unit(name, values)
    return units


def _unit(name: str, values: t.Mapping[str, str]) -> Unit:
    active, enabled = values.get("ActiveState"), values.get("UnitFileState")
    return Unit(
        name=name,
        active=active in ("active", "reloading") if active else None,
        enabled=enabled in ("enabled", "enabled-runtime", "alias", "static", "generated") if enabled else None,
        started=_time(values.get("ActiveEnterTimestamp", "")),
        state="masked" if values.get("LoadState") == "masked" else active,
    )


def _time(text: str) -> float | None:
    if not text.endswith(" UTC"):
        return None
    try:
        return datetime.strptime(text, STARTED).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
