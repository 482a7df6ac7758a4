# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that remembers: one JSON object a line, only ever added to, so that a process may be killed at any moment."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """Write records of some kind; read them back in the order of writing. Without a path it forgets them."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._descriptor = -1
        self._lock = threading.Lock()

    def read(self) -> Iterator[tuple[str, Any]]:
        """Yield kind and content of each record. Raises ValueError for a file that is no journal."""
        if self.path is None or not self.path.exists():
            return
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return  # what was being written when the process was killed
            try:
                kind, content = json.loads(line)
            except (ValueError, TypeError):
                words = "it is not a file that the sandbox wrote. Name another one."
                raise ValueError(f"Cannot read {self.path}: {words}") from None
            yield kind, content

    def write(self, *records: tuple[str, Any]) -> None:
        """Add records, in one write: all of them or none."""
        if self.path is None:
            return
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        with self._lock:
            if self._descriptor < 0:
                self._descriptor = _opened(self.path)
            os.write(self._descriptor, text.encode())

    def close(self) -> None:
        """Let go of the file; the next record opens it again."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


def _opened(path: Path) -> int:
    """Open the file for adding to it, without an unfinished last line; only its owner may read it: it has keys."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.ftruncate(descriptor, path.read_bytes().rfind(b"\n") + 1)
    return descriptor
