# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with a clock of its own: Debian under user-mode-linux, a kernel that is an ordinary process.

Its root is a disk with a file system of its own, not a folder of this machine (hostfs): there files would get this
machine's time, whatever the host's clock says.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from hosts.host import Host
from hosts.image import FAMILIES, IN_LAB, made, unpacked
from hosts.podman import FOLDER, PATH, RUNNING, Podman
from tooling.environments import locked
from tooling.paths import ROOT

FAMILY = "uml"
# setup.sh beside this file installs them.
COMMANDS = ("linux.uml", "mke2fs", "ssh", "ssh-keygen", "setpriv", "unshare")
NETWORK = "10.213"
DISK = "1G"  # sparse
MEMORY = "512M"
# It takes ten when the machine has nothing else to do.
BOOT_SECONDS = 150.0
OFF_SECONDS = 15.0
SETTINGS = "NAME={name}\nADDRESS={address}\nGATEWAY={gateway}\nOFFSET={offset}\nSANDBOX={sandbox}\n"
# Folders of hosts that run: the first part of the name, before the number of the process that owns one.
PREFIX = "uml"


def missing() -> str:
    """Return what keeps such a host from being made here, in words; an empty text when nothing does."""
    lacking = [name for name in COMMANDS if shutil.which(name, path=PATH) is None]
    return " and ".join([*(["root"] if os.geteuid() != 0 else []), *([" ".join(lacking)] if lacking else [])])


def disk(podman: Podman) -> Path:
    """Return the disk that hosts begin with; the first time it is made, of the image. Raises NoImage."""
    image = made(podman, FAMILIES[FAMILY])
    path = FOLDER / f"{PREFIX}-{image.rpartition(':')[2]}.ext4"
    with locked(f"hosts-{PREFIX}"):
        if not path.exists():
            root, part = FOLDER / f"root-{PREFIX}", path.with_suffix(".part")
            shutil.rmtree(root, ignore_errors=True)
            part.unlink(missing_ok=True)
            unpacked(podman, image, root)
            # By this file systemd takes a host for a container of podman, and time services stay off.
            (root / "run/.containerenv").unlink(missing_ok=True)
            (root / "etc/machine-id").write_text("")
            _run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", root, part, DISK)
            shutil.rmtree(root)
            part.rename(path)
            for other in {*FOLDER.glob(f"{PREFIX}-*.ext4")} - {path}:
                other.unlink()  # a host that runs keeps what it has open
    return path


class UmlHost(Host):
    """A running host of a lab; as a context manager it is powered off and gone afterwards.

    Each `number` is a network of its own: the lab has 10.213.<number>.1 there (`gateway`) while the host exists, the
    host 10.213.<number>.2 (`address`). It boots with a clock that is `offset` seconds ahead (behind when negative).
    """

    def __init__(self, podman: Podman, hostname: str = "web1", number: int = 0, offset: int = 0) -> None:
        """Start it. Raises NoImage."""
        assert IN_LAB in os.environ, "a network device belongs in a lab: python -m hosts.lab"
        remove_abandoned()
        base = disk(podman)
        self.podman, self.hostname = podman, hostname
        self.gateway, self.address = f"{NETWORK}.{number}.1", f"{NETWORK}.{number}.2"
        self._tap = f"{PREFIX}{number}"
        # Short, for sockets are in it, whose paths may have 107 characters.
        RUNNING.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-{os.getpid()}-", dir=RUNNING))
        self.name = self.folder.name
        self._changes = FOLDER / f"{self.name}.cow"
        self._master: subprocess.Popen[bytes] | None = None
        self._kernel: subprocess.Popen[bytes] | None = None
        try:
            self._prepare(offset)
            self._start(base)
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> UmlHost:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self._kernel is not None and self._kernel.poll() is None:
                # Does not return when the connection goes first.
                with suppress(subprocess.TimeoutExpired):
                    power_off = self._command("root", "systemctl poweroff")
                    subprocess.run(power_off, capture_output=True, timeout=OFF_SECONDS, check=False)
                    self._kernel.wait(OFF_SECONDS)
        finally:
            self._remove()

    def booted(self) -> UmlHost:
        """Wait until systemd has started all that it starts. Raises AssertionError when it does not get there."""
        deadline = time.monotonic() + BOOT_SECONDS
        while self.try_to("true").returncode != 0:
            assert self._kernel is not None and self._kernel.poll() is None, f"it ended:\n{self.console()}"
            assert time.monotonic() < deadline, f"ssh does not answer:\n{self.console()}"
            time.sleep(0.2)
        # One connection for all commands of root; a process of ours, so that none is left behind.
        self._master = subprocess.Popen(
            ["ssh", *self._options("root"), "-o", "ControlMaster=yes", "-N", self.hostname],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        super().booted()
        return self

    def console(self) -> str:
        """Return the last lines of what the kernel and systemd said."""
        return "\n".join((self.folder / "console").read_text(errors="replace").splitlines()[-20:])

    def set_clock(self, offset: float) -> None:
        """Set its clock so many seconds ahead of this machine's (behind when negative)."""
        self.run(f"date --set @{time.time() + offset:.3f}")

    def clock_offset(self) -> float:
        """Return by how many seconds its clock is ahead of this machine's (behind when negative)."""
        before = time.time()
        there = float(self.run("date +%s.%N"))
        return there - (before + time.time()) / 2

    def forward(self, port: int) -> None:
        """Let what the lab has on a port of its loopback answer on the same port of the host's loopback."""
        subprocess.run(
            ["ssh", *self._options("root"), "-O", "forward", "-R", f"127.0.0.1:{port}:127.0.0.1:{port}", self.hostname],
            check=True,
            capture_output=True,
        )

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that an inventory of ansible gives this host."""
        arguments = shlex.join(self._options("root"))
        return {"ansible_host": self.address, "ansible_user": "root", "ansible_ssh_args": arguments}

    def run(self, command: str, user: str = "root") -> str:
        """Run a line of sh as a user and return what it printed. Raises AssertionError when it fails."""
        ran = self._ran(command, user)
        assert ran.returncode == 0, f"{command!r} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def try_to(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of sh as root and return how it ended."""
        return self._ran(command, "root")

    def write(self, path: str, content: str, mode: str = "644") -> None:
        """Write a file, and the folders it lies in."""
        folder, there = shlex.quote(path.rpartition("/")[0]), shlex.quote(path)
        ran = self._ran(f"mkdir -p {folder} && cat > {there} && chmod {mode} {there}", "root", content)
        assert ran.returncode == 0, ran.stderr

    def ssh(self, folder: Path, user: str = "root") -> Path:
        """Write the command that is ssh on the way to this host as `user`, whatever it is called; return its path."""
        path = folder / f"ssh-{self.name}-{user}"
        path.write_text(f'#!/bin/sh\nexec ssh {shlex.join(self._options(user))} "$@"\n')
        path.chmod(0o700)
        return path

    def _ran(self, command: str, user: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(user, command), input=given, capture_output=True, text=True, check=False)

    def _command(self, user: str, command: str) -> list[str]:
        return ["ssh", *self._options(user), self.hostname, command]

    def _options(self, user: str) -> list[str]:
        # The first value given is the one that counts, so that nobody's later ones matter.
        options = {
            "HostName": self.address,
            "User": user,
            "IdentityFile": self.folder / "key",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "StrictHostKeyChecking": "no",
            "BatchMode": "yes",
            "ConnectTimeout": 10,
            "LogLevel": "ERROR",
            "ControlPath": self.folder / f"control-{user}",
        }
        return ["-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]

    def _prepare(self, offset: int) -> None:
        settings = {"name": self.hostname, "address": self.address, "gateway": self.gateway, "offset": offset}
        sandbox = shlex.quote(str(ROOT / "tests/sandbox"))
        (self.folder / "settings").write_text(SETTINGS.format(**settings, sandbox=sandbox))
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", self.folder / "key")
        _run("ip", "tuntap", "add", self._tap, "mode", "tap")
        _run("ip", "address", "add", f"{self.gateway}/24", "dev", self._tap)
        _run("ip", "link", "set", self._tap, "up")

    def _start(self, base: Path) -> None:
        # In a process namespace of its own a kernel ends with all of its processes, and it ends when this process does.
        alone = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--mount-proc", "--pid"]
        kernel = ["linux.uml", f"ubd0={self._changes},{base}", "root=/dev/ubda", "rw", f"mem={MEMORY}"]
        kernel += [f"uml_dir={self.folder}", "umid=kernel", f"lab={self.folder}", "con=null", "con0=null,fd:1"]
        kernel += [f"vec0:transport=tap,ifname={self._tap},depth=128,gro=1"]
        with open(self.folder / "console", "wb") as console:
            self._kernel = subprocess.Popen(
                [*alone, *kernel],
                env={"PATH": PATH, "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )

    def _remove(self) -> None:
        for process in (self._master, self._kernel):
            if process is not None:
                process.kill()
                process.wait()
        subprocess.run(["ip", "link", "delete", self._tap], env={"PATH": PATH}, capture_output=True, check=False)
        self._changes.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Remove the files of hosts whose tests were killed before they could; their processes ended with those."""
    for path in (*RUNNING.glob(f"{PREFIX}-*-*"), *FOLDER.glob(f"{PREFIX}-*-*.cow")):
        if not Path("/proc", path.name.split("-")[1]).exists():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _run(*command: str | Path) -> None:
    """Run a command. Raises AssertionError with what it said when it fails."""
    ran = subprocess.run(command, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{shlex.join(map(str, command))} ended with {ran.returncode}\n{ran.stderr}"
