# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: built, and installed in a folder that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifact.user import User
from sandbox import Remote
from tooling.paths import ROOT


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the collection from the tree, and return the archive."""
    folder = tmp_path_factory.mktemp("artifact")
    User(folder).run("ansible-galaxy", "collection", "build", ROOT, "--output-path", folder)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def names(artifact: Path) -> list[str]:
    """Return the names of the files in the archive."""
    with tarfile.open(artifact) as archive:
        return [member.name for member in archive if not member.isdir()]


@pytest.fixture(scope="session")
def user(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Return a user who installed the archive."""
    someone = User(tmp_path_factory.mktemp("user"))
    someone.run("ansible-galaxy", "collection", "install", artifact, "--offline", "-p", someone.collections)
    return someone


@pytest.fixture
def platform() -> Iterator[Remote]:
    """Return a sandbox platform that runs in a process of its own."""
    command = [sys.executable, "-m", "sandbox"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdout is not None
        yield Remote(json.loads(process.stdout.readline())["url"])
        process.terminate()
