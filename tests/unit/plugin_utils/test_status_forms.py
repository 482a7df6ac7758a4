# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forms of `cnspec status` that come from other systems, newer versions, and people who paste."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse

# The screen of 13.27 and later, after its golden file (apps/mql/cmd, status_render.go), with names of the
# documentation. The source is the description; there is no recording yet.
SCREEN = """
  ● Client     {client}
  ● Platform   {platform}
  ● Updates    {updates}

  ── System ──────────────────────────────────────────────
  │  Host       workstation.localdomain · 192.0.2.10
  │  Platform   macos 26.5.1 · arm64

  ── mql ──────────────────────────────────────────────
  │  Version    {version}
  │  API        v13
  │  Config     /etc/opt/mondoo/mondoo.yml
  │  Updates    https://releases.mondoo.com

  ── Mondoo Platform ──────────────────────────────────────────────
  │  Endpoint   https://us.api.mondoo.com
  │  Status     {status}
  │  Time       2026-06-29T21:37:00Z
{identity}{warning}
  ── Providers ──────────────────────────────────────────────
  │  3 installed · 0 outdated · 3 current
  │
  │  ✓ current  aws, core, os

  {footer}
"""
IDENTITY = """\
  │  Client     //agents.api.mondoo.app/spaces/test/agents/123
  │  Account    //agents.api.mondoo.app/spaces/test/serviceaccounts/abc
"""
OK = {
    "client": "registered   ✓ authenticated",
    "platform": "reachable · SERVING   ✓ healthy",
    "updates": "up to date",
    "version": "13.27.1",
    "status": "SERVING   API v13 ✓ in sync",
    "identity": IDENTITY,
    "warning": "",
    "footer": "✓ all systems healthy",
}
NOT_AUTHENTICATED = {
    "client": "registered   ✗ authentication failed",
    "footer": "✗ authentication failed · exit 1 · next steps:\n"
    "    → cnspec login --token <token>  re-register with a fresh token from Mondoo Platform",
}
NOT_REGISTERED = {
    "client": "not registered   ✗ action needed",
    "identity": "  │  Client     ✗ not registered — run cnspec login\n",
    "footer": "✗ not registered · exit 1 · next steps:\n"
    "    → cnspec login                 register this client with Mondoo Platform",
}
UNREACHABLE = {"platform": "unreachable   ✗ unreachable", "status": "   API v ⚠ version mismatch"}

REFUSED = 'DBG non-ok http request body="request permission unauthenticated" status=401\n'


def screen(**changes: str) -> str:
    return SCREEN.format(**{**OK, **changes})


def facts(report: Report) -> tuple[bool | None, bool | None, bool | None]:
    return report.registered, report.authenticated, report.reachable


def test_the_screen_of_a_healthy_host_is_read_whole() -> None:
    report = parse(screen(), "→ loaded configuration from /etc/opt/mondoo/mondoo.yml using source --config\n", 0)
    assert facts(report) == (True, True, True)
    assert report.form == "screen"
    assert report.hostname == "workstation.localdomain"
    assert report.ip == "192.0.2.10"
    assert (report.platform_name, report.platform_version) == ("macos", "26.5.1")
    assert (report.version, report.api_version, report.server_api_version) == ("13.27.1", "13", "13")
    assert report.endpoint == "https://us.api.mondoo.com"
    assert report.agent_mrn == "//agents.api.mondoo.app/spaces/test/agents/123"
    assert report.service_account_mrn == "//agents.api.mondoo.app/spaces/test/serviceaccounts/abc"
    assert report.providers == ("aws", "core", "os")
    assert report.update_available is False
    assert report.last_line == "all systems healthy"
    assert report.config_source == "--config"
    assert report.unparsed == ()


def test_the_screen_alone_does_not_say_who_refused() -> None:
    report = parse(screen(**NOT_AUTHENTICATED), "", 1)
    assert facts(report) == (True, None, True)
    assert report.last_line == "authentication failed"
    assert report.unparsed == ()


def test_the_screen_with_the_words_of_the_platform_beside_it_is_a_refusal() -> None:
    assert facts(parse(screen(**NOT_AUTHENTICATED), REFUSED, 1)) == (True, False, True)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ('"503 Service Unavailable"', 503, "empty_answer"),
        ("502", 502, "empty_answer"),
        ('"404 Not Found"', 404, "not_found"),
        ('"<html>"', 407, "proxy_authentication"),
        ('"<html><h1>401</h1>\\n"', 401, "foreign_answer"),
        ('"request permission unauthenticated"', 401, "foreign_answer"),
    ],
)
def test_from_13_29_on_the_debug_log_tells_what_was_no_answer_of_the_platform(
    body: str, status: int, reason: str
) -> None:
    said = f"DBG non-ok http request with non-proto body body={body} status={status}\n"
    report = parse(screen(**NOT_AUTHENTICATED), said, 1)
    assert (facts(report), report.reason, report.unparsed) == ((True, None, True), reason, ())


def test_the_screen_of_a_host_that_is_not_registered_says_so() -> None:
    report = parse(screen(**NOT_REGISTERED), "", 1)
    assert facts(report) == (False, None, True)
    assert report.last_line == "not registered"
    assert report.unparsed == ()


def test_the_screen_of_a_host_that_cannot_reach_the_platform_blames_nobody() -> None:
    report = parse(screen(**NOT_AUTHENTICATED, **UNREACHABLE), "", 1)
    assert facts(report) == (True, None, False)


def test_an_empty_answer_does_not_prove_anything_on_the_screen_either() -> None:
    changes = {"platform": "UNKNOWN   ✗ unreachable", "status": "UNKNOWN   API v ⚠ version mismatch"}
    assert facts(parse(screen(**changes), "", 0)) == (True, None, None)


def test_the_screen_shows_a_clock_skew_as_a_warning() -> None:
    report = parse(screen(warning="  │  ⚠ possible clock skew detected: -1h0m0.5s\n"), "", 0)
    assert report.skew_seconds == -3600.5
    assert report.unparsed == ()


def test_the_screen_shows_an_update_in_the_version_row() -> None:
    report = parse(screen(updates="cnspec 13.27.1 → 13.30.0", version="13.27.1  →  13.30.0   ⚠ update recommended"))
    assert (report.version, report.latest_version, report.update_available) == ("13.27.1", "13.30.0", True)


def test_outdated_providers_are_read_from_the_table_of_the_screen() -> None:
    table = (
        "  │  4 installed · 2 outdated · 2 current\n  │\n  │  PROVIDER          INSTALLED  LATEST\n"
        "  │  aws               13.1.0   →  13.2.0\n  │  os                13.1.0   →  13.2.0\n  │\n"
        "  │  ✓ current  core, mock\n"
    )
    begin, dummy, end = screen(updates="2 providers outdated").partition("  │  3 installed · 0 outdated · 3 current")
    report = parse(begin + table + end.replace("  │\n  │  ✓ current  aws, core, os\n", ""))
    assert report.providers_outdated == ("aws", "os")
    assert report.providers == ("aws", "os", "core", "mock")
    assert report.unparsed == ()


def mojibake(text: str, page: str) -> str:
    return text.encode("utf-8").decode(page, "replace")


@pytest.mark.parametrize("page", ["cp437", "cp850", "cp1252", "latin-1", "ascii"])
@pytest.mark.parametrize("changes", [{}, NOT_AUTHENTICATED, NOT_REGISTERED], ids=["ok", "revoked", "not registered"])
def test_the_screen_under_a_windows_code_page_tells_the_same(page: str, changes: dict[str, str]) -> None:
    text = screen(**changes)
    assert facts(parse(mojibake(text, page))) == facts(parse(text))


TEXT = """\
{info} loaded configuration from C:\\ProgramData\\Mondoo\\mondoo.yml using source --config
{info} Platform:\t\twindows
{info} Version:\t\t10.0.20348
{info} Hostname:\t\tweb01
{info} Version:\t\t12.11.0 (API Version: 12)
{info} API ConnectionConfig:\thttps://us.api.mondoo.com
{info} API Status:\t\tSERVING
{info} API Time:\t\t2026-01-15T09:30:00Z
{info} API Version:\t\t12
{info} Owner:\t\t//captain.api.mondoo.app/spaces/test
{info} Client:\t\t//agents.api.mondoo.app/spaces/test/agents/123
{info} Service Account:\t\t//agents.api.mondoo.app/spaces/test/serviceaccounts/abc
{info} client is registered
{verdict}
"""
SUCCESS = "{info} client authenticated successfully"
FAILURE = (
    "{error} The Mondoo Platform credentials provided at C:\\ProgramData\\Mondoo\\mondoo.yml didn't successfully "
    "authenticate with Mondoo Platform. Please re-authenticate with Mondoo Platform. To learn how, read "
    "https://mondoo.com/docs/cnspec/cnspec-adv-install/registration/. "
    'error="rpc error: code = Unauthenticated desc = request permission unauthenticated"'
)


def text_form(verdict: str, info: str = "→", error: str = "x") -> str:
    return TEXT.format(info=info, verdict=verdict.format(info=info, error=error))


@pytest.mark.parametrize(
    ("info", "error"),
    [("→", "x"), ("-", "ERR"), ("ΓåÆ", "x"), ("â†\u2019", "x"), ("ÔåÆ", "x"), ("???", "x"), ("\ufffd", "x")],
)
def test_every_prefix_of_a_log_line_is_understood(info: str, error: str) -> None:
    assert facts(parse("", text_form(SUCCESS, info, error), 0)) == (True, True, True)
    assert facts(parse("", text_form(FAILURE, info, error), 1)) == (True, False, True)


def test_spaces_do_where_tabs_were() -> None:
    text = text_form(SUCCESS).replace("\t\t", "\t").replace("\t", "    ")
    assert facts(parse(text)) == (True, True, True)


@pytest.mark.parametrize(("info", "error"), [("→", "x"), ("-", "ERR")])
def test_lines_joined_with_spaces_are_read_one_by_one(info: str, error: str) -> None:
    for verdict, authenticated in ((SUCCESS, True), (FAILURE, False)):
        report = parse(" ".join(text_form(verdict, info, error).splitlines()))
        assert facts(report) == (True, authenticated, True)
        assert report.agent_mrn == "//agents.api.mondoo.app/spaces/test/agents/123"
        assert report.unparsed == ()


def test_chatter_of_the_self_update_and_of_providers_is_no_news() -> None:
    chatter = (
        "→ auto-update: using the latest installed version installed=13.10.0\n"
        "→ new version of cnspec available, updating current=13.0.0 latest=13.10.0\n"
        '! failed to get provider info error="Get \\"https://releases.mondoo.com\\": EOF"\n'
        "→ installing provider 'os' version=13.1.0\n"
    )
    report = parse("", chatter + text_form(SUCCESS), 0)
    assert facts(report) == (True, True, True)
    assert report.unparsed == ()


def test_a_line_that_nobody_knows_is_kept() -> None:
    report = parse("", text_form(SUCCESS) + "! the sky is falling error=tomorrow\n", 0)
    assert report.unparsed == ("the sky is falling error=tomorrow",)
    assert facts(report) == (True, True, True)


def test_success_and_failure_in_one_output_prove_nothing() -> None:
    assert facts(parse(text_form(SUCCESS) + text_form(FAILURE)))[1] is None


def test_success_with_an_exit_code_that_says_otherwise_proves_nothing() -> None:
    assert facts(parse("", text_form(SUCCESS), 1)) == (True, None, True)


def test_an_exit_code_alone_proves_nothing() -> None:
    assert facts(parse("", "", 0)) == (None, None, None)


def test_another_unauthenticated_than_the_platforms_own_is_no_refusal() -> None:
    for words in ("", "token is expired", "proxy says no"):
        text = text_form(FAILURE).replace("request permission unauthenticated", words)
        assert facts(parse(text)) == (True, None, True)


def test_json_within_other_text_and_indented_is_found() -> None:
    text = (
        'some noise {"client": {\n  "registered": true,\n "version": "13.0.1"\n}, "upstream": {"api": '
        '{"endpoint": "https://us.api.mondoo.com", "status": "SERVING"}}}→ and more'
    )
    report = parse(text)
    assert facts(report) == (True, True, True)
    assert report.unparsed == ("some noise", "and more")


def test_json_that_is_cut_off_proves_nothing() -> None:
    assert facts(parse('{"client":{"registered":true},"upstream":{"api":{"status":"SERVING"')) == (None, None, None)


STATES: dict[str, tuple[dict[str, str], str, dict[str, t.Any]]] = {
    "ok": ({}, SUCCESS, {"registered": True}),
    "revoked": (NOT_AUTHENTICATED, FAILURE, {"registered": True, "pingPongError": {}}),
}


@given(st.sampled_from(sorted(STATES)), st.sampled_from(["SERVING", "UNKNOWN", ""]), st.booleans())
def test_no_two_forms_of_one_generated_state_say_opposites(state: str, status: str, skewed: bool) -> None:
    import json

    changes, verdict, client = STATES[state]
    skew = "possible clock skew detected: 45s"
    document: dict[str, t.Any] = {"client": client, "upstream": {"api": {"endpoint": "https://us.api.mondoo.com"}}}
    document["upstream"]["api"].update({"status": status} if status else {})
    document["upstream"].update({"warnings": [skew]} if skewed else {})
    platform = (
        "reachable · SERVING   ✓ healthy" if status == "SERVING" else f"{status or 'unreachable'}   ✗ unreachable"
    )
    drawn = screen(
        **{**changes, "platform": platform, "status": f"{status}   API v13 ✓ in sync"},
        warning=f"  │  ⚠ {skew}\n" if skewed else "",
    )
    text = text_form(verdict).replace("SERVING", status) + (f"! {skew}\n" if skewed else "")
    reports = [parse(json.dumps(document)), parse(drawn), parse("", text), parse(json.dumps(document), REFUSED)]
    if state == "ok":
        reports.pop()
    for fact in ("registered", "authenticated", "reachable"):
        assert {True, False} - {getattr(report, fact) for report in reports}, fact
    assert {report.skew_seconds for report in reports} == ({45.0} if skewed else {None})
