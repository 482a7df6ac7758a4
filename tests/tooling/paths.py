# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie; nothing is written outside .build, caches and the homes of tools included."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
CACHE = BUILD / "cache"
HOME = BUILD / "home"
RESULTS = BUILD / "results"
LOCKS = ROOT / "requirements"

# Where Ansible expects this collection inside a folder of collections.
PLACE = Path("ansible_collections/mondoo/fleet")
COLLECTIONS = BUILD / "collections"


def link_collection() -> None:
    """Make the tree importable as `ansible_collections.mondoo.fleet` by a symlink in .build/collections."""
    link = COLLECTIONS / PLACE
    if link.exists() and link.resolve() == ROOT:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path("../../../.."), target_is_directory=True)
