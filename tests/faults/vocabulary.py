# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults: their names, and how each is made, whatever the step."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .row import ABSENT_PING, ABSENT_UNREGISTER, LOOK, MANY, PING, REGISTER, UNREGISTER
from .sentences import WITHOUT_VERDICT

HOUR = 3600.0
# The space in which a host is registered before it is asked to move.
OTHER = "another-space"
# What the platform is asked at each step.
METHODS = {
    LOOK: "PingPong",
    REGISTER: "RegisterAgent",
    PING: "PingPong",
    UNREGISTER: "UnRegisterAgent",
    ABSENT_PING: "PingPong",
    ABSENT_UNREGISTER: "UnRegisterAgent",
}


@dataclass(frozen=True)
class Fault:
    """How a fault is made. `call`: what the platform does to the calls of the step (fields of the sandbox's Fault).

    `broken`: what happens to new connections (the sandbox's Break), `tunnel` and `proxy`: what a proxy on the way
    answers itself to CONNECT and to requests; each from the step on. `clock` and `platform_clock` are off by so many
    seconds in the whole run. `place`: what is done to the folder of the config at the step. `special`: a method of
    the scene, or what happens to which process.
    """

    call: Mapping[str, t.Any] = field(default_factory=dict)
    broken: str = ""
    tunnel: Mapping[str, t.Any] = field(default_factory=dict)
    proxy: Mapping[str, t.Any] = field(default_factory=dict)
    clock: float = 0.0
    platform_clock: float = 0.0
    place: str = ""
    special: str = ""

    @property
    def processes(self) -> bool:
        """Tell whether this takes processes: a real ansible-playbook whose parts can be killed."""
        return self.special.startswith("process ")

    @property
    def reached(self) -> bool:
        """Tell whether the calls of the step reach the platform."""
        return not (self.broken or self.tunnel or self.proxy or self.special in ("no_proxy", "no_name"))


def _process(what: str) -> Fault:
    return Fault(special=f"process {what}")


FAULTS: dict[str, Fault] = {
    "hands killed before": _process("hands before"),
    "hands killed after": _process("hands after"),
    "connection lost before": _process("ssh before"),
    "connection lost after": _process("ssh after"),
    "connection lost after, ssh tries again": _process("ssh again"),
    "connection lost after, host gone": _process("ssh gone"),
    "controller killed": _process("kill"),
    "controller told to stop (SIGTERM)": _process("term"),
    "timeout keyword": _process("timeout"),
    "two plays at once": _process("two"),
    "disk full": Fault(place="full"),
    "read-only": Fault(place="read_only"),
    "file changed by someone else": Fault(place="changed"),
    "no answer in time": Fault(call={"delay": 2.0}),
    "reset before a byte was sent": Fault(broken="reset"),
    "reset in the handshake": Fault(broken="handshake"),
    "reset before acting": Fault(call={"reset": "before"}),
    "reset after acting": Fault(call={"reset": "after"}),
    "CONNECT refused with 407": Fault(tunnel={"status": 407}),
    "CONNECT refused with 502": Fault(tunnel={"status": 502}),
    "redirect to another host": Fault(call={"redirect": "{other}"}),
    "a ~/.netrc": Fault(special="netrc"),
    "401 with a Status": Fault(call={"status": 401}),
    "401 bare": Fault(call={"status": 401, "body": "html"}),
    "403": Fault(call={"status": 403}),
    "401 with a Status, once": Fault(call={"status": 401, "times": 1}),
    "404 bare": Fault(call={"status": 404, "body": "html"}),
    "404 because the agent is gone": Fault(special="gone"),
    "404": Fault(call={"status": 404}),
    "409 Aborted": Fault(call={"status": 409}),
    "409 AlreadyExists": Fault(call={"status": 409, "code": 6}),
    "429": Fault(call={"status": 429}),
    "429 with Retry-After": Fault(call={"status": 429, "retry_after": 7}),
    "429 once": Fault(call={"status": 429, "retry_after": 7, "times": 1}),
    **{f"{status} bare": Fault(call={"status": status, "body": "html"}) for status in (500, 502, 503, 504)},
    **{f"{status} with a Status": Fault(call={"status": status}) for status in (500, 502, 503, 504)},
    "503 with Retry-After": Fault(call={"status": 503, "retry_after": 7}),
    "HTML with 200": Fault(call={"body": "html"}),
    "HTML with 200, having acted": Fault(call={"body": "html", "acts": True}),
    "empty 200": Fault(call={"body": "empty"}),
    "truncated JSON": Fault(call={"body": "truncated"}),
    "unknown CA": Fault(broken="unknown"),
    "expired TLS certificate": Fault(broken="expired"),
    "proxy refused": Fault(special="no_proxy"),
    "proxy 407": Fault(proxy={"status": 407}),
    "proxy HTML": Fault(proxy={"status": 200}),
    "DNS failure": Fault(special="no_name"),
    "controller clock 1 h ahead": Fault(clock=HOUR),
    "controller clock 1 h behind": Fault(clock=-HOUR),
    "platform clock 1 h ahead": Fault(platform_clock=HOUR),
    "platform clock 1 h behind": Fault(platform_clock=-HOUR),
}

CLOCKS = tuple(name for name, fault in FAULTS.items() if fault.clock or fault.platform_clock)
PLACES = tuple(name for name, fault in FAULTS.items() if fault.place)
ON_THE_WAY = tuple(name for name, fault in FAULTS.items() if not fault.processes and not fault.place)
# The platform says that it did not act, and may later.
BUSY = ("409 Aborted", "429", "429 with Retry-After", "503 with Retry-After")
# Not at a step whose run has just got through to the platform.
NO_WAY = ("proxy refused", "DNS failure")
# UnRegisterAgent did its work, and nobody hears of it.
UNHEARD = ("no answer in time", "reset after acting", "HTML with 200, having acted", "empty 200", "truncated JSON")
# The platform's own word on UnRegisterAgent: it will not, or there is no such agent.
FINAL = ("403", "409 AlreadyExists", "404")
# UnRegisterAgent did nothing, and nobody can be certain of that.
UNCONFIRMED = tuple(fault for fault, dummy in WITHOUT_VERDICT if fault not in {*UNHEARD, *FINAL, *NO_WAY})


def calls(fault: str, most: int = 3) -> int | None:
    """Return how many calls of a step reach the platform: `most`, or as many as there is time for while it is busy."""
    if not FAULTS[fault].reached:
        return None
    return MANY if fault in BUSY and most > 1 else most
