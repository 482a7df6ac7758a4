# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built collection: what is in it, and that it works where nothing of the tree is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from artifact.user import User
from sandbox import Remote
from sandbox.cnspec_stand_in import install
from sandbox.stand_in.settings import Settings

# What a user needs; whatever else turns up in the archive belongs into build_ignore of galaxy.yml.
WANTED = re.compile(
    r"""
    MANIFEST\.json | FILES\.json | README\.md | COPYING | CHANGELOG\.rst | changelogs/changelog\.yaml
    | meta/(runtime\.yml | execution-environment\.yml | ee-requirements\.txt)
    | plugins/(action | doc_fragments | filter | module_utils | modules | plugin_utils)/\w+\.(py | ps1 | psm1 | yml)
    | roles/\w+/(README\.md | (defaults | handlers | meta | tasks | vars)/(\w+/)*\w+\.yml | (files | templates)/[\w.-]+)
    | playbooks/\w+\.yml
    | docs/(states\.md | docsite/(extra-docs\.yml | links\.yml | rst/\w+\.rst))
    """,
    re.VERBOSE,
)


def test_the_artifact_holds_only_what_users_need(names: list[str]) -> None:
    assert [name for name in names if not WANTED.fullmatch(name)] == []


def test_the_artifact_holds_all_parts_of_the_collection(names: list[str]) -> None:
    parts = {name.split("/")[0] for name in names}
    assert {"README.md", "COPYING", "meta", "plugins", "roles", "playbooks", "changelogs"} <= parts


def test_the_artifact_needs_no_other_collection(user: User) -> None:
    manifest = json.loads((user.collections / "ansible_collections/mondoo/fleet/MANIFEST.json").read_text())
    assert manifest["collection_info"]["dependencies"] == {}


def test_the_installed_collection_is_the_one_that_ansible_finds(user: User) -> None:
    found = json.loads(user.run("ansible-galaxy", "collection", "list", "mondoo.fleet", "--format", "json"))
    assert list(found) == [str(user.collections / "ansible_collections")]


def test_the_installed_collection_registers_a_host(user: User, platform: Remote, tmp_path: Path) -> None:
    config, cnspec = tmp_path / "mondoo.yml", tmp_path / "cnspec"
    install(str(cnspec), Settings(version="13.0.1"))
    inventory = tmp_path / "inventory.yml"
    host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"web1": host}}}))
    secrets = tmp_path / "secrets.yml"
    secrets.write_text(yaml.safe_dump({"cnspec_token": platform.mint_token(lifetime=600)}))
    more = {"cnspec_config_path": str(config), "cnspec_path": str(cnspec), "cnspec_become": False}
    # The host is this machine, whose clock, packages and services are left alone.
    more |= {f"cnspec_{step}": False for step in ("time", "install", "service")}

    said = user.run(
        "ansible-playbook", "mondoo.fleet.register", "-i", inventory, "-e", f"@{secrets}", "-e", json.dumps(more)
    )

    (agent,) = platform.agents()
    assert yaml.safe_load(config.read_text())["agent_mrn"] == agent["mrn"]
    assert config.stat().st_mode & 0o777 == 0o600
    assert len(platform.calls(method="RegisterAgent", outcome="ok")) == 1
    assert re.search(r"web1 +: ok=\d+ +changed=1 +unreachable=0 +failed=0", said)
