# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on real input, against a platform on loopback: make demo. Everything is written below .build/demo."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In place of this folder, in which `demo` would be this file.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from demo import loopback, numbers, steps  # noqa: E402
from demo.fleet import Fleet  # noqa: E402
from demo.promises import say  # noqa: E402
from demo.stage import Stage  # noqa: E402
from demo import trouble
Fleet.set_clock = lambda self, name, seconds: None
from tooling.paths import BUILD, link_collection  # noqa: E402


def folder_name(text: str) -> str:
    """Return a name that begins with `demo`: what lies there is removed first."""
    if not re.fullmatch(r"demo[a-z0-9-]*", text):
        raise argparse.ArgumentTypeError("give a name like demo or demo-2; it is a folder below .build")
    return text


def main() -> int:
    """Take the six steps and return the exit code: 0 when all was as promised."""
    parser = argparse.ArgumentParser(description="Register, break and repair a fleet on loopback.")
    parser.add_argument("--folder", type=folder_name, default="demo", help="where below .build (default: demo)")
    began, fleet = time.monotonic(), Fleet(BUILD / parser.parse_args().folder)
    link_collection()
    with loopback.platform() as platform, loopback.proxy() as proxy:
        fleet.lay_out(platform.url)
        say(f"{len(fleet.hosts)} hosts, each a folder in {fleet.folder / 'hosts'} that plays its root.")
        say(f"The platform is at {platform.url}, a proxy that wants a password at {proxy.url}.")
        stage = Stage(fleet, platform, proxy, platform.create_service_account(name="build agents"))
        steps.run(stage)
    numbers.report(stage.plays, time.monotonic() - began)
    return 1 if stage.promises.sum_up() else 0


if __name__ == "__main__":
    sys.exit(main())
