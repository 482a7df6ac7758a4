# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pages name is there: pages, variables, options, entry points, playbooks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mondoo.fleet.plugins.module_utils import options
from ansible_collections.mondoo.fleet.plugins.plugin_utils.problems import KINDS
from docs.pages import DOCSITE, PAGES, READMES, Example, examples, mappings
from tooling.environments import environment
from tooling.paths import COLLECTIONS, HOME, ROOT
from tooling.role_table import ROLE

EXAMPLES = examples()
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
VARIABLE = re.compile(r"(?<![\w.])cnspec_[a-z]\w*")
# The options of each module that an example uses.
MODULES = {
    "mondoo.fleet.mondoo_registration": options.REGISTRATION_OPTIONS,
    "mondoo.fleet.mondoo_status": options.STATUS_OPTIONS,
}


def variables() -> set[str]:
    """Return every variable of the role and of the playbooks."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    played = {name for path in PLAYBOOKS for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    return set(defaults) | {name for entry in specs.values() for name in entry["options"]} | played


def test_every_page_is_in_the_table_of_contents_and_no_other() -> None:
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(name for section in sections for name in section["toctree"]) == [page.stem for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_the_label_that_links_to_it(page: Path) -> None:
    label = f".. _ansible_collections.mondoo.fleet.docsite.{page.stem}:\n"
    assert page.read_text(encoding="utf-8").count(label) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page: Path) -> None:
    assert f"(docs/docsite/rst/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_variable_that_a_page_names_exists(page: Path) -> None:
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert named
    assert named - variables() - set(KINDS) == set()


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_playbook_that_a_page_runs_exists(page: Path) -> None:
    run = set(re.findall(r"ansible-playbook mondoo\.fleet\.(\w+)", page.read_text(encoding="utf-8")))
    assert run <= {path.stem for path in PLAYBOOKS}


def test_the_pages_have_examples() -> None:
    assert {example.page for example in EXAMPLES} == {*PAGES, *READMES}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_yaml_and_names_only_variables_that_exist(example: Example) -> None:
    named = {str(name) for mapping in mappings(example.data) for name in mapping if VARIABLE.fullmatch(str(name))}
    assert named <= variables()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_module_of_the_collection_accepts_the_options_of_an_example(example: Example) -> None:
    tasks = [
        (name, given or {})
        for mapping in mappings(example.data)
        for name, given in mapping.items()
        if name.startswith("mondoo.fleet.")
    ]
    for name, given in tasks:
        assert ArgumentSpecValidator(MODULES[name]).validate(given).error_messages == [], name


def test_ansible_accepts_every_play_of_the_examples_by_its_syntax(tmp_path: Path) -> None:
    plays = [example for example in EXAMPLES if example.is_playbook]
    assert {example.page.name for example in plays} >= {"fleet.rst", "time.rst", "troubleshooting.rst", "README.md"}
    files = [tmp_path / f"{number}.yml" for number in range(len(plays))]
    for path, example in zip(files, plays, strict=True):
        path.write_text(example.text, encoding="utf-8")
    assert syntax_check(files) == ""


def test_an_entry_point_that_is_not_there_does_not_pass_for_good_syntax(tmp_path: Path) -> None:
    play: dict[str, Any] = {"hosts": "all", "tasks": [{"ansible.builtin.import_role": {"name": "mondoo.fleet.cnspec"}}]}
    play["tasks"][0]["ansible.builtin.import_role"]["tasks_from"] = "nothing"
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    assert "nothing" in syntax_check([tmp_path / "play.yml"])


def syntax_check(files: list[Path]) -> str:
    """Return what ansible-playbook says against these playbooks."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        "fleet,",
        "--syntax-check",
        *files,
    ]
    env = environment(Path(sys.executable).parents[1], HOME, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    ran = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    return "" if ran.returncode == 0 else ran.stderr
