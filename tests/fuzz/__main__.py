# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Feed mutated transcripts to the parser: no exception, no hang, and `ok` only where a plain search agrees."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field

from ansible_collections.mondoo.fleet.plugins.plugin_utils import fact
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import parse

from .mutation import Sample, mutate, samples
from .noise import slowest
from .oracle import may_be_ok, may_be_refused

BATCH = 2000
# Far above the milliseconds that a transcript takes, so that a machine with other work to do is no finding.
LONGEST_SECONDS = 2.0
HANGING_SECONDS = 20


@dataclass
class Tally:
    """What came of a number of inputs."""

    inputs: int = 0
    healths: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    findings: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another process counted."""
        self.inputs += other.inputs
        self.slowest = max(self.slowest, other.slowest)
        self.findings += other.findings
        for health, count in other.healths.items():
            self.healths[health] = self.healths.get(health, 0) + count


def judge(sample: Sample) -> tuple[str, str | None]:
    """Return the health that an input gives, and what is wrong with that (None: nothing)."""
    try:
        report = parse(sample.stdout, sample.stderr, sample.rc)
        diagnosis = diagnose(report)
        fact.build(report, diagnosis)
    except Exception:
        return "exception", traceback.format_exc()
    if diagnosis.health == "ok" and not may_be_ok(sample.stdout, sample.stderr, sample.rc):
        return "ok", "ok, and the marks of success are not in the input"
    if report.authenticated is False and not may_be_refused(sample.stdout, sample.stderr):
        return diagnosis.health, "refused, and the platform's words are not in the input"
    return diagnosis.health, None


def _hangs(number: int, frame: object) -> None:
    raise TimeoutError(f"no end within {HANGING_SECONDS} s")


def batch(seed: str) -> Tally:
    """Judge one batch of inputs; a seed always makes the same ones."""
    chance, tally = random.Random(seed), Tally()
    signal.signal(signal.SIGALRM, _hangs)
    for number in range(BATCH):
        sample = mutate(POOL, chance)
        signal.alarm(HANGING_SECONDS)
        begin = time.process_time()
        health, wrong = judge(sample)
        seconds = time.process_time() - begin
        signal.alarm(0)
        tally.inputs += 1
        tally.slowest = max(tally.slowest, seconds)
        tally.healths[health] = tally.healths.get(health, 0) + 1
        if seconds > LONGEST_SECONDS:
            wrong = f"{seconds:.1f} s"
        if wrong:
            tally.findings.append(f"{seed} input {number} from {sample.name}: {wrong}\n{sample!r}")
    return tally


POOL: list[Sample] = samples()


def main() -> int:
    """Run until the count is reached; print the figures, and every finding with the seed that makes it again."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000000, help="how many inputs (default: a million)")
    parser.add_argument("--seed", type=int, default=None, help="what the inputs are made from (default: a new one)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many processes")
    parser.add_argument("--limit", type=float, default=float("inf"), help="stop after so many seconds")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}, {len(POOL)} transcripts, {options.count} inputs, {options.jobs} processes", flush=True)
    begin, total = time.monotonic(), Tally()
    seeds = [f"{seed}/{number}" for number in range(-(-options.count // BATCH))]
    with multiprocessing.Pool(options.jobs) as pool:
        for number, tally in enumerate(pool.imap_unordered(batch, seeds), 1):
            total.add(tally)
            if number % 50 == 0:
                print(f"{total.inputs} inputs, {len(total.findings)} findings", flush=True)
            if len(total.findings) > 20 or time.monotonic() - begin > options.limit:
                pool.terminate()
                break
    seconds = time.monotonic() - begin
    for finding in total.findings[:20]:
        print(finding)
    healths = ", ".join(f"{count} {health}" for health, count in sorted(total.healths.items()))
    print(f"{total.inputs} inputs in {seconds:.0f} s ({total.inputs / seconds:.0f}/s): {healths}")
    print(f"slowest {total.slowest * 1000:.0f} ms; {len(total.findings)} findings")
    noise, kind = slowest()
    print(f"10 MiB of noise take {noise * 1000:.0f} ms at most ({kind})")
    return 1 if total.findings or noise >= 1 else 0


if __name__ == "__main__":
    sys.exit(main())
