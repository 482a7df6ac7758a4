# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is printed at the end of the scenarios."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.runner import Action


def told(actions: Sequence[Action], seconds: float) -> str:
    """Return a row for each scenario, with the wall time of its actions, and the closing line."""
    lines = ["wall time in seconds"]
    for scenario in dict.fromkeys(action.scenario for action in actions):
        of_scenario = [action for action in actions if action.scenario == scenario]
        each = ", ".join(
            f"{action.name} {action.seconds:.1f}{'' if action.passed else ' (failed)'}" for action in of_scenario
        )
        lines.append(f"  {scenario:<12}{sum(action.seconds for action in of_scenario):>6.1f}  {each}")
    failed = sum(not action.passed for action in actions)
    lines += [f"  {'in all':<12}{seconds:>6.1f}", f"{len(actions) - failed} passed, {failed} failed"]
    return "\n".join(lines)
