# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all actions of the collection share: options in, result out, through one gate that no secret passes."""

from __future__ import annotations

import traceback
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from . import arguments
from .errors import FleetError
from .interruption import Interrupted
from .secrets import Secrets

Result = dict[str, t.Any]


class FleetAction(ActionBase):
    """An action that runs on the controller; a subclass names its options and does the work."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    options: t.ClassVar[arguments.Spec] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Return the result of the task, without a secret in it. Errors become results, each one line."""
        secrets = Secrets()
        result: Result = super().run(tmp, task_vars)
        try:
            given = arguments.read(self._task.args, self.options, secrets)
            result.update(self.work(given, task_vars or {}, secrets))
        except FleetError as error:
            result.update(self.failure(error))
        except AnsibleError:
            raise  # an unreachable host, and others that Ansible knows how to report
        except Interrupted:
            stopped = FleetError("finish", "the run was told to stop", "Nothing was changed; run again", code="stopped")
            result.update(self.failure(stopped))
        except Exception as error:
            cause = f"of a mistake in mondoo.fleet ({type(error).__name__})"
            mistake = FleetError("finish", cause, "Please report it, with the output of -vvv", code="mistake")
            result.update(self.failure(mistake), exception=traceback.format_exc())
        return t.cast(Result, secrets.scrub(result))

    def work(self, options: arguments.Options, task_vars: dict[str, t.Any], secrets: Secrets) -> Result:
        """Do what the options say and return the result. Raises FleetError."""
        raise NotImplementedError

    def failure(self, error: FleetError) -> Result:
        """Return the result of a task that could not be done."""
        return {**error.detail, "failed": True, "msg": str(error), "code": error.code}
