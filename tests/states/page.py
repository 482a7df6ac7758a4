# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table as docs/states.md, a page of the documentation: `make states ARGS=--page` writes it, a test compares it."""

from __future__ import annotations

from collections.abc import Iterable

from states.asked import COLUMNS, SETTINGS, UNSET
from states.rows import FURTHER_ROWS, ROWS
from states.rules import WHY, Cell
from states.table import FURTHER, HOSTS
from tooling.paths import ROOT

PAGE = ROOT / "docs/states.md"
LEFT = {"": "", "agent": " +agent", "unknown": " +unknown"}

HEAD = """\
<!--
Copyright (c) mondoo.fleet contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
Made from the table in tests/states, whose every cell is tested: make states.
-->

# What is found, what is asked, what is done

`mondoo_registration` looks at a host's `mondoo.yml` first, and decides then. Below is what it does, for whatever may be
found there and whatever a task may ask. `make states` runs each cell as a host of one inventory, three times (with
`--check`, for real, and again), and looks at files and platform independently after each run. In every cell:

- check mode says exactly what is then done, and changes nothing;
- at most one agent is made, and every agent that no host uses any more is named in `left_behind`;
- done again, there is nothing to do (but for `force`), and what fails fails alike, with host and platform as they were;
- settings that nobody mentioned keep their text, and the file is readable for its owner only.

A cell has the `action` of the result and its `reason`, or what the task fails with: the `code` and, where there is one,
the `reason`. `+agent` says that the agent that was found is named in `left_behind`, `+unknown` that nobody can tell
which one it was. The number is that of the rule below.
"""


def text() -> str:
    """Return the page."""
    parts = [
        HEAD,
        "## The table\n",
        grid(),
        questions(),
        "## Further cells\n",
        further(),
        "## What is found\n",
        "\n".join(f"- **{name}**: {row.about}" for name, row in {**ROWS, **FURTHER_ROWS}.items()) + "\n",
        "## The rules\n",
        "\n".join(f"{number}. {WHY[why]}" for why, number in numbers().items()),
    ]
    return "\n".join(parts) + "\n"


def numbers() -> dict[str, int]:
    """Return the number of each rule, in the order in which the table needs them."""
    return {why: number for number, why in enumerate(dict.fromkeys(host.cell.why for host in HOSTS), start=1)}


def said(cell: Cell) -> str:
    """Return what stands in a cell."""
    what = f"**fails** `{cell.code}`" if cell.fails else cell.action
    reason = f" ({cell.reason})" if cell.reason and cell.reason != cell.code else ""
    return f"{what}{reason}{LEFT[cell.left]} [{numbers()[cell.why]}]"


def rows(lines: Iterable[Iterable[str]]) -> str:
    """Return lines of a Markdown table, the head first."""
    head, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *body]) + "\n"


def grid() -> str:
    """Return rows and columns."""
    head = ["found", *(question.title for question in COLUMNS.values())]
    return rows([head, *([name, *(said(row.cells[asked]) for asked in COLUMNS)] for name, row in ROWS.items())])


def questions() -> str:
    """Say what the columns for settings ask."""
    names = ", ".join(f"`{name}`" for name in SETTINGS)
    unset = ", ".join(f"`{name}`" for name in UNSET)
    return f"*Settings only* gives {names}, and no identity; `unset` names {unset}.\n"


def further() -> str:
    """Return the cells beside the table."""
    lines = [[host.found, host.question.title, said(host.cell)] for host in FURTHER]
    return rows([["found", "asked", "done"], *lines])


def write() -> None:
    """Write the page anew."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text(), encoding="utf-8")
