# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is worth knowing before a fleet is registered: said as warnings, because none of it need stop any host."""

from __future__ import annotations

import hashlib
import math
import typing as t
from dataclasses import dataclass

from .config import DEFAULT_ENDPOINT
from .errors import FleetError
from .wanted import Wanted

# What registering one host takes on the controller: look, RegisterAgent, PingPong and write, over ssh.
SECONDS_FOR_EACH_HOST = 2.0

# From here on cnspec itself warns of a clock.
SKEW_SECONDS = 30.0


@dataclass(frozen=True)
class Fleet:
    """The hosts of a play, and how many of them Ansible works on at once."""

    hosts: int
    at_once: int

    @property
    def seconds(self) -> int:
        """How long it takes to register all of them, about."""
        return math.ceil(self.hosts / max(1, self.at_once)) * int(SECONDS_FOR_EACH_HOST)


@dataclass(frozen=True)
class Health:
    """What the platform answered. `time` None (seconds since the epoch otherwise): it did not, or is not serving."""

    endpoint: str
    time: float | None
    controller_time: float

    @property
    def skew(self) -> float:
        """How far the controller's clock is ahead of the platform's, in seconds."""
        return 0.0 if self.time is None else self.controller_time - self.time


def endpoint_to_ask(wanted: Wanted) -> str | None:
    """Return where hosts will be registered; None when nothing that was given says so."""
    if wanted.register_endpoint is not None:
        return wanted.register_endpoint
    return DEFAULT_ENDPOINT if wanted.space_mrn is not None else None


def question(wanted: Wanted, fleet: Fleet) -> str:
    """Return a name for what this preflight is about, without a secret in it, by which to ask only once in a run."""
    claims = wanted.claims
    about = (endpoint_to_ask(wanted), wanted.space_mrn, claims.expires_at if claims else None, fleet.hosts)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]


def warnings(wanted: Wanted, fleet: Fleet, health: Health | None, now: float) -> list[str]:
    """Return what a user should know before this run registers hosts; `now` in seconds since the epoch."""
    found = [_about_token(wanted, fleet, now)]
    if health is not None:
        found += [_about_platform(health), _about_clock(health)]
    return [warning for warning in found if warning is not None]


def facts(wanted: Wanted, fleet: Fleet, health: Health | None) -> dict[str, t.Any]:
    """Return what was found, as the result of the task."""
    claims = wanted.claims
    return {
        "api_endpoint": None if health is None else health.endpoint,
        "platform_serving": None if health is None else health.time is not None,
        "controller_offset": None if health is None or health.time is None else round(health.skew, 3),
        "space_mrn": wanted.space_mrn,
        "token_expires_at": None if claims is None else claims.expires_at,
        "hosts": fleet.hosts,
        "seconds_needed": fleet.seconds,
    }


def _about_token(wanted: Wanted, fleet: Fleet, now: float) -> str | None:
    problem, claims = wanted.token_problem, wanted.claims
    if claims is not None:
        problem = claims.expiry_problem(now)
    if problem is not None:
        return unneeded(problem)
    if claims is None or claims.expires_at is None or now + fleet.seconds <= claims.expires_at:
        return None
    return (
        f"The registration token has {claims.expires_at - now:.0f} s left, and registering {_hosts(fleet.hosts)}, "
        f"{fleet.at_once} at once, takes about {fleet.seconds} s. Make one that lives longer, or raise forks."
    )


def unneeded(problem: FleetError) -> str:
    """Return the warning about a token that is no good, which matters only where it is needed."""
    return f"{problem} Hosts that are registered already do not need it."


def _about_platform(health: Health) -> str | None:
    if health.time is not None:
        return None
    return (
        f"Mondoo Platform at {health.endpoint} is not reached from the controller, or is not serving. Until it is, no "
        "host can be registered or verified; the role does not try to verify any in this run, unless it is to be "
        "strict. Check the endpoint, controller_proxy and ca_path."
    )


def _about_clock(health: Health) -> str | None:
    if abs(health.skew) <= SKEW_SECONDS:
        return None
    direction = "ahead of" if health.skew > 0 else "behind"
    return f"The controller's clock is {abs(health.skew):.0f} s {direction} the platform's. Set it right."


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"
