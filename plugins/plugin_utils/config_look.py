# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking for the config of a host, and refusing what lies there when no registration can be at it."""

from __future__ import annotations

import typing as t

from .arguments import Options
from .config import CNSPEC_CANDIDATES, CONFIG_CANDIDATES
from .config_option import refuse_wrong
from .errors import FleetError
from .host import Candidates, ConfigFile, Host, Look, LookRequest


def candidates() -> dict[str, Candidates]:
    """Return where the config may be on each system, as a look is told of it."""
    return {
        system: Candidates(tuple(places["plists"]), tuple(places["paths"]))
        for system, places in CONFIG_CANDIDATES.items()
    }


def look_for_config(host: Host, options: Options) -> Look:
    """Look at a host and its config. Raises FleetError for a path where no config can be."""
    request = LookRequest(
        config_path=options.get("config_path", ""),
        config_candidates=candidates(),
        owner=options.get("owner", "") if options["state"] == "present" else "",
        group=options.get("group", "") if options["state"] == "present" else "",
        cnspec_path=options.get("cnspec_path", ""),
        cnspec_candidates=tuple(CNSPEC_CANDIDATES),
    )
    # Host refuses an answer without it.
    look = t.cast(Look, host.call(look=request).look)
    _require_usable(look.config)
    return look


def require_writable(file: ConfigFile, removing: bool = False) -> None:
    """Raise FleetError when the config could not be replaced; a full disk does not keep it from being removed."""
    problem = file.not_writable
    if file.writable or (removing and problem is not None and problem.code == "no_space"):
        return
    cause = problem.cause if problem is not None else "the folder cannot be written to"
    code = problem.code if problem is not None else "permission"
    remedy = {
        "read_only": "Mount it writable",
        "no_space": "Make room there",
        "no_such_owner": "Make that user first, or give another owner",
        "no_such_group": "Make that group first, or give another group",
    }.get(code, "Use become: true, or a user who may write there")
    raise FleetError(f"write the config {file.path}", cause, f"{remedy}; nothing was changed", code=code)


def _require_usable(file: ConfigFile) -> None:
    """Raise FleetError for a config path that no registration can be at."""
    refuse_wrong(file)
    what = f"use the config {file.path}"
    if file.kind == "unreadable":
        cause = f"it cannot be read ({file.problem or 'permission denied'})"
        raise FleetError(what, cause, "Use become: true, or a user who may read it", code="config_unreadable")
    if file.kind not in ("file", "missing"):
        raise FleetError(what, "it is no ordinary file", "Look at what lies there", code="config_path")
