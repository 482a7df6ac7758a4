# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a lab: a network of its own, where hosts and servers reach each other and nothing else.

    PYTHONPATH=tests python -m hosts.lab [--images debian-bookworm,redhat,services] [--go-on] COMMAND...

As root. Images that are missing are made before, with the network of this machine. In the lab `podman run --network
host` means the lab's network: all containers share its loopback device, so servers are kept apart by addresses
(127.0.0.123). What is left of hosts when the command has ended is removed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from hosts.host import remove_abandoned, remove_owned
from hosts.image import FAMILIES, IN_LAB, NoImage, Recipe, made
from hosts.podman import PATH, Podman, missing

ENTER = ("unshare", "--net", "--", "/bin/sh", "-c", 'ip link set lo up && exec "$0" "$@"')


def run(command: Sequence[str], families: Sequence[str] = tuple(FAMILIES)) -> int:
    """Make the images that are missing, run a command in a lab and return how it ended. Raises NoImage."""
    make(families)
    return enter(command)


def enter(command: Sequence[str]) -> int:
    """Run a command in a fresh lab and return how it ended."""
    podman, owner = Podman(), str(os.getpid())
    remove_abandoned(podman)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        return subprocess.call([*ENTER, *command], env={**os.environ, "PATH": PATH, IN_LAB: owner})
    finally:
        remove_owned(podman, owner)


def make(families: Sequence[str]) -> None:
    """Make the images that are missing. Raises NoImage."""
    podman = Podman()
    for family in families:
        recipe = FAMILIES[family]
        for each in (Recipe(recipe.suite), recipe):
            made(podman, each)


def _interrupted(number: int, dummy: FrameType | None) -> None:
    sys.exit(128 + number)


def _families(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not one of {', '.join(FAMILIES)}")
    return names


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hosts.lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=_families, default=list(FAMILIES), help="make these only (default: all)")
    parser.add_argument("--go-on", action="store_true", help="run it also when an image cannot be made")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND...", help="what runs in the lab")
    given = parser.parse_args(argv)
    lacking = missing()
    if lacking:
        print(f"Cannot make a lab: that wants {lacking}. As root, run: sh tests/hosts/setup.sh.", file=sys.stderr)
        return 2
    try:
        make(given.images)
    except NoImage as error:
        print(error, file=sys.stderr)
        if not given.go_on:
            return 2
    return enter(given.command or ["true"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
