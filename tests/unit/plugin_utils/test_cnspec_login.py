# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a login or logout of the real cnspec is taken for: every recording, and words that nobody recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils import status
from ansible_collections.mondoo.fleet.plugins.plugin_utils.cnspec_judgement import judge_logout, judge_status
from ansible_collections.mondoo.fleet.plugins.plugin_utils.cnspec_login import Failed, Registered, judge_login
from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import Config, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import ServiceAccount
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import Ran
from ansible_collections.mondoo.fleet.plugins.plugin_utils.verdict import Judgement, Verdict
from doubles.identities import account

RECORDINGS = Path(__file__).parents[2] / "transcripts"
IDENTITY = account()
MASKED = {
    "CERTIFICATE": "-----BEGIN CERTIFICATE-----(masked)-----END CERTIFICATE-----",
    "PRIVATE KEY": "-----BEGIN PRIVATE KEY-----(masked)-----END PRIVATE KEY-----",
}
RAN = Ran(True, 1, "", "", False, False, 0.1, None)

# What each failing state is, whichever version said it: the code of the error, and whether an agent may be there.
FAILURES = {
    "login-200-empty": ("maybe_registered", True),
    "login-200-html": ("maybe_registered", True),
    "login-403": ("refused", False),
    "login-429": ("busy", False),
    "login-502-empty": ("maybe_registered", True),
    "login-503-empty": ("maybe_registered", True),
    "login-503-html": ("maybe_registered", True),
    "login-api-proxy-refused": ("unreachable", False),
    "login-base64-env": ("maybe_registered", True),
    "login-clock-off-72h": ("identity_refused", False),
    "login-dropped-after-acting": ("maybe_registered", True),
    "login-malformed-token": ("identity_refused", False),
    "login-revoked-token": ("identity_refused", False),
    "login-unreachable": ("unreachable", False),
    "login-after-logout-no-token": ("identity_refused", False),
    "login-expired-token": ("token_expired", False),
    "login-no-space-token": ("identity_refused", False),
}
# Versions that ask the platform about a token that later ones judge themselves, or that do not retry.
BEFORE_11_19 = {
    "login-expired-token": ("identity_refused", False),
    "login-malformed-token": ("unreachable", False),
}
EARLY = ("7.12.1", "9.14.0")


def recorded(start: str) -> list[Path]:
    return sorted(path.parent for path in RECORDINGS.glob(f"*/{start}*/run.json"))


def ran_as(folder: Path) -> Ran:
    run = json.loads((folder / "run.json").read_text())
    texts = {name: (folder / name).read_text() for name in ("stdout", "stderr")}
    return replace(RAN, rc=run["exit"], seconds=run["seconds"], **texts)


def copy_of(folder: Path) -> Config:
    """The config after the run, with a key and a certificate where the recording masked them."""
    path = folder / "mondoo.yml"
    if not path.exists():
        return parse(b"api_endpoint: https://us.api.mondoo.com\n")
    text = path.read_text()
    for name, pem in (("CERTIFICATE", IDENTITY.certificate), ("PRIVATE KEY", IDENTITY.private_key)):
        text = text.replace(MASKED[name], "\n    ".join(pem.splitlines()))
    return parse(text.encode())


@pytest.mark.parametrize("folder", recorded("login"), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_recorded_login_is_taken_for_what_it_was(folder: Path) -> None:
    version, state = folder.parent.name, folder.name
    args = json.loads((folder / "run.json").read_text())["args"]
    outcome = judge_login(ran_as(folder), copy_of(folder), by_token="--token" in args)
    if copy_of(folder).agent_mrn is not None:
        assert isinstance(outcome, Registered), outcome
        assert outcome.agent_mrn == copy_of(folder).agent_mrn
        return
    if state == "login-default-path":
        return  # it wrote into the home directory, which a login with --config does not
    expected = FAILURES.get(state)
    if version in EARLY:
        expected = BEFORE_11_19.get(state, expected)
        expected = ("busy", False) if state == "login-aborted-once" else expected
    assert isinstance(outcome, Failed)
    assert expected is not None, outcome
    assert (outcome.code, outcome.acted is not None) == expected, outcome


def test_there_are_recordings_of_logins_and_logouts() -> None:
    assert len(recorded("login")) > 100
    assert len(recorded("logout")) == 20


@pytest.mark.parametrize("folder", recorded("logout"), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_recorded_logout_is_believed_only_where_the_agent_was_gone(folder: Path) -> None:
    gone = {"logout": True, "logout-revoked": False, "logout-unreachable": None, "logout-no-force": None}
    nothing = Judgement(Verdict.UNKNOWN, "it was not asked")
    assert judge_logout(ran_as(folder), status.parse(""), nothing, worked=False).gone is gone[folder.name]


@pytest.mark.parametrize("version", ["7.12.1", "9.14.0", "11.69.1", "12.11.0", "13.0.1"])
@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("status-ok", Verdict.ACCEPTED),
        ("status-managed", Verdict.ACCEPTED),
        ("status-revoked", Verdict.REJECTED),
        ("status-clock-off-40s", Verdict.ACCEPTED),
        ("status-clock-off-72h", Verdict.UNKNOWN),
        ("status-401-html", Verdict.UNKNOWN),
        ("status-502-html", Verdict.UNKNOWN),
        ("status-503-empty", Verdict.UNKNOWN),
        ("status-407", Verdict.UNKNOWN),
        ("status-200-html", Verdict.UNKNOWN),
        ("status-health-503-empty-ping-ok", Verdict.UNKNOWN),
        ("status-after-logout", Verdict.REJECTED),
        ("status-skew-72h", Verdict.ACCEPTED),
        ("status-skew-minus-1h", Verdict.ACCEPTED),
        ("status-api-mismatch", Verdict.ACCEPTED),
        ("status-no-dns", Verdict.UNKNOWN),
        ("status-refused", Verdict.UNKNOWN),
        ("status-ping-403", Verdict.UNKNOWN),
        ("status-ping-404", Verdict.UNKNOWN),
        ("status-ping-429", Verdict.UNKNOWN),
        ("status-ping-500", Verdict.UNKNOWN),
        ("status-truncated-config", Verdict.UNKNOWN),
        ("status-no-config", Verdict.UNKNOWN),
        ("status-bad-pem", Verdict.UNKNOWN),
    ],
)
def test_a_recorded_status_is_a_verdict_only_by_the_platforms_own_word(
    version: str, state: str, verdict: Verdict
) -> None:
    folder = RECORDINGS / version / f"{state}.jsonv"
    if not folder.exists():
        pytest.skip(f"nobody recorded {state} with {version}")
    ran = ran_as(folder)
    report = status.parse(ran.stdout, ran.stderr, ran.rc)
    account = ServiceAccount(report.service_account_mrn or "//x", "key")
    assert judge_status(ran, report, account).verdict is verdict


def test_a_status_of_another_identity_is_no_verdict() -> None:
    ran = ran_as(RECORDINGS / "13.0.1" / "status-revoked.jsonv")
    report = status.parse(ran.stdout, ran.stderr, ran.rc)
    judgement = judge_status(ran, report, ServiceAccount("//agents.api.mondoo.app/another", "key"))
    cause = "cnspec on the host answers for another identity than it was asked for"
    assert judgement == Judgement(Verdict.UNKNOWN, cause)


def test_a_refusal_without_comparable_clocks_is_no_verdict() -> None:
    ran = ran_as(RECORDINGS / "13.0.1" / "status-revoked.jsonv")
    report = status.parse(ran.stdout, ran.stderr, ran.rc)
    account = ServiceAccount(report.service_account_mrn or "", "key")
    judgement = judge_status(ran, replace(report, warnings=("cannot run clock skew check",)), account)
    assert judgement == Judgement(Verdict.UNKNOWN, "it refused the identity, but the clocks could not be compared")


POST = 'failed to log in client: failed to do request: Post "https://us.api.mondoo.com/AgentManager/RegisterAgent": '


@pytest.mark.parametrize(
    ("said", "code", "again"),
    [
        (f"{POST}dial tcp: lookup us.api.mondoo.com on 192.0.2.53:53: no such host", "unreachable", True),
        (f"{POST}dial tcp 192.0.2.9:443: i/o timeout", "unreachable", True),
        (f"{POST}net/http: TLS handshake timeout", "unreachable", True),
        (
            f"{POST}tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "unreachable",
            False,
        ),
        (f"{POST}Proxy Authentication Required", "unreachable", False),
        (f"{POST}Bad Gateway", "unreachable", True),
        (f"{POST}remote error: tls: bad record MAC", "maybe_registered", False),
        (f"{POST}read tcp 192.0.2.2:5->192.0.2.9:443: read: connection reset by peer", "maybe_registered", False),
        (
            f"{POST}context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            "maybe_registered",
            False,
        ),
        ("failed to log in client: rpc error: code = Unavailable desc = try later", "maybe_registered", False),
        ("failed to log in client: rpc error: code = Unauthenticated desc = ", "maybe_registered", False),
        ("failed to log in client: rpc error: code = Unknown desc = <html>", "maybe_registered", False),
        ("failed to log in client: rpc error: code = NotFound desc = 404 Not Found", "maybe_registered", False),
        ("failed to log in client: rpc error: code = NotFound desc = no such space", "refused", False),
        (
            "failed to log in client: failed to log in client due to concurrent IAM changes: "
            "rpc error: code = Aborted desc = aborted",
            "busy",
            True,
        ),
        ("unknown flag: --api-endpoint", "cnspec_failed", False),
        ("something else", "maybe_registered", False),
    ],
)
def test_only_what_cannot_have_made_an_agent_is_tried_again(said: str, code: str, again: bool) -> None:
    outcome = judge_login(replace(RAN, stderr=f"Error: {said}\nUsage:\n  cnspec login [flags]\n"), Config(), True)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.again, outcome.acted) == (code, again, "unknown" if "maybe" in code else None)


def test_a_login_that_was_killed_may_have_registered() -> None:
    outcome = judge_login(replace(RAN, rc=None, timed_out=True), Config(), True)
    assert isinstance(outcome, Failed)
    assert outcome.cause == "cnspec login did not end in time, after cnspec login was started"
    assert outcome.acted == "unknown"


def test_a_login_that_left_half_an_identity_names_the_agent() -> None:
    outcome = judge_login(RAN, parse(b"agent_mrn: //agents/1\nmrn: //accounts/1\n"), True)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.acted) == ("maybe_registered", "//agents/1")


def test_a_login_that_never_ran_made_nothing() -> None:
    outcome = judge_login(replace(RAN, rc=None, problem="Exec format error"), Config(), True)
    assert isinstance(outcome, Failed)
    assert outcome.cause == "cnspec login could not be run (Exec format error)"
    assert outcome.acted is None


def test_a_logout_whose_answer_was_lost_is_believed_when_the_identity_is_gone_with_its_agent() -> None:
    said = (
        "→ client //accounts/1 authenticated successfully\n"
        'x failed to unregister client error="failed to do request: Post \\"https://x/AgentManager\\": EOF"\n'
        "→ Bye bye, space cat. Client //accounts/1 unregistered successfully\n"
    )
    ran, report = replace(RAN, rc=0, stderr=said), status.parse("")
    for verdict, gone in ((Verdict.REJECTED, True), (Verdict.ACCEPTED, None), (Verdict.UNKNOWN, None)):
        assert judge_logout(ran, report, Judgement(verdict), worked=False).gone is gone


@pytest.mark.parametrize(("code", "gone"), [("NotFound", True), ("PermissionDenied", False), ("Unavailable", None)])
def test_a_logout_takes_not_found_for_gone_and_forbidden_for_there(code: str, gone: bool | None) -> None:
    said = (
        "→ client //accounts/1 authenticated successfully\n"
        f'x failed to unregister client error="rpc error: code = {code} desc = said by the platform"\n'
        "→ Bye bye, space cat. Client //accounts/1 unregistered successfully\n"
    )
    ran = replace(RAN, rc=0, stderr=said)
    assert judge_logout(ran, status.parse(""), Judgement(Verdict.ACCEPTED), worked=False).gone is gone


def test_a_logout_with_empty_answers_is_not_believed() -> None:
    folder = RECORDINGS / "13.0.1"
    after = ran_as(folder / "status-503-empty.jsonv")
    report = status.parse(after.stdout, after.stderr, after.rc)
    logout = ran_as(folder / "logout")
    assert judge_logout(logout, report, Judgement(Verdict.UNKNOWN), worked=False).gone is None
