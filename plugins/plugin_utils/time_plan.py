# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the step time has to do on a host: what was seen and what is wanted in, what to do and why out."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, replace

from . import clock_judgement, time_config, time_services
from .clock_judgement import ClockSeen, Verdict
from .errors import FleetError
from .time_config import Block
from .units import Unit

# What is installed where there is nothing: the package, and its unit.
DEFAULTS = {
    "Debian": ("systemd-timesyncd", "systemd-timesyncd"),
    "RedHat": ("chrony", "chronyd"),
    "Suse": ("chrony", "chronyd"),
}


@dataclass(frozen=True)
class TimeSeen:
    """What is known of a host. `running`: the unit (or tool) of the time service that runs, None for no service.

    `settable`: whether services may set the clock; `units`: those that systemd knows; `files`: those of
    time_config.FILES, read where time servers are given.
    """

    family: str = ""
    name: str = ""
    systemd: bool = True
    container: bool = False
    settable: bool | None = True
    running: str | None = None
    units: t.Mapping[str, Unit] = field(default_factory=dict)
    clock: ClockSeen = ClockSeen()
    files: time_config.Files = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """The service to use. `unit` is that of systemd, empty for one that systemd does not run.

    `package`: what has to be installed for it, empty where it is there.
    """

    kind: str
    unit: str
    runs: bool = False
    enabled: bool | None = None
    package: str = ""


@dataclass(frozen=True)
class TimePlan:
    """What to do. `todo`: some of look, say, install, configure, enable, start, step and wait; empty: nothing at all.

    `look`: judge the clock again when the platform's is known; `step`: have the service set a clock that is wrong.
    `files` are not as they should be, `folders` are missing. `problem`: why nothing can be done. `verdict` is of the
    clock; `cause` and `remedy` belong to one that is wrong, and `can_wait` tells whether it may come right by itself.
    `in_step`: whether the service follows a time server, None for one that does not say.
    """

    service: Service | None = None
    todo: tuple[str, ...] = ()
    files: tuple[Block, ...] = ()
    folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None
    verdict: Verdict = "right"
    in_step: bool | None = None
    can_wait: bool = False
    cause: str = ""
    remedy: str = ""

    def to_dict(self) -> dict[str, t.Any]:
        """Return the plan as plain Python."""
        files = [{"path": each.path, "block": "\n".join(each.lines), "own": each.own} for each in self.files]
        lists = {"todo": list(self.todo), "folders": list(self.folders), "notes": list(self.notes)}
        return {**asdict(self), **lists, "files": files}


def plan(seen: TimeSeen, servers: t.Sequence[str] = ()) -> TimePlan:
    """Return what to do so that something keeps the clock right, and asks these servers, too, if any are given."""
    kept = clock_judgement.judge(seen.clock) == "right" and seen.clock.in_step is True and not servers
    service = _service(seen, kept)
    problem = _problem(service, seen, servers)
    if problem is not None or service is None:
        made = TimePlan(service, ("say",) if problem else (), problem=None if problem is None else str(problem))
    else:
        made = _set_up(service, seen, servers)
    return _judged(made, seen)


def _service(seen: TimeSeen, kept: bool) -> Service | None:
    """Return the service that runs, else one that is installed, else what this family has; None where there is none.

    `kept`: the kernel says that something keeps the clock right. If it is none of those that are known here, it is left
    alone; of a container, it says what holds for the machine that it runs on.
    """
    if seen.running is not None:
        kind = time_services.kind(seen.running) or seen.running
        return Service(
            kind, seen.running if seen.systemd and seen.running in seen.units else "", runs=True, enabled=True
        )
    if not seen.systemd:
        left = time_config.installed(seen.files)
        if left is not None:
            return Service(left, "")
    found = [seen.units[name] for name in time_services.UNITS if name in seen.units and not _masked(seen.units[name])]
    if found:
        # Where a distribution has systemd-timesyncd built in, another that was installed is the one that is meant.
        unit = min(found, key=lambda unit: (not unit.enabled, unit.name == "systemd-timesyncd"))
        return Service(time_services.kind(unit.name) or unit.name, unit.name, enabled=unit.enabled)
    package, name = DEFAULTS.get(seen.family, ("", ""))
    if not package or (name in seen.units and _masked(seen.units[name])) or (kept and not seen.container):
        return None
    return Service(time_services.kind(name) or name, name if seen.systemd else "", enabled=False, package=package)


def _masked(unit: Unit) -> bool:
    return unit.state == "masked"


def _problem(service: Service | None, seen: TimeSeen, servers: t.Sequence[str]) -> FleetError | None:
    leave_out = "set cnspec_time: false"
    if service is None and (servers or clock_judgement.judge(seen.clock) == "wrong"):
        masked = [name for name, unit in seen.units.items() if _masked(unit)]
        if masked:
            cause, start = f"{masked[0]} is masked", f"Run there: sudo systemctl unmask {masked[0]}"
        else:
            cause = f"mondoo.fleet does not know how to install one on this system ({seen.name or 'unknown'})"
            start = "Start one there"
        return FleetError("start a time service", cause, f"{start}, or {leave_out}", code="time_service_unknown")
    if service is None or not servers or _blocks(service, seen, servers) is not None:
        return None
    return FleetError(
        f"give time servers to {service.kind}",
        "mondoo.fleet does not know its configuration",
        f"Leave cnspec_ntp_servers empty for this host, or {leave_out}",
        code="time_service_unknown",
    )


def _blocks(service: Service, seen: TimeSeen, servers: t.Sequence[str]) -> tuple[Block, ...] | None:
    return time_config.blocks(service.kind, servers, seen.files, seen.family) if servers else ()


def _set_up(service: Service, seen: TimeSeen, servers: t.Sequence[str]) -> TimePlan:
    """Return the steps. A host without systemd gets a configuration, where one is wanted, and no service is touched."""
    files = tuple(
        block for block in _blocks(service, seen, servers) or () if not block.is_in(seen.files.get(block.path))
    )
    idle = seen.systemd and not service.runs
    steps = {
        "install": bool(service.package) and (seen.systemd or bool(servers)),
        "configure": bool(files),
        "enable": idle and not service.enabled,
        "start": idle and _may_set(service, seen),
        "step": clock_judgement.judge(seen.clock) == "wrong"
        and service.runs
        and bool(service.unit)
        and _may_set(service, seen),
    }
    folders = dict.fromkeys(block.path.rpartition("/")[0] for block in files if block.own)
    return TimePlan(
        service=service,
        todo=tuple(name for name, needed in steps.items() if needed),
        files=files,
        folders=tuple(path for path in folders if path in seen.files and seen.files[path].kind == "missing"),
        notes=_notes(service, seen, files),
    )


def _may_set(service: Service, seen: TimeSeen) -> bool:
    # Its unit has ConditionVirtualization=!container, whatever the container may do.
    return seen.settable is not False and not (seen.container and service.kind == "systemd-timesyncd")


def _notes(service: Service, seen: TimeSeen, files: t.Sequence[Block]) -> tuple[str, ...]:
    if files and not service.unit:
        return (f"{service.kind} is told of the time servers, and not restarted: systemd does not run it.",)
    if seen.systemd and not service.runs and not _may_set(service, seen):
        what = "a container" if seen.container else "services here"
        return (f"{service.unit} is enabled and not started: the clock is not one that {what} may set.",)
    return ()


def _judged(made: TimePlan, seen: TimeSeen) -> TimePlan:
    """Add whether the clock is right, and whether it is waited for."""
    clock, service = seen.clock, made.service
    verdict = clock_judgement.judge(clock)
    runs = service is not None and (service.runs or "start" in made.todo)
    can_wait = runs and seen.settable is not False
    moved = can_wait and not {"configure", "start", "step"}.isdisjoint(made.todo)
    before = [name for name, needed in (("look", verdict != "right"), ("say", made.notes)) if needed]
    after = ["wait"] if made.problem is None and (verdict != "right" or moved) else []
    running = service if service and service.runs else None
    cause, remedy = _wrong(running, seen)
    return replace(
        made,
        todo=(*before, *made.todo, *after),
        verdict=verdict,
        can_wait=can_wait,
        in_step=clock.in_step if running else None,
        cause=cause if verdict == "wrong" else "",
        remedy=remedy,
    )


def _wrong(running: Service | None, seen: TimeSeen) -> tuple[str, str]:
    """Return why the clock is wrong, if it is, and what to do."""
    cause = clock_judgement.difference(seen.clock)
    if seen.settable is False:
        what = "a container" if seen.container else "services here"
        return f"{cause}, and {what} may not set it", "Set the clock of the machine that it runs on right"
    if running is None:
        return f"{cause}, and no time service runs", clock_judgement.remedy(None, seen.family)
    return cause, clock_judgement.remedy(running.kind, seen.family)
