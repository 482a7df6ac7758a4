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
    PREPARE_OPTIONS,
    REGISTRATION_OPTIONS,
    STATUS_OPTIONS,
)
from tooling.role_table import ROLE, specs, split, table

STEPS = ("preflight", "time", "install", "register", "service", "verify")
# The files with one module each, whose options are variables of the role.
MODULES = {
    "prepare": ("mondoo.fleet.cnspec_prepare", PREPARE_OPTIONS),
    "steps/preflight": ("mondoo.fleet.mondoo_preflight", PREFLIGHT_OPTIONS),
    "steps/register": ("mondoo.fleet.mondoo_registration", REGISTRATION_OPTIONS),
    "steps/verify": ("mondoo.fleet.mondoo_status", STATUS_OPTIONS),
}
SWITCHES = {f"cnspec_{step}" for step in STEPS}

# Where a variable is not `cnspec_` and the option's name: `cnspec_verify` is the switch of the step.
RENAMED = {
    "method": "cnspec_registration_method",
    "verify": "cnspec_registration_verify",
    "cnspec_path": "cnspec_path",
}

PLAYBOOKS = ROLE.parents[1] / "playbooks"
TASK_FILES = sorted((ROLE / "tasks").rglob("*.yml"))
HANDLERS = sorted((ROLE / "handlers").glob("*.yml"))
VARIABLE = re.compile(r"\bcnspec_\w+")

# What yields a boolean whatever the variables are; a bare variable does not, and ansible-core 2.19 refuses it.
BOOLEAN = re.compile(
    r".+ (not in|in|is|is not|==|!=|<|<=|>|>=) \S.*|.+\| bool$|True$|False$|not [\w.]+$|not \([^()]+\)$"
)
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
    todo = list(load(path) or [])
    while todo:
        task = todo.pop(0)
        yield task
        for part in ("block", "rescue", "always", "tasks", "handlers", "pre_tasks", "post_tasks"):
            todo += task.get(part, [])


def arguments(file: str) -> dict[str, str]:
    """Return what a file gives to its module."""
    module, dummy = MODULES[file]
    (task,) = (task for task in tasks(ROLE / f"tasks/{file}.yml") if module in task)
    given: dict[str, str] = task[module]
    return given


def internal(file: str) -> set[str]:
    """Return the options of a module that are for the role itself: a second look, or what other steps may do."""
    return {"prepare": {"controller_offset", "wait_for_clock"}, "steps/preflight": {"packages"}}.get(file, set())


def files_of(step: str) -> list[Path]:
    """Return the files of an entry point: preparing, the step, and what it includes."""
    own = [ROLE / "tasks/unregister.yml"] if step == "unregister" else [ROLE / f"tasks/steps/{step}.yml"]
    return [ROLE / "tasks/prepare.yml", *own, *(ROLE / "tasks" / step).glob("*.yml"), *templates_of(*own)]


def templates_of(*paths: Path) -> list[Path]:
    """Return the templates that are named in files, and in the files beside the steps that these include."""
    included = [path for step in paths for path in (ROLE / "tasks" / step.stem).glob("*.yml")]
    text = "".join(path.read_text(encoding="utf-8") for path in (*paths, *included))
    return [path for path in (ROLE / "templates").glob("*") if path.name in text]


def used_by(step: str) -> set[str]:
    """Return the variables of the role that an entry point uses: by itself, by vars, by handlers that it notifies."""
    text = "".join(path.read_text(encoding="utf-8") for path in files_of(step))
    text += "".join(yaml.safe_dump(task) for path in HANDLERS for task in tasks(path) if task["name"] in text)
    private = load(ROLE / "vars/main.yml")
    for dummy in private:  # one of them may use another
        text += "".join(str(value) for name, value in private.items() if name in text)
    # A remedy in a message names a variable with a value.
    return set(VARIABLE.findall(re.sub(r"\bcnspec_\w+: false", "", text))) & set(defaults())


def test_every_variable_of_the_role_has_the_default_that_argument_specs_say() -> None:
    assert {name: option["default"] for name, option in options("main").items()} == defaults()


def test_the_table_in_the_readme_is_that_of_argument_specs() -> None:
    dummy, written, dummy = split((ROLE / "README.md").read_text(encoding="utf-8"))
    assert written == table(options("main")), "python -m tooling.role_table writes the table anew"


@pytest.mark.parametrize("file", MODULES)
def test_every_option_of_a_module_is_reachable_from_the_role(file: str) -> None:
    module, module_options = MODULES[file]
    called = {option for path in TASK_FILES for task in tasks(path) for option in task.get(module, {})}
    assert called == set(module_options)
    assert set(arguments(file)) | internal(file) == set(module_options)


@pytest.mark.parametrize("file", MODULES)
def test_an_option_has_a_variable_of_its_own_name(file: str) -> None:
    for option, value in arguments(file).items():
        if option in internal(file):
            continue
        assert RENAMED.get(option, f"cnspec_{option}") in VARIABLE.findall(value), option


@pytest.mark.parametrize("step", [*STEPS, "unregister"])
def test_the_entry_point_of_a_step_takes_the_variables_that_the_step_uses_and_no_other(step: str) -> None:
    assert set(options(step)) == used_by(step)


@pytest.mark.parametrize("step", [*STEPS, "unregister"])
def test_a_variable_means_the_same_at_every_entry_point(step: str) -> None:
    for name, option in options(step).items():
        assert option == options("main")[name], name


def test_the_role_takes_what_its_steps_take_and_a_switch_for_each() -> None:
    assert set(options("main")) == SWITCHES.union(*(options(step) for step in STEPS))


@pytest.mark.parametrize("file", MODULES)
def test_the_default_of_a_variable_is_that_of_the_option(file: str) -> None:
    dummy, module_options = MODULES[file]
    for option, definition in module_options.items():
        if option in internal(file):
            continue
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


def test_the_role_is_a_list_of_steps_after_one_look_at_the_host() -> None:
    path = ROLE / "tasks/main.yml"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
    look, *steps = tasks(path)
    assert look["ansible.builtin.import_tasks"] == "prepare.yml"
    assert look["tags"] == [f"cnspec_{step}" for step in STEPS]
    assert "when" not in look
    assert [task["ansible.builtin.import_tasks"] for task in steps] == [f"steps/{step}.yml" for step in STEPS]
    assert [task["tags"] for task in steps] == [[f"cnspec_{step}"] for step in STEPS]
    assert [VARIABLE.findall(task["when"]) for task in steps] == [[f"cnspec_{step}"] for step in STEPS]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_alone_is_one_look_at_the_host_and_the_step(step: str) -> None:
    imported = [task["ansible.builtin.import_tasks"] for task in tasks(ROLE / f"tasks/{step}.yml")]
    assert imported == ["prepare.yml", f"steps/{step}.yml"]


def test_each_step_has_its_files_and_a_row_in_the_readme() -> None:
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| .* \| `cnspec_(\w+): false` \| `cnspec_(\w+)` \|$", readme, re.MULTILINE)
    assert rows == [(step, step, step) for step in STEPS]
    assert {path.stem for path in (ROLE / "tasks").glob("*.yml")} == {*STEPS, "main", "prepare", "unregister"}
    assert {path.stem for path in (ROLE / "tasks/steps").glob("*.yml")} == set(STEPS)


def test_files_beside_the_steps_are_included_only_where_there_is_something_to_do() -> None:
    beside = {path for path in TASK_FILES if path.parent.name not in ("tasks", "steps")}
    assert {path.parent.name for path in beside} <= set(STEPS)
    for path in TASK_FILES:
        for task in tasks(path):
            assert path.parent.name == "tasks" or "ansible.builtin.import_tasks" not in task, task["name"]
            if path.parent.name == "steps" and "ansible.builtin.include_tasks" in task:
                assert "when" in task, task["name"]


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: path.name)
def test_a_service_is_restarted_by_a_handler_only(path: Path) -> None:
    assert not re.search(r"state: restarted", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: path.name)
def test_no_task_runs_a_command_calls_a_url_or_needs_facts(path: Path) -> None:
    for task in tasks(path):
        modules = {key.rpartition(".")[2] for key in task}
        assert not modules & set(FORBIDDEN), task["name"]
        # A value of the environment stands in argv, and at -vvv: it comes from no variable, which may hold a secret.
        assert "{{" not in str(task.get("environment")), task["name"]
    assert not re.search(r"ansible_facts|hostvars", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(ROLE)))
def test_a_file_is_named_as_seen_from_the_tasks_of_the_role(path: Path) -> None:
    """With ../prepare.yml ansible-core takes a prepare.yml beside the user's playbook rather than the role's own."""
    named = [task.get("ansible.builtin.include_tasks", "") for task in tasks(path)]
    files = [name["file"] if isinstance(name, dict) else name for name in named]
    assert [file for file in files if file.startswith("..")] == []


@pytest.mark.parametrize("path", [*TASK_FILES, *HANDLERS, *sorted(PLAYBOOKS.glob("*.yml"))], ids=lambda path: path.name)
def test_every_condition_is_a_boolean_and_no_template_is_longer_than_a_line(path: Path) -> None:
    for task in tasks(path):
        for keyword in ("when", "failed_when", "changed_when", "until"):
            value = task.get(keyword, [])
            for condition in value if isinstance(value, list) else [str(value)]:
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
    look, task = tasks(ROLE / "tasks/unregister.yml")
    assert look["vars"] == {"cnspec_state": "absent"}
    assert task["mondoo.fleet.mondoo_registration"]["state"] == "absent"
    for each in (look, task):
        assert not {"when", "tags"} & set(each)
