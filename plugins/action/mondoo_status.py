# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell how a host stands with Mondoo Platform: the task's options in, a fact out."""

from __future__ import annotations

import typing as t

from ansible_collections.mondoo.fleet.plugins.module_utils.options import STATUS_OPTIONS

from ..plugin_utils.arguments import Options
from ..plugin_utils.fleet_action import FleetAction, Result
from ..plugin_utils.host import Host
from ..plugin_utils.probe import Probe
from ..plugin_utils.secrets import Secrets


class ActionModule(FleetAction):
    """Run on the controller; ask the host only through the module cnspec_host."""

    options = STATUS_OPTIONS

    def work(self, options: Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Return the fact, and fail when the host is not as expected."""
        return Probe(Host(self, task_vars, secrets), options, secrets).result()
