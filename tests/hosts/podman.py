# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman with settings and storage of its own below .build, apart from whatever else runs on this machine."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tooling.paths import BUILD

FOLDER = BUILD / "hosts"
# What is true only while things run belongs where a restart of the machine clears it; podman takes at most 50
# characters for it, which a path below .build may exceed.
RUNNING = Path("/run") / f"fleet-hosts-{hashlib.sha256(str(BUILD).encode()).hexdigest()[:8]}"
# setup.sh beside this file installs them.
COMMANDS = ("podman", "runc", "debootstrap", "ip")
PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/sbin"

# runc: crun of podman 4.3 fails at resource limits. cgroupfs: this machine itself need not run systemd.
ENGINE = """\
[containers]
default_ulimits = ["nofile=1024:20000", "nproc=4096:4096"]
log_driver = "k8s-file"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
static_dir = "{folder}/libpod"
volume_path = "{folder}/volumes"
tmp_dir = "{running}/tmp"
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{running}/storage"
"""


def missing() -> str:
    """Return what keeps hosts from being made here, in words; an empty text when nothing does."""
    lacking = [name for name in COMMANDS if shutil.which(name, path=PATH) is None]
    return " and ".join([*(["root"] if os.geteuid() != 0 else []), *([" ".join(lacking)] if lacking else [])])


class PodmanError(Exception):
    """What podman said when a command failed."""


class Podman:
    """The command podman, with `environment` in its environment; writing that takes the files it names along."""

    def __init__(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.environment = {}
        for name, text in (("CONTAINERS_CONF", ENGINE), ("CONTAINERS_STORAGE_CONF", STORAGE)):
            path = FOLDER / f"{name.lower()}.conf"
            settings = text.format(folder=FOLDER, running=RUNNING)
            # Another process may be reading it.
            if not path.exists() or path.read_text() != settings:
                path.write_text(settings)
            self.environment[name] = str(path)

    def run(self, *words: str | Path, given: str = "") -> str:
        """Run a command of podman and return what it printed. Raises PodmanError."""
        ran = self.try_to(*words, given=given)
        if ran.returncode != 0:
            raise PodmanError(f"{shlex.join(map(str, ran.args))} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def try_to(self, *words: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of podman and return how it ended."""
        return subprocess.run(
            ["podman", *words],
            env={**os.environ, "PATH": PATH, **self.environment},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def shell(self, *words: str) -> str:
        """Return a line for sh that runs a command of podman in place of the shell; words are taken as they stand."""
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.environment.items())
        return f"exec env {settings} podman {' '.join(words)}"
