# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet: twelve hosts, each a folder that plays its root, and the inventory that Ansible reads."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.cnspec_stand_in import install
from sandbox.stand_in.settings import Settings

CONFIG = "etc/opt/mondoo/mondoo.yml"
CNSPEC = "usr/bin/cnspec"
PYTHON = "usr/bin/python3"
MODULES_LOG = "var/log/modules"

# Each host's own Python, which writes down what Ansible runs with it: that is how round trips are counted.
PYTHON_WRAPPER = """\
#!/bin/sh
echo "$*" >> {log}
exec {python} "$@"
"""


@dataclass(frozen=True)
class Host:
    """A host: its name, the group that says how it is registered, its cnspec, and whether a proxy is in its way."""

    name: str
    group: str
    version: str
    behind_proxy: bool = False


# By a registration token of the space, or by the credentials document of a service account that they share.
HOSTS = (
    Host("web1", "by_token", "12.11.0"),
    Host("web2", "by_token", "13.0.1"),
    Host("web3", "by_token", "13.0.1"),
    Host("app1", "by_token", "12.11.0"),
    Host("app2", "by_token", "11.69.1"),
    Host("db1", "by_token", "13.0.1"),
    Host("db2", "by_token", "12.11.0"),
    Host("edge1", "by_token", "13.0.1", behind_proxy=True),
    Host("edge2", "by_credentials", "12.11.0", behind_proxy=True),
    Host("build1", "by_credentials", "12.11.0"),
    Host("build2", "by_credentials", "13.0.1"),
    Host("build3", "by_credentials", "11.69.1"),
)


@dataclass(frozen=True)
class Fleet:
    """The hosts below one folder."""

    folder: Path
    hosts: tuple[Host, ...] = HOSTS

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all hosts, in the order of the inventory."""
        return tuple(host.name for host in self.hosts)

    def root(self, name: str) -> Path:
        """Return the folder that plays a host's root."""
        return self.folder / "hosts" / name

    def config(self, name: str) -> Path:
        """Return a host's mondoo.yml."""
        return self.root(name) / CONFIG

    def lay_out(self, endpoint: str) -> None:
        """Make every host from nothing; its cnspec knows the platform at `endpoint`."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        for number, host in enumerate(self.hosts, start=1):
            root = self.root(host.name)
            for place in (CONFIG, CNSPEC, MODULES_LOG):
                (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / "tmp").mkdir()
            install(
                str(root / CNSPEC),
                Settings(
                    version=host.version,
                    root=str(root),
                    hostname=host.name,
                    ip=f"192.0.2.{number}",
                    default_endpoint=endpoint,
                    latest_version=host.version,
                ),
            )
            log, python = shlex.quote(str(root / MODULES_LOG)), shlex.quote(sys.executable)
            write(root / PYTHON, PYTHON_WRAPPER.format(log=log, python=python), 0o755)

    def set_clock(self, name: str, seconds_ahead: float) -> None:
        """Set the clock of a host wrong, or right (0)."""
        path = self.root(name) / f"{CNSPEC}.json"
        settings = {**json.loads(path.read_text()), "clock_offset": seconds_ahead}
        write(path, json.dumps(settings, indent=1) + "\n", 0o644)

    def configs(self) -> dict[str, bytes]:
        """Return the bytes of every mondoo.yml that exists, by host."""
        paths = {name: self.config(name) for name in self.names}
        return {name: path.read_bytes() for name, path in paths.items() if path.exists()}

    def value(self, name: str, key: str) -> str:
        """Return a value of a host's mondoo.yml; an empty text where there is none."""
        content = yaml.safe_load(self.config(name).read_text())
        return str(content.get(key) or "")

    def agents(self) -> dict[str, str]:
        """Return the agent that each host's mondoo.yml names."""
        return {name: self.value(name, "agent_mrn") for name in self.names}

    def modules_run(self) -> dict[str, Counter[str]]:
        """Return how often Ansible ran each module on each host so far."""
        return {name: _counted(self.root(name) / MODULES_LOG) for name in self.names}

    def write_inventory(self, proxy: str) -> Path:
        """Write the inventory, with where each host's files lie; return its folder."""
        hosts: dict[str, dict[str, dict[str, Any]]] = {"by_token": {}, "by_credentials": {}}
        for host in self.hosts:
            root = self.root(host.name)
            values = {
                "ansible_python_interpreter": str(root / PYTHON),
                "ansible_remote_tmp": str(root / "tmp"),
                "cnspec_config_path": str(root / CONFIG),
                "cnspec_path": str(root / CNSPEC),
            }
            hosts[host.group][host.name] = values | ({"cnspec_api_proxy": proxy} if host.behind_proxy else {})
        inventory = self.folder / "inventory"
        write_yaml(inventory / "hosts.yml", {group: {"hosts": found} for group, found in hosts.items()})
        # All twelve have the hostname of this machine, so their agents get the names of the inventory; its clock, its
        # packages and its services are none of theirs.
        everyone = {"ansible_connection": "local", "cnspec_become": False, "cnspec_name": "{{ inventory_hostname }}"}
        everyone |= {f"cnspec_{step}": False for step in ("time", "install", "service")}
        write_yaml(inventory / "group_vars/all.yml", everyone)
        # The secrets themselves are in a file of their own, which one would encrypt with ansible-vault.
        write_yaml(inventory / "group_vars/by_token.yml", {"cnspec_token": "{{ registration_token }}"})
        write_yaml(inventory / "group_vars/by_credentials.yml", {"cnspec_credentials": "{{ service_account }}"})
        return inventory


def _counted(log: Path) -> Counter[str]:
    """Count modules by the files that Ansible made of them: .../AnsiballZ_<module>.py."""
    lines = log.read_text().splitlines() if log.exists() else []
    names = [Path(word).stem for line in lines for word in line.split() if "AnsiballZ_" in word]
    return Counter(name.partition("_")[2] for name in names)


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    """Write a YAML file that only this user can read."""
    write(path, yaml.safe_dump(content, sort_keys=False), 0o600)


def write(path: Path, text: str, mode: int) -> None:
    """Write a file that has its mode from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
        stream.write(text)
