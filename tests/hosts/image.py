# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of hosts with an init system: a release of Debian and the packages in it, made once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hosts.podman import FOLDER, PATH, Podman
from tooling.environments import locked

INIT = ("systemd", "systemd-sysv", "dbus")
# Beside Python, what the stand-in for cnspec imports; sudo and iproute2 are in what remedies say.
PACKAGES = ("ca-certificates", "iproute2", "python3", "python3-cryptography", "python3-yaml", "sudo", "tzdata")


class NoImage(Exception):
    """An image could not be made: which command failed, and what it said last."""


@dataclass(frozen=True)
class Recipe:
    """What an image is made of: `suite` as Debian names it (bullseye, bookworm, trixie)."""

    suite: str = "bookworm"
    packages: tuple[str, ...] = PACKAGES

    @property
    def name(self) -> str:
        """Return the name of the image, another for each recipe."""
        digest = hashlib.sha256(json.dumps([self.suite, *INIT, *self.packages]).encode()).hexdigest()
        return f"localhost/fleet-{self.suite}:{digest[:12]}"


def made(podman: Podman, recipe: Recipe) -> str:
    """Return the name of the image; the first time it is made, which takes two minutes and the network.

    Raises NoImage.
    """
    with locked(f"hosts-{recipe.suite}"):
        if podman.try_to("image", "exists", recipe.name).returncode != 0:
            root = FOLDER / f"root-{recipe.suite}"
            _remove(root)
            print(f"making the image {recipe.name} (once)", flush=True)
            _bootstrap(root, recipe)
            _import(podman, root, recipe.name)
            _remove(root)
    return recipe.name


def _bootstrap(root: Path, recipe: Recipe) -> None:
    # From debootstrap's own default mirror. It knows no virtual packages, so the rest is left to apt.
    _logged("debootstrap", "--variant=minbase", recipe.suite, root)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *INIT, *recipe.packages]
    _logged("chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", *install)
    _logged("chroot", root, "apt-get", "clean")
    # Empty: each host makes its own when it boots.
    (root / "etc/machine-id").write_text("")


def _import(podman: Podman, root: Path, name: str) -> None:
    archive = FOLDER / f"{root.name}.tar"
    _logged("tar", "--one-file-system", "-C", root, "-cf", archive, ".")
    podman.run("import", "--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL=SIGRTMIN+3", archive, name)
    archive.unlink()


def _remove(root: Path) -> None:
    # An interrupted debootstrap may have left /proc mounted there.
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)


def _logged(*command: str | Path) -> None:
    """Run a command, whose output is shown only when it fails. Raises NoImage then."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    log = FOLDER / "image.log"
    with open(log, "wb") as said:
        code = subprocess.call(
            command, env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C", **kept}, stdout=said, stderr=said
        )
    if code != 0:
        shown = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise NoImage(f"Cannot make a host: {' '.join(map(str, command))} ended with {code}.\n{shown}")
