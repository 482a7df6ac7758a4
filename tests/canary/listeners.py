# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners for secrets: what every process has in its argv, and what modules say to the system's log."""

from __future__ import annotations

import os
import socket
import stat
import threading
import typing as t
from pathlib import Path


class Watch:
    """Collect, while the block runs, each command line on this machine, and what others could read below a folder."""

    def __init__(self, folder: Path) -> None:
        self.seen: set[bytes] = set()
        self.readable: dict[tuple[Path, int, int], bytes] = {}
        self.rounds = 0
        self._folder = folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.rounds += 1
            for process in filter(str.isdigit, os.listdir("/proc")):
                try:
                    self.seen.add(Path(f"/proc/{process}/cmdline").read_bytes())
                except OSError:
                    continue
            self._read_as_others(self._folder)
            self._over.wait(0.02)

    def _read_as_others(self, folder: Path) -> None:
        """Keep each version of each file that somebody else could read, by its own mode and those of its folders."""
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
                path, others = Path(entry.path), status.st_mode & 0o077
                if stat.S_ISDIR(status.st_mode) and others & 0o011:
                    self._read_as_others(path)
                elif stat.S_ISREG(status.st_mode) and others & 0o044:
                    version = (path, status.st_mtime_ns, status.st_size)
                    self.readable[version] = self.readable.get(version) or path.read_bytes()
            except OSError:
                continue


class SystemLog:
    """Be the system's log while the block runs. Takes root, and a machine on which nobody else is."""

    PATH = "/dev/log"

    def __init__(self) -> None:
        self.text = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._listen)
        self._over = threading.Event()

    @classmethod
    def possible(cls) -> bool:
        """Tell whether this process may be the log."""
        return os.geteuid() == 0 and not os.path.lexists(cls.PATH)

    def __enter__(self) -> SystemLog:
        self._socket.bind(self.PATH)
        self._socket.settimeout(0.1)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()
        os.unlink(self.PATH)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                self.text += self._socket.recv(1 << 16) + b"\n"
            except TimeoutError:
                continue


def files_below(folder: Path) -> t.Iterator[Path]:
    """Yield every file below a folder."""
    for place, dummy, names in os.walk(folder):
        yield from (Path(place) / name for name in names)
