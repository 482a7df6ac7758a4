# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The problems on the page troubleshooting.rst, from the diagnosis: python -m tooling.problem_table writes them."""

from __future__ import annotations

from typing import Any

from ansible_collections.mondoo.fleet.plugins.plugin_utils import problems
from tooling.paths import ROOT

PAGE = ROOT / "docs/docsite/rst/troubleshooting.rst"
BEGIN = ".. problems: written by python -m tooling.problem_table\n"
END = ".. end of problems\n"
LABEL = ".. _ansible_collections.mondoo.fleet.docsite.troubleshooting.{}:"

REMARKS = """\
Remarks of mondoo_status
------------------------

These keep nobody from being registered: a host that has nothing else is ``ok``.
"""


def table() -> str:
    """Return every problem and remark with its message and its fixes, in reStructuredText."""
    found = problems.table()
    wrong = [_entry(problem) for problem in found if problem["health"] is not None]
    known = [_entry(problem) for problem in found if problem["health"] is None]
    return "\n".join(["", *wrong, REMARKS, *known])


def split(page: str) -> tuple[str, str, str]:
    """Return what stands before the table, the table, and what stands after it."""
    before, rest = page.split(BEGIN)
    middle, after = rest.split(END)
    return before + BEGIN, middle, END + after


def _entry(problem: dict[str, Any]) -> str:
    """Return one problem, with an anchor of its own. Literals, so that nobody makes a dash of two hyphens."""
    code, fixes = problem["code"], problem["fixes"]
    lines = [LABEL.format(code), "", code, "^" * len(code), "", f"``{problem['message']}``", ""]
    lines += [f":Health: ``{problem['health']}``"] if problem["health"] else []
    lines += [f":{_family(name, alone=len(fixes) == 1)}: ``{fix}``" for name, fix in fixes.items()]
    return "\n".join(lines) + "\n"


def _family(name: str, *, alone: bool) -> str:
    if name != "*":
        return name
    return "Fix" if alone else "Any other"


def main() -> None:
    """Write the problems into the page."""
    before, dummy, after = split(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(before + table() + "\n" + after, encoding="utf-8")


if __name__ == "__main__":
    main()
