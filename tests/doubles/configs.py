# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configs as people and other programs write them, and settings as people want them."""

from __future__ import annotations

import json
import typing as t

from hypothesis import strategies as st

# One value each, as it stands after `key:` in the file. PyYAML and cnspec read several of them differently.
VALUES = (
    " on",
    " off",
    " yes",
    " 01234",
    " 12:30:45",
    " 190:20:30",
    " 0o17",
    " 0x1F",
    " 0b1",
    " 1e3",
    " 1_000",
    " +1",
    " .5",
    " .inf",
    " .NaN",
    " 685_230.15",
    " ~",
    " null",
    "",
    " =",
    " 2024-01-02",
    " 2024-01-02T03:04:05Z",
    " plain words",
    " plain\n  over two lines",
    " x:y",
    " a#b # a comment",
    " é ü 日本 😀",
    " ''",
    " 'on'",
    " 'it''s'",
    " 'a: b'",
    " '  lead'",
    " 'a\n\n  b'",
    ' ""',
    ' "on"',
    ' "a\\tb\\r\\n\\0\\x85\\u2028\\U0001F600\\uFEFF"',
    ' "trail "',
    ' "a\n\n  b"',
    " |\n  line\n  two\n",
    " |-\n  line\n",
    " |+\n  line\n\n\n",
    " |\n\n  after a blank\n",
    " |2\n    lead\n  less\n",
    " |\n  spaces at the end  \n  two\n",
    " |\n  \ttab\n  a\tb\n",
    " >\n  folded\n  text\n\n  para\n    indented\n  back\n",
    " >-\n  a\n  b\n",
    " >+\n  a\n\n",
    " >2\n   a\n  b\n",
    " []",
    " {}",
    " {a: 1, b: [x, 'y', \"z\"], c: {d: on}}",
    "\n  - a\n  -\n  - ~\n  - - b\n    - c: d\n",
    "\n- a\n- b: c\n  d: 07\n",
    "\n  p: 1\n  q:\n    r: off\n",
    "\n  ? [complex, key]\n  : v\n",
    " !custom word",
    " !custom {a: b}",
    " !!str 12",
    " !!binary aGVsbG8=",
    " !!set {a, b}",
    " !<tag:example.com,2020:thing> z",
)

ANCHORED = """base: &base
  timer: 60
  on: on
alias: *base
merged:
  <<: *base
  splay: 07
word: &word yes
again: *word
"""

NAMES = st.sampled_from(
    ["first", "Second", "third-key", "log-level", "features", "9", "on", "a b", "api_Proxy", "labels"]
)
WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


def _quoted(text: str) -> str:
    return " " + json.dumps(text)


def _block(style: str, lines: list[str]) -> str:
    return f" {style}\n" + "".join(f"  {line}\n" for line in lines)


LINES = st.lists(st.text(alphabet="ab :#-'\"\t{}é", max_size=8), min_size=1, max_size=5)
ANY_VALUE = (
    st.sampled_from(VALUES)
    | st.builds(_quoted, WORDS)
    | st.builds(_block, st.sampled_from(["|", "|-", "|+", ">", ">-", ">+"]), LINES)
)


@st.composite
def yaml_lines(draw: st.DrawFn) -> str:
    """Make the text of a config, in block style, with keys in any case."""
    names = draw(st.lists(NAMES, unique_by=str.lower, max_size=6))
    text = "".join(f"{name}:{draw(ANY_VALUE)}".rstrip("\n") + "\n" for name in names)
    return text + (ANCHORED if draw(st.booleans()) else "")


def json_texts() -> st.SearchStrategy[str]:
    """Make the text of a config in JSON, which is YAML, too."""
    scalar = st.none() | st.booleans() | st.integers() | WORDS
    value = st.recursive(scalar, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=5)
    mapping = st.dictionaries(NAMES, value, max_size=5)
    return st.builds(json.dumps, mapping, indent=st.sampled_from([None, 2]), ensure_ascii=st.booleans())


CONFIG_TEXTS = yaml_lines() | json_texts()

_scalars = WORDS.filter(bool) | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.none()
_labels = st.dictionaries(
    st.from_regex(r"[a-z][a-z.-]{0,5}", fullmatch=True), WORDS | st.integers(), min_size=1, max_size=3
)
_free: st.SearchStrategy[t.Any] = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=4
)

# What the user may want: known settings, and keys that the collection does not know.
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "api_proxy": st.just("http://user:canary-password@proxy.example.com:3128"),
        "annotations": _labels,
        "labels": _labels,
        "name": WORDS.filter(bool),
        "scan_interval": st.dictionaries(st.sampled_from(["timer", "splay"]), st.integers(1, 999), min_size=1),
        "updates_url": st.just("https://updates.example.com"),
        "auto_update": st.booleans(),
        "log-level": st.sampled_from(["debug", "info", "on", "01234"]),
        "first": _free,
        "second": _free,
        "some-key": _free,
    },
)
UNSETTABLE = (
    "third-key",
    "features",
    "labels",
    "api_proxy",
    "api-proxy",
    "Auto-Update",
    "auto_update",
    "scan_interval",
    "scan_interval.timer",
    "Scan_Interval.Splay",
    "9",
    "nothing",
)
