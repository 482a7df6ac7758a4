# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parser against every recording of the real cnspec, and against input that nobody recorded."""

from __future__ import annotations

import itertools
import json
import random
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse
from fuzz.noise import NOISE, read_noise

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"
FACTS = ("registered", "authenticated", "reachable", "skew_seconds")
FORMS = ("text", "json", "jsonv", "yaml")


@dataclass(frozen=True)
class Recording:
    """One recorded `cnspec status`: what it printed, what can be read from it, and what was true."""

    name: str
    stdout: str
    stderr: str
    rc: int | None
    reads: dict[str, t.Any]
    state: dict[str, t.Any]

    def report(self) -> Report:
        return parse(self.stdout, self.stderr, self.rc)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""


def _recordings() -> t.Iterator[Recording]:
    for path in sorted(TRANSCRIPTS.glob("*/*/run.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        if "reads" in run:
            folder = path.parent
            # The documentation's examples do not say which stream they were.
            stdout = _text(folder / "stdout") + _text(folder / "text")
            name = f"{folder.parent.name}/{folder.name}"
            yield Recording(name, stdout, _text(folder / "stderr"), run.get("exit"), run["reads"], run["state"])


RECORDINGS = {recording.name: recording for recording in _recordings()}
OUTPUTS = st.sampled_from(sorted(RECORDINGS)).map(RECORDINGS.__getitem__)


def test_there_are_recordings_of_every_version() -> None:
    versions = {name.split("/")[0] for name in RECORDINGS}
    assert versions >= {"docs", "7.12.1", "9.14.0", "11.69.1", "12.11.0", "13.0.1"}
    assert len(RECORDINGS) > 700


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_gives_what_can_be_read_from_it_and_never_the_opposite_of_the_truth(name: str) -> None:
    recording = RECORDINGS[name]
    report = recording.report()
    for fact in FACTS:
        found, readable, true = getattr(report, fact), recording.reads.get(fact), recording.state.get(fact)
        if readable is not None:
            assert found == readable, fact
        elif fact != "skew_seconds":
            # What a sidecar leaves open may still be told, since the same bytes were recorded under other names.
            assert found is None or found == true, fact
        else:
            assert found is None


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_has_no_line_that_is_not_known(name: str) -> None:
    assert RECORDINGS[name].report().unparsed == ()


@pytest.mark.parametrize("name", RECORDINGS)
def test_both_streams_in_one_text_tell_the_same(name: str) -> None:
    recording = RECORDINGS[name]
    apart = recording.report()
    for text in (recording.stdout + recording.stderr, recording.stderr + recording.stdout):
        mixed = parse(text, rc=recording.rc)
        assert {fact: getattr(mixed, fact) for fact in FACTS} == {fact: getattr(apart, fact) for fact in FACTS}


@pytest.mark.parametrize("name", RECORDINGS)
def test_windows_line_ends_change_nothing(name: str) -> None:
    recording = RECORDINGS[name]
    windows = parse(recording.stdout.replace("\n", "\r\n"), recording.stderr.replace("\n", "\r\n"), recording.rc)
    assert windows == recording.report()


def _states() -> dict[str, list[Recording]]:
    states: dict[str, list[Recording]] = {}
    for recording in RECORDINGS.values():
        state, dot, form = recording.name.rpartition(".")
        if dot and form in FORMS:
            states.setdefault(state, []).append(recording)
    return {state: same for state, same in states.items() if len(same) > 1}


STATES = _states()


@pytest.mark.parametrize("state", STATES)
def test_text_json_and_yaml_of_one_state_never_say_opposites(state: str) -> None:
    for one, other in itertools.combinations([recording.report() for recording in STATES[state]], 2):
        for fact in ("registered", "authenticated", "reachable"):
            assert {getattr(one, fact), getattr(other, fact)} != {True, False}, fact
        for fact in (
            "version",
            "hostname",
            "ip",
            "endpoint",
            "agent_mrn",
            "service_account_mrn",
            "space_mrn",
            "managed",
        ):
            values = {getattr(one, fact), getattr(other, fact)} - {None}
            assert len(values) <= 1, fact


@pytest.mark.parametrize("name", [name for name, recording in RECORDINGS.items() if not recording.reads["registered"]])
def test_a_host_that_is_not_surely_registered_is_never_healthy(name: str) -> None:
    assert diagnose(RECORDINGS[name].report()).health != "ok"


def test_the_identity_and_the_versions_are_read_alike_from_text_and_json() -> None:
    for form in ("text", "json", "yaml", "log-json", "colour", "tty"):
        report = RECORDINGS[f"12.11.0/status-ok.{form}"].report()
        assert report.version == "12.11.0"
        assert report.api_version == "12"
        assert report.latest_version == "13.35.2"
        assert report.update_available is True
        assert report.platform_name == "debian"
        assert report.platform_version == "12.11"
        assert report.hostname == "web01"
        assert report.ip == "192.0.2.2"
        assert report.endpoint == "https://us.api.mondoo.com"
        assert report.api_status == "SERVING"
        assert report.managed is True
        assert report.space_mrn == "//captain.api.mondoo.app/spaces/lunalectric-prod"
        assert report.last_line == "client authenticated successfully"


def test_a_plain_service_account_is_not_a_managed_client() -> None:
    report = RECORDINGS["12.11.0/status-after-logout.text"].report()
    assert (report.managed, report.agent_mrn) == (False, None)


def test_the_documentation_calls_the_owner_space() -> None:
    report = RECORDINGS["docs/7.12.1-ok"].report()
    assert report.space_mrn == "//captain.api.mondoo.app/spaces/lunalectric-prod-eks"


REASONS = {
    "12.11.0/status-no-dns.jsonv": "dns",
    "12.11.0/status-no-dns.text": "dns",
    "12.11.0/status-refused.jsonv": "refused",
    "12.11.0/status-proxy-407.jsonv": "proxy_authentication",
    "13.0.1/status-proxy-refused.json": "proxy_refused",
    "13.0.1/status-proxy-not-a-url.jsonv": "proxy_invalid",
    "12.11.0/status-200-html.jsonv": "foreign_answer",
    "12.11.0/status-401-html.text": "foreign_answer",
    "7.12.1/status-401-html.text": "foreign_answer",
    "12.11.0/status-503-empty.text": "empty_answer",
    "12.11.0/status-503-empty.json": "empty_answer",
    "12.11.0/status-slow-check-100s.json": "timeout",
    "12.11.0/status-ping-403.jsonv": "permission_denied",
    "12.11.0/status-ping-404.jsonv": "not_found",
    "12.11.0/status-ping-429.jsonv": "rate_limited",
    "12.11.0/status-ping-500.text": "server_error",
    "12.11.0/status-revoked.jsonv": "unauthenticated",
    "9.14.0/status-revoked.text": None,
    "12.11.0/status-ok.jsonv": None,
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_of_a_failure_is_told_from_the_words_behind_it(name: str) -> None:
    assert RECORDINGS[name].report().reason == REASONS[name]


CONFIG_PROBLEMS = {
    "12.11.0/status-unreadable-as-nobody": "unreadable",
    "12.11.0/status-malformed-config.jsonv": "malformed",
    "12.11.0/status-no-config.jsonv": "missing",
    "12.11.0/status-no-private-key.jsonv": "invalid",
    "9.14.0/status-bad-pem.text": "invalid",
}


@pytest.mark.parametrize("name", CONFIG_PROBLEMS)
def test_what_is_wrong_with_the_config_is_told(name: str) -> None:
    assert RECORDINGS[name].report().config_problem == CONFIG_PROBLEMS[name]


def test_a_panic_is_told() -> None:
    report = RECORDINGS["7.12.1/status-bad-pem.jsonv"].report()
    assert report.panicked
    assert report.last_line == "panic: runtime error: invalid memory address or nil pointer dereference"


# Input that nobody recorded.


@given(st.text(), st.text(), st.one_of(st.none(), st.integers()))
def test_no_text_makes_the_parser_fail(stdout: str, stderr: str, rc: int | None) -> None:
    assert isinstance(parse(stdout, stderr, rc), Report)


PIECES = st.sampled_from(
    [
        "→ ",
        "x ",
        "- ",
        "WRN ",
        "\t",
        "\n",
        '{"client":{',
        '"registered":true',
        '"pingPongError":{}',
        "}",
        "client:\n  registered: true\n",
        "upstream:\n  api:\n    status: SERVING\n",
        "client is registered",
        "client is not registered",
        "client authenticated successfully",
        "API Status:\tSERVING",
        'error="',
        "request permission unauthenticated",
        "\x1b[92m",
        "  ● Client     registered   ✓ authenticated\n",
        "  ● Platform   reachable · SERVING   ✓ healthy\n",
        "  ── Mondoo Platform ─────────────\n",
        "  │  Status     SERVING   API v13\n",
        "possible clock skew detected: 72h",
        "*a",
        "&a [",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_mixture_of_known_pieces_makes_the_parser_fail(text: str) -> None:
    report = parse(text)
    if report.authenticated:
        assert "SERVING" in text
        assert "authenticated" in text or "registered" in text


@settings(max_examples=300, deadline=None)
@given(OUTPUTS, st.randoms(use_true_random=False), st.integers(1, 12))
def test_a_damaged_recording_is_never_healthy_without_the_marks_of_success(
    recording: Recording, chance: random.Random, damages: int
) -> None:
    stdout, stderr = (_damaged(text, chance, damages) for text in (recording.stdout, recording.stderr))
    report = parse(stdout, stderr, recording.rc)
    if diagnose(report).health == "ok":
        both = stdout + stderr
        assert "SERVING" in both
        assert "registered" in both


@settings(max_examples=300, deadline=None)
@given(OUTPUTS, st.randoms(use_true_random=False), st.integers(1, 12))
def test_unknown_is_never_rejected_whatever_is_lost_of_the_output(
    recording: Recording, chance: random.Random, damages: int
) -> None:
    stdout, stderr = (_damaged(text, chance, damages) for text in (recording.stdout, recording.stderr))
    if parse(stdout, stderr, recording.rc).authenticated is False:
        assert "request permission unauthenticated" in stdout + stderr
        assert recording.state.get("authenticated") is not True


def _damaged(text: str, chance: random.Random, damages: int) -> str:
    """Return `text` with pieces cut out, doubled or moved."""
    for dummy in range(damages if text else 0):
        begin = chance.randrange(len(text) + 1)
        end = min(len(text), begin + chance.randrange(60))
        piece = chance.choice(["", text[begin:end] * 2, "\n", " "])
        text = text[:begin] + piece + text[end:]
    return text


@pytest.mark.parametrize("piece", NOISE)
def test_ten_megabytes_of_noise_take_less_than_a_second_and_prove_nothing(piece: str) -> None:
    seconds, report = read_noise(piece, RECORDINGS["12.11.0/status-ok.text"].stderr)
    assert seconds < 1.0
    assert (report.registered, report.authenticated, report.reachable) == (None, None, None)
    assert report.unparsed[-1] == "(the output is too long and was not read to its end)"
