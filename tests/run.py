# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the fast suite, two sessions at a time, and close with one line: N passed, N failed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hosts.podman import missing  # noqa: E402
from tooling import pythons, steps  # noqa: E402
from tooling.paths import RESULTS, ROOT, link_collection  # noqa: E402

AT_ONCE = 2
# Lines that say what was not tested, and why: ours, pytest's, ansible-test's and unittest's.
LEFT_OUT = re.compile(r"not found: |SKIPPED |WARNING: Skipping |.* \.\.\. skipped ")


# Templates in another way than those before it.
TEMPLATING = "2.19"


def found_cores() -> list[str]:
    """Return the ansible-cores that a Python found can have."""
    return [core for core in pythons.CORES if pythons.python_for(core)]


def integration_cores() -> list[str]:
    """Return the ansible-cores of the fast suite: the oldest, the newest, and the one that templates anew."""
    cores = found_cores()
    chosen = [core for core in cores if core in (cores[0], TEMPLATING, cores[-1])]
    left = [core for core in cores if core not in chosen]
    print(f"left to make integration: ansible-core {', '.join(left) or 'none'}", flush=True)
    return chosen


def integration(core: str) -> list[str]:
    """Return what the fast suite asks of the integration tests with one ansible-core.

    What hosts in trouble say is cnspec's, not ansible-core's: those hosts (two minutes) are looked at with the oldest
    and the newest. `make integration` runs all of them with each.
    """
    cores = found_cores()
    if core in (cores[0], cores[-1]):
        return []
    print(f"left to make integration: with ansible-core {core} the target mondoo_status", flush=True)
    return ["--exclude", "mondoo_status"]


def hosts() -> list[str]:
    """Return the sessions that boot hosts with systemd, or none and a line that says what they want."""
    lacking = missing()
    if lacking:
        print(f"not found: {lacking}, hosts with systemd are left out (tests/hosts/setup.sh, as root)", flush=True)
        return []
    print("left to make hosts and make molecule: what takes longer, on hosts of other families", flush=True)
    return ["hosts", "molecule"]


def sessions() -> list[str]:
    """Return the sessions of the fast suite, those that take longest first, so that none is waited for at the end."""
    units = [
        f"units-{core}-{version}" for version, core in pythons.default_cells("units, integration and sanity on it")
    ]
    integration = [f"integration-{core}" for core in integration_cores()]
    cores = pythons.default_cores()
    sanity = [f"sanity-{core}" for core in dict.fromkeys((cores[0], cores[-1]))]
    print(f"left to make sanity: ansible-core {', '.join(cores[1:-1]) or 'none'}", flush=True)
    return [
        *units,
        "canary",
        "cnspec",
        *hosts(),
        "sandbox",
        *sanity,
        *integration,
        "demo",
        "docs",
        "artifact",
        "lint",
        "types",
    ]


def run(session: str) -> steps.Count:
    """Run one session and return its count; what it said is printed whole when it fails, else what it left out."""
    steps.forget(session)
    began, log = time.monotonic(), RESULTS / f"{session}.log"
    command = [sys.executable, "-m", "nox", "--session", session, "--no-error-on-missing-interpreters"]
    if session.startswith("integration-"):
        command += ["--", *integration(session.removeprefix("integration-"))]
    if session in ("hosts", "molecule"):
        command += ["--", "--fast"]
    with open(log, "wb") as said_by_nox:
        code = subprocess.call(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said_by_nox, stderr=subprocess.STDOUT
        )
    count = steps.Count()
    for record in steps.recorded(session):
        count += steps.Count(*(int(record[key]) for key in ("passed", "failed", "skipped")))
    if count.failed == 0 and (code != 0 or count.passed == 0):
        count += steps.Count(failed=1)
    seconds = time.monotonic() - began
    shown = log.read_text(errors="replace").splitlines()
    if count.failed == 0:
        shown = [line for line in shown if LEFT_OUT.match(line)]
    print("\n".join([*shown, f"=== {session}: {seconds:.0f} s, {said(count)}"]), flush=True)
    return count


def said(count: steps.Count) -> str:
    """Return a count in words."""
    return f"{count.passed} passed, {count.failed} failed" + (f", {count.skipped} skipped" if count.skipped else "")


def main() -> int:
    """Run all sessions, or those named on the command line, and return the exit code."""
    began = time.monotonic()
    RESULTS.mkdir(parents=True, exist_ok=True)
    link_collection()
    todo, aside = (sys.argv[1:], []) if sys.argv[1:] else (sessions(), ["hands", "faults"])
    # These wait for time limits most of their time, so they do not count as one of those at once.
    with ThreadPoolExecutor(AT_ONCE) as lanes, ThreadPoolExecutor(1) as waiting:
        running = {session: waiting.submit(run, session) for session in aside}
        running |= {session: lanes.submit(run, session) for session in todo}
    counts = {session: ended.result() for session, ended in running.items()}
    total = sum(counts.values(), steps.Count())
    for session, count in counts.items():
        for record in steps.recorded(session):
            counts_said = f"{record['passed']:>5} passed {record['failed']:>3} failed"
            print(f"{record['seconds']:>7} s  {counts_said}  {record['step']}")
        if count.failed:
            print(f"           FAILED: {session} (.build/results/{session}.log)")
    print(f"{time.monotonic() - began:.0f} s in all")
    print(f"{total.passed} passed, {total.failed} failed")
    return int(total.failed > 0 or total.passed == 0)


if __name__ == "__main__":
    sys.exit(main())
