# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host: a container that boots systemd; the stand-in for cnspec and its service are put there on demand."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from pathlib import Path

from hosts.image import IN_LAB
from hosts.podman import Podman
from tooling.paths import ROOT

HERE = Path(__file__).parent
SANDBOX = "/opt/sandbox"  # where the host has tests/sandbox
UNIT = "/etc/systemd/system/cnspec.service"
CONFIG = "/etc/opt/mondoo/mondoo.yml"
# How long systemd may take; it takes a second.
BOOT_SECONDS = 60.0
# A usual reason: each host takes six of the 128 inotify instances that a machine has for root, whatever runs there.
WAITS_FOR = "systemctl --no-pager list-jobs; journalctl --no-pager --lines 20"
# Says whose host it is, so that one that outlived its tests is known for that.
OWNER = "fleet-hosts-owner"
# Stands in for ssh: the connection plugin's own code runs, but no daemon is needed.
SSH = """\
#!/bin/sh
for command in "$@"; do :; done
"""


class Host:
    """A running container; as a context manager it is gone afterwards.

    The network is the one of the caller, for loopback: of this machine, or of the lab (hosts.lab).
    """

    def __init__(self, podman: Podman, image: str, hostname: str = "web1", more: tuple[str, ...] = ()) -> None:
        """Start it; `more` are further options of podman run."""
        self.podman, self.name, self.hostname = podman, f"fleet-{uuid.uuid4().hex[:12]}", hostname
        # What runs in a lab is the lab's, which outlives the process that made it (a playbook, say).
        owner = os.environ.get(IN_LAB, str(os.getpid()))
        options = ["--systemd=always", "--network", "host", "--hostname", hostname, "--pull", "never"]
        options += ["--volume", f"{ROOT / 'tests/sandbox'}:{SANDBOX}:ro", "--label", f"{OWNER}={owner}"]
        podman.run("run", "--detach", "--name", self.name, *options, *more, image)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *exception: object) -> None:
        _remove(self.podman, self.name)

    def booted(self) -> Host:
        """Wait until systemd has started all that it starts. Raises AssertionError when it does not get there."""
        deadline = time.monotonic() + BOOT_SECONDS
        state = ""
        # Degraded: one of the units that a container cannot have; none of those tested here.
        while state not in ("running", "degraded"):
            assert time.monotonic() < deadline, f"systemd did not start: {state}\n{self.try_to(WAITS_FOR).stdout}"
            time.sleep(0.1)
            state = self.try_to("systemctl is-system-running").stdout.strip()
        return self

    def run(self, command: str, user: str = "root") -> str:
        """Run a line of sh as a user and return what it printed. Raises PodmanError when it fails."""
        return self.podman.run("exec", "--user", user, self.name, "/bin/sh", "-c", command)

    def try_to(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of sh as root and return how it ended."""
        return self.podman.try_to("exec", self.name, "/bin/sh", "-c", command)

    def write(self, path: str, content: str, mode: str = "644") -> None:
        """Write a file, and the folders it lies in."""
        script = f"mkdir -p ${{0%/*}} && cat > $0 && chmod {mode} $0"
        self.podman.run("exec", "-i", self.name, "/bin/sh", "-c", script, path, given=content)

    def install_cnspec(self, version: str = "13.0.1", unit: str = UNIT) -> None:
        """Install the stand-in for cnspec and its unit, as a package does: neither enabled nor started."""
        self.write(unit, (HERE / "cnspec.service").read_text(encoding="utf-8"))
        install = "PYTHONPATH=/opt python3 -m sandbox.cnspec_stand_in --install /usr/bin/cnspec"
        self.run(f"mkdir -p {CONFIG.rpartition('/')[0]} && {install} --version {version} && systemctl daemon-reload")

    def ssh(self, folder: Path, user: str = "root") -> Path:
        """Write the command that takes the place of ssh on the way to this host as `user`, and return its path."""
        path = folder / f"ssh-{self.name}-{user}"
        path.write_text(SSH + self.podman.shell("exec", "-i", "--user", user, self.name, "/bin/sh", "-c", '"$command"'))
        path.chmod(0o700)
        return path


def remove_abandoned(podman: Podman) -> None:
    """Remove hosts whose tests were killed before they could."""
    for owner in set(_owners(podman).values()):
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            remove_owned(podman, owner)


def remove_owned(podman: Podman, owner: str) -> None:
    """Remove the hosts of one owner: a process, by its number."""
    names = [name for name, of in _owners(podman).items() if of == owner]
    if names:
        _remove(podman, *names)


def _remove(podman: Podman, *names: str) -> None:
    # On a machine with ten times too much to do the first try was seen to fail, once in hundreds.
    remove = ("rm", "--force", "--time", "1", *names)
    if podman.try_to(*remove).returncode != 0:
        podman.run(*remove)


def _owners(podman: Podman) -> dict[str, str]:
    lines = podman.run("ps", "--all", "--format", f'{{{{.Names}}}} {{{{index .Labels "{OWNER}"}}}}').splitlines()
    return {name: owner for name, dummy, owner in (line.partition(" ") for line in lines)}
