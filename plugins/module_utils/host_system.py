# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host is: names, versions and numbers, from the standard library alone."""

import os
import platform
import pwd
import shlex
import socket
from typing import Dict, Iterable, List, NamedTuple, Optional

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
# Exists exactly where systemd is the init system, see sd_booted(3).
SYSTEMD = "/run/systemd/system"
# Made by container engines (podman, docker) and by systemd as the init system of a container.
CONTAINER = ("/run/.containerenv", "/.dockerenv", "/run/systemd/container")
# What the first process may ever do, see proc_pid_status(5); bit 25 is CAP_SYS_TIME, see capabilities(7).
FIRST_PROCESS = "/proc/1/status"
CAP_SYS_TIME = 25
# Addresses for documentation (RFC 5737, RFC 3849): connecting a UDP socket sends nothing, it only picks the route.
_ROUTES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class System(NamedTuple):
    """The host itself."""

    system: str
    hostname: str
    ip: Optional[str]
    os_id: str
    os_like: List[str]
    os_version: str
    os_name: str
    kernel: str
    arch: str
    machine_id: Optional[str]
    python: str
    user: str
    uid: int
    init: str
    container: bool
    clock_settable: Optional[bool]


def look_at_system() -> System:
    """Return what the host says of itself."""
    system = platform.system()
    release = _macos_release() if system == "Darwin" else os_release(OS_RELEASE)
    return System(
        system=system,
        hostname=socket.gethostname(),
        ip=_source_address(),
        os_id=release.get("ID", system.lower()),
        os_like=release.get("ID_LIKE", "").split(),
        os_version=release.get("VERSION_ID", ""),
        os_name=release.get("PRETTY_NAME", release.get("NAME", system)),
        kernel=platform.release(),
        arch=platform.machine(),
        machine_id=machine_id(MACHINE_ID),
        python=platform.python_version(),
        user=_user_name(os.geteuid()),
        uid=os.geteuid(),
        init="systemd" if os.path.isdir(SYSTEMD) else "",
        container=any(os.path.exists(path) for path in CONTAINER),
        clock_settable=clock_settable(FIRST_PROCESS),
    )


def clock_settable(status: str) -> Optional[bool]:
    """Tell whether services here may set the clock, by what the first process may ever do; None: it is not known."""
    try:
        with open(status, "rb") as stream:
            lines = stream.read(65536).decode("ascii", "replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        return bool(int(fields["CapBnd"], 16) >> CAP_SYS_TIME & 1)
    except (OSError, KeyError, ValueError):
        return None


def os_release(paths: Iterable[str]) -> Dict[str, str]:
    """Return the fields of the first os-release file that can be read, see os-release(5)."""
    for path in paths:
        try:
            with open(path, "rb") as stream:
                lines = stream.read(65536).decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        return dict(pair for pair in map(_assignment, lines) if pair)
    return {}


def _assignment(line: str) -> "tuple":
    name, equals, value = line.strip().partition("=")
    if not equals or name.startswith("#"):
        return ()
    try:
        return name, " ".join(shlex.split(value))
    except ValueError:
        return name, value.strip("\"'")


def machine_id(paths: Iterable[str]) -> Optional[str]:
    """Return the machine's id, None for a machine that has none yet, see machine-id(5)."""
    for path in paths:
        try:
            with open(path, "rb") as stream:
                found = stream.read(256).decode("ascii", "replace").strip()
        except OSError:
            continue
        if found and found != "uninitialized":
            return found
    return None


def _macos_release() -> Dict[str, str]:
    version = platform.mac_ver()[0]
    return {"ID": "macos", "VERSION_ID": version, "PRETTY_NAME": "macOS %s" % version}


def _source_address() -> Optional[str]:
    """Return the address that this host would use towards the world, None without a route there."""
    for family, address in _ROUTES:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
