# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the table with ansible-playbook, print what is done in each cell, and count (`make states`)."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from states import page
from states.ground import Place, prepared
from states.judging import complaints
from states.looking import Result, Runs
from states.play import Fleet, left_out
from states.table import HOSTS, Host

WIDTH = 140
RUNS = {"check": ["--check"], "real": [], "again": []}


def line(host: Host, place: Place, result: Result) -> str:
    """Return the row of a cell, shortened to the width."""
    message = str(result.get("msg")).replace(f"{place.folder}/", "")
    what = f"{result.get('code')}: {message}" if result.get("failed") else str(result.get("reason") or "")
    left = result.get("left_behind") or []
    what += f" (left behind: {len(left)})" if left else ""
    action = "fail" if result.get("failed") else str(result.get("action"))
    return f"{host.found:<26} {host.asked:<24} {action:<10} {what}"[:WIDTH].rstrip()


def run_all(hosts: list[Host], folder: Path) -> list[str]:
    """Make the fleet, run the playbook three times, print each cell, and return the names of those that are wrong."""
    with prepared() as ground:
        fleet = Fleet.settle(hosts, ground, folder)
        runs = fleet.views()
        for title, options in RUNS.items():
            began = time.monotonic()
            for name, run in fleet.run(title, *options).items():
                runs[name].runs.append(run)
            print(f"{title}: {len(hosts)} hosts in {time.monotonic() - began:.0f} s", flush=True)
        return [host.name for host in hosts if not show(host, fleet.places[host.name], runs[host.name])]


def show(host: Host, place: Place, runs: Runs) -> bool:
    """Print what was done in a cell, and what is wrong with it; tell whether nothing is."""
    found = complaints(host, place, runs)
    print("\n".join([line(host, place, runs.runs[1].result), *(f"    WRONG: {text}" for text in found)]))
    return not found


def main() -> int:
    """Return 1 when a cell is not as the table says."""
    parser = argparse.ArgumentParser(prog="python -m states", description=__doc__)
    parser.add_argument("--only", default="", help="only hosts with this in their name")
    parser.add_argument("--page", action="store_true", help="write docs/states.md anew, and run nothing")
    given = parser.parse_args()
    if given.page:
        page.write()
        return 0
    began = time.monotonic()
    hosts = [host for host in HOSTS if given.only in host.name]
    aside = left_out(hosts)
    with tempfile.TemporaryDirectory(prefix="states-") as folder:
        # The hands of one row run as nobody.
        Path(folder).chmod(0o755)
        wrong = run_all([host for host in hosts if host.name not in aside], Path(folder))
    for name, reason in aside.items():
        print(f"left out: {name}: {reason}")
    good = len(hosts) - len(aside) - len(wrong)
    print(f"{good} passed, {len(wrong)} failed, {len(aside)} skipped in {time.monotonic() - began:.1f}s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
