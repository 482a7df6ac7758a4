# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who uses the built collection."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class User:
    """Someone with ansible-core and requests, and this tree nowhere on any path."""

    home: Path

    @property
    def collections(self) -> Path:
        """Return the folder in which the user installs collections."""
        return self.home / "collections"

    def run(self, command: str, *options: str | Path) -> str:
        """Run a command of Ansible as this user, and return what it printed; a failure shows it."""
        env = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_REMOTE_TMP": str(self.home / ".ansible/tmp"),
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        }
        argv = [Path(sys.executable).with_name(command), *options]
        ran = subprocess.run(
            argv, cwd=self.home, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert ran.returncode == 0, f"{command} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout
