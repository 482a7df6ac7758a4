# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes what each host's tasks gave, one JSON line each, so that the demo shows nothing else."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: host_results
type: notification
short_description: Write the results of tasks to a file, as JSON lines
description:
  - Writes one line for each task and host, and one for each host at the end.
options:
  path:
    description: The file to append to.
    type: str
    required: true
    env:
      - name: HOST_RESULTS_PATH
"""


class CallbackModule(CallbackBase):
    """Write results to the file named by HOST_RESULTS_PATH, which only this user can read."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "host_results"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, record: dict[str, t.Any]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with open(os.open(self.get_option("path"), flags, 0o600), "w", encoding="utf-8") as stream:
            stream.write(json.dumps(record, default=str) + "\n")

    def _write_result(self, result: t.Any, state: str) -> None:
        shown = {key: value for key, value in result.result.items() if key != "invocation" and key[:9] != "_ansible_"}
        self._write(
            {
                "host": result.host.get_name(),
                "action": result.task.resolved_action or result.task.action,
                "task": result.task.get_name().rpartition(" : ")[2],
                "state": state,
                "result": shown,
            }
        )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Write a result that is ok or changed."""
        self._write_result(result, "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Write a failure."""
        self._write_result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Write that a host was not reached."""
        self._write_result(result, "unreachable")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Write the sums of each host, which know of failures that were rescued."""
        for host in sorted(stats.processed):
            self._write({"host": host, "sums": stats.summarize(host)})
