# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one tool, show what it says, and write down how many of its tests passed."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tooling.paths import RESULTS, ROOT


@dataclass(frozen=True)
class Count:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


@dataclass(frozen=True)
class Step:
    """A tool to run: its name in the report, its command, and how its output is counted."""

    name: str
    argv: Sequence[object]
    count: Callable[[str, int], Count]
    env: dict[str, str] | None = None
    cwd: Path = ROOT


def one(dummy: str, code: int) -> Count:
    """Count a tool that only says yes or no."""
    return Count(passed=int(code == 0), failed=int(code != 0))


def pytest(output: str, dummy: int) -> Count:
    """Count by pytest's closing line, as in `== 2 failed, 3 passed, 1 skipped in 0.12s ==`."""
    closing = [line for line in output.splitlines() if re.search(r" in [\d.]+s\b.*(=|\Z)", line)]
    words = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", closing[-1] if closing else "")}
    wrong = sum(words.get(word, 0) for word in ("failed", "error", "errors"))
    passed = sum(words.get(word, 0) for word in ("passed", "xfailed"))
    return Count(passed, wrong, words.get("skipped", 0))


def unittest(output: str, dummy: int) -> Count:
    """Count by unittest's closing lines, as in `Ran 5 tests in 0.1s` and `FAILED (failures=1, skipped=2)`."""
    ran = re.findall(r"^Ran (\d+) tests? in", output, re.M)
    closing = (re.findall(r"^(?:OK|FAILED|NO TESTS RAN)\b.*", output, re.M) or [""])[-1]
    words = {word: int(number) for word, number in re.findall(r"([a-z ]+)=(\d+)", closing)}
    words = {word.strip(): number for word, number in words.items()}
    wrong = sum(words.get(word, 0) for word in ("failures", "errors", "unexpected successes"))
    total, skipped = int(ran[-1]) if ran else 0, words.get("skipped", 0)
    return Count(max(total - wrong - skipped, 0), wrong, skipped)


def ansible_test(output: str, dummy: int) -> Count:
    """Count sanity tests (one for each Python it runs on) or integration targets by what ansible-test announces."""
    ran = re.findall(r"^Running (?:sanity test .+|\S+ integration test (?:role|script))", output, re.M)
    skipped = re.findall(r"^(?:WARNING: )?Skipping sanity test ", output, re.M)
    listed = re.findall(r"The (\d+) (?:sanity|integration) test\(s\) listed below", output)
    wrong = sum(int(number) for number in listed)
    return Count(max(len(ran) - wrong, 0), wrong, len(skipped))


def closing(output: str, dummy: int) -> Count:
    """Count by a closing line of ours, as in `9 passed, 1 failed`."""
    lines = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.M)
    passed, failed = lines[-1] if lines else (0, 0)
    return Count(int(passed), int(failed))


def run(session: str, step: Step) -> Count:
    """Run a step and add its count to the session's results; a step that fails, or runs no test, counts as failed."""
    print(f"--- {session}: {step.name}", flush=True)
    began, output = time.monotonic(), []
    with subprocess.Popen(
        [str(word) for word in step.argv],
        cwd=step.cwd,
        env=step.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            output.append(line)
    count = judged(step.count("".join(output), process.returncode), process.returncode)
    record = {"step": step.name, "seconds": round(time.monotonic() - began, 1), **asdict(count)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with open(RESULTS / f"{session}.jsonl", "a", encoding="utf-8") as handle:
        handle.write(json.dumps(record) + "\n")
    return count


def judged(count: Count, code: int) -> Count:
    """Make an exit code that says more than the count, or a run without a test, one failure."""
    if code != 0 and count.failed == 0:
        return count + Count(failed=1)
    if count.passed + count.failed == 0:
        print("no test was run", flush=True)
        return count + Count(failed=1)
    return count


def forget(session: str) -> None:
    """Forget what an earlier run of this session wrote down."""
    (RESULTS / f"{session}.jsonl").unlink(missing_ok=True)


def recorded(session: str) -> list[dict[str, str | int | float]]:
    """Return what the steps of a session wrote down."""
    results = RESULTS / f"{session}.jsonl"
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
