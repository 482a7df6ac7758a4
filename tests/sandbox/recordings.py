# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recordings of the real cnspec, and what a run of the stand-in has in common with one."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .stand_in.versions import numbers

TRANSCRIPTS = Path(__file__).resolve().parents[1] / "transcripts"
FILES = ("stdout", "stderr", "mondoo.yml", "home-mondoo.yml")

# Lines of -v about how the real cnspec explores the host: the stand-in asks the host in its own way.
ABOUT_THE_HOST = re.compile(
    r"^DBG (?:Gathering system information|local> |platform> |unable to read /sys|could not detect hostname"
    r"|detected platform ids)"
)
_MASKS = (
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL), r"<\1>"),
    (re.compile(r"/(agents|serviceaccounts)/[0-9A-Za-z]{27}"), r"/\1/<id>"),
    (re.compile(r"(?<!\d)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]{8} \w+"), "<date>"),
    (re.compile(r"(retrying \(\d/3\) in )\d+ms"), r"\1<pause>"),
    (re.compile(r"(round-trip times: )[\d.]+m?s"), r"\1<duration>"),
    (re.compile(r"(yaml: line )\d+"), r"\1<number>"),
    (re.compile(r"0x[0-9a-f]+"), "<address>"),
)
_SKEW = re.compile(r"(clock skew detected: )(-?)(?:(\d+)h)?(?:(\d+)m)?([\d.]+)s")
_PROVIDERS = re.compile(r"(Installed Providers:(?:\t|\\t))([a-z| ]+)")


@dataclass(frozen=True)
class Recording:
    """One recorded run of one version in one state."""

    folder: Path
    run: dict[str, Any]

    @property
    def version(self) -> str:
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def state(self) -> str:
        """Return the state without the form in which it was asked for."""
        return self.name.rpartition(".")[0] if self.name.endswith((".text", ".json", ".jsonv", ".yaml")) else self.name

    def file(self, name: str) -> str | None:
        """Return a recorded file."""
        path = self.folder / name
        return path.read_bytes().decode("utf-8") if path.exists() else None

    def template(self) -> str | None:
        """Return the configuration that this state began with, masked; other forms of the state may hold it."""
        for folder in (self.folder, self.folder.parent / f"{self.state}.text"):
            for name in ("mondoo.yml", "home-mondoo.yml"):
                if (folder / name).exists():
                    return (folder / name).read_text(encoding="utf-8")
        return None


@dataclass(frozen=True)
class Outcome:
    """What a run left: the exit code, the mode of mondoo.yml, and texts by the recordings' file names."""

    exit: int
    config_mode: str | None
    files: dict[str, str]


def versions(root: Path = TRANSCRIPTS) -> list[str]:
    """Return the versions that were recorded, oldest first: each folder with runs, but for the documentation's."""
    found = {path.parents[1].name for path in root.glob("*/*/run.json")}
    return sorted(found - {"docs"}, key=numbers)


def recordings(version: str, root: Path = TRANSCRIPTS) -> Iterator[Recording]:
    """Yield every recording of a version, or of the documentation (`docs`)."""
    for path in sorted((root / version).glob("*/run.json")):
        yield Recording(path.parent, json.loads(path.read_text(encoding="utf-8")))


def masked(text: str, names: dict[str, str]) -> str:
    """Take out of a text what differs from run to run; `names` says what stands for what on this side."""
    for given, mask in names.items():
        text = text.replace(given, mask)
    text = "".join(line for line in text.splitlines(keepends=True) if not ABOUT_THE_HOST.match(line))
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    text = _SKEW.sub(_rounded_skew, text)
    return _PROVIDERS.sub(lambda found: found[1] + " | ".join(sorted(found[2].split(" | "))), text)


def _rounded_skew(found: re.Match[str]) -> str:
    """Round a skew to ten seconds: the platform says whole seconds, and a call takes its time."""
    seconds = int(found[3] or 0) * 3600 + int(found[4] or 0) * 60 + float(found[5])
    return f"{found[1]}{found[2]}{round(seconds / 10) * 10}s"


RECORDED_NAMES = {
    "https://us.api.mondoo.com": "<endpoint>",
    "127.0.0.9:443": "<refusing>",
    "http://fleet:s3cret@127.0.0.1:3128": "<proxy>",
    "http://fleet:wrong@127.0.0.1:3128": "<proxy>",
    "\r\n": "\n",
}


def differences(recording: Recording, outcome: Outcome, names: dict[str, str]) -> list[str]:
    """Return the lines in which a run differs from the recording; empty when it is the same."""
    found = []
    if outcome.exit != recording.run["exit"]:
        found.append(f"exit code: recorded {recording.run['exit']}, here {outcome.exit}")
    if "config_mode" in recording.run and outcome.config_mode != recording.run["config_mode"]:
        found.append(f"mode of mondoo.yml: recorded {recording.run['config_mode']}, here {outcome.config_mode}")
    for name in FILES:
        recorded, here = recording.file(name), outcome.files.get(name)
        if name == "mondoo.yml" and recorded is None and recording.name.rpartition(".")[2] in ("json", "jsonv", "yaml"):
            continue  # these forms of a state were recorded without the file
        left = masked(recorded or "", RECORDED_NAMES)
        right = masked(here or "", {**names, "\r\n": "\n"})
        lines = difflib.unified_diff(
            left.splitlines(keepends=True), right.splitlines(keepends=True), f"recorded {name}", f"stand-in {name}", n=1
        )
        found += [line.rstrip("\n") for line in lines]
    return found
