# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts are made of is installed by the script that says so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from hosts import podman, uml

SCRIPT = Path(__file__).with_name("setup.sh")


def test_the_script_installs_every_command_that_is_looked_for() -> None:
    named = re.search(r"^for command in (.+); do$", SCRIPT.read_text(), re.MULTILINE)
    assert named is not None
    # The first two are on every Debian, the last one comes with ssh.
    wanted = {*podman.COMMANDS, *uml.COMMANDS} - {"setpriv", "unshare", "ssh-keygen"}
    assert wanted <= {word.partition(":")[0] for word in named[1].split()}


def test_without_what_it_needs_the_script_says_so_in_one_line(tmp_path: Path) -> None:
    ran = subprocess.run(["/bin/sh", SCRIPT], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert re.fullmatch(r"Cannot install .+: that wants root and apt-get\. .+\.\n", ran.stdout)
