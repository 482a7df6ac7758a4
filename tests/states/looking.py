# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An independent look at a host's files and at the platforms: nothing here is the collection's own code."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sandbox.ledger import Call
from states.ground import Ground, Place

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A file, directory or link: its mode, its time of change in nanoseconds, and what is in it."""

    mode: int
    changed: int
    content: str


@dataclass(frozen=True)
class View:
    """Everything below a host's folder, and the text of its config; None where there is none to be read."""

    entries: Mapping[str, Entry]
    text: bytes | None

    @property
    def fields(self) -> dict[str, Any]:
        """The config as PyYAML reads it."""
        found = yaml.safe_load(self.text or b"")
        return {str(key).lower(): value for key, value in found.items()} if isinstance(found, dict) else {}

    def names(self, *mrns: str) -> set[str]:
        """Return which of these MRNs stand in a file below the folder, however damaged it is."""
        return {mrn for mrn in mrns if any(mrn in entry.content for entry in self.entries.values())}


@dataclass(frozen=True)
class Run:
    """What one run gave for a host: the result, and what an independent look found after it.

    `registered`: how many RegisterAgent acted for this host; `acted`: how many calls acted for any host.
    """

    result: Result
    view: View
    agents: frozenset[str]
    registered: int
    acted: int


@dataclass
class Runs:
    """The state before, and the three runs of one host."""

    before: View
    agents: frozenset[str]
    runs: list[Run] = field(default_factory=list)


def look(place: Place) -> View:
    """Look at everything below the folder of a host."""
    paths = sorted([place.folder, *place.folder.rglob("*")])
    entries = {str(path.relative_to(place.folder)): _entry(path) for path in paths}
    config = place.config
    readable = config.is_file() and os.access(config, os.R_OK)
    return View(entries, config.read_bytes() if readable else None)


def _entry(path: Path) -> Entry:
    status = path.lstat()
    if path.is_symlink():
        content = f"link to {os.readlink(path)}"
    elif path.is_dir():
        content = "directory"
    elif not os.access(path, os.R_OK):
        content = "cannot be read"
    else:
        content = path.read_text(errors="backslashreplace")
    return Entry(stat.S_IMODE(status.st_mode), status.st_mtime_ns, content)


def account(ground: Ground, mark: tuple[int, int]) -> tuple[Counter[str], int]:
    """Return how many RegisterAgent acted for each host since a mark, and how many calls acted at all."""
    calls: list[Call] = [call for call in ground.calls(since=mark) if call.acted]
    return Counter(call.host for call in calls if call.method == "RegisterAgent"), len(calls)


def key_fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether private key and certificate belong together."""
    key = load_pem_private_key(str(fields.get("private_key")).encode(), None)
    certificate = x509.load_pem_x509_certificate(str(fields.get("certificate")).encode())
    keys = (key.public_key(), certificate.public_key())
    one, other = (item.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for item in keys)
    return one == other


def short(view: View) -> str:
    """Return a digest of a view, to be shown."""
    return hashlib.sha256(repr(sorted(view.entries.items())).encode()).hexdigest()[:12]
