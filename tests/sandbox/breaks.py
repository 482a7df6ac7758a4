# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that break before a request can be made: what goes wrong with them, and for which of them."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from typing import Any

# RST as soon as it is accepted, or in the middle of the TLS handshake; a certificate that nobody should trust.
KINDS = ("reset", "handshake", "expired", "unknown")


@dataclass(frozen=True)
class Break:
    """What goes wrong with new connections; README.md has the table of the fields."""

    kind: str
    times: int | None = None
    skip: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")


class Breaks:
    """The breaks that are set; each new connection takes the first that fits."""

    def __init__(self) -> None:
        self._set: list[Break] = []
        self._lock = threading.Lock()

    def add(self, what: Break) -> None:
        """Break connections from now on."""
        with self._lock:
            self._set.append(what)

    def clear(self) -> None:
        """Take back all."""
        with self._lock:
            self._set.clear()

    def list(self) -> list[dict[str, Any]]:
        """Return what is set; `times` and `skip` are what is left of them."""
        with self._lock:
            return [dataclasses.asdict(item) for item in self._set]

    def take(self) -> str:
        """Return the kind for a new connection; "" when nothing goes wrong with it."""
        with self._lock:
            for place, item in enumerate(self._set):
                if item.times == 0:
                    continue
                if item.skip:
                    self._set[place] = dataclasses.replace(item, skip=item.skip - 1)
                    continue
                left = None if item.times is None else item.times - 1
                self._set[place] = dataclasses.replace(item, times=left)
                return item.kind
        return ""
