# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Register one host: the task's options in, the task's result out."""

from __future__ import annotations

import typing as t

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REGISTRATION_OPTIONS

from ..plugin_utils.arguments import Options
from ..plugin_utils.desired_state import reach
from ..plugin_utils.fleet_action import FleetAction, Result
from ..plugin_utils.host import Host
from ..plugin_utils.platform import Clock, Platform
from ..plugin_utils.run import Run
from ..plugin_utils.run_folder import RunFolder
from ..plugin_utils.secrets import Secrets
from ..plugin_utils.transport import HttpTransport, Route


class ActionModule(FleetAction):
    """Run on the controller; ask the host only through the module cnspec_host."""

    options = REGISTRATION_OPTIONS

    def work(self, options: Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Bring the host to the state that was asked for."""
        route = Route(options.get("controller_proxy"), options.get("ca_path"), options["validate_certs"])
        transport, clock = HttpTransport(route), Clock()
        around = Run(
            host=Host(self, task_vars, secrets),
            platform_at=lambda endpoint: Platform(endpoint, transport, clock),
            clock=clock,
            folder=RunFolder.of_this_run(),
            secrets=secrets,
            host_name=str(task_vars.get("inventory_hostname", "")),
            fleet_size=len(task_vars.get("ansible_play_hosts_all") or []),
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
        )
        return reach(options, around)
