# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on real input, against a platform on loopback: make demo. Everything is written below .build/demo."""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In place of this folder, in which `demo` would be this file.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from demo import loopback, numbers  # noqa: E402
from demo.fleet import Fleet  # noqa: E402
from demo.promises import say  # noqa: E402
from demo.steps import Demo  # noqa: E402
from tooling.paths import BUILD, link_collection  # noqa: E402


def main() -> int:
    """Take the six steps and return the exit code: 0 when all was as promised."""
    began = time.monotonic()
    link_collection()
    fleet = Fleet(BUILD / "demo")
    with loopback.platform() as platform, loopback.proxy() as proxy:
        fleet.lay_out(platform.url)
        say(
            f"{len(fleet.hosts)} hosts, each a folder in {fleet.folder / 'hosts'} that plays its root: paths are as on it."
        )
        say(f"The platform is at {platform.url}, a proxy that wants a password at {proxy.url}.")
        demo = Demo(fleet, platform, proxy, platform.create_service_account(name="build agents"))
        demo.run()
    numbers.report(demo.plays, time.monotonic() - began)
    promises = demo.promises
    print()
    for sentence in promises.broken:
        say(f"Not as promised, {sentence}.")
    say(f"{promises.kept} of {promises.kept + len(promises.broken)} promises were kept.")
    return 1 if promises.broken else 0


if __name__ == "__main__":
    sys.exit(main())
