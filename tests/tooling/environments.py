# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments from the locks in requirements/: one for each (Python, ansible-core), made once and shared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tooling.paths import BUILD, CACHE, LOCKS
from tooling.pythons import find

# Beside the folder of the venv: the digest of the lock that it was made from.
STAMP = ".made-from"


def cell(version: str, core: str) -> Path:
    """Return the folder of a virtual environment of Python `version` with this ansible-core and what tests import."""
    python, lock = find(version), LOCKS / f"core-{core}.txt"
    if python is None:
        raise SystemExit(f"Cannot make an environment for ansible-core {core}: Python {version} is not found here.")
    venv = BUILD / "venvs" / f"python{version}-core{core}"
    digest = hashlib.sha256(f"{python}\n".encode() + lock.read_bytes()).hexdigest()
    stamp = venv / STAMP
    with locked(venv.name):
        if not (stamp.is_file() and stamp.read_text() == digest):
            shutil.rmtree(venv, ignore_errors=True)
            subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
            install(venv, lock)
            stamp.write_text(digest)
    return venv


def install(venv: Path, lock: Path) -> None:
    """Install exactly what the lock names; a lock is complete, so nothing is resolved."""
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", venv / "bin/python", "--cache-dir", CACHE / "pip"]
    subprocess.run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", lock], check=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Keep others out who make the same thing at the same time."""
    folder = BUILD / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def environment(venv: Path, home: Path, **more: str) -> dict[str, str]:
    """Return the process environment for a tool of `venv`: its own home, and nothing that was set for Ansible."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "NOX_", "PYTEST_")) and name not in ("PYTHONPATH", "PYTHONHOME")
    }
    own = {
        # The connection local takes the home of the user database for remote_tmp, whatever HOME says.
        "ANSIBLE_REMOTE_TMP": str(home / ".ansible/tmp"),
        "HOME": str(home),
        "PATH": f"{venv / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VIRTUAL_ENV": str(venv),
    }
    return {**kept, **own, **more}
