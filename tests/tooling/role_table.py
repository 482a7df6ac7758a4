# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of variables in the README of the role, from its argument_specs: python -m tooling.role_table writes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROLE = Path(__file__).parents[2] / "roles/cnspec"
BEGIN = "<!-- options: written by python -m tooling.role_table -->\n"
END = "<!-- end of options -->\n"

Specs = dict[str, Any]


def table(options: Specs) -> str:
    """Return the table of an entry point's options, in Markdown."""
    rows = ["| Variable | Default | |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {_default(option['default'])} | {_plain(option)} |" for name, option in options.items()]
    return "\n".join(rows) + "\n"


def split(readme: str) -> tuple[str, str, str]:
    """Return what stands before the table, the table, and what stands after it."""
    before, rest = readme.split(BEGIN)
    middle, after = rest.split(END)
    return before + BEGIN, middle, END + after


def specs() -> Specs:
    """Return the role's argument_specs, by entry point."""
    data: Specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    found: Specs = data["argument_specs"]
    return found


def _default(value: Any) -> str:
    return "" if value in ("", {}, []) and value is not False else f"`{json.dumps(value)}`"


def _plain(option: Specs) -> str:
    return re.sub(r"\bC\(([^)]*)\)", r"`\1`", option["description"])


def main() -> None:
    """Write the table into the README."""
    path = ROLE / "README.md"
    before, dummy, after = split(path.read_text(encoding="utf-8"))
    path.write_text(before + table(specs()["main"]["options"]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
