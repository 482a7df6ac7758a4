# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the demo: its width, what is wrapped, and what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.table import HEADINGS, LEFT_OUT, WIDTH, Row, render, shorten, wrap

OK = Row("web1", "ok", "client authenticated successfully", "", "no")
FIX = (
    "Register it again with a new token: use mondoo.fleet.mondoo_registration, or run there: sudo cnspec login "
    "--token TOKEN --config /etc/opt/mondoo/mondoo.yml"
)
LAST_LINE = (
    "The Mondoo Platform credentials provided at /etc/opt/mondoo/mondoo.yml didn't successfully authenticate with "
    "Mondoo Platform. Please re-authenticate with Mondoo Platform. To learn how, read "
    "https://mondoo.com/docs/cnspec/cnspec-adv-install/registration/. "
    'error="rpc error: code = Unauthenticated desc = request permission unauthenticated"'
)
REVOKED = Row("build3", "unauthenticated", LAST_LINE, FIX, "yes")

words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=60)
sentences = st.lists(words, max_size=60).map(" ".join)
rows = st.builds(Row, st.text("abc1", min_size=1, max_size=6), st.text("abc_", max_size=15), sentences, sentences,
                 st.sampled_from(["yes", "no"]))  # fmt: skip


def column(table: str, number: int) -> str:
    """Return the text of a column below the heading, put together again."""
    lines = table.splitlines()
    start = sum(len(dashes) + 2 for dashes in lines[1].split("  ")[:number])
    width = len(lines[1].split("  ")[number])
    return " ".join(line[start : start + width].strip() for line in lines[2:]).strip()


def test_a_short_table_has_one_line_for_each_host() -> None:
    assert render([OK]).splitlines() == [
        "host  health  last line, as cnspec said it       fix  changed",
        "----  ------  ---------------------------------  ---  -------",
        "web1  ok      client authenticated successfully  -    no",
    ]


@given(st.lists(rows, min_size=1, max_size=5))
def test_no_line_is_wider_than_the_table_may_be(hosts: list[Row]) -> None:
    assert max(len(line) for line in render(hosts).splitlines()) <= WIDTH


def test_a_fix_is_wrapped_and_never_shortened() -> None:
    fix = column(render([REVOKED]), HEADINGS.index("fix"))
    assert fix.split() == FIX.split()


def test_the_name_of_a_module_stays_in_one_piece() -> None:
    assert any("mondoo.fleet.mondoo_registration," in line for line in render([OK, REVOKED]).splitlines())


def test_a_long_last_line_keeps_its_beginning_and_its_end_and_marks_what_is_left_out() -> None:
    line = column(render([REVOKED]), HEADINGS.index("last line, as cnspec said it"))
    assert line.startswith("The Mondoo Platform credentials provided")
    assert line.endswith('request permission unauthenticated"')
    assert LEFT_OUT.strip() in line


@given(sentences, st.integers(min_value=30, max_value=300))
def test_what_is_left_of_a_shortened_text_is_the_text(text: str, size: int) -> None:
    short = shorten(text, size)
    assert len(short) <= size
    start, mark, end = short.partition(LEFT_OUT)
    assert short == text if not mark else text.startswith(start) and text.endswith(end)


def test_a_text_that_fits_is_not_touched() -> None:
    assert shorten("as it was", 9) == "as it was"


@pytest.mark.parametrize(("text", "lines"), [("", [""]), ("one two", ["one", "two"]), ("abcdef", ["abcde", "f"])])
def test_only_a_word_that_is_too_long_is_broken(text: str, lines: list[str]) -> None:
    assert wrap(text, 5) == lines
