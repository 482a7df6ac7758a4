# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine, and which ansible-core each can have."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from tooling.paths import BUILD

# The Pythons that a controller may have with each ansible-core (its own setup.cfg or pyproject.toml says so).
CORES: dict[str, tuple[str, ...]] = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13"),
    "2.21": ("3.12", "3.13"),
}
OLDEST_CORE = "2.16"
BRAIN = ("3.10", "3.11", "3.12", "3.13")
HANDS = ("3.6", "3.7", "3.8", "3.9", *BRAIN)

# Shims of version managers and virtual environments stand for another file: this names it.
REAL = "import sys; print(sys.version_info[:2]); print(getattr(sys, '_base_executable', sys.executable))"


@functools.cache
def find(version: str) -> Path | None:
    """Return the interpreter of `version` ("3.11") that really runs here, or None."""
    major, minor = version.split(".")
    for candidate in _candidates(version):
        try:
            ran = subprocess.run([candidate, "-c", REAL], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        lines = ran.stdout.splitlines()
        if ran.returncode == 0 and len(lines) == 2 and lines[0] == f"({major}, {minor})":
            return Path(lines[1])
    return None


def _candidates(version: str) -> list[Path]:
    """Return the files that may be Python `version`, those on PATH first."""
    name = f"python{version}"
    on_path = [Path(folder) / name for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    managed = sorted(pyenv.glob(f"{version}*/bin/{name}"), reverse=True)
    return [candidate for candidate in [*on_path, *managed] if candidate.is_file()]


def found(versions: tuple[str, ...], left_out: str) -> list[str]:
    """Return those of `versions` that run here, and print one line for each that does not."""
    for version in versions:
        if find(version) is None:
            print(f"not found: Python {version}, {left_out} are left out", flush=True)
    return [version for version in versions if find(version)]


def newest_core(version: str) -> str:
    """Return the newest ansible-core that Python `version` can have."""
    return [core for core, pythons in CORES.items() if version in pythons][-1]


def python_for(core: str) -> str | None:
    """Return the newest Python found that can have this ansible-core."""
    return next((version for version in reversed(CORES[core]) if find(version)), None)


def default_cores() -> list[str]:
    """Return the newest ansible-core of each Python found, and the oldest supported one."""
    wanted = {newest_core(version) for version in BRAIN if find(version)} | {OLDEST_CORE}
    return [core for core in CORES if core in wanted and python_for(core)]


def default_cells(left_out: str) -> list[tuple[str, str]]:
    """Return (Python, ansible-core) for each Python found with its newest core, and the oldest Python with the oldest.

    Where only one Python is found, it has both.
    """
    first, *others = found(BRAIN, left_out)
    oldest = [(first, OLDEST_CORE)] if first in CORES[OLDEST_CORE] else []
    with_newest = others if oldest and others else [first, *others]
    return [*oldest, *((version, newest_core(version)) for version in with_newest)]


def folder_of_found() -> Path:
    """Return a folder with one link for each Python that really runs, for tools that search PATH."""
    folder = BUILD / "pythons"
    folder.mkdir(parents=True, exist_ok=True)
    for version in HANDS:
        link, target = folder / f"python{version}", find(version)
        if target and not (link.is_symlink() and link.readlink() == target):
            fresh = folder / f".{link.name}.{os.getpid()}"
            fresh.symlink_to(target)
            fresh.replace(link)
    return folder
