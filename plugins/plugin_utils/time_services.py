# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time services, and what the tool of each says of it: does it keep the clock right?"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

# The reader of a tool: True or False where the service is in step with a time server or is not, None for no answer.
Reader = t.Callable[[str], "bool | None"]


@dataclass(frozen=True)
class TimeService:
    """A time service with a tool of its own. `units`: what systemd calls it; `command` asks it, and changes nothing."""

    name: str
    units: tuple[str, ...]
    command: tuple[str, ...]
    read: Reader


def chronyc(text: str) -> bool | None:
    """Read `chronyc -n tracking`."""
    said = _fields(text)
    if "Leap status" not in said:
        return None
    # 7F7F0101 is chronyd's own clock (the directive `local`): in step with itself alone.
    return said["Leap status"] != "Not synchronised" and not said.get("Reference ID", "").startswith("7F7F")


def correction(text: str) -> float | None:
    """Read in `chronyc -n tracking` how far the clock still is from what chronyd thinks right, in seconds."""
    said = re.match(
        r"([0-9]{1,12}\.[0-9]{1,9}) seconds (?:fast|slow) of NTP time", _fields(text).get("System time", "")
    )
    return None if said is None else float(said[1])


def ntpq(text: str) -> bool | None:
    """Read `ntpq -n -c rv` of ntpd and of ntpsec: leap 11 is the alarm of a clock that was never set (RFC 5905)."""
    leap = re.search(r"\bleap=([01]{2})\b", text)
    if leap is None:
        return None
    return leap[1] != "11" and "sync_local" not in text


def ntpctl(text: str) -> bool | None:
    """Read `ntpctl -s status` of openntpd."""
    said = re.search(r"\bclock (synced|unsynced)\b", text)
    return None if said is None else said[1] == "synced"


def w32tm(text: str) -> bool | None:
    """Read `w32tm /query /status`, whose words are those of the system's language: only numbers are compared."""
    leap = re.match(r"\s*[^:\n]{1,80}: ?([0-3])\(", text)
    if leap is None:
        return None
    # The reference is nobody, or the machine's own clock (LOCL).
    alone = re.search(r": ?0x(?:00000000|4C4F434C)\b", text, re.IGNORECASE)
    return leap[1] != "3" and alone is None


def timed(text: str) -> bool | None:
    """Read `defaults read /var/db/timed/com.apple.timed TMLastSystemTime`: how far the time may be off, in seconds.

    Less than 16 s is what the kernel of Linux, too, calls synchronised.
    """
    error = re.search(r'\bTMTimeError\s*=\s*"?([0-9]{1,12}(?:\.[0-9]{1,20})?(?:e-?[0-9]{1,2})?)"?\s*;', text)
    return None if error is None else float(error[1]) < 16.0


TIMED = ("defaults", "read", "/var/db/timed/com.apple.timed", "TMLastSystemTime")

TIME_SERVICES = (
    TimeService("chrony", ("chrony", "chronyd"), ("chronyc", "-n", "tracking"), chronyc),
    TimeService("ntpd", ("ntpsec", "ntpd", "ntp"), ("ntpq", "-n", "-c", "rv"), ntpq),
    TimeService("openntpd", ("openntpd", "ntpd"), ("ntpctl", "-s", "status"), ntpctl),
    TimeService("w32time", (), ("w32tm", "/query", "/status"), w32tm),
    TimeService("timed", (), TIMED, timed),
)


# As systemd's `Id` names them: chronyd is an alias of chrony on Debian, and the other way round on RedHat.
UNITS = ("chrony", "chronyd", "systemd-timesyncd", "ntpsec", "ntpd", "ntp", "openntpd", "ntpd-rs")


def kind(unit: str | None) -> str | None:
    """Return what kind of service a unit of UNITS is: chrony, ntpd, openntpd or systemd-timesyncd."""
    service = next((service.name for service in TIME_SERVICES if unit in service.units), None)
    return service or unit


def kernel(text: str) -> dict[str, bool | None]:
    """Read `timedatectl show`: NTP (of the services that registered with it) and NTPSynchronized (of the kernel).

    It is what tells of systemd-timesyncd, too: `timedatectl timesync-status` would start one that was stopped.
    """
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name: {"yes": True, "no": False}.get(said.get(name, "").strip()) for name in ("NTP", "NTPSynchronized")}


def _fields(text: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {label.strip(): value.strip() for label, value in pairs}
