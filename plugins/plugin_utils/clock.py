# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of a host: what its own tools say of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mondoo.fleet.plugins.plugin_utils.time_services import TIME_SERVICES, UNITS, kernel
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

# The commands to run, by the names that `read` knows them by. A tool that is not there costs nothing.
COMMANDS = {
    "timedatectl": ("timedatectl", "show"),
    "systemsetup": ("systemsetup", "-getusingnetworktime"),
    **{service.name: service.command for service in TIME_SERVICES},
}


@dataclass(frozen=True)
class Clock:
    """Whether something keeps the clock right. None means: the host does not say. `service`: the one that runs."""

    ntp_enabled: bool | None = None
    ntp_synchronized: bool | None = None
    service: str | None = None


def read(said: t.Mapping[str, str], units: t.Mapping[str, Unit]) -> Clock:
    """Return the clock, from what the tools of COMMANDS printed and from the units of the time services.

    A tool that is not there, or failed, is left out. The service that runs is asked before the kernel (timedatectl):
    the kernel still says yes long after a service has stopped, and never hears of `chronyd -x`.
    """
    running = next((name for name in UNITS if name in units and units[name].active), None)
    answers = {service.name: service.read(said.get(service.name, "")) for service in TIME_SERVICES}
    answering = [service for service in TIME_SERVICES if answers[service.name] is not None]
    asked = next((service for service in answering if running in service.units), None)
    if asked is None and running is None:
        # Without systemd, the tool whose service answers tells which one runs.
        asked = next(iter(answering), None)
        running = asked.name if asked else None
    of_kernel = kernel(said.get("timedatectl", ""))
    synchronized = answers[asked.name] if asked else of_kernel["NTPSynchronized"]
    return Clock(_enabled(said, of_kernel["NTP"], running), synchronized, running)


def _enabled(said: t.Mapping[str, str], registered: bool | None, running: str | None) -> bool | None:
    setting = said.get("systemsetup", "").strip()  # macOS: `Network Time: On`
    if setting.startswith("Network Time: "):
        return setting.endswith(": On")
    return True if running else registered


def offset(host: float, earliest: float, latest: float) -> float:
    """Return the host's clock minus the controller's (seconds), both read between `earliest` and `latest`.

    What the round trip leaves open counts as no difference.
    """
    if host > latest:
        return round(host - latest, 3)
    return round(host - earliest, 3) if host < earliest else 0.0
