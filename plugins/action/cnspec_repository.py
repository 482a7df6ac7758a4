# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell a host's package manager of the repository: options in, the files that had to be written out."""

from __future__ import annotations

import typing as t

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REPOSITORY_OPTIONS

from ..plugin_utils.arguments import Options
from ..plugin_utils.fleet_action import FleetAction, Result
from ..plugin_utils.host import Host
from ..plugin_utils.repository_writer import set_up
from ..plugin_utils.secrets import Secrets


class ActionModule(FleetAction):
    """Run on the controller; ask the host only through the module cnspec_host."""

    options = REPOSITORY_OPTIONS

    def work(self, options: Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Write what differs."""
        return set_up(Host(self, task_vars, secrets), options, check_mode=bool(self._task.check_mode))
