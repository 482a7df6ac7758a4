# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What molecule says of its actions is read, and told at the end."""

from __future__ import annotations

from scenarios import report, runner
from scenarios.runner import Action
from tooling import steps
from tooling.collections import fitting

# Of molecule 26.10, with NO_COLOR: the failure is coloured all the same.
SAID = """\
INFO     [default > create] Executing
changed: [localhost]
INFO     [default > create] Executed: Successful
INFO     [drift > prepare] Executing
WARNING  [drift > prepare] Executed: Missing playbook (Remove from test_sequence to suppress)
INFO     [drift > converge] Executing
ERROR    [drift > converge] \x1b[31mExecuted: Failed\x1b[0m
DETAILS
default > create: Executed: Successful
drift > converge: Executed: Failed (Ansible return code was 2)
"""


def test_each_action_that_ran_is_read_once() -> None:
    found = list(runner.read("drift", iter(SAID.splitlines(keepends=True))))
    assert [(action.name, action.passed) for action in found] == [("create", True), ("converge", False)]


def test_the_report_tells_the_wall_time_of_each_scenario_and_closes_with_the_count() -> None:
    ran = [Action("absent", "create", 2.04, True), Action("absent", "verify", 3.0, False)]
    lines = report.told(ran, 6.2).splitlines()
    assert lines[1:] == [
        "  absent         5.0  create 2.0, verify 3.0 (failed)",
        "  in all         6.2",
        "1 passed, 1 failed",
    ]


def test_the_closing_line_is_what_the_session_counts() -> None:
    said = report.told([Action("absent", "create", 2.0, True)], 2.0)
    assert steps.closing(said, 0) == steps.Count(passed=1)
    assert steps.closing("molecule did not run", 2) == steps.Count()


def test_collections_come_from_the_release_that_belongs_to_the_core() -> None:
    assert [fitting(core) for core in ("2.16.3", "2.19.14", "2.21.5")] == [9, 12, 14]
