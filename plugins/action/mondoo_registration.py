# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Register one host: the task's options in, the task's result out."""

from __future__ import annotations

import typing as t

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REGISTRATION_OPTIONS

from ..plugin_utils import arguments
from ..plugin_utils.errors import FleetError
from ..plugin_utils.host import Host
from ..plugin_utils.platform import Clock, Platform
from ..plugin_utils.registration import Registration, Run
from ..plugin_utils.run_folder import RunFolder
from ..plugin_utils.secrets import Secrets
from ..plugin_utils.transport import HttpTransport, Route


class ActionModule(ActionBase):
    """Run on the controller; ask the host only through the module cnspec_host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result of the task, without a secret in it."""
        secrets = Secrets()
        result = super().run(tmp, task_vars)
        try:
            options = arguments.read(self._task.args, REGISTRATION_OPTIONS, secrets)
            result.update(Registration(options, self._surroundings(options, task_vars or {}, secrets)).run())
        except FleetError as error:
            result.update(error.detail, failed=True, msg=str(error), code=error.code)
        return t.cast("dict[str, t.Any]", secrets.scrub(result))

    def _surroundings(self, options: arguments.Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Run:
        transport = HttpTransport(
            Route(options.get("controller_proxy"), options.get("ca_path"), options["validate_certs"])
        )
        clock = Clock()
        return Run(
            host=Host(self, task_vars, secrets),
            platform_at=lambda endpoint: Platform(endpoint, transport, clock),
            clock=clock,
            folder=RunFolder(f"{C.DEFAULT_LOCAL_TMP}/mondoo.fleet"),
            secrets=secrets,
            host_name=str(task_vars.get("inventory_hostname", "")),
            fleet_size=len(task_vars.get("ansible_play_hosts_all") or []),
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
        )
