# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-test needs: the collection at a real path, a home of its own, a PATH of Pythons that run, and pip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tooling.environments import cell, environment, locked
from tooling.paths import BUILD, CACHE, PLACE, ROOT
from tooling.pythons import HANDS, find, folder_of_found, python_for

# ansible-test fetches pip's bootstrap script from a site that is not a package registry, and says where a copy may lie
# instead: ~/.ansible/test/cache/get_pip_<version>.py. This one installs from the wheel that `pip download` got.
# It runs on each Python that ansible-test tests with, so it keeps to what all of them understand.
GET_PIP = '''"""Install pip from its own wheel."""
import sys

WHEEL = {wheel!r}
sys.path.insert(0, WHEEL)

if __name__ == "__main__":
    from pip._internal.cli.main import main

    wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel", "pip=={version}")]
    sys.exit(main(["install"] + wanted + [WHEEL]))
'''

# Asked of the ansible-core in use, because each has its own versions of pip, and others for old Pythons.
PIPS_WANTED = """import json, sys, types
from ansible_test._internal.python_requirements import get_venv_packages
print(json.dumps(sorted({get_venv_packages(types.SimpleNamespace(version=v))["pip"] for v in sys.argv[1:]})))
"""


@dataclass(frozen=True)
class Workplace:
    """Where ansible-test of one ansible-core runs: command, folder and process environment."""

    command: Path
    collection: Path
    env: dict[str, str]


def workplace(core: str, purpose: str, wanted: Callable[[str], bool] = lambda dummy: True) -> Workplace:
    """Lay out .build/<purpose>/<core> for ansible-test, with the files of the tree that `wanted` accepts."""
    version = python_for(core)
    if version is None:
        raise SystemExit(f"Cannot run ansible-core {core}: no Python that it supports is found here.")
    venv, place = cell(version, core), BUILD / purpose / core
    home = place / "home"
    env = environment(venv, home, PATH=os.pathsep.join([str(venv / "bin"), str(folder_of_found()), os.defpath]))
    pip_settings(home)
    bootstrap_scripts(venv, home)
    collection = copy_collection(place / "collections" / PLACE, wanted)
    # The connection local takes the home of the user database for remote_tmp, whatever HOME says.
    settings = collection / "tests/integration/integration.cfg"
    settings.write_text(f"[defaults]\nremote_tmp = {home / '.ansible/tmp'}\n")
    # ansible-test passes on no variables of ours but those of this file.
    variables = {"setup_sandbox_cnspec": os.path.abspath(os.environ["CNSPEC"])} if os.environ.get("CNSPEC") else {}
    (collection / "tests/integration/integration_config.yml").write_text(json.dumps(variables) + "\n")
    return Workplace(venv / "bin/ansible-test", collection, env)


def copy_collection(target: Path, wanted: Callable[[str], bool]) -> Path:
    """Copy what git tracks, or would if asked: ansible-test wants .../ansible_collections/mondoo/fleet, no symlink."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in filter(wanted, filter(None, os.fsdecode(listed.stdout).split("\0"))):
        if os.path.lexists(ROOT / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    # ansible-test lists files with the git repository that it finds first, which would be the one that ignores .build.
    subprocess.run(["git", "init", "--quiet", target], check=True)
    return target


def bootstrap_scripts(venv: Path, home: Path) -> None:
    """Put pip's bootstrap scripts where ansible-test of this environment looks for them."""
    found = [version for version in HANDS if find(version)]
    asked = subprocess.run([venv / "bin/python", "-c", PIPS_WANTED, *found], capture_output=True, text=True, check=True)
    cache, wheels = home / ".ansible/test/cache", CACHE / "wheels"
    cache.mkdir(parents=True, exist_ok=True)
    for version in json.loads(asked.stdout):
        with locked("pip-wheels"):
            if not any(wheels.glob(f"pip-{version}-*.whl")):
                pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
                subprocess.run([*pip, "--no-deps", "--dest", wheels, f"pip=={version}"], check=True)
        wheel = next(wheels.glob(f"pip-{version}-*.whl"))
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        script.write_text(GET_PIP.format(wheel=str(wheel), version=version))


def pip_settings(home: Path) -> None:
    """Give the pip that ansible-test runs the settings of this user (an index, a proxy, a certificate) and a cache.

    ansible-test passes on neither the user's home nor the variables PIP_*.
    """
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = {}
    for line in listed.stdout.splitlines():
        name, dummy, value = line.partition("=")
        section, dummy, key = name.rpartition(".")
        if section in ("global", ":env:"):
            settings[key] = value.strip("'\"")
    settings["cache-dir"] = str(CACHE / "pip")
    target = home / ".config/pip/pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
