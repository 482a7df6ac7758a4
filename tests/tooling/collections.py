# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collections of others that tests need, out of the package ansible of PyPI, which has many: Galaxy is not asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from tooling.environments import locked
from tooling.paths import CACHE


def collection(name: str) -> Path:
    """Return a folder of collections that has this one (community.general), of a version that fits ansible-core here.

    The package is large, so it is downloaded once, and only this collection is kept.
    """
    release = fitting(version("ansible-core"))
    folder = CACHE / "collections" / f"ansible-{release}"
    place = Path("ansible_collections", *name.split("."))
    with locked("collections"):
        if not (folder / place).is_dir():
            print(f"getting the collection {name} out of ansible {release} (once)", flush=True)
            _get(release, place, folder)
    return folder


def fitting(core: str) -> int:
    """Return the release of ansible that comes with this ansible-core: 12 with 2.19.14."""
    return int(core.split(".")[1]) - 7


def _get(release: int, place: Path, folder: Path) -> None:
    """Download the newest package of a release, and keep one folder of it."""
    aside = folder / "download"
    shutil.rmtree(aside, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "download"]
    subprocess.run([*pip, "--no-deps", "--only-binary=:all:", "--dest", aside, f"ansible=={release}.*"], check=True)
    (wheel,) = aside.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(aside, [name for name in archive.namelist() if Path(name).is_relative_to(place)])
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (aside / place).rename(folder / place)
    shutil.rmtree(aside)
