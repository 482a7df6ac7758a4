# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners for secrets: what every process has in its argv, and what modules say to the system's log."""

from __future__ import annotations

import os
import socket
import threading
import typing as t
from pathlib import Path


class Watch:
    """Collect, while the block runs, each command line seen on this machine, from /proc."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.rounds = 0
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
            self._over.wait(0.02)


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
