# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link that leads nowhere is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling.docs_links import wrong_in_html, wrong_in_markdown, wrong_outside
from tooling.paths import ROOT


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "there.html").write_text('<h1 id="top"></h1><a name="old"></a>', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("link", ["there.html", "there.html#top", "there.html#old", "https://docs.ansible.com/x#y"])
def test_a_link_that_leads_somewhere_is_fine(site: Path, link: str) -> None:
    (site / "index.html").write_text(f'<a href="{link}"></a>', encoding="utf-8")
    assert wrong_in_html(site) == []


@pytest.mark.parametrize(
    "link, wrong",
    [
        ("gone.html", "there is no such file"),
        ("there.html#gone", "there is no such anchor"),
        ("#gone", "there is no such anchor"),
        ("http://docs.ansible.com/", "it is not https"),
        ("https://docs.example.com/", "docs.example.com is not in tests/docs/hosts.txt"),
        ("//docs.ansible.com/", "it is not https"),
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_page(site: Path, link: str, wrong: str) -> None:
    (site / "index.html").write_text(f'<a href="{link}"></a>', encoding="utf-8")
    assert wrong_in_html(site) == [f"index.html: {link}: {wrong}"]


def test_a_link_of_a_readme_is_looked_at_but_not_what_stands_in_code(tmp_path: Path) -> None:
    text = "[a](gone.md) [b](README.md#x) `[c](c.md)`\n```\n[d](d.md)\n```\n<http://github.com/e>\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert sorted(wrong_in_markdown(tmp_path)) == [
        "README.md: gone.md: there is no such file",
        "README.md: http://github.com/e: it is not https",
    ]


def test_every_link_of_the_markdown_files_leads_somewhere() -> None:
    assert wrong_in_markdown(ROOT) == []


def test_only_known_sites_may_be_linked_to() -> None:
    assert wrong_outside("https://github.com/x", {"github.com"}) is None
    assert wrong_outside("mailto:someone@example.com", {"github.com"}) == "it is not https"
