# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of a host: what its own tools say of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

# As `Id` names them; chronyd is an alias of chrony on Debian and the other way round on RedHat.
TIME_SERVICES = ("chrony", "chronyd", "systemd-timesyncd", "ntpsec", "ntpd", "ntp", "openntpd")
TIMEDATECTL = ("timedatectl", "show")
CHRONYC = ("chronyc", "-n", "tracking")


@dataclass(frozen=True)
class Clock:
    """Whether something keeps the clock right. None means: the host does not say. `service`: the one that runs."""

    ntp_enabled: bool | None = None
    ntp_synchronized: bool | None = None
    service: str | None = None


def read(timedatectl: str, tracking: str, units: t.Mapping[str, Unit]) -> Clock:
    """Return the clock, from `timedatectl show`, `chronyc -n tracking` and the units of the time services.

    An empty text means that the tool is not there, or failed.
    """
    said = dict(line.split("=", 1) for line in timedatectl.splitlines() if "=" in line)
    service = next((name for name in TIME_SERVICES if name in units and units[name].active), None)
    enabled = _yes(said.get("NTP"))
    if service is not None:
        # timedatectl knows only the services that registered with it.
        enabled = True
    synchronized = _yes(said.get("NTPSynchronized"))
    if synchronized is None:
        synchronized = _tracking(tracking)
    return Clock(ntp_enabled=enabled, ntp_synchronized=synchronized, service=service)


def offset(host: float, earliest: float, latest: float) -> float:
    """Return the host's clock minus the controller's (seconds), both read between `earliest` and `latest`.

    What the round trip leaves open counts as no difference.
    """
    if host > latest:
        return round(host - latest, 3)
    return round(host - earliest, 3) if host < earliest else 0.0


def _yes(text: str | None) -> bool | None:
    return {"yes": True, "no": False}.get((text or "").strip())


def _tracking(text: str) -> bool | None:
    for line in text.splitlines():
        label, dummy, value = line.partition(":")
        if label.strip() == "Leap status":
            return value.strip() in ("Normal", "Insert second", "Delete second")
    return None
