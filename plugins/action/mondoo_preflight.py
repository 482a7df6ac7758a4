# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warn of what will keep a fleet from being registered: the task's options in, warnings out, never a failure."""

from __future__ import annotations

import typing as t

from ansible import constants as C

from ansible_collections.mondoo.fleet.plugins.module_utils.options import PREFLIGHT_OPTIONS

from ..plugin_utils import arguments, preflight
from ..plugin_utils.errors import FleetError
from ..plugin_utils.fleet_action import FleetAction, Result
from ..plugin_utils.platform import Clock, Platform
from ..plugin_utils.run_folder import RunFolder
from ..plugin_utils.secrets import Secrets
from ..plugin_utils.transport import HttpTransport, Route
from ..plugin_utils.wanted import Wanted, read_wanted


class ActionModule(FleetAction):
    """Run on the controller; no host is asked anything."""

    _requires_connection = False

    options = PREFLIGHT_OPTIONS

    def work(self, options: arguments.Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Return what was seen, and the warnings."""
        seen = _preflight(options, read_wanted(options), _fleet(task_vars, options))
        return {"changed": False, **seen, "warnings": [*seen.get("warnings", []), *_lacking(options)]}

    def failure(self, error: FleetError) -> Result:
        """Warn: each host says the same when its turn comes, and a failure here would end the play for all of them."""
        return {"changed": False, "warnings": [str(error)]}


def _fleet(task_vars: dict[str, t.Any], options: arguments.Options) -> preflight.Fleet:
    batch = len(task_vars.get("ansible_play_batch") or []) or 1
    at_once = min(int(task_vars.get("ansible_forks") or C.DEFAULT_FORKS), batch, options["registration_limit"])
    return preflight.Fleet(len(task_vars.get("ansible_play_hosts_all") or []), max(1, at_once))


def _preflight(options: arguments.Options, wanted: Wanted, fleet: preflight.Fleet) -> Result:
    # run_once is once for each batch of `serial`.
    folder, question = RunFolder.of_this_run(), preflight.question(wanted, fleet)
    if not folder.first(question):
        return {**folder.kept(question), "msg": "This was looked into already in this run."}
    clock = Clock()
    endpoint = preflight.endpoint_to_ask(wanted)
    # With method cnspec the controller may have no way to the platform, and needs none.
    asks = endpoint is not None and options["method"] == "api"
    health = _ask(str(endpoint), options, clock) if asks else None
    # A token is judged by the platform's clock, where that is known.
    now = clock.now() if health is None else clock.now() - health.skew
    found = preflight.facts(wanted, fleet, health)
    folder.keep(question, found)
    return {**found, "warnings": preflight.warnings(wanted, fleet, health, now)}


def _lacking(options: arguments.Options) -> list[str]:
    """Return what the controller lacks for hosts that were looked at before, the first time that it is asked."""
    folder = RunFolder.of_this_run()
    problem = folder.kept("collection").get("problem") if options["packages"] else None
    return [problem] if problem is not None and folder.first("collection") else []


def _ask(endpoint: str, options: arguments.Options, clock: Clock) -> preflight.Health:
    transport = HttpTransport(Route(options.get("controller_proxy"), options.get("ca_path"), options["validate_certs"]))
    platform = Platform(endpoint, transport, clock)
    return preflight.Health(platform.endpoint, platform.time(), clock.now())
