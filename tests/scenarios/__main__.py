# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the molecule scenarios of extensions/molecule in a lab of their own, and say how long each took.

    PYTHONPATH=tests python -m scenarios [--fast] [SCENARIO...]

As root. It closes with one line: N passed, N failed; what is counted are molecule's actions.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from hosts import lab
from hosts.image import IN_LAB, NoImage
from hosts.podman import missing
from scenarios import report, runner
from scenarios.stage import Stage
from tooling.collections import collection
from tooling.paths import ROOT

SCENARIOS = tuple(sorted(path.parent.name for path in (ROOT / "extensions/molecule").glob("*/molecule.yml")))
# The hosts of the scenario default that are enough for a quick look, and the images they are made of.
FAST = ("default-bookworm", "default-redhat")
FAST_IMAGES = ("debian-bookworm", "redhat", "services")


def within(scenarios: Sequence[str], fast: bool) -> int:
    """Run scenarios inside of the lab, one after the other, and print what came of them."""
    began = time.monotonic()
    actions = []
    with Stage() as stage:
        for scenario in scenarios:
            actions += runner.run(scenario, ",".join(FAST) if fast else scenario, stage)
    print(report.told(actions, time.monotonic() - began))
    return int(any(not action.passed for action in actions) or not actions)


def main() -> int:
    """Enter a lab, or do in it what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m scenarios", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--fast", action="store_true", help=f"default with {' and '.join(FAST)} only")
    given = parser.parse_args()
    unknown = sorted(set(given.scenarios) - set(SCENARIOS))
    if unknown:
        parser.error(f"{', '.join(unknown)} is not one of {', '.join(SCENARIOS)}")
    if IN_LAB in os.environ:
        return within(["default"] if given.fast else given.scenarios or SCENARIOS, given.fast)
    lacking = missing()
    if lacking:
        print(f"Cannot run molecule: that wants {lacking}. As root, run: sh tests/hosts/setup.sh.", file=sys.stderr)
        return 2
    collection(runner.OTHERS)  # in the lab there is no network
    again = [sys.executable, "-m", "scenarios", *sys.argv[1:]]
    try:
        return lab.run(again, FAST_IMAGES) if given.fast else lab.run(again)
    except NoImage as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
