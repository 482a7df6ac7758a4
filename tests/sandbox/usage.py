# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host uses what: told by the configuration files of the hosts, whatever state they are in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# As cnspec reads them: YAML or JSON, keys in any case. Searched, not parsed: a file that is cut off counts as well.
NAMED = re.compile(r"""(?i)["']?\b(?:agent_)?mrn["']?\s*:\s*["']?(?P<mrn>//[^\s"',}]+)""")


def with_users(items: list[dict[str, Any]], configs: str | Sequence[str]) -> list[dict[str, Any]]:
    """Add `used_by` to agents or service accounts: the files that name each; nothing is added without `configs`."""
    if not configs:
        return items
    files = {path: mrns_in(path) for path in files_in(configs)}
    return [{**item, "used_by": [str(path) for path, mrns in files.items() if item["mrn"] in mrns]} for item in items]


def files_in(configs: str | Sequence[str]) -> list[Path]:
    """Return the files that are named, and each mondoo.yml below the folders that are named.

    Raises ValueError for a path that is not there: a host left out by mistake would make orphans.
    """
    found: list[Path] = []
    for path in map(Path, [configs] if isinstance(configs, str) else configs):
        if path.is_dir():
            found += sorted(path.rglob("mondoo.yml"))
        elif path.exists():
            found.append(path)
        else:
            raise ValueError(f"there is no {path}")
    return found


def mrns_in(path: Path) -> set[str]:
    """Return the MRNs of the agent and of the service account that a configuration names."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {found["mrn"] for line in lines if not line.lstrip().startswith("#") for found in NAMED.finditer(line)}
