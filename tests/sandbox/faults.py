# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what goes wrong, for which calls, and whether the platform acts nevertheless."""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import codec
from .refusal import CODE_OF_STATUS, CODES

BODIES = ("status", "html", "empty", "truncated")
MOMENTS = ("before", "after")
HTML = b"<html><head><title>%d</title></head><body><h1>%d</h1><p>Something in between.</p></body></html>\n"


@dataclass(frozen=True)
class Fault:
    """What goes wrong. README.md has the table of the fields; what is not given does not go wrong."""

    method: str | None = None
    host: str | None = None
    times: int | None = None
    skip: int = 0
    share: float = 1.0
    status: int | None = None
    body: str | None = None
    code: int | None = None
    message: str | None = None
    retry_after: int | str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    redirect: str | None = None
    delay: float = 0.0
    reset: str | None = None
    hangup: str | None = None
    acts: bool | None = None
    answer_space: str | None = None
    answer_endpoint: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    clock_offset: float | None = None

    def __post_init__(self) -> None:
        if self.body not in (None, *BODIES):
            raise ValueError(f"body must be one of {', '.join(BODIES)}")
        if self.reset not in (None, *MOMENTS) or self.hangup not in (None, *MOMENTS):
            raise ValueError("reset and hangup must be before or after")
        if not 0 < self.share <= 1:
            raise ValueError("share must be more than 0 and at most 1")

    @property
    def platform_acts(self) -> bool:
        """Tell whether the platform does what it is asked, whatever the caller is told."""
        if self.acts is not None:
            return self.acts
        if self.reset or self.hangup:
            return "after" in (self.reset, self.hangup)
        return self.status is None and self.redirect is None and self.body in (None, "empty", "truncated")

    @property
    def spoils(self) -> bool:
        """Tell whether the caller gets something else than the platform's own answer (later, or by another clock)."""
        own = Fault(
            self.method, self.host, self.times, self.skip, self.share, delay=self.delay, clock_offset=self.clock_offset
        )
        return self != own

    def respond(self, language: str, status: int, body: bytes) -> tuple[int, bytes, dict[str, str | None]]:
        """Return status, body and headers that the caller gets in place of what the platform said."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.redirect is not None:
            headers["Location"] = self.redirect
        told = self.status or (307 if self.redirect else status)
        kind = self.body or ("status" if self.status else "empty" if self.redirect else None)
        if kind == "html":
            headers["Content-Type"] = "text/html; charset=utf-8"
            return told, HTML % (told, told), headers
        if kind == "truncated":
            return told, body[: len(body) // 2] or b"{", headers
        if kind == "status":
            code = CODE_OF_STATUS.get(told, 2) if self.code is None else self.code
            name = CODES.get(code, CODES[2])[1] if self.message is None else self.message
            return told, codec.encode(language, codec.STATUS, {"code": code, "message": name}), headers
        return told, b"" if kind == "empty" else body, headers


@dataclass
class _Set:
    fault: Fault
    chance: random.Random
    matched: int = 0
    used: int = 0

    @property
    def left(self) -> bool:
        return self.fault.times is None or self.used < self.fault.times


class Faults:
    """The faults that are set; the first one that fits a call is used."""

    def __init__(self) -> None:
        self._set: dict[int, _Set] = {}
        self._lock = threading.Lock()
        self._last = 0

    def add(self, fault: Fault) -> int:
        """Set a fault; return its number."""
        with self._lock:
            self._last += 1
            # Seeded, so that a fault goes through the same chances each time, and each through its own.
            self._set[self._last] = _Set(fault, random.Random(self._last))
            return self._last

    def clear(self, number: int | None = None) -> None:
        """Take back one fault, or all."""
        with self._lock:
            if number is None:
                self._set.clear()
            else:
                self._set.pop(number, None)

    def list(self) -> list[dict[str, Any]]:
        """Return the faults with how often each was used."""
        with self._lock:
            items = list(self._set.items())
        return [
            {"number": number, "used": item.used, **json.loads(json.dumps(dataclasses.asdict(item.fault)))}
            for number, item in items
        ]

    def take(self, service: str, method: str, host: str) -> tuple[int | None, Fault]:
        """Return the fault of a call and its number; an empty fault if there is none."""
        with self._lock:
            for number, item in self._set.items():
                fault = item.fault
                fits = fault.method in (None, method, f"{service}/{method}") and fault.host in (None, host)
                if not fits or not item.left:
                    continue
                item.matched += 1
                if item.matched > fault.skip and item.chance.random() < fault.share:
                    item.used += 1
                    return number, fault
        return None, Fault()
