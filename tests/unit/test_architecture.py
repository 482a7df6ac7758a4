# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may know whom: the arrows between the parts of the collection."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
COLLECTION = "ansible_collections.mondoo.fleet.plugins"
BRAIN = f"{COLLECTION}.plugin_utils"

# Deciding is pure: these, and all that they import, touch neither network nor files nor processes.
PURE = (
    "token",
    "cnspec_commands",
    "cnspec_judgement",
    "cnspec_login",
    "config",
    "config_diff",
    "install_plan",
    "plan",
    "wanted",
    "verdict",
    "status",
    "diagnosis",
    "time_plan",
)
DOES_IO = {
    "asyncio", "fcntl", "fileinput", "ftplib", "glob", "http", "io", "multiprocessing", "os", "pathlib", "select",
    "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading",
    "urllib.request", "requests", "urllib3",
}  # fmt: skip
OPENING = {"open", "input", "exec", "eval", "__import__"}
# Of Ansible, the pure part needs what validates options and removes values, which do no I/O either.
ANSIBLE_FOR_THE_PURE = {
    "ansible.module_utils.common.arg_spec",
    "ansible.module_utils.common.parameters",
    "ansible.module_utils.parsing.convert_bool",
}


def module_name(path: Path) -> str:
    return ".".join((COLLECTION, *path.relative_to(PLUGINS).with_suffix("").parts))


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PLUGINS / folder).glob("**/*.py"))


EVERYTHING = files(".")
HANDS = files("modules", "module_utils")


def imports(source: str, name: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports, wherever in its source that stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(name.split(".")[: -node.level]) if node.level else ""
            origin = ".".join(filter(None, (start, node.module or "")))
            # `from package import thing` may import a module, too.
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> set[str]:
    return set(imports(path.read_text(), module_name(path)))


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def importers(*packages: str) -> set[str]:
    return {path.name for path in EVERYTHING if any(within(name, *packages) for name in imports_of(path))}


def closure(path: Path) -> dict[Path, set[str]]:
    """Return a module and all of ours that it imports, directly or not, each with its imports."""
    found: dict[Path, set[str]] = {}
    todo = [path]
    while todo:
        current = todo.pop()
        if current in found:
            continue
        found[current] = imports_of(current)
        todo += [other for other in EVERYTHING if any(within(name, module_name(other)) for name in found[current])]
    return found


def called(path: Path) -> set[str]:
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def pure_files() -> list[Path]:
    return [
        path for path in files("plugin_utils") if path.stem in PURE or path.stem.startswith(("status_", "diagnosis_"))
    ]


def test_imports_are_found_in_every_form_and_place() -> None:
    source = """
import requests
from urllib3 import util
from .plan import Plan
def f():
    import os.path
    from . import host
"""
    assert set(imports(source, f"{BRAIN}.x")) == {
        "requests",
        "urllib3.util",
        f"{BRAIN}.plan.Plan",
        "os.path",
        f"{BRAIN}.host",
    }


def test_imports_are_followed_from_one_module_to_the_next() -> None:
    assert {path.stem for path in closure(PLUGINS / "plugin_utils" / "plan.py")} >= {"plan", "config", "credentials"}


def test_there_is_something_to_look_at() -> None:
    assert len(EVERYTHING) > 20
    assert {"cnspec_host.py", "options.py"} <= {path.name for path in HANDS}
    assert {"token", "config", "plan", "status"} <= {path.stem for path in pure_files()}


def test_only_transport_speaks_http_and_on_hosts_what_fetches_a_key() -> None:
    assert importers("requests", "urllib3", "http", "urllib.request") == {"transport.py"}
    assert importers("ansible.module_utils.urls") == {"cnspec_keyring.py"}


def test_only_credentials_knows_cryptography() -> None:
    assert importers("cryptography") == {"credentials.py"}


def test_only_host_knows_how_a_module_is_run_on_the_host() -> None:
    knowing = {
        path.name
        for path in EVERYTHING
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in ("_execute_module", "_low_level_execute_command"))
        or (isinstance(node, ast.Constant) and node.value in ("_execute_module", "_low_level_execute_command"))
    }
    assert knowing == {"host.py"}


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: path.stem)
def test_deciding_does_no_io_directly_or_by_what_it_imports(path: Path) -> None:
    for part, names in closure(path).items():
        assert not {name for name in names if within(name, *DOES_IO)}, part.name
        assert not called(part) & OPENING, part.name
        of_ansible = {name for name in names if within(name, "ansible")}
        assert all(within(name, *ANSIBLE_FOR_THE_PURE) for name in of_ansible), part.name


@pytest.mark.parametrize("path", HANDS, ids=lambda path: path.stem)
def test_hands_import_only_each_other_the_standard_library_and_ansible_module(path: Path) -> None:
    for name in imports_of(path):
        fetching = path.stem == "cnspec_keyring" and within(name, "ansible.module_utils.urls")
        known = fetching or within(name, f"{COLLECTION}.module_utils", "ansible.module_utils.basic")
        assert known or name.split(".")[0] in sys.stdlib_module_names, name
        assert name != "__future__.annotations", name  # Python 3.6 has it not


@pytest.mark.parametrize("path", files("plugin_utils"), ids=lambda path: path.stem)
def test_the_brain_knows_nothing_of_the_actions_above_it_nor_of_the_modules(path: Path) -> None:
    above = [f"{COLLECTION}.{folder}" for folder in ("action", "filter", "callback", "modules")]
    assert not {name for name in imports_of(path) if within(name, *above)}


@pytest.mark.parametrize("path", files("action", "filter"), ids=lambda path: path.stem)
def test_an_action_knows_the_brain_the_options_and_ansible(path: Path) -> None:
    for name in imports_of(path):
        known = within(name, BRAIN, f"{COLLECTION}.module_utils.options", "ansible", "__future__")
        assert known or name.split(".")[0] in sys.stdlib_module_names, name
