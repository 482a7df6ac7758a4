# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a host for the steps of the role: the role's variables in, what has to be done out."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ansible_collections.mondoo.fleet.plugins.module_utils.options import PREPARE_OPTIONS

from ..plugin_utils import family_collections
from ..plugin_utils.arguments import Options
from ..plugin_utils.clock_wait import wait_for_clock
from ..plugin_utils.fleet_action import FleetAction, Result
from ..plugin_utils.host import Host
from ..plugin_utils.preparation import packages_to_do, prepare
from ..plugin_utils.run_folder import RunFolder
from ..plugin_utils.secrets import Secrets


class ActionModule(FleetAction):
    """Run on the controller; ask the host only through the module cnspec_host."""

    options = PREPARE_OPTIONS

    def work(self, options: Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Return what was seen, and what the controller lacks for it. Nothing is changed."""
        options["package_file"] = [self._found(path) for path in options.get("package_file", [])]
        host = Host(self, task_vars, secrets)
        seconds = float(options["ntp_wait"])
        wait = options["wait_for_clock"]
        prepared = wait_for_clock(lambda: prepare(host, options), seconds) if wait else prepare(host, options)
        problem = family_collections.problem(prepared["family"])
        if problem and packages_to_do(prepared):
            RunFolder.of_this_run().keep("collection", {"problem": problem})  # mondoo_preflight says it, once
        return {"changed": False, **prepared, "collection_problem": problem}

    def _found(self, path: str) -> str:
        """Return the absolute path of a package, looked for as the module copy does: in files/ of the playbook, too."""
        try:
            return str(self._find_needle("files", path))
        except AnsibleError:
            return path  # what is not there is told with the other problems of the step
