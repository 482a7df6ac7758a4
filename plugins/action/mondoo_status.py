# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell how a host stands with Mondoo Platform: the task's options in, a fact out."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.mondoo.fleet.plugins.module_utils.options import STATUS_OPTIONS

from ..plugin_utils import arguments
from ..plugin_utils.errors import FleetError
from ..plugin_utils.host import Host
from ..plugin_utils.probe import Probe
from ..plugin_utils.secrets import Secrets


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
            options = arguments.read(self._task.args, STATUS_OPTIONS, secrets)
            result.update(Probe(Host(self, task_vars or {}, secrets), options, secrets).result())
        except FleetError as error:
            result.update(error.detail, failed=True, msg=str(error), code=error.code)
        return t.cast("dict[str, t.Any]", secrets.scrub(result))
