# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role says each thing once: argument_specs, defaults, README and the modules' options agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mondoo.fleet.plugins.module_utils.options import (
    PREFLIGHT_OPTIONS,
    REGISTRATION_OPTIONS,
    STATUS_OPTIONS,
)
from tooling.role_table import ROLE, specs, split, table

STEPS = {
    "preflight": ("mondoo.fleet.mondoo_preflight", PREFLIGHT_OPTIONS),
    "register": ("mondoo.fleet.mondoo_registration", REGISTRATION_OPTIONS),
    "verify": ("mondoo.fleet.mondoo_status", STATUS_OPTIONS),
}
SWITCHES = {f"cnspec_{step}" for step in STEPS}

# Where a variable is not `cnspec_` and the option's name: `cnspec_verify` is the switch of the step.
RENAMED = {
    "method": "cnspec_registration_method",
    "verify": "cnspec_registration_verify",
    "cnspec_path": "cnspec_path",
}

PLAYBOOKS = ROLE.parents[1] / "playbooks"
TASK_FILES = sorted((ROLE / "tasks").glob("*.yml"))
VARIABLE = re.compile(r"\bcnspec_\w+")

# What yields a boolean whatever the variables are; a bare variable does not, and ansible-core 2.19 refuses it.
BOOLEAN = re.compile(r".+ (not in|in|is|is not|==|!=|<|<=|>|>=) \S.*|.+\| bool$")
FORBIDDEN = ("command", "shell", "raw", "script", "uri", "set_fact", "setup", "gather_facts")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def defaults() -> dict[str, Any]:
    loaded: dict[str, Any] = load(ROLE / "defaults/main.yml")
    return loaded


def options(entry_point: str) -> dict[str, Any]:
    found: dict[str, Any] = specs()[entry_point]["options"]
    return found


def tasks(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a file, those in blocks too."""
    todo = list(load(path))
    while todo:
        task = todo.pop(0)
        yield task
        for part in ("block", "rescue", "always", "tasks", "handlers", "pre_tasks", "post_tasks"):
            todo += task.get(part, [])


def arguments(step: str) -> dict[str, str]:
    module, dummy = STEPS[step]
    (task,) = tasks(ROLE / f"tasks/{step}.yml")
    given: dict[str, str] = task[module]
    return given


def test_every_variable_of_the_role_has_the_default_that_argument_specs_say() -> None:
    assert {name: option["default"] for name, option in options("main").items()} == defaults()


def test_the_table_in_the_readme_is_that_of_argument_specs() -> None:
    dummy, written, dummy = split((ROLE / "README.md").read_text(encoding="utf-8"))
    assert written == table(options("main")), "python -m tooling.role_table writes the table anew"


@pytest.mark.parametrize("step", STEPS)
def test_every_option_of_the_module_is_reachable_from_the_role(step: str) -> None:
    dummy, module_options = STEPS[step]
    assert sorted(arguments(step)) == sorted(module_options)


@pytest.mark.parametrize("step", STEPS)
def test_an_option_has_a_variable_of_its_own_name(step: str) -> None:
    for option, value in arguments(step).items():
        assert RENAMED.get(option, f"cnspec_{option}") in VARIABLE.findall(value), option


@pytest.mark.parametrize("step", [*STEPS, "unregister"])
def test_the_entry_point_of_a_step_takes_the_variables_that_the_step_uses_and_no_other(step: str) -> None:
    text = (ROLE / f"tasks/{step}.yml").read_text(encoding="utf-8")
    used = {name for name in VARIABLE.findall(text) if name in defaults()}
    assert set(options(step)) == used


@pytest.mark.parametrize("step", [*STEPS, "unregister"])
def test_a_variable_means_the_same_at_every_entry_point(step: str) -> None:
    for name, option in options(step).items():
        assert option == options("main")[name], name


def test_the_role_takes_what_its_steps_take_and_a_switch_for_each() -> None:
    assert set(options("main")) == SWITCHES.union(*(options(step) for step in STEPS))


@pytest.mark.parametrize("step", STEPS)
def test_the_default_of_a_variable_is_that_of_the_option(step: str) -> None:
    dummy, module_options = STEPS[step]
    for option, definition in module_options.items():
        value = defaults()[RENAMED.get(option, f"cnspec_{option}")]
        if "default" in definition:
            assert value == definition["default"], option
        elif option != "expect":  # a step that proves nothing would be no step
            assert value in ("", {}, []), option


def test_no_variable_is_validated_by_ansible_whose_refusal_quotes_the_value() -> None:
    for entry_point in specs():
        for name, option in options(entry_point).items():
            assert option["type"] == "raw", name
            assert set(option) == {"type", "default", "description"}, name


def test_the_role_is_a_list_of_steps_of_at_most_30_lines() -> None:
    path = ROLE / "tasks/main.yml"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 30
    steps = list(tasks(path))
    assert [task["ansible.builtin.import_tasks"] for task in steps] == [f"{step}.yml" for step in STEPS]
    assert [task["tags"] for task in steps] == [[f"cnspec_{step}"] for step in STEPS]
    assert [VARIABLE.findall(task["when"])[0] for task in steps] == [f"cnspec_{step}" for step in STEPS]


def test_each_step_has_a_file_and_a_row_in_the_readme_and_what_comes_later_has_no_file() -> None:
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \| .* \| (.+) \| (.+) \|$", readme, re.MULTILINE)
    there = {name for name, switch, dummy in rows if switch == f"`cnspec_{name}: false`"}
    later = {name for name, switch, dummy in rows if switch == "*not yet*"}
    assert there == set(STEPS)
    assert later == {"time", "package proxy", "install", "service"}
    assert {path.stem for path in TASK_FILES} == there | {"main", "unregister"}


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: path.name)
def test_no_task_runs_a_command_calls_a_url_or_needs_facts(path: Path) -> None:
    for task in tasks(path):
        modules = {key.rpartition(".")[2] for key in task}
        assert not modules & set(FORBIDDEN), task["name"]
    assert not re.search(r"ansible_facts|hostvars", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [*TASK_FILES, *sorted(PLAYBOOKS.glob("*.yml"))], ids=lambda path: path.name)
def test_every_condition_is_a_boolean_and_no_template_is_longer_than_a_line(path: Path) -> None:
    for task in tasks(path):
        for keyword in ("when", "failed_when", "changed_when", "until"):
            for condition in [task[keyword]] if isinstance(task.get(keyword, []), str) else task.get(keyword, []):
                assert BOOLEAN.fullmatch(condition), condition
        assert not re.search(r"\{\{[^}]*\n", yaml.safe_dump(task, width=1000)), task["name"]


def test_errors_are_ignored_in_the_one_task_that_stands_for_every_host() -> None:
    ignoring = {
        (path.stem, task.get("run_once")) for path in TASK_FILES for task in tasks(path) if "ignore_errors" in task
    }
    assert ignoring == {("preflight", True)}


@pytest.mark.parametrize("name", ["register", "status", "unregister"])
def test_a_playbook_runs_on_any_inventory_and_gathers_no_facts(name: str) -> None:
    (play,) = load(PLAYBOOKS / f"{name}.yml")
    assert play["hosts"] == "{{ cnspec_hosts | default('all', true) }}"
    assert play["serial"] == "{{ cnspec_serial | default('100%', true) }}"
    assert play["gather_facts"] is False
    assert "cnspec_become" in play["become"]


def test_nothing_from_outside_makes_the_playbook_unregister_do_anything_else() -> None:
    (play,) = load(PLAYBOOKS / "unregister.yml")
    (dummy, role) = [*play["pre_tasks"], *play["tasks"]]
    assert role["ansible.builtin.import_role"] == {"name": "mondoo.fleet.cnspec", "tasks_from": "unregister"}
    (task,) = tasks(ROLE / "tasks/unregister.yml")
    assert task["mondoo.fleet.mondoo_registration"]["state"] == "absent"
    assert not {"when", "tags"} & set(task)
