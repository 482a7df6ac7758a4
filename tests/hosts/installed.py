# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts on which the step install runs, one after another time, with real package managers and signed repositories."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hosts.controller import Controller, Played
from hosts.host import Host
from hosts.image import FAMILIES, made
from hosts.packages import Repository
from hosts.podman import Podman
from tooling.collections import collection

# A host of each family; of Debian each release that has another apt.
HOSTS = {
    "bullseye": "debian-bullseye",
    "bookworm": "debian-bookworm",
    "trixie": "debian-trixie",
    "redhat": "redhat",
    "suse": "suse",
}
RPM = ("redhat", "suse")
# The tasks that ask a package manager, which are slow.
MANAGERS = ("ansible.builtin.apt", "ansible.builtin.dnf", "community.general.zypper")
VERSION = {
    **dict.fromkeys(HOSTS, "dpkg-query --showformat='${Version}' --show cnspec"),
    **dict.fromkeys(RPM, "rpm -q --qf '%{VERSION}' cnspec"),
}


@dataclass
class Installed:
    """The hosts, and what each run gave. `variables` are those of every run."""

    hosts: dict[str, Host]
    controller: Controller
    variables: dict[str, t.Any]
    runs: dict[str, dict[str, Played]] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def play(self, run: str, *words: str, only: Iterable[str] = (), **variables: t.Any) -> None:
        """Run the step, or what `tasks_from` names, and keep what came of it, and which versions are there then."""
        names = tuple(only) or tuple(self.hosts)
        given = {"tasks_from": "install", **self.variables, **variables}
        self.runs[run] = self.controller.play(
            *(self.hosts[name] for name in names), words=("--forks", "5", *words), **given
        )
        self.versions[run] = self.all(VERSION, names)

    def all(self, commands: dict[str, str], names: Iterable[str] = ()) -> dict[str, str]:
        """Run a line of sh on hosts, each its own, and return what it printed, whether it failed or not."""
        return {name: self.hosts[name].try_to(commands[name]).stdout for name in tuple(names) or self.hosts}

    def asked(self, run: str, name: str) -> list[str]:
        """Return the modules of package managers that a run has called."""
        return [task["action"] for task in self.runs[run][name].tasks if task["action"] in MANAGERS]


@contextmanager
def booted(podman: Podman, folder: Path, vendor: Repository, names: Iterable[str]) -> Iterator[Installed]:
    """Boot hosts that are to have cnspec from a repository."""
    with ExitStack() as stack:
        hosts = {name: stack.enter_context(Host(podman, made(podman, FAMILIES[HOSTS[name]]), name)) for name in names}
        for host in hosts.values():
            host.booted()
        variables = {"cnspec_package_url": vendor.url, "cnspec_package_key_fingerprint": vendor.fingerprint}
        yield Installed(hosts, Controller(folder, collection("community.general")), variables)


def by_host(values: dict[str, t.Any]) -> str:
    """Return a template that gives each host its own value."""
    return f"{{{{ {values!r}[inventory_hostname] }}}}"
