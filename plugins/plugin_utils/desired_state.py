# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that the options of one task name, reached: registered, or no more."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .arguments import Options
from .cnspec_platform import CnspecPlatform, Place, proxy_in_force
from .config import parse
from .config_look import look_for_config
from .departure import Departure
from .errors import FleetError
from .registration import Registration
from .run import Run
from .wanted import file_mode, read_wanted

NOT_THERE_YET = "There is no cnspec on the host yet, and with method cnspec nothing can be registered without it."


def reach(options: Options, around: Run) -> dict[str, t.Any]:
    """Look at the host, bring it to the state that is asked for, and return the task's result.

    Raises FleetError; then the host and the platform are as before, or the error says what is not.
    """
    wanted, mode = read_wanted(options), file_mode(options["mode"])
    look = look_for_config(around.host, options)
    found = parse(look.config.content)
    if wanted.document is not None:
        around.secrets.add(wanted.document.account.private_key)
    if found.account is not None:
        around.secrets.add(found.account.private_key)
    for key in ("api_proxy", "api-proxy"):
        around.secrets.add_proxy(found.text(key))
    by_cnspec, proxy = options["method"] == "cnspec", proxy_in_force(found, wanted)
    here = Place(around.host, around.clock, look.config.path, look.cnspec, float(options["timeout"]), proxy)
    if by_cnspec:
        around = replace(around, platform_at=lambda endpoint: CnspecPlatform(endpoint, here))
    try:
        if options["state"] == "absent":
            result = Departure(options, around, wanted, look, found).run()
        else:
            result = Registration(options, around, wanted, look, found, mode).run()
    except FleetError as error:
        if here.warnings:
            error.detail["warnings"] = [*error.detail.get("warnings", []), *here.warnings]
        raise
    registers = by_cnspec and result["action"] == "register"
    if around.check_mode and registers and not look.cnspec.executable:
        # An earlier task may install it, so in check mode its absence is no error.
        here.warnings.append(NOT_THERE_YET)
    return {**result, "warnings": result["warnings"] + here.warnings}
