# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages of the agent, as .deb and .rpm, and repositories of them that are signed like the vendor's."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hosts.services import PACKAGE, REPOSITORIES, Server, Services

# Both are versions that the stand-in for cnspec knows.
VERSIONS = ("12.11.0", "13.0.1")


@dataclass(frozen=True)
class Repository:
    """A published repository: `url` has debian/ and rpm/ below it, `fingerprint` is of the key that it offers."""

    name: str
    url: str
    fingerprint: str


@dataclass
class Packages:
    """What the container of the services builds, signs and publishes at an http server of it."""

    services: Services
    server: Server
    _keys: dict[str, str] = field(default_factory=dict)
    _built: set[str] = field(default_factory=set)

    def publish(
        self, versions: Sequence[str] = VERSIONS, name: str = "mondoo", key: str = "vendor", shown: str = ""
    ) -> Repository:
        """Publish these versions of cnspec and mondoo, in place of what has been published by that name.

        All is signed by a key, which is made when it is new; the repository offers the key `shown`, or the right one.
        """
        shown = shown or key
        fingerprints = [self.fingerprint(each) for each in (key, shown)]
        for version in versions:
            self.build(version)
        self._run("publish.sh", name, key, shown, *versions)
        return Repository(name, f"{self.server.url}/{name}", fingerprints[-1])

    def forged(self, versions: Sequence[str] = VERSIONS) -> Repository:
        """Publish a repository that offers the vendor's key, and whose signatures are somebody else's."""
        return self.publish(versions, name="forged", key="stranger", shown="vendor")

    def fingerprint(self, key: str = "vendor") -> str:
        """Return the fingerprint of a key, 40 digits."""
        if key not in self._keys:
            self._keys[key] = self._run("key.sh", key).strip()
        return self._keys[key]

    def file(self, repository: Repository, kind: str, version: str, folder: Path) -> Path:
        """Copy the package cnspec, of the kind deb or rpm, out of a repository and return its path in `folder`."""
        pattern = {"deb": f"debian/pool/cnspec_{version}_*.deb", "rpm": f"rpm/*/cnspec-{version}-*.rpm"}[kind]
        found = self.services.host.run(f"ls {REPOSITORIES}/{repository.name}/{pattern}").strip()
        path = folder / found.rpartition("/")[2]
        self.services.host.podman.run("cp", f"{self.services.host.name}:{found}", path)
        return path

    def build(self, version: str) -> None:
        """Build the packages of a version, once."""
        if version not in self._built:
            self._run("build.sh", version)
            self._built.add(version)

    def _run(self, script: str, *words: str) -> str:
        command = shlex.join(["sh", f"{PACKAGE}/package/{script}", *words])
        return self.services.host.run(f"URL={self.server.url} {command}")
