# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done to the service of the agent: from how it was found."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .errors import FleetError
from .units import Unit

SWITCH = "set cnspec_service: false"

# An agent in these states is restarted rather than started: `systemctl start` of one that systemd is about to start
# anyway waits for that, 90 s with the vendor's unit, and ansible.builtin.systemd_service takes it for running.
IN_TROUBLE = {"failed": "it has failed", "activating": "it ended, and systemd is about to start it"}


@dataclass(frozen=True)
class Found:
    """How the agent was found. `configured`: there is a configuration that is not empty; `outdated`: it is newer."""

    init: str
    unit: Unit | None
    configured: bool
    outdated: bool = False


@dataclass(frozen=True)
class ServicePlan:
    """What is to be done. `start`: `now`, `registered` (once there is a configuration) or empty.

    `restartable`: one that is told to restart when its configuration changes, because it runs, or should.
    `restart`: why it has to be restarted whatever changes; `left_alone`: why nothing is done; `problem`: why nothing
    can be. All three are empty texts where that is not so.
    """

    enable: bool = False
    start: str = ""
    restartable: bool = False
    restart: str = ""
    left_alone: str = ""
    problem: str = ""

    @property
    def todo(self) -> bool:
        """Whether there is anything to do, even if no step before this changes anything."""
        return bool(self.enable or self.start == "now" or self.restart or self.problem)

    def to_dict(self) -> dict[str, t.Any]:
        """Return the plan as plain Python."""
        return {**asdict(self), "todo": self.todo}


def plan(state: str, found: Found) -> ServicePlan:
    """Return what is to be done to the agent of a host that is to be registered (present), or not (absent)."""
    if found.init != "systemd":
        return ServicePlan(left_alone="The service of the agent is left alone: this host does not run systemd.")
    if state == "absent":
        return _forgetting(found)
    problem = _problem(found.unit)
    if found.unit is None or problem is not None:
        return ServicePlan(problem=str(problem))
    return _running(found.unit, found)


def _forgetting(found: Found) -> ServicePlan:
    """Leave the service as it is; an agent that runs is to forget the identity that is gone from its configuration."""
    active = found.unit is not None and bool(found.unit.active)
    return ServicePlan(restartable=active, restart=_newer(found) if active else "")


def _running(unit: Unit, found: Found) -> ServicePlan:
    trouble = IN_TROUBLE.get(unit.state or "")
    if unit.active or trouble is not None:
        why = "" if trouble is None else f"The agent is restarted: {trouble}."
        return ServicePlan(enable=not unit.enabled, restartable=True, restart=why or _newer(found))
    # Without a configuration the unit of the rpm does not start, and succeeds at that, on every run anew.
    return ServicePlan(enable=not unit.enabled, start="now" if found.configured else "registered")


def _newer(found: Found) -> str:
    return "The agent is restarted: its configuration was written after it started." if found.outdated else ""


def _problem(unit: Unit | None) -> FleetError | None:
    if unit is None:
        cause = "systemd there knows no service of it, which comes with the package of cnspec"
        return FleetError("start the agent", cause, f"Let the step install run, or {SWITCH}", code="no_service")
    if unit.state == "masked":
        remedy = f"Run there: sudo systemctl unmask {unit.name}; or {SWITCH}"
        return FleetError("start the agent", f"its service {unit.name} is masked", remedy, code="service_masked")
    return None
