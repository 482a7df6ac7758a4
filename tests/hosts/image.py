# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of hosts with an init system: a release of Debian, the packages in it and what is done to it, made once."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hosts.podman import FOLDER, PATH, Podman, PodmanError
from tooling.environments import locked

INIT = ("systemd", "systemd-sysv", "dbus")
# Beside Python, what the stand-in for cnspec imports; sudo and iproute2 are in what remedies say.
PACKAGES = ("ca-certificates", "iproute2", "python3", "python3-cryptography", "python3-yaml", "sudo", "tzdata")
IMAGES = Path(__file__).with_name("images")
# What apt knows of the archive: outdated soon, and large.
LISTS = "/var/lib/apt/lists/*"
# The libraries of Debian's chrony, which a package of rpm cannot ask for here.
LIBRARIES = ("libcap2", "libedit2", "libgnutls30", "libnettle8", "libseccomp2")
CHRONY = ("chrony.spec", "chronyd.service")
# Set while a command runs in a lab (hosts.lab), which has no way to the internet: the process that owns it.
IN_LAB = "FLEET_LAB"


class NoImage(Exception):
    """An image could not be made: which command failed, and what it said last."""


@dataclass(frozen=True)
class Recipe:
    """What an image is made of: `suite` as Debian names it (bullseye, bookworm, trixie), `packages` beside PACKAGES.

    `files` are of the folder images, which is /opt/images when the packages are installed: those that end in .sh are
    run then, in this order and with `variables` in their environment.
    """

    suite: str = "bookworm"
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the image, another for each recipe."""
        texts = [(IMAGES / name).read_text(encoding="utf-8") for name in self.files]
        made_of = [self.suite, INIT, PACKAGES, self.packages, texts, self.variables]
        return f"localhost/fleet-{self.suite}:{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]}"


def _debian(suite: str) -> Recipe:
    return Recipe(suite, ("python3-apt",), ("debian.sh",))


# RedHat and Suse are stand-ins: their package managers as Debian has them, on a root of Debian that says another name.
FAMILIES = {
    "debian-bullseye": _debian("bullseye"),
    "debian-bookworm": _debian("bookworm"),
    "debian-trixie": _debian("trixie"),
    "redhat": Recipe(
        packages=("createrepo-c", "dnf", "gnupg", "python3-dnf", "rpm", *LIBRARIES),
        files=("redhat.sh", "rpm.sh", *CHRONY, "chrony.conf.redhat"),
        variables=("NAME=rocky", "VERSION=9.5", "FLAVOUR=redhat", "REPOSITORIES=/etc/yum.repos.d"),
    ),
    "suse": Recipe(
        packages=("createrepo-c", "gnupg", "python3-rpm", "rpm", "zypper", *LIBRARIES),
        files=("suse.sh", "rpm.sh", *CHRONY, "chrony.conf.suse"),
        variables=("NAME=openSUSE", "VERSION=15.6", "FLAVOUR=suse", "REPOSITORIES=/etc/zypp/repos.d"),
    ),
    # With a kernel and a clock of its own (hosts.uml).
    "uml": Recipe(packages=("openssh-server", "python3-apt"), files=("debian.sh", "uml.sh")),
    "services": Recipe(
        packages=("apt-utils", "chrony", "createrepo-c", "dpkg-dev", "gnupg", "openssl", "rpm", "squid"),
        files=("services.sh",),
    ),
}


def made(podman: Podman, recipe: Recipe) -> str:
    """Return the name of the image; the first time it is made, which takes two minutes and the network.

    Raises NoImage.
    """
    with locked(f"hosts-{recipe.suite}"):
        if not _exists(podman, recipe):
            base = Recipe(recipe.suite)
            if IN_LAB in os.environ:
                raise NoImage(f"Cannot make {recipe.name}: a lab has no network. Name it in --images of hosts.lab.")
            print(f"making the image {recipe.name} (once)", flush=True)
            if not _exists(podman, base):
                _make_base(podman, base)
            if recipe != base:
                _derive(podman, recipe, base)
    return recipe.name


def unpacked(podman: Podman, image: str, folder: Path) -> Path:
    """Put the files of an image into a new folder, as a host that is not a container boots them."""
    folder.mkdir(parents=True)
    container = podman.run("create", "--pull", "never", image).strip()
    archive = folder.with_name(f"{folder.name}.tar")
    try:
        podman.run("export", "--output", archive, container)
        _logged("tar", "-C", folder, "-xf", archive)
    finally:
        archive.unlink(missing_ok=True)
        podman.run("rm", container)
    return folder


def _exists(podman: Podman, recipe: Recipe) -> bool:
    return podman.try_to("image", "exists", recipe.name).returncode == 0


def _make_base(podman: Podman, recipe: Recipe) -> None:
    root = FOLDER / f"root-{recipe.suite}"
    _remove(root)
    # From debootstrap's own default mirror. It knows no virtual packages, so the rest is left to apt.
    _logged("debootstrap", "--variant=minbase", recipe.suite, root)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *INIT, *PACKAGES]
    _logged("chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", *install)
    _logged("chroot", root, "sh", "-c", f"apt-get clean; rm -rf {LISTS}")
    # Empty: each host makes its own when it boots.
    (root / "etc/machine-id").write_text("")
    _import(podman, root, recipe.name)
    _remove(root)


def _derive(podman: Podman, recipe: Recipe, base: Recipe) -> None:
    """Make the image of the base, in a container with this machine's network."""
    install = shlex.join(["apt-get", "install", "-q", "-y", "--no-install-recommends", *recipe.packages])
    scripts = [f"sh /opt/images/{name}" for name in recipe.files if name.endswith(".sh")]
    clean = ["rm -rf /var/cache/apt/archives/*.deb " + LISTS, ": >/etc/machine-id"]
    lines = "\n".join(["set -e", "apt-get update -q", install, *scripts, *clean])
    name = f"fleet-making-{recipe.name.rpartition(':')[2]}"
    options = ["--network", "host", "--pull", "never", "--name", name, "--volume", f"{IMAGES}:/opt/images:ro"]
    options += [f"--env={variable}" for variable in ("DEBIAN_FRONTEND=noninteractive", *recipe.variables)]
    podman.try_to("rm", "--force", name)
    try:
        podman.run("run", *options, base.name, "/bin/sh", "-c", lines)
        podman.run("commit", "--quiet", "--change", 'CMD ["/sbin/init"]', name, recipe.name)
    except PodmanError as error:
        shown = "\n".join(str(error).splitlines()[-20:])
        raise NoImage(f"Cannot make a host of {recipe.name}: {shown}") from None
    finally:
        podman.try_to("rm", "--force", name)


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
