# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at a host, or several: with the hands doubled, and the real parser behind."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils import probe
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import (
    Answer,
    CnspecFile,
    ConfigFile,
    Host,
    Look,
    LookRequest,
    Ran,
    RunRequest,
    System,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.probe import Probe
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"
CONFIG = (
    b"agent_mrn: //a/agents/1\nmrn: //a/serviceaccounts/1\nprivate_key: (hidden)\napi_proxy: http://u:swordfish@p:1\n"
)


def system(**changes: t.Any) -> System:
    values: dict[str, t.Any] = {
        "system": "Linux",
        "hostname": "web01",
        "ip": "192.0.2.2",
        "os_id": "ubuntu",
        "os_like": ("debian",),
        "os_version": "24.04",
        "os_name": "Ubuntu",
        "kernel": "6.8",
        "arch": "x86_64",
        "machine_id": None,
        "python": "3.12",
        "user": "root",
        "uid": 0,
        "init": "systemd",
    }
    return System(**{**values, **changes})


LOOK = Look(
    config=ConfigFile(
        path="/etc/opt/mondoo/mondoo.yml",
        source="default",
        exists=True,
        kind="file",
        symlink_to=None,
        content=CONFIG,
        digest="",
        size=len(CONFIG),
        mode="0600",
        uid=0,
        gid=0,
        owner="root",
        group="root",
        mtime=1.0,
        problem=None,
        writable=True,
        not_writable=None,
    ),
    shadow=None,
    cnspec=CnspecFile("/usr/bin/cnspec", True, None),
    system=system(),
    time=1001.0,
)


def ran(name: str, rc: int = 0) -> Ran:
    stdout, stderr = ((TRANSCRIPTS / name / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr"))
    return Ran(True, rc, stdout, stderr, False, False, 0.1, None)


def answer(status: Ran, look: Look = LOOK) -> Answer:
    return Answer(look, None, {"status": status}, (1000.0, 1002.0))


OK = answer(ran("12.11.0/status-ok.jsonv"))
REVOKED = answer(ran("12.11.0/status-revoked.jsonv", 1))


class Hands:
    """Hands that give prepared answers, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[LookRequest, RunRequest]] = []

    def call(self, *, look: LookRequest, run: RunRequest) -> Answer:
        self.asked.append((look, run))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def result(hands: Hands, **options: t.Any) -> dict[str, t.Any]:
    secrets = Secrets()
    found = Probe(t.cast(Host, hands), {"timeout": 60, "wait": 0, **options}, secrets).result()
    return t.cast("dict[str, t.Any]", secrets.scrub(found))


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make time pass only by sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(probe.time, "sleep", slept.append)
    monkeypatch.setattr(probe.time, "monotonic", lambda: sum(slept))
    return slept


def test_a_fact_costs_one_round_trip() -> None:
    hands = Hands(OK)
    fact = result(hands)["ansible_facts"]["mondoo"]
    assert len(hands.asked) == 1
    assert (fact["health"], fact["config"]["mode"], fact["config"]["exists"]) == ("ok", "0600", True)
    assert fact["clock"]["controller_offset_seconds"] == 0.0


def test_cnspec_is_asked_for_json_and_its_reasons_with_the_config_named_and_a_time_limit() -> None:
    hands = Hands(OK)
    result(hands, timeout=7, config_path="/x/mondoo.yml", cnspec_path="/x/cnspec")
    look, run = hands.asked[0]
    assert run.commands["status"].argv == ("{cnspec}", "status", "--config", "{config}", "-o", "json", "-v")
    assert run.commands["status"].time_limit == 7.0
    assert run.set_env["MONDOO_AUTO_UPDATE_ENGINE"] == "false"
    assert "MONDOO_*" in run.unset_env
    assert (look.config_path, look.cnspec_path, look.read_config) == ("/x/mondoo.yml", "/x/cnspec", "without_keys")


def test_a_fact_never_fails_a_task() -> None:
    for status in (REVOKED, answer(Ran(False, None, "", "", False, False, 0.0, None))):
        assert "failed" not in result(Hands(status))


RELATIVE = "Cannot use config_path: it is not an absolute path. Give an absolute one."


def refusal(hands: Hands, **options: t.Any) -> str:
    with pytest.raises(FleetError) as caught:
        result(hands, **options)
    assert caught.value.code == "config_path"
    return str(caught.value)


def with_config(kind: str, source: str = "option", path: str = "/srv") -> Answer:
    return answer(OK.ran["status"], replace(LOOK, config=replace(LOOK.config, kind=kind, source=source, path=path)))


@pytest.mark.parametrize("path", ["mondoo.yml", "./mondoo.yml", "etc/opt/mondoo/mondoo.yml"])
def test_a_relative_config_path_is_refused_and_cnspec_is_not_run_with_it(path: str) -> None:
    hands = Hands(OK)
    assert refusal(hands, config_path=path, wait=60, expect=["registered"]) == RELATIVE
    assert hands.asked == []


def test_a_config_path_that_its_variables_make_relative_is_refused() -> None:
    assert refusal(Hands(with_config("relative", path="$NOTHING/mondoo.yml")), config_path="$NOTHING/mondoo.yml") == (
        RELATIVE
    )


@pytest.mark.parametrize("path", ["/srv/mondoo.yml", "~/mondoo.yml", "$HOME/mondoo.yml"])
def test_a_config_path_that_the_host_expands_is_the_hosts(path: str) -> None:
    assert "failed" not in result(Hands(OK), config_path=path)


def test_a_directory_in_config_path_is_refused() -> None:
    assert refusal(Hands(with_config("directory")), config_path="/srv") == (
        "Cannot use the config /srv: it is a directory. Give the path of the file in config_path."
    )


def test_a_directory_where_nobody_named_a_file_is_how_the_host_is() -> None:
    found = result(Hands(with_config("directory", "default", "/etc/opt/mondoo/mondoo.yml")))
    assert found["ansible_facts"]["mondoo"]["problems"][0]["code"] == "config_not_a_file"


@pytest.mark.parametrize("kind", ["missing", "unreadable", "too_large", "other"])
def test_what_else_lies_at_config_path_is_how_the_host_is(kind: str) -> None:
    assert "failed" not in result(Hands(with_config(kind)), config_path="/srv/mondoo.yml")


def test_a_missing_cnspec_is_a_health_and_no_error() -> None:
    look = replace(LOOK, cnspec=CnspecFile(None, False, None))
    found = result(Hands(answer(Ran(False, None, "", "", False, False, 0.0, None), look)))
    assert found["ansible_facts"]["mondoo"]["health"] == "not_installed"
    assert found["ansible_facts"]["mondoo"]["cnspec"]["installed"] is False


def test_a_hanging_cnspec_is_unknown_with_a_remedy() -> None:
    found = result(Hands(answer(Ran(True, None, "", "", True, False, 60.0, None))))
    fact = found["ansible_facts"]["mondoo"]
    assert (fact["health"], fact["problems"][0]["code"]) == ("unknown", "status_timed_out")


def test_an_expectation_that_does_not_hold_fails_with_the_fact_beside_it() -> None:
    found = result(Hands(REVOKED), expect=["authenticated"])
    assert (found["failed"], found["code"], found["health"]) == (True, "expectation_failed", "unauthenticated")
    assert found["msg"].startswith("Cannot confirm what is expected of this host: authenticated is false: ")
    assert found["ansible_facts"]["mondoo"]["registration"]["authenticated"] is False


def test_the_password_of_the_proxy_is_nowhere_in_the_result() -> None:
    assert "swordfish" not in str(result(Hands(OK)))
    assert result(Hands(OK))["ansible_facts"]["mondoo"]["config"]["api_proxy"] == "http://u:***@p:1"


def test_waiting_ends_when_the_expectation_holds(naps: list[float]) -> None:
    hands = Hands(REVOKED, REVOKED, OK)
    assert "failed" not in result(hands, expect=["authenticated"], wait=60)
    assert (len(hands.asked), naps) == (3, [5.0, 5.0])


def test_waiting_ends_at_its_time_limit(naps: list[float]) -> None:
    found = result(Hands(REVOKED), expect=["authenticated"], wait=12)
    assert found["failed"]
    assert naps == [5.0, 5.0, 2.0]


def test_without_an_expectation_nobody_waits(naps: list[float]) -> None:
    result(Hands(REVOKED), wait=60)
    assert naps == []


def test_lines_that_are_not_known_make_a_warning() -> None:
    status = ran("12.11.0/status-ok.jsonv")
    found = result(Hands(answer(replace(status, stderr=status.stderr + "! the sky is falling\n"))))
    assert found["warnings"] == ["cnspec said something that is not known here; see ansible_facts.mondoo.unparsed"]
    assert found["ansible_facts"]["mondoo"]["unparsed"] == ["the sky is falling"]


def test_output_that_the_hands_cut_off_proves_nothing() -> None:
    fact = result(Hands(answer(replace(ran("12.11.0/status-ok.jsonv"), truncated=True))))["ansible_facts"]["mondoo"]
    assert fact["registration"]["authenticated"] is None


def test_half_a_service_account_is_seen_in_the_file() -> None:
    for content, health in (
        (b"mrn: //a/serviceaccounts/1\n", "config_invalid"),
        (b"mrn: //a/serviceaccounts/1\nprivate_key: (hidden)\n", "ok"),
        (b"auth: {method: ssh}\nmrn: //a/serviceaccounts/1\n", "ok"),
        (b"{", "config_invalid"),
    ):
        look = replace(LOOK, config=replace(LOOK.config, content=content))
        assert result(Hands(answer(OK.ran["status"], look)))["ansible_facts"]["mondoo"]["health"] == health


@pytest.mark.parametrize(
    ("os_id", "os_like", "package_manager"),
    [("amzn", ("fedora",), "dnf"), ("opensuse-leap", ("suse",), "zypper"), ("linuxmint", ("ubuntu",), "apt-get")],
)
def test_the_remedy_is_that_of_the_family(os_id: str, os_like: tuple[str, ...], package_manager: str) -> None:
    look = replace(LOOK, system=system(os_id=os_id, os_like=os_like), cnspec=CnspecFile(None, False, None))
    fact = result(Hands(answer(Ran(False, None, "", "", False, False, 0.0, None), look)))["ansible_facts"]["mondoo"]
    assert f"sudo {package_manager} install cnspec" in fact["problems"][0]["fix"]
