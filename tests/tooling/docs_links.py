# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every link of the rendered docsite, and of the Markdown files: does it lead somewhere?

A link inside must name a file that is there and an anchor in it. A link outside must be https and to a site of
tests/docs/hosts.txt: whether it is still there only sphinx's linkcheck builder can tell (make docs ARGS=--external).
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tooling.paths import ROOT

HOSTS_FILE = ROOT / "tests/docs/hosts.txt"
MARKDOWN = ("README.md", "CONTRIBUTING.md", "roles/*/README.md", "docs/*.md", "tests/*/README.md")
# What only a release makes.
RELEASED = ("CHANGELOG.rst",)
# [text](target) and <https://...>; what stands in code is no link.
MARKDOWN_LINK = re.compile(r"\]\(([^()\s]+)\)|<(https?://[^>\s]+)>")
MARKDOWN_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


class Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag links to, and what links may lead to."""
        for name, value in attrs:
            if name in ("href", "src") and tag != "form":
                self.links.append(value or "")
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")


def hosts() -> set[str]:
    """Return the sites that may be linked to."""
    lines = HOSTS_FILE.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def wrong_outside(link: str, allowed: set[str]) -> str | None:
    """Return what is wrong with a link to another site."""
    parts = urlsplit(link)
    if parts.scheme != "https":
        return "it is not https"
    if parts.hostname not in allowed:
        return f"{parts.hostname} is not in {HOSTS_FILE.relative_to(ROOT)}"
    return None


def is_outside(link: str) -> bool:
    """Tell whether a link leads to another site."""
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def wrong_in_html(folder: Path) -> list[str]:
    """Return every link of the rendered pages that leads nowhere, with the page and what is wrong."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    allowed, found = hosts(), []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            wrong = wrong_outside(link, allowed) if is_outside(link) else _wrong_inside(link, path, pages)
            if wrong:
                found.append(f"{path.name}: {link}: {wrong}")
    return found


def _wrong_inside(link: str, path: Path, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and (target not in pages or anchor not in pages[target].anchors):
        return "there is no such anchor"
    return None


def wrong_in_markdown(root: Path) -> list[str]:
    """Return every link of the Markdown files that leads nowhere."""
    allowed, found = hosts(), []
    for path in sorted(path for pattern in MARKDOWN for path in root.glob(pattern)):
        text = MARKDOWN_CODE.sub("", path.read_text(encoding="utf-8"))
        for link in {inline or bare for inline, bare in MARKDOWN_LINK.findall(text)}:
            there = link in RELEASED or (path.parent / urlsplit(link).path).exists()
            wrong = wrong_outside(link, allowed) if is_outside(link) else None if there else "there is no such file"
            if wrong:
                found.append(f"{path.relative_to(root)}: {link}: {wrong}")
    return found


def main() -> int:
    """Print every link that leads nowhere, and return the exit code."""
    found = wrong_in_html(Path(sys.argv[1])) + wrong_in_markdown(ROOT)
    print("\n".join(found) or "every link leads somewhere")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
