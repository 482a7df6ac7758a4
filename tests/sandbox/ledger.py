# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: every call that reached the platform, and what came of it."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .journal import Journal


@dataclass(frozen=True)
class Call:
    """One call. `outcome` is "ok", "refused" (by the platform itself) or "fault"; `status` 0: no answer at all.

    `acted`: an agent was made or removed by it, whatever the caller was told. `time` is the true time, in seconds
    since the epoch. `via`: the proxy that passed it on, if that said so.
    """

    number: int
    time: float
    service: str
    method: str
    host: str
    outcome: str
    status: int
    request_id: str
    agent_mrn: str
    service_account_mrn: str
    acted: bool
    fault: int | None = None
    user_agent: str = ""
    via: str = ""


class Ledger:
    """Keep the calls, in the order in which they were decided."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._calls = [Call(**content) for kind, content in journal.read() if kind == "call"]
        self._lock = threading.Lock()
        self._now: collections.Counter[str] = collections.Counter()
        self._most: collections.Counter[str] = collections.Counter()

    def add(self, **what: Any) -> None:
        """Write down a call (the fields of Call without `number`)."""
        with self._lock:
            call = Call(number=len(self._calls) + 1, **what)
            self._calls.append(call)
            self._journal.write(("call", call.__dict__))

    def query(
        self, method: str | None = None, host: str | None = None, outcome: str | None = None, since: int = 0
    ) -> list[dict[str, Any]]:
        """Return calls as dictionaries. `method` may be "Check" or "Health/Check"; `since`: only later numbers."""
        with self._lock:
            calls = self._calls[since:]
        return [
            dataclasses.asdict(call)
            for call in calls
            if method in (None, call.method, f"{call.service}/{call.method}")
            and host in (None, call.host)
            and outcome in (None, call.outcome)
        ]

    @contextlib.contextmanager
    def in_flight(self, method: str) -> Iterator[None]:
        """Count a call of a method as being answered."""
        with self._lock:
            self._now[method] += 1
            self._most[method] = max(self._most[method], self._now[method])
        try:
            yield
        finally:
            with self._lock:
                self._now[method] -= 1

    def most_at_once(self, method: str) -> int:
        """Return how many calls of a method were being answered at the same time, at most."""
        return self._most[method]
