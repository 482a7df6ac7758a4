# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario everything sets every variable of the role to something else than its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tooling.paths import ROOT
from tooling.role_table import ROLE

VARIABLES = ROOT / "extensions/molecule/inventory/group_vars"
# Those that the scenario leaves at their default, and why.
LEFT_OUT = {
    "cnspec_force": "registers at each run, which the scenario proves not to happen",
    "cnspec_state": "absent is a scenario of its own",
    "cnspec_keep_settings": "means something with the state absent only: that scenario sets it",
}


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def given() -> dict[str, list[Any]]:
    """Return what the hosts of the scenario are given for each variable, by any of their groups."""
    found: dict[str, list[Any]] = {}
    for path in (VARIABLES / "fleet.yml", *VARIABLES.glob("everything*.yml")):
        for name, value in load(path).items():
            found.setdefault(name, []).append(value)
    return found


def test_every_variable_is_set_to_something_else_than_its_default() -> None:
    defaults, values = load(ROLE / "defaults/main.yml"), given()
    at_default = {name for name, value in defaults.items() if all(each == value for each in values.get(name, []))}
    assert at_default == set(LEFT_OUT)


def test_what_is_left_out_for_another_scenario_is_set_there() -> None:
    files = [VARIABLES / "absent.yml", *(VARIABLES.parent / "host_vars").glob("absent-*.yml")]
    set_there = {name for path in files for name in load(path)}
    assert {"cnspec_state", "cnspec_keep_settings"} <= set_there


def test_nothing_is_set_that_the_role_does_not_know() -> None:
    named = {name for path in VARIABLES.parent.glob("*_vars/*.yml") for name in load(path)}
    unknown = {name for name in named if name.startswith("cnspec_")} - set(load(ROLE / "defaults/main.yml"))
    assert unknown == set()
