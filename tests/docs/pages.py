# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the docsite and the READMEs, and the examples on them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tooling.paths import ROOT

DOCSITE = ROOT / "docs/docsite"
PAGES = sorted((DOCSITE / "rst").glob("*.rst"))
READMES = [ROOT / "README.md", ROOT / "roles/cnspec/README.md"]
IN_RST = re.compile(r"^\.\. code-block:: yaml\n\n((?:(?:    .*)?\n)+)", re.MULTILINE)
IN_MARKDOWN = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A piece of YAML on a page."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def data(self) -> Any:
        """Return what it says. Raises yaml.YAMLError."""
        return yaml.safe_load(self.text)

    @property
    def is_playbook(self) -> bool:
        """Tell whether it is a list of plays, not of tasks or roles."""
        return isinstance(self.data, list) and all("hosts" in play for play in self.data)


def examples() -> list[Example]:
    """Return every example of YAML on the pages and in the READMEs."""
    found = []
    for page in [*PAGES, *READMES]:
        text = page.read_text(encoding="utf-8")
        for match in (IN_RST if page.suffix == ".rst" else IN_MARKDOWN).finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Example(page, line, textwrap.dedent(match[1])))
    return found


def mappings(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in an example, however deep."""
    if isinstance(data, dict):
        yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from mappings(item)
