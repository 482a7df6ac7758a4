# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import (
    IDENTITY_KEYS,
    Config,
    Edit,
    edit,
    parse,
    same,
    spellings,
)
from doubles.configs import CONFIG_TEXTS, SETTINGS, UNSETTABLE
from doubles.identities import EU, SPACE, agent_mrn, document, registered
from doubles.nodes import shape

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def of(text: str) -> Config:
    config = parse(text.encode())
    assert config.problem is None
    return config


def text_of(config: Config) -> str:
    return (config.content or b"").decode()


# Reading


@pytest.mark.parametrize("content", [None, b"", b"  \n\n", b"# a comment\n", b"---\n", b"~\n", b"null\n"])
def test_a_config_without_content_is_missing_and_no_problem(content: bytes | None) -> None:
    config = parse(content)
    assert (config.missing, config.problem, config.account) == (True, None, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b"a: [1, 2", "it is not valid YAML"),
        (b"a: b: c", "it is not valid YAML"),
        (b"a: 1\n---\nb: 2\n", "it is not valid YAML"),
        (b'a: "\\UFFFFFFFF"', "it is not valid YAML"),
        (b"a: *nowhere", "it is not valid YAML"),
        (b"[" * 5000, "it is not valid YAML"),
        (b"a: \x00", "it is not valid YAML"),
        (b"just text", "it is not a YAML mapping"),
        (b"- a\n- b\n", "it is not a YAML mapping"),
        (b"mrn: a\nmrn: b\n", "it has a key twice"),
        (b"mrn: a\nMRN: b\n", "it has a key twice"),
    ],
)
def test_a_config_that_cannot_be_read_is_a_problem_and_no_exception(content: bytes, problem: str) -> None:
    config = parse(content)
    assert (config.problem, config.missing, config.account, config.space_mrn) == (problem, False, None, None)


@given(st.binary(max_size=60) | st.text(alphabet="ab:- \n{}[],&*!|>'\"#%@?~<=\\xU0F\t").map(str.encode))
@settings(deadline=None, max_examples=200)
def test_whatever_the_bytes_reading_gives_a_config(content: bytes) -> None:
    config = parse(content)
    assert (config.problem is None) or config.root is None


def test_keys_are_found_without_case() -> None:
    assert of("Agent_MRN: x\n").agent_mrn == "x"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 01234", "01234"),
        ("a: on", "on"),
        ("a: ' x '", "x"),
        ("a: ''", None),
        ("a:", None),
        ("a: ~", None),
        ("a: {b: c}", None),
        ("b: 1", None),
    ],
)
def test_a_text_is_what_is_written(text: str, value: str | None) -> None:
    assert of(text).text("a") == value


def test_scope_wins_over_space_and_that_over_parent() -> None:
    lines = ["parent_mrn: parent\n", "space_mrn: space\n", "scope_mrn: scope\n"]
    assert [of("".join(lines[:count])).space_mrn for count in (1, 2, 3)] == ["parent", "space", "scope"]


def test_the_account_of_a_registered_host_is_read() -> None:
    account = of(registered()).account
    assert account is not None
    assert (account.mrn, account.private_key, account.space_mrn, account.api_endpoint) == (
        document()["mrn"],
        document()["private_key"],
        SPACE,
        EU,
    )
    assert account.certificate.strip() == document()["certificate"].strip()


@pytest.mark.parametrize("missing", ["mrn", "private_key"])
def test_without_mrn_or_key_there_is_no_account(missing: str) -> None:
    assert edit(of(registered()), Edit(unset=(missing,))).account is None


@pytest.mark.parametrize(
    "path", sorted(TRANSCRIPTS.glob("*/*/mondoo.yml")), ids=lambda path: "/".join(path.parts[-3:-1])
)
def test_what_cnspec_wrote_keeps_every_value_when_something_is_set(path: Path) -> None:
    config = parse(path.read_bytes())
    if config.problem is not None:
        assert "malformed" in path.parent.name or "cut" in path.parent.name or "broken" in path.parent.name
        return
    changed = edit(config, Edit(settings={"api_proxy": "http://proxy.example.com:3128"}))
    assert changed.text("api_proxy") == "http://proxy.example.com:3128"
    assert_kept(config, changed, {"api_proxy", "api-proxy"})


# Preserving what nobody mentioned


def assert_kept(before: Config, after: Config, mentioned: set[str]) -> None:
    """Assert that every key that was not mentioned is there, in order, with text, tag and style."""

    def others(config: Config) -> list[t.Any]:
        pairs = config.root.value if config.root is not None else []
        kept = [(name, node) for name, node in pairs if getattr(name, "value", None) is not None]
        return [(shape(name), shape(node)) for name, node in kept if str(name.value).lower() not in mentioned]

    assert after.problem is None
    assert others(after) == others(before)


IDENTITY = {"agent_mrn": agent_mrn(7), "mrn": "m", "private_key": document()["private_key"], "api_endpoint": EU}


@given(
    CONFIG_TEXTS,
    SETTINGS,
    st.lists(st.sampled_from(UNSETTABLE), max_size=2, unique=True),
    st.sampled_from([None, IDENTITY]),
)
@settings(deadline=None, max_examples=200)
@example("first: {a: , b: 1}\n", {"name": "x"}, [], None)
@example("scan_interval: &s {timer: 5}\nfirst: *s\n", {"scan_interval": {"timer": 60}}, [], None)
@example("first: &a {x: on}\nsecond: *a\n", {}, ["first"], IDENTITY)
@example('first: "\\u00a0"\n', {"name": "x"}, [], None)
def test_every_node_that_nobody_mentioned_keeps_text_tag_and_style(
    text: str, wanted: dict[str, t.Any], unset: list[str], identity: dict[str, str] | None
) -> None:
    before = parse(text.encode())
    assume(before.problem is None)
    after = edit(before, Edit(identity=identity, settings=wanted, unset=tuple(unset)))
    mentioned = {spelling for name in wanted for spelling in spellings(name)}
    mentioned |= {form for name in unset for form in (name.lower(), name.lower().replace("-", "_"))}
    mentioned |= {"api-proxy", "auto-update"} & {form.replace("_", "-") for form in mentioned}
    mentioned |= set(IDENTITY_KEYS if identity is not None else ())
    assert_kept(before, after, mentioned)


@given(CONFIG_TEXTS, SETTINGS, st.sampled_from([None, IDENTITY]))
@settings(deadline=None, max_examples=200)
def test_an_edit_done_again_changes_nothing(
    text: str, wanted: dict[str, t.Any], identity: dict[str, str] | None
) -> None:
    before = parse(text.encode())
    assume(before.problem is None)
    change = Edit(identity=identity, settings=wanted)
    once = edit(before, change)
    assert once.problem is None
    assert edit(once, change) is once
    assert edit(parse(once.content), change).content == once.content


@given(CONFIG_TEXTS, SETTINGS)
@settings(deadline=None, max_examples=200)
@example("", {"first": "\n\x85"})
@example("", {"first": "a\n\u2028"})
@example("", {"first": "a\r\nb\n"})
@example("", {"first": "  \n\n  a\n \n"})
def test_every_setting_is_there_afterwards(text: str, wanted: dict[str, t.Any]) -> None:
    before = parse(text.encode())
    assume(before.problem is None)
    after = edit(before, Edit(settings=wanted))
    for key, value in wanted.items():
        if key == "scan_interval":
            nested = after.node(key)
            assert isinstance(nested, yaml.MappingNode)
            found = {name.value: node.value for name, node in nested.value}
            assert {name: found[name] for name in value} == {name: str(number) for name, number in value.items()}
        else:
            assert same(after.node(key), value), key


@given(st.text(alphabet="ab:- \n{}[],&*!|>'\"#%@?~<=\\x0\t", max_size=12))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_the_yaml_an_edit_keeps_it(text: str) -> None:
    before = parse(f"first: {text}".encode())
    assume(before.problem is None)
    # PyYAML's emitter puts a plain scalar that begins with a colon into quotes; its text and tag stay.
    assume(not re.search(r"(^|[\s\[{,?-]):", text, re.MULTILINE))
    assert_kept(before, edit(before, Edit(settings={"some-key": "v"})), {"some-key"})


def test_an_edit_without_effect_is_the_very_same_config() -> None:
    config = of("# mine\nname:   web\nauto_update: True\nauto-update: true\n")
    assert edit(config, Edit(settings={"name": "web", "auto_update": True}, unset=("labels",))) is config


# One behaviour after another


def test_a_setting_takes_the_place_of_the_old_value() -> None:
    assert text_of(edit(of("a: 1\nname: old\nb: 2\n"), Edit(settings={"name": "new"}))) == "a: 1\nname: new\nb: 2\n"


def test_an_older_spelling_of_the_proxy_is_replaced() -> None:
    config = edit(of("api-proxy: http://old\nb: 2\n"), Edit(settings={"api_proxy": "http://new"}))
    assert text_of(config) == "b: 2\napi_proxy: http://new\n"


def test_unset_takes_out_every_spelling() -> None:
    config = of("api-proxy: a\nAPI_PROXY: b\nscan_interval.timer: 5\nscan_interval: {splay: 1}\nname: web\n")
    assert text_of(edit(config, Edit(unset=("api_proxy", "scan-interval")))) == "name: web\n"


def test_auto_update_is_written_in_both_spellings() -> None:
    assert text_of(edit(of("a: 1\n"), Edit(settings={"auto_update": False}))) == (
        "a: 1\nauto_update: false\nauto-update: false\n"
    )


def test_a_scan_interval_is_written_nested_and_keeps_what_nobody_mentioned() -> None:
    config = of("scan_interval.timer: 5\nscan_interval:\n  splay: 07\n  other: on\n")
    assert text_of(edit(config, Edit(settings={"scan_interval": {"timer": 60}}))) == (
        "scan_interval:\n  splay: 07\n  other: on\n  timer: 60\n"
    )


def test_a_dotted_scan_interval_that_nobody_mentioned_stays() -> None:
    config = of("scan_interval.splay: 5\n")
    assert text_of(edit(config, Edit(settings={"scan_interval": {"timer": 60}}))) == (
        "scan_interval.splay: 5\nscan_interval:\n  timer: 60\n"
    )


def test_a_scan_interval_that_an_alias_shows_elsewhere_changes_only_its_own() -> None:
    config = of("scan_interval: &s {timer: 5}\nother: *s\n")
    assert text_of(edit(config, Edit(settings={"scan_interval": {"timer": 60}}))) == (
        "scan_interval: {timer: 60}\nother: {timer: 5}\n"
    )


@pytest.mark.parametrize(
    ("before", "unset", "after"),
    [
        (
            "a: 1\nscan_interval:\n  timer: 5\n  splay: 07\n",
            ["scan_interval.timer"],
            "a: 1\nscan_interval:\n  splay: 07\n",
        ),
        (
            "scan_interval.timer: 5\nscan_interval: {timer: 6, other: on}\n",
            ["scan_interval.timer"],
            "scan_interval: {other: on}\n",
        ),
        ("Scan_Interval: {Timer: 6, splay: 1}\n", ["SCAN-INTERVAL.timer"], "Scan_Interval: {splay: 1}\n"),
        ("a: 1\nscan_interval: {timer: 5}\n", ["scan_interval.timer"], "a: 1\n"),
        ("a: 1\nscan_interval: {timer: 5, splay: 1}\n", ["scan_interval.timer", "scan_interval.splay"], "a: 1\n"),
        (
            "scan_interval: &s {timer: 5, splay: 1}\nother: *s\n",
            ["scan_interval.splay"],
            "scan_interval: {timer: 5}\nother: {timer: 5, splay: 1}\n",
        ),
        ("other: &s {timer: 5}\nscan_interval: *s\n", ["scan_interval.timer"], "other: {timer: 5}\n"),
    ],
    ids=["one part", "both forms", "any case", "the last part", "all parts", "an alias elsewhere", "is an alias"],
)
def test_unset_takes_out_a_part_of_a_scan_interval_in_both_forms(before: str, unset: list[str], after: str) -> None:
    assert text_of(edit(of(before), Edit(unset=tuple(unset)))) == after


@pytest.mark.parametrize(
    "text", ["scan_interval: {splay: 1}\n", "scan_interval: {}\n", "scan_interval: 5\n", "timer: 5\n"]
)
def test_a_part_of_a_scan_interval_that_is_not_there_needs_no_unsetting(text: str) -> None:
    config = of(text)
    assert edit(config, Edit(unset=("scan_interval.timer",))) is config


def test_one_part_of_a_scan_interval_is_set_and_the_other_taken_out() -> None:
    change = Edit(settings={"scan_interval": {"timer": 60}}, unset=("scan_interval.splay",))
    once = edit(of("scan_interval: {splay: 1}\na: 1\n"), change)
    assert text_of(once) == "a: 1\nscan_interval:\n  timer: 60\n"
    assert edit(once, change) is once


INTERVALS = st.dictionaries(
    st.sampled_from(["timer", "Timer", "splay", "other"]),
    st.sampled_from(["5", "07", "on", "[1]", "*x", "~"]),
    max_size=4,
)


@given(
    st.none() | INTERVALS,
    st.lists(st.sampled_from(["scan_interval.timer", "Scan_Interval.splay", "timer"]), unique=True),
    st.lists(
        st.sampled_from(
            ["scan_interval", "scan-interval", *(f"scan_interval.{part}" for part in ("timer", "Splay", "other"))]
        ),
        min_size=1,
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_what_is_unset_of_a_scan_interval_is_gone_in_every_form_and_the_rest_is_kept(
    nested: dict[str, str] | None, dotted: list[str], unset: list[str], aliased: bool
) -> None:
    anchor = "&s " if aliased and nested is not None else ""
    lines = ["x: &x 1\n", *(f"{name}: 7\n" for name in dotted)]
    if nested is not None:
        lines.append(f"scan_interval: {anchor}{{{', '.join(f'{name}: {value}' for name, value in nested.items())}}}\n")
    before = parse("".join([*lines, "other: *s\n" if anchor else ""]).encode())
    assume(before.problem is None)
    after = edit(before, Edit(unset=tuple(unset)))
    names = {name.lower().replace("-", "_") for name in unset}
    expected = {
        name: node
        for name, node in plain_form(before).items()
        if name not in names and not ("scan_interval" in names and name.startswith("scan_interval"))
    }
    interval = expected.get("scan_interval")
    if isinstance(interval, list):
        kept = [(part, value) for part, value in interval if f"scan_interval.{part}" not in names]
        expected["scan_interval"] = kept
        if interval and not kept:
            del expected["scan_interval"]
    assert plain_form(after) == expected
    assert edit(after, Edit(unset=tuple(unset))) is after


def plain_form(config: Config) -> dict[str, t.Any]:
    """Return what stands under each key: the text of a scalar, the pairs of a mapping."""
    pairs = config.root.value if config.root is not None else []
    return {name.value.lower(): _plain(node) for name, node in pairs}


def _plain(node: yaml.Node) -> t.Any:
    if isinstance(node, yaml.MappingNode):
        return [(name.value.lower(), _plain(item)) for name, item in node.value]
    return [_plain(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def test_annotations_are_the_whole_map_and_compared_without_case() -> None:
    config = of("annotations:\n  owner: me\n  env: test\n")
    assert edit(config, Edit(settings={"annotations": {"Owner": "me", "ENV": "test"}})) is config
    assert text_of(edit(config, Edit(settings={"annotations": {"owner": "me"}}))) == "annotations:\n  owner: me\n"


def test_a_new_identity_takes_every_trace_of_the_old_one() -> None:
    old = registered(0, scope_mrn="old-scope", parent_mrn="old-parent", typename="old") + "name: web\n"
    config = edit(of(old), Edit(identity={"mrn": "new", "private_key": "k\n", "agent_mrn": "", "space_mrn": SPACE}))
    assert text_of(config) == f"mrn: new\nspace_mrn: {SPACE}\nprivate_key: |\n  k\nname: web\n"


def test_a_key_is_written_as_a_block_that_every_cnspec_reads() -> None:
    config = edit(Config(), Edit(identity={"private_key": document()["private_key"]}))
    assert text_of(config).startswith("private_key: |\n  -----BEGIN PRIVATE KEY-----\n  ")


@pytest.mark.parametrize(
    "word", ["on", "No", "y", "true", "null", "~", "01234", "1e3", "12:30:45", "0o17", "", " x", ".inf", "<<", "="]
)
def test_a_text_that_some_yaml_takes_for_something_else_is_quoted(word: str) -> None:
    assert text_of(edit(Config(), Edit(settings={"name": word}))) == f'name: "{word}"\n'


@pytest.mark.parametrize("number", [1e16, 1e-7, 1.5, 10**30, -0.0, float("inf")])
def test_a_number_of_any_size_is_written_once(number: float) -> None:
    once = edit(Config(), Edit(settings={"first": number}))
    assert edit(once, Edit(settings={"first": number})) is once
