# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a scenario, for its create and destroy.

python -m scenarios.boot up FOLDER FAMILY:NAME...   boots them; FOLDER/NAME then takes the place of ssh
python -m scenarios.boot down FOLDER                removes those of this folder
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hosts.host import Host
from hosts.image import FAMILIES, made
from hosts.podman import Podman

# Booting takes a second of the CPU.
AT_ONCE = 3


def up(folder: Path, wanted: Sequence[str]) -> None:
    """Boot hosts, given as FAMILY:NAME."""
    podman = Podman()

    def boot(words: str) -> None:
        family, dummy, name = words.partition(":")
        host = Host(podman, made(podman, FAMILIES[family]), name)
        (folder / f"{name}.container").write_text(host.name)
        host.booted()
        host.ssh(folder).rename(folder / name)

    with ThreadPoolExecutor(AT_ONCE) as lanes:
        list(lanes.map(boot, wanted))


def down(folder: Path) -> None:
    """Remove the hosts that were booted with this folder."""
    podman, notes = Podman(), list(folder.glob("*.container"))
    for note in notes:
        # podman 4.3 fails where a container ends by itself just when it is killed.
        if podman.try_to("rm", "--force", "--time", "0", note.read_text()).returncode != 0:
            podman.run("rm", "--force", "--time", "0", note.read_text())
        note.unlink()


def main(argv: Sequence[str]) -> int:
    """Do what the command line says."""
    if argv[:1] == ["up"] and len(argv) > 2:
        up(Path(argv[1]), argv[2:])
    elif argv[:1] == ["down"] and len(argv) == 2:
        down(Path(argv[1]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
