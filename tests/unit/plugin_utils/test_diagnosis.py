# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health, problems and remedies, from reports and from what the hands saw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import Diagnosis, Problem, diagnose, duration
from ansible_collections.mondoo.fleet.plugins.plugin_utils.problems import HEALTH, KINDS, NOT_REACHED, ORDER, table
from ansible_collections.mondoo.fleet.plugins.plugin_utils.remedy import FIXES, Place
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"
CONFIG = "/etc/opt/mondoo/mondoo.yml"
FAMILIES = ("Debian", "RedHat", "Suse", "Darwin", "Windows", "")

GOOD = Report(
    form="json",
    rc=0,
    registered=True,
    authenticated=True,
    reachable=True,
    version="12.11.0",
    api_version="12",
    server_api_version="12",
    api_status="SERVING",
    api_time="2026-01-15T09:30:00Z",
    endpoint="https://us.api.mondoo.com",
)
SEEN = Seen(
    family="Debian",
    installed=True,
    cnspec_path="/usr/bin/cnspec",
    config_path=CONFIG,
    config_source="default",
    config_kind="file",
    config_mode="0600",
    controller_offset=0.0,
    clock=Clock(True, True, "systemd-timesyncd"),
    agent=Unit("cnspec", active=True, enabled=True),
)


SHOW_AND_RESTART = (
    "Run there: sudo journalctl -n 20 -u cnspec; sudo systemctl enable cnspec; sudo systemctl restart cnspec"
)
STARTED_AT_5 = Unit("cnspec", active=True, started=5.0)


def documented(name: str) -> Report:
    return parse((TRANSCRIPTS / "docs" / name / "text").read_text(encoding="utf-8"))


def recorded(name: str) -> Report:
    folder = TRANSCRIPTS / name
    stdout, stderr = ((folder / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr"))
    return parse(stdout, stderr)


def codes(diagnosis: Diagnosis) -> list[str]:
    return [problem.code for problem in diagnosis.problems]


def test_a_good_host_has_no_problem() -> None:
    assert diagnose(GOOD, SEEN) == Diagnosis("ok", ())


@pytest.mark.parametrize("version", ["7.12.1", "12.11.0"])
def test_the_documented_line_client_is_not_registered_is_remedied_by_registering(version: str) -> None:
    diagnosis = diagnose(documented(f"{version}-not-registered"), SEEN)
    assert diagnosis.health == "not_registered"
    assert diagnosis.problems[0].code == "not_registered"
    assert diagnosis.problems[0].fix == (
        "Register it with mondoo.fleet.mondoo_registration, or run there: "
        "sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml"
    )


@pytest.mark.parametrize(("version", "region"), [("7.12.1", "us.api"), ("12.11.0", "api.edge")])
def test_the_documented_line_could_not_connect_is_remedied_by_authenticating_again(version: str, region: str) -> None:
    diagnosis = diagnose(documented(f"{version}-unauthenticated"), SEEN)
    assert diagnosis.health == "unauthenticated"
    assert diagnosis.problems[0].message == (
        "the platform refuses the service account of this host (request permission unauthenticated)"
    )
    assert diagnosis.problems[0].fix == (
        "Register it again with a new token (or correct api_endpoint, if its space is not at "
        f"https://{region}.mondoo.com): mondoo.fleet.mondoo_registration, or run there: "
        "sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml"
    )


@pytest.mark.parametrize(
    ("family", "command"),
    [
        ("Debian", "sudo apt-get install -y systemd-timesyncd && sudo timedatectl set-ntp true"),
        ("RedHat", "sudo dnf install -y chrony && sudo systemctl enable --now chronyd && sudo chronyc makestep"),
        ("Suse", "sudo zypper install -y chrony && sudo systemctl enable --now chronyd && sudo chronyc makestep"),
        ("Darwin", "sudo systemsetup -setusingnetworktime on && sudo sntp -sS time.apple.com"),
        ("Windows", "w32tm /resync /force"),
    ],
)
@pytest.mark.parametrize("version", ["7.12.1", "12.11.0"])
def test_the_documented_line_possible_clock_skew_is_remedied_by_a_time_server(
    version: str, family: str, command: str
) -> None:
    diagnosis = diagnose(documented(f"{version}-clock-skew"), replace(SEEN, family=family))
    assert diagnosis.health == "clock_skew"
    assert diagnosis.problems[0].message == "its clock is 72 h 0 min behind the platform's"
    assert diagnosis.problems[0].fix == f"Synchronise its clock with a time server (NTP); run there: {command}"


def test_a_wrong_clock_explains_a_refusal_and_comes_first() -> None:
    diagnosis = diagnose(recorded("12.11.0/status-clock-off-72h.jsonv"), SEEN)
    assert diagnosis.health == "clock_skew"
    assert codes(diagnosis)[:2] == ["clock_skew", "unauthenticated"]
    assert diagnosis.problems[1].fix == (
        "Do not register it again before its clock is right; that may be all there is to it"
    )


def test_a_network_that_is_down_is_never_blamed_on_the_credentials() -> None:
    for name in ("status-no-dns.text", "status-refused.text", "status-proxy-407.text", "status-401-html.text"):
        diagnosis = diagnose(recorded(f"12.11.0/{name}"), SEEN)
        assert diagnosis.health == "unreachable"
        assert "unauthenticated" not in codes(diagnosis)


def test_an_empty_answer_that_cnspec_takes_for_success_is_not_ok() -> None:
    diagnosis = diagnose(recorded("12.11.0/status-503-empty.jsonv"), SEEN)
    assert diagnosis.health == "unreachable"
    assert diagnosis.problems[0].message == (
        "https://us.api.mondoo.com is not reached: "
        "something on the way gives an empty answer, which cnspec may take for success"
    )


BEHIND_PROXY = replace(SEEN, api_proxy="http://fleet:swordfish@proxy.example.com:3128")
PROXY = "http://fleet:***@proxy.example.com:3128"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status-proxy-407.text", f"the proxy {PROXY} wants a user and a password that it knows (407)"),
        ("status-502-html.jsonv", f"something on the way, perhaps the proxy {PROXY}, answers in its place"),
        (
            "status-503-empty.jsonv",
            f"something on the way, perhaps the proxy {PROXY}, gives an empty answer, "
            "which cnspec may take for success",
        ),
    ],
)
def test_what_a_proxy_may_have_done_names_the_proxy_without_its_password(name: str, words: str) -> None:
    problem = diagnose(recorded(f"12.11.0/{name}"), BEHIND_PROXY).problems[0]
    assert problem.message == f"https://us.api.mondoo.com is not reached: {words}"


def test_the_platform_is_asked_through_the_proxy_as_cnspec_asks_it() -> None:
    problem = diagnose(recorded("12.11.0/status-502-html.jsonv"), BEHIND_PROXY).problems[0]
    assert problem.fix == (
        f"Run there: curl -sS -x '{PROXY}' -X POST -H 'Content-Type: application/json' -d '{{}}' "
        "https://us.api.mondoo.com/Health/Check"
    )
    assert diagnose(recorded("12.11.0/status-502-html.jsonv"), replace(BEHIND_PROXY, family="Windows")).problems[
        0
    ].fix == (
        f"Run there: Invoke-RestMethod -Proxy {PROXY} -Method Post -ContentType application/json -Body '{{}}' "
        "-Uri https://us.api.mondoo.com/Health/Check"
    )


@pytest.mark.parametrize(
    ("words", "proxy"),
    [
        ("dial tcp 127.0.0.1:9: connect: connection refused", "127.0.0.1:9"),
        ("dial tcp [::1]:3128: connect: connection refused", "[::1]:3128"),
        ("dial tcp: lookup proxy.example.com on 192.0.2.53:53: no such host", "proxy.example.com"),
    ],
)
def test_a_proxy_of_the_environment_is_named_as_go_names_it(words: str, proxy: str) -> None:
    words = f'failed to do request: Post "https://us.api.mondoo.com/Health/Check": proxyconnect tcp: {words}'
    text = f"x could not check upstream health error={json.dumps(words)}\n→ client is registered\n"
    assert diagnose(parse("", text, 1), SEEN).problems[0].message == (
        f"Mondoo Platform is not reached: the proxy {proxy} cannot be reached, or refuses"
    )


def test_a_407_that_the_health_check_hides_is_seen_by_the_release_site_which_is_asked_through_the_same_proxy() -> None:
    release = next(
        line
        for line in (TRANSCRIPTS / "12.11.0/status-proxy-407.jsonv/stderr").read_text(encoding="utf-8").splitlines()
        if "Failed to get latest version" in line
    )
    for state, code in (("status-407.jsonv", "foreign_answer"), ("status-503-empty.jsonv", "empty_answer")):
        stdout, hidden = (
            (TRANSCRIPTS / "12.11.0" / state / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr")
        )
        assert codes(diagnose(parse(stdout, hidden, 1), BEHIND_PROXY))[0] == code
        assert codes(diagnose(parse(stdout, f"{hidden}\n{release}\n", 1), BEHIND_PROXY))[0] == "proxy_authentication"


def test_a_release_site_behind_a_407_says_nothing_of_a_platform_that_fails_with_words_of_its_own() -> None:
    report = replace(GOOD, releases_reason="proxy_authentication")
    assert diagnose(report, BEHIND_PROXY).health == "ok"
    text = (
        'x could not check upstream health error="Post: dial tcp: lookup us.api.mondoo.com: no such host"\n'
        '! Failed to get latest version error="Get \\"https://releases.mondoo.com\\": Proxy Authentication Required"\n'
        "→ client is registered\n"
    )
    assert codes(diagnose(parse("", text, 1), BEHIND_PROXY))[0] == "dns"


def test_a_proxy_of_which_nothing_is_known_is_the_proxy() -> None:
    problem = diagnose(recorded("12.11.0/status-proxy-407.text"), SEEN).problems[0]
    assert problem.message == (
        "https://us.api.mondoo.com is not reached: the proxy wants a user and a password that it knows (407)"
    )


def test_a_proxy_that_is_no_one_line_is_told_in_one_line() -> None:
    seen = replace(SEEN, api_proxy="http://a\n  b:3128" + "c" * 1000)
    for code in NOT_REACHED:
        for problem in diagnose(replace(CUT_OFF, reason=code), seen).problems:
            assert "\n" not in problem.message + problem.fix
            assert len(problem.message) < 500


def test_an_old_client_without_the_health_words_is_still_seen_to_be_cut_off() -> None:
    assert diagnose(recorded("7.12.1/status-no-dns.text"), SEEN).health == "unreachable"


def test_a_damaged_config_is_told_before_the_registration_that_it_hides() -> None:
    diagnosis = diagnose(recorded("12.11.0/status-malformed-config.jsonv"), SEEN)
    assert diagnosis.health == "config_invalid"
    assert codes(diagnosis)[:2] == ["config_malformed", "not_registered"]


def test_a_config_without_its_key_is_invalid() -> None:
    assert diagnose(recorded("12.11.0/status-no-private-key.jsonv"), SEEN).health == "config_invalid"


def test_half_a_service_account_is_invalid_whatever_cnspec_says() -> None:
    diagnosis = diagnose(replace(GOOD, authenticated=None), replace(SEEN, config_incomplete=True))
    assert diagnosis.health == "config_invalid"
    assert diagnosis.problems[0].message == f"{CONFIG} has only a part of a service account"


def test_a_config_that_nobody_may_read_is_not_a_host_that_is_not_registered() -> None:
    diagnosis = diagnose(recorded("12.11.0/status-unreadable-as-nobody"), SEEN)
    assert diagnosis.health == "unknown"
    assert diagnosis.problems[0].fix == "Run the task with become: true"


def test_a_host_that_is_not_registered_is_so_even_offline() -> None:
    report = replace(GOOD, registered=False, authenticated=None, reachable=False, reason="dns")
    diagnosis = diagnose(report, replace(SEEN, config_kind="missing"))
    assert diagnosis.health == "not_registered"
    assert codes(diagnosis)[:2] == ["config_missing", "dns"]
    assert diagnosis.problems[0].message == f"not registered: there is no {CONFIG}"


def test_no_cnspec_is_not_installed() -> None:
    diagnosis = diagnose(Report(), replace(SEEN, installed=False, cnspec_path=None))
    assert diagnosis.health == "not_installed"
    assert codes(diagnosis) == ["cnspec_missing"]


def test_a_cnspec_that_cannot_be_run_is_not_installed() -> None:
    seen = replace(SEEN, installed=False, cnspec_path="/opt/cn spec", cnspec_problem="Permission denied")
    diagnosis = diagnose(Report(), seen)
    assert diagnosis.health == "not_installed"
    assert diagnosis.problems[0].message == "/opt/cn spec cannot be run: Permission denied"
    assert diagnosis.problems[0].fix == "Run there: sudo chmod 755 '/opt/cn spec', or set cnspec_path"


def test_a_cnspec_that_hangs_is_unknown() -> None:
    diagnosis = diagnose(Report(), replace(SEEN, timed_out=True))
    assert diagnosis.health == "unknown"
    assert codes(diagnosis) == ["status_timed_out"]


def test_a_directory_in_place_of_the_config_is_told() -> None:
    diagnosis = diagnose(replace(GOOD, registered=False), replace(SEEN, config_kind="directory"))
    assert diagnosis.health == "config_invalid"
    assert diagnosis.problems[0].message == f"{CONFIG} is no mondoo.yml (it is a directory)"


def test_a_controller_whose_clock_differs_does_not_make_a_good_host_sick() -> None:
    diagnosis = diagnose(GOOD, replace(SEEN, controller_offset=-3600.0))
    assert diagnosis == Diagnosis("ok", ())


def test_a_wrong_clock_is_the_first_suspect_when_tls_fails() -> None:
    report = replace(GOOD, authenticated=None, reachable=False, reason="tls", api_time=None, ping_failed=True)
    diagnosis = diagnose(report, replace(SEEN, controller_offset=-86400.0))
    assert diagnosis.health == "clock_skew"
    assert diagnosis.problems[0].message == "its clock is 24 h 0 min behind the controller's"


@pytest.mark.parametrize(
    ("seen", "report", "code"),
    [
        (replace(SEEN, config_mode="0644"), GOOD, "config_mode"),
        (replace(SEEN, shadow="/root/.config/mondoo/mondoo.yml"), GOOD, "config_shadowed"),
        (replace(SEEN, agent=Unit("cnspec", active=False)), GOOD, "agent_not_running"),
        (
            replace(SEEN, agent=Unit("cnspec", active=True, started=5.0), config_changed=9.0),
            GOOD,
            "agent_not_restarted",
        ),
        (replace(SEEN, clock=Clock(False, False, None)), GOOD, "clock_not_synchronized"),
        (SEEN, replace(GOOD, update_available=True), "update_available"),
        (SEEN, replace(GOOD, providers_outdated=("os",)), "providers_outdated"),
        (SEEN, replace(GOOD, releases_reason="dns"), "releases_unreachable"),
        (SEEN, replace(GOOD, server_api_version="13"), "api_version_mismatch"),
    ],
)
def test_a_remark_leaves_a_healthy_host_healthy(seen: Seen, report: Report, code: str) -> None:
    diagnosis = diagnose(report, seen)
    assert (diagnosis.health, codes(diagnosis)) == ("ok", [code])


def test_a_group_that_may_read_the_config_is_no_remark() -> None:
    assert codes(diagnose(GOOD, replace(SEEN, config_mode="0640"))) == []


@pytest.mark.parametrize(("changed", "expected"), [(4.0, []), (5.9, []), (6.0, ["agent_not_restarted"])])
def test_a_config_written_in_the_second_of_the_start_is_not_newer(changed: float, expected: list[str]) -> None:
    assert codes(diagnose(GOOD, replace(SEEN, agent=STARTED_AT_5, config_changed=changed))) == expected


def test_a_config_dated_in_the_future_is_not_newer() -> None:
    seen = replace(SEEN, agent=STARTED_AT_5, time=100.0)
    assert codes(diagnose(GOOD, replace(seen, config_changed=100.0))) == ["agent_not_restarted"]
    assert codes(diagnose(GOOD, replace(seen, config_changed=100.1))) == []


@pytest.mark.parametrize(
    ("state", "message", "fix"),
    [
        ("inactive", "is not running", "Run there: sudo systemctl enable --now cnspec"),
        ("activating", "is not running, systemd is about to start it", SHOW_AND_RESTART),
        ("failed", "has failed", SHOW_AND_RESTART),
        (
            "masked",
            "is masked, so that it cannot run",
            "Run there: sudo systemctl unmask cnspec && sudo systemctl enable --now cnspec",
        ),
    ],
)
def test_an_agent_that_does_not_run_is_told_by_its_state(state: str, message: str, fix: str) -> None:
    (problem,) = diagnose(GOOD, replace(SEEN, agent=Unit("cnspec", active=False, state=state))).problems
    assert problem == Problem("agent_not_running", f"the service cnspec {message}", fix)


def test_a_wrong_cnspec_path_is_named() -> None:
    problem = "No such file or directory"
    seen = replace(SEEN, installed=False, cnspec_path=None, cnspec_wanted="/opt/cnspec", cnspec_problem=problem)
    assert diagnose(Report(), seen) == Diagnosis(
        "not_installed",
        (
            Problem(
                "cnspec_missing",
                "there is no cnspec command at /opt/cnspec, where cnspec_path says (No such file or directory)",
                "Correct cnspec_path, or leave it out",
            ),
        ),
    )


def test_an_agent_of_a_host_that_is_not_registered_need_not_run() -> None:
    seen = replace(SEEN, agent=Unit("cnspec", active=False))
    assert "agent_not_running" not in codes(diagnose(replace(GOOD, registered=False, authenticated=None), seen))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("code", FIXES)
def test_every_remedy_is_one_line_on_every_family(code: str, family: str) -> None:
    fix = Place(family=family, config="/a b/mondoo.yml", shadow="/root/.config/mondoo/mondoo.yml").fix(code)
    assert fix
    assert "\n" not in fix
    assert "{config}" not in fix
    assert not fix.endswith(".")


def test_every_kind_of_problem_has_a_remedy_and_the_table_has_them_all() -> None:
    assert set(FIXES) == {*KINDS, "clock_first", "cnspec_path", "agent_failed", "agent_masked"}
    assert [row["code"] for row in table()] == list(KINDS)


def test_the_table_is_plain_text_with_placeholders_in_capitals() -> None:
    rows = {row["code"]: row for row in table()}
    assert rows["config_mode"] == {
        "code": "config_mode",
        "health": None,
        "message": "CONFIG holds a private key and has mode CAUSE",
        "fixes": {"*": "Run there: sudo chmod 600 CONFIG"},
    }
    assert rows["dns"]["health"] == "unreachable"
    for row in rows.values():
        assert "{" not in row["message"]
        for line in row["fixes"].values():
            assert "{" not in line.replace("'{}'", "")


# One host for each code: no code is in the table that no diagnosis gives.
CUT_OFF = replace(GOOD, reachable=False, authenticated=None, ping_failed=True, api_time=None, server_api_version=None)
HOSTS: dict[str, tuple[Report, Seen]] = {
    "cnspec_missing": (Report(), replace(SEEN, installed=False, cnspec_path=None)),
    "cnspec_not_executable": (Report(), replace(SEEN, installed=False)),
    "status_timed_out": (Report(), replace(SEEN, timed_out=True)),
    "cnspec_crashed": (replace(Report(), panicked=True), SEEN),
    "config_not_a_file": (replace(GOOD, registered=False), replace(SEEN, config_kind="too_large")),
    "config_unreadable": (replace(GOOD, registered=None), replace(SEEN, config_kind="unreadable")),
    "config_malformed": (replace(GOOD, registered=False), replace(SEEN, config_unreadable="it is not valid YAML")),
    "config_invalid": (Report(config_problem="invalid"), SEEN),
    "clock_skew": (replace(GOOD, skew_seconds=45.0), SEEN),
    "config_missing": (replace(GOOD, registered=False, authenticated=None), replace(SEEN, config_kind="missing")),
    "not_registered": (replace(GOOD, registered=False, authenticated=None), SEEN),
    **{code: (replace(CUT_OFF, reason=code), SEEN) for code in NOT_REACHED},
    "unreachable": (CUT_OFF, SEEN),
    "releases_required": (Report(rc=1, releases_reason="dns"), SEEN),
    "certificate_expired": (
        replace(GOOD, authenticated=False),
        replace(SEEN, certificate_expired=True, certificate_until="2026-01-01T00:00:00Z"),
    ),
    "unauthenticated": (replace(GOOD, authenticated=False), SEEN),
    **{
        code: (replace(GOOD, authenticated=None, ping_failed=True, reason=code), SEEN)
        for code in ("rate_limited", "server_error", "permission_denied", "not_found", "ping_failed")
    },
    "cannot_tell": (Report(), SEEN),
    "config_shadowed": (GOOD, replace(SEEN, shadow="/root/.config/mondoo/mondoo.yml")),
    "config_mode": (GOOD, replace(SEEN, config_mode="0660")),
    "agent_not_running": (GOOD, replace(SEEN, agent=Unit("mondoo", active=False))),
    "agent_not_restarted": (GOOD, replace(SEEN, agent=STARTED_AT_5, config_changed=9.0)),
    "clock_offset": (CUT_OFF, replace(SEEN, controller_offset=-86400.0)),
    "clock_not_synchronized": (GOOD, replace(SEEN, clock=Clock(True, False, "chrony"))),
    "releases_unreachable": (replace(GOOD, releases_reason="dns"), SEEN),
    "update_available": (replace(GOOD, update_available=True, latest_version="13.0.1"), SEEN),
    "providers_outdated": (replace(GOOD, providers_outdated=("aws", "os")), SEEN),
    "api_version_mismatch": (replace(GOOD, server_api_version="13"), SEEN),
}


@pytest.mark.parametrize("code", KINDS)
def test_every_code_of_the_table_is_given_to_a_host_that_has_the_trouble(code: str) -> None:
    diagnosis = diagnose(*HOSTS[code])
    found = next(problem for problem in diagnosis.problems if problem.code == code)
    assert found.message
    assert "\n" not in found.message + found.fix
    assert not found.message.endswith(".")
    if code in HEALTH:
        assert diagnosis.health == HEALTH[code]


def test_problems_are_in_the_order_of_causes_however_many_there_are() -> None:
    report = replace(GOOD, authenticated=False, skew_seconds=259200.0, update_available=True, server_api_version="13")
    seen = replace(SEEN, config_mode="0644", certificate_expired=True, clock=Clock(False, False, None))
    found = codes(diagnose(report, seen))
    assert found == sorted(found, key=ORDER.__getitem__)
    assert found == [
        "clock_skew",
        "certificate_expired",
        "unauthenticated",
        "config_mode",
        "clock_not_synchronized",
        "update_available",
        "api_version_mismatch",
    ]


def test_an_expired_certificate_explains_a_refusal_and_comes_before_it() -> None:
    seen = replace(SEEN, certificate_expired=True, certificate_until="2026-01-01T00:00:00Z")
    diagnosis = diagnose(replace(GOOD, authenticated=False), seen)
    assert (diagnosis.health, codes(diagnosis)) == ("unauthenticated", ["certificate_expired", "unauthenticated"])
    assert diagnosis.problems[0].message == ("the certificate of its service account expired at 2026-01-01T00:00:00Z")


def test_an_expired_certificate_that_the_platform_accepts_is_no_problem() -> None:
    assert diagnose(GOOD, replace(SEEN, certificate_expired=True)) == Diagnosis("ok", ())


def test_an_expired_certificate_alone_is_never_called_a_refusal() -> None:
    diagnosis = diagnose(replace(CUT_OFF, reason="dns"), replace(SEEN, certificate_expired=True))
    assert (diagnosis.health, codes(diagnosis)) == ("unreachable", ["dns", "certificate_expired"])


def test_a_health_check_that_is_not_found_is_at_a_wrong_endpoint_and_a_ping_that_is_not_found_is_not() -> None:
    assert codes(diagnose(replace(CUT_OFF, reason="not_found"), SEEN)) == ["wrong_endpoint"]
    assert codes(diagnose(replace(CUT_OFF, reason="not_found", reachable=True), SEEN)) == ["not_found"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('Post "us.api.mondoo.com/Health/Check": unsupported protocol scheme ""', "wrong_endpoint"),
        ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: x", "tls_expired"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "tls"),
        ("dial tcp 127.0.0.9:443: connect: connection refused", "refused"),
    ],
)
def test_the_words_of_go_lead_to_the_code(words: str, code: str) -> None:
    error = json.dumps(f"failed to do request: {words}")
    text = f"x could not check upstream health error={error}\n"
    assert codes(diagnose(parse("", text + "→ client is registered\n", 1), SEEN))[0] == code


def test_a_version_that_needs_the_release_site_is_told_apart_from_one_that_merely_misses_it() -> None:
    silent = parse("", "Error: failed to get latest version: Get: dial tcp: lookup releases.mondoo.com\n", 1)
    diagnosis = diagnose(silent, SEEN)
    assert (diagnosis.health, codes(diagnosis)) == ("unknown", ["releases_required"])
    assert diagnosis.problems[0].message == (
        "this version of cnspec tells nothing without the release site: its name cannot be resolved"
    )
    missed = diagnose(replace(GOOD, releases_reason="proxy_authentication"), BEHIND_PROXY)
    assert (missed.health, missed.problems[0].message) == (
        "ok",
        "cnspec cannot look for updates, the release site is not reached: "
        f"the proxy {PROXY} wants a user and a password that it knows (407)",
    )


def test_a_path_with_a_quote_is_quoted_in_a_command() -> None:
    assert Place(config="/tmp/it's").fix("config_mode") == """Run there: sudo chmod 600 '/tmp/it'"'"'s'"""


TRUTH = st.sampled_from([True, False, None])


@given(
    st.builds(
        Report,
        registered=TRUTH,
        authenticated=TRUTH,
        reachable=TRUTH,
        reason=st.sampled_from([None, "dns", "tls", "timeout", "unauthenticated", "not_found", "new reason"]),
        ping_failed=st.booleans(),
        skew_seconds=st.sampled_from([None, 0.0, 31.0, -1e6]),
        config_problem=st.sampled_from([None, "missing", "unreadable", "malformed", "invalid"]),
    ),
    st.builds(Seen, family=st.sampled_from(FAMILIES), installed=TRUTH, timed_out=st.booleans()),
)
def test_a_host_is_ok_only_when_all_three_facts_are_true_and_sick_only_with_a_problem(
    report: Report, seen: Seen
) -> None:
    diagnosis = diagnose(report, seen)
    if diagnosis.health == "ok":
        assert (report.registered, report.authenticated, report.reachable) == (True, True, True)
    else:
        assert HEALTH[next(code for code in codes(diagnosis) if code in HEALTH)] == diagnosis.health
    if report.authenticated is None:
        assert diagnosis.health != "unauthenticated"
    if report.registered is None:
        assert diagnosis.health != "not_registered"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0 s"), (-40.9, "40 s"), (61, "1 min 1 s"), (259206.2, "72 h 0 min")]
)
def test_a_length_of_time_is_said_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words
