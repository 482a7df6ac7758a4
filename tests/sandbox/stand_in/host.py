# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in knows of the host it runs on: the settings first, then the host itself."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any

from sandbox.stand_in.lines import Log
from sandbox.stand_in.profiles import Profile
from sandbox.stand_in.settings import Settings

FAMILIES = {
    "debian": ["debian", "linux", "unix", "os"],
    "ubuntu": ["debian", "linux", "unix", "os"],
    "rhel": ["redhat", "linux", "unix", "os"],
    "redhat": ["redhat", "linux", "unix", "os"],
    "centos": ["redhat", "linux", "unix", "os"],
    "rocky": ["redhat", "linux", "unix", "os"],
    "almalinux": ["redhat", "linux", "unix", "os"],
    "fedora": ["redhat", "linux", "unix", "os"],
    "sles": ["suse", "linux", "unix", "os"],
}


@dataclass(frozen=True)
class Host:
    """A host as status shows it and login reports it."""

    hostname: str
    ip: str
    platform: dict[str, Any]

    def agent_info(self, profile: Profile, settings: Settings) -> dict[str, Any]:
        """Return what RegisterAgent is told about the host."""
        return {
            "version": profile.version,
            "build": settings.build,
            "platform_name": self.platform.get("name", ""),
            "platform_release": self.platform.get("version", ""),
            "platform_arch": self.platform.get("arch", ""),
            "platform_ip": self.ip,
            "platform_hostname": self.hostname,
            "platform_id": f"//platformid.api.mondoo.app/hostname/{self.hostname}",
        }


def gather(profile: Profile, settings: Settings, log: Log) -> Host:
    """Describe the host; of the lines about it only the first is written."""
    log.debug("Gathering system information")
    known = _os_release(settings.root)
    name = known.get("ID", "linux")
    version = known.get("VERSION_ID", "")
    if name == "debian":
        version = _first_line(f"{settings.root}/etc/debian_version") or _first_line("/etc/debian_version") or version
    platform: dict[str, Any] = {"name": name}
    if "release" in profile.platform_fields:
        platform["release"] = version
    platform |= {
        "arch": os.uname().machine,
        "title": known.get("PRETTY_NAME", name),
        "family": FAMILIES.get(name, ["linux", "unix", "os"]),
        "version": version,
    }
    extra = {
        "technology_url_segments": ["os", "linux", name, version],
        "labels": {"distro-id": name},
        "metadata": {"distro-id": name},
    }
    platform |= {key: value for key, value in extra.items() if key in profile.platform_fields}
    return Host(settings.hostname or socket.gethostname(), settings.ip or _own_address(), platform | settings.platform)


def _os_release(root: str) -> dict[str, str]:
    for path in (f"{root}/etc/os-release", "/etc/os-release"):
        try:
            with open(path, encoding="utf-8") as stream:
                pairs = (line.strip().partition("=") for line in stream if "=" in line)
                return {key: value.strip("\"'") for key, dummy, value in pairs}
        except OSError:
            continue
    return {}


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.readline().strip()
    except OSError:
        return ""


def _own_address() -> str:
    """Return the address of the interface that a packet would leave by; none is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
