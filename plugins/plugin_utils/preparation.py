# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the steps of the role have to know of a host, in one round trip; see the RETURN of cnspec_prepare."""

from __future__ import annotations

import typing as t

from . import (
    clock,
    config_look,
    config_option,
    installation,
    packages,
    service_plan,
    time_config,
    time_plan,
    time_services,
    units,
)
from .arguments import Options
from .clock_judgement import ClockSeen
from .cnspec_commands import SET_ENV, UNSET_ENV
from .config import CNSPEC_CANDIDATES
from .diagnosis import written_since
from .host import Answer, Command, Host, Look, LookRequest, RunRequest
from .seen import AGENT_UNITS, Seen, from_answer
from .units import Unit

TOOL_SECONDS = 5.0

Prepared = dict[str, t.Any]


def prepare(host: Host, options: Options) -> Prepared:
    """Look at the host and return what its steps have to do, and why.

    Raises FleetError for an option that is wrong whatever the host is, and what Host raises.
    """
    config_option.refuse_relative(options.get("config_path", ""))
    time_config.read_servers(options.get("ntp_servers", ()))  # refuses before the host is asked
    answer = host.call(look=_look_request(options), run=_run_request())
    look = t.cast(Look, answer.look)  # Host refuses an answer without it
    seen = from_answer(answer, options.get("cnspec_path", ""))
    return {
        "family": seen.family,
        "init": look.system.init,
        "container": look.system.container,
        "system": _system(look),
        "config": {"path": seen.config_path, "exists": look.config.exists},
        "cnspec": _cnspec(answer, seen),
        "service": _service(look, seen, options["state"]),
        "clock": _clock(look, seen),
        "time": _time(answer, look, seen, options),
        "install": installation.prepare(options, answer, seen),
    }


def packages_to_do(prepared: Prepared) -> bool:
    """Tell whether steps have to do with packages of the host, the agent's or a time service's."""
    return bool(prepared.get("install", {}).get("todo")) or "install" in prepared.get("time", {}).get("todo", ())


def _look_request(options: Options) -> LookRequest:
    return LookRequest(
        config_path=options.get("config_path", ""),
        config_candidates=config_look.candidates(),
        read_config="no",
        cnspec_path=options.get("cnspec_path", ""),
        cnspec_candidates=tuple(CNSPEC_CANDIDATES),
        files=(*installation.PATHS, *(time_config.FILES if options.get("ntp_servers") else ())),
    )


def _run_request() -> RunRequest:
    names = tuple(f"{name}.service" for name in (*AGENT_UNITS, *time_services.UNITS))
    commands = {"units": units.command(*names), **clock.COMMANDS, **packages.COMMANDS, **installation.COMMANDS}
    return RunRequest(
        commands={name: Command(argv, TOOL_SECONDS) for name, argv in commands.items()},
        unset_env=UNSET_ENV,
        set_env=SET_ENV,
    )


def _system(look: Look) -> dict[str, t.Any]:
    system = look.system
    return {
        "id": system.os_id,
        "like": list(system.os_like),
        "version": system.os_version,
        "name": system.os_name,
        "arch": system.arch,
        "python": system.python,
        "user": system.user,
        "uid": system.uid,
    }


def _cnspec(answer: Answer, seen: Seen) -> dict[str, t.Any]:
    package = packages.installed(answer.ran, seen.family)
    return {
        "path": seen.cnspec_path,
        "package": None if package is None else package.name,
        "version": None if package is None else package.version,
        "held": None if package is None else package.held,
    }


def _service(look: Look, seen: Seen, state: str) -> dict[str, t.Any]:
    agent = seen.agent or Unit("")
    outdated = bool(agent.active) and written_since(agent.started, seen)
    configured = look.config.exists and look.config.size != 0
    planned = service_plan.plan(state, service_plan.Found(look.system.init, seen.agent, configured, outdated))
    return {
        **planned.to_dict(),
        "unit": agent.name or None,
        "active": agent.active,
        "enabled": agent.enabled,
        "masked": agent.state == "masked",
        "failed": agent.state == "failed",
        "needs_restart": outdated,
    }


def _clock(look: Look, seen: Seen) -> dict[str, t.Any]:
    return {
        "offset": seen.controller_offset,
        "settable": look.system.clock_settable,
        "synchronized": seen.clock.ntp_synchronized,
        "enabled": seen.clock.ntp_enabled,
        "unit": seen.clock.service,
        "service": time_services.kind(seen.clock.service),
    }


def _time(answer: Answer, look: Look, seen: Seen, options: Options) -> dict[str, t.Any]:
    if options["state"] == "absent":
        return time_plan.TimePlan().to_dict()
    said = {name: ran.stdout for name, ran in answer.ran.items() if ran.found and ran.rc == 0}
    settable = look.system.clock_settable
    found = time_plan.TimeSeen(
        family=seen.family,
        name=look.system.os_name,
        systemd=look.system.init == "systemd",
        container=look.system.container,
        settable=settable,
        running=seen.clock.service,
        units=units.parse(said.get("units", "")),
        clock=ClockSeen(
            offset=seen.controller_offset,
            controller=options.get("controller_offset"),
            in_step=seen.clock.ntp_synchronized,
            # A service that may not set the clock leaves the kernel's word alone, too.
            kernel=None if settable is False else time_services.kernel(said.get("timedatectl", ""))["NTPSynchronized"],
            correction=time_services.correction(said.get("chrony", "")),
        ),
        files=look.files,
    )
    return time_plan.plan(found, time_config.read_servers(options.get("ntp_servers", ()))).to_dict()
