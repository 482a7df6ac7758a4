# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With `method: cnspec` the host's own cnspec asks the platform, and everything else is as with `method: api`."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import Config
from doubles.host_cnspec import VERSIONS, HostCnspec
from doubles.lab import Lab, Result
from sandbox import Platform
from sandbox.proxy import Proxy

from .conftest import nothing_is_left

OTHER = "another-space"
SHOWN = (
    "With method cnspec the registration token stood in the host's process list while cnspec login ran."
    " With credentials, or with method api, it does not."
)
SETTINGS = b"""annotations: {Owner: "Platform Team"}
labels: {site: berlin}
scan_interval: {timer: 60, splay: 15}
log-level: warn
output: yaml
log: {format: json}
unknown: 01234
switch: on
auto_update: false
"""


def test_a_token_registers_once_and_the_second_run_changes_nothing(each: HostCnspec) -> None:
    first = each.must(token=each.lab.token(), name="web1")
    assert (first["changed"], first["action"], first["reason"]) == (True, "register", "not_registered")
    assert (first["verified"], first["api_attempts"], first["warnings"]) == (True, 1, [SHOWN])
    assert each.lab.agents == {first["agent_mrn"]}
    before, asked = each.lab.content, len(each.commands)
    second = each.must(token=each.lab.token())
    assert (second["changed"], second["verified"], second["warnings"]) == (False, True, [])
    assert second["agent_mrn"] == first["agent_mrn"]
    assert (each.lab.content, each.lab.registered()) == (before, 1)
    assert each.commands[asked:] == ["status"]
    nothing_is_left(each.lab)


def test_credentials_make_an_agent_and_stand_in_no_argument(each: HostCnspec) -> None:
    document = each.lab.platform.create_service_account()
    result = each.must(credentials=document, name="web1")
    assert result["agent_mrn"] in each.lab.agents
    assert result["service_account_mrn"] == document["mrn"]
    assert (result["verified"], result["warnings"]) == (True, [])
    assert each.commands == ["login", "status"]
    secrets = [line for line in document["private_key"].splitlines() if "-----" not in line]
    assert secrets and not any(line in each.argv for line in secrets)
    assert each.must(credentials=document)["changed"] is False
    assert each.lab.registered() == 1


def test_credentials_that_are_not_managed_are_proved_and_make_no_agent(cnspec: HostCnspec) -> None:
    result = cnspec.must(credentials=cnspec.lab.platform.create_service_account(), managed=False)
    assert (result["action"], result["agent_mrn"], result["verified"]) == ("adopt", None, True)
    assert (cnspec.commands, cnspec.lab.agents) == (["status"], set())


def test_a_revoked_identity_is_registered_anew_after_two_refusals(each: HostCnspec) -> None:
    old = each.must(token=each.lab.token())
    each.lab.platform.revoke_service_account(old["service_account_mrn"])
    asked = len(each.commands)
    new = each.must(token=each.lab.token())
    assert (new["reason"], new["verified"]) == ("credentials_rejected", True)
    assert new["left_behind"] == [old["agent_mrn"]]
    assert each.commands[asked:] == ["status", "status", "login", "status"]
    assert each.lab.slept[0] >= 5


def test_a_move_unregisters_the_previous_agent_last(each: HostCnspec) -> None:
    each.must(token=each.lab.token(space=OTHER))
    new = each.must(token=each.lab.token(), move=True)
    assert (new["reason"], new["left_behind"], each.lab.agents) == ("wrong_space", [], {new["agent_mrn"]})
    assert new["space_mrn"].endswith("/lunalectric-prod")


def test_a_host_is_made_absent(each: HostCnspec) -> None:
    each.must(token=each.lab.token())
    gone = each.must(state="absent")
    assert (gone["action"], gone["left_behind"], each.lab.agents) == ("unregister", [], set())
    assert each.lab.content is None
    asked = len(each.commands)
    assert each.must(state="absent")["changed"] is False
    assert len(each.commands) == asked


def test_a_managed_agent_is_unregistered_and_the_shared_account_stays(each: HostCnspec) -> None:
    document = each.lab.platform.create_service_account()
    each.must(credentials=document)
    assert each.must(state="absent")["left_behind"] == []
    assert each.lab.agents == set()
    assert [account["mrn"] for account in each.lab.platform.service_accounts()] == [document["mrn"]]


def test_login_takes_nothing_from_the_live_file_and_leaves_nothing_in_it(
    each: HostCnspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONDOO_AUTO_UPDATE", "true")
    monkeypatch.setenv("MONDOO_LOG_LEVEL", "trace")
    each.lab.write(SETTINGS, mode=0o640)
    each.must(token=each.lab.token(), mode="0640")
    lines = (each.lab.content or b"").splitlines()
    kept = {b"unknown: 01234", b"switch: on", b"auto_update: false", b"log-level: warn", b"output: yaml"}
    assert kept <= set(lines)
    names = {str(name.value) for name, dummy in t.cast("t.Any", each.lab.config.root).value}
    given = {"annotations", "labels", "scan_interval", "log-level", "output", "log", "unknown", "switch", "auto_update"}
    identity = {"agent_mrn", "mrn", "private_key", "certificate", "space_mrn", "api_endpoint"}
    assert names == given | identity
    assert b"Platform Team" in (each.lab.content or b"")
    assert stat.S_IMODE(each.lab.path.stat().st_mode) == 0o640
    each.must(token=each.lab.token(), mode="0640")


def test_a_stale_scope_goes_with_the_registration_that_it_belonged_to(cnspec: HostCnspec) -> None:
    old = cnspec.must(token=cnspec.lab.token(space=OTHER))
    cnspec.lab.write((cnspec.lab.content or b"") + f"scope_mrn: {old['space_mrn']}\n".encode())
    new = cnspec.must(token=cnspec.lab.token(), move=True)
    assert (new["space_mrn"], cnspec.lab.config.text("scope_mrn")) == (cnspec.lab.config.text("space_mrn"), None)
    assert cnspec.must(token=cnspec.lab.token())["changed"] is False


def test_every_call_works_on_a_copy_in_a_directory_of_its_own(cnspec: HostCnspec) -> None:
    cnspec.must(token=cnspec.lab.token())
    cnspec.must(token=cnspec.lab.token(space=OTHER), move=True)
    assert {"login", "status", "logout"} == set(cnspec.commands)
    assert str(cnspec.lab.path) not in cnspec.argv.split("\n")
    assert all(place.startswith("drwx------") for place in cnspec.places)
    nothing_is_left(cnspec.lab)


def test_what_the_hosts_environment_says_of_cnspec_does_not_matter(
    cnspec: HostCnspec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shadow = tmp_path / "home" / ".config" / "mondoo" / "mondoo.yml"
    shadow.parent.mkdir(parents=True)
    shadow.write_text("mrn: //another\nagent_mrn: //another\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MONDOO_CONFIG_BASE64", "bXJuOiB4Cg==")
    monkeypatch.setenv("MONDOO_API_PROXY", "")
    monkeypatch.setenv("MONDOO_CONFIG_PATH", "/nowhere.yml")
    monkeypatch.setenv("HTTPS_PROXY", "")
    monkeypatch.setenv("TRACE", "1")
    assert cnspec.must(token=cnspec.lab.token())["verified"] is True
    assert cnspec.must(token=cnspec.lab.token())["changed"] is False
    for environment in cnspec.environments:
        assert environment["MONDOO_AUTO_UPDATE_ENGINE"] == "false"
        assert not {"MONDOO_CONFIG_BASE64", "MONDOO_API_PROXY", "HTTPS_PROXY", "TRACE"} & environment.keys()


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != "7.12.1"])
def test_the_agents_proxy_is_used_and_its_password_is_in_no_argument(lab: Lab, version: str) -> None:
    cnspec = HostCnspec(lab, version)
    with Proxy("ann", "s3cret-of-the-proxy") as proxy:
        result = cnspec.must(token=lab.token(), api_proxy=proxy.url_with_password)
        used = len(proxy.requests)
        assert (result["verified"], used > 1) == (True, True)
        assert cnspec.must()["verified"] is True
        assert len(proxy.requests) > used
        assert lab.config.text("api_proxy") == proxy.url_with_password
    assert "s3cret-of-the-proxy" not in cnspec.argv
    assert "s3cret-of-the-proxy" not in str(result)


def test_a_version_that_knows_no_api_proxy_finds_it_in_its_environment(lab: Lab) -> None:
    cnspec = HostCnspec(lab, "7.12.1")
    cnspec.must(token=lab.token(), api_proxy="http://192.0.2.7:3128")
    assert {environment["HTTPS_PROXY"] for environment in cnspec.environments} == {"http://192.0.2.7:3128"}


def test_a_proxy_that_is_unset_is_not_used_any_more(cnspec: HostCnspec) -> None:
    cnspec.must(token=cnspec.lab.token())
    cnspec.lab.write((cnspec.lab.content or b"") + b"api_proxy: http://127.0.0.1:9\n")
    result = cnspec.must(unset=["api_proxy"])
    assert (result["action"], result["verified"]) == ("configure", True)


def test_check_mode_asks_and_neither_registers_nor_unregisters(cnspec: HostCnspec) -> None:
    lab = cnspec.lab
    foreseen = cnspec.register(check=True, token=lab.token())
    assert (foreseen["changed"], foreseen["reason"], cnspec.commands) == (True, "not_registered", [])
    cnspec.must(token=lab.token(space=OTHER))
    before, agents, asked = lab.content, lab.agents, len(cnspec.commands)
    for given in ({"token": lab.token(), "move": True}, {"state": "absent"}, {}):
        cnspec.register(check=True, **given)
    assert set(cnspec.commands[asked:]) == {"status"}
    assert (lab.content, lab.agents) == (before, agents)
    nothing_is_left(lab)


def test_a_host_without_cnspec_is_told_what_to_do(lab: Lab, tmp_path: Path) -> None:
    result = lab.register(method="cnspec", cnspec_path=str(tmp_path / "no"), token=lab.token())
    assert result["msg"] == (
        "Cannot ask the platform by method cnspec: there is no cnspec on the host. "
        "Install cnspec there, set cnspec_path, or set method: api."
    )
    assert (result["code"], lab.content, lab.registered()) == ("cnspec_missing", None, 0)


def test_a_cnspec_that_may_not_be_run_is_told(cnspec: HostCnspec) -> None:
    cnspec.path.chmod(0o644)
    result = cnspec.register(token=cnspec.lab.token())
    assert result["msg"] == (
        "Cannot ask the platform by method cnspec: the cnspec on the host cannot be run. "
        "Install cnspec there, set cnspec_path, or set method: api."
    )


def test_check_mode_of_a_fresh_host_needs_no_cnspec(lab: Lab, tmp_path: Path) -> None:
    result = lab.register(check=True, method="cnspec", cnspec_path=str(tmp_path / "no"), token=lab.token())
    assert (result["changed"], result["action"]) == (True, "register")


State = t.Callable[[Lab], dict[str, t.Any]]


def fresh(lab: Lab) -> dict[str, t.Any]:
    return {"token": lab.token()}


def managed(lab: Lab) -> dict[str, t.Any]:
    return {"credentials": lab.platform.create_service_account(), "annotations": {"a": "b"}}


def adopted(lab: Lab) -> dict[str, t.Any]:
    return {"credentials": lab.platform.create_service_account(), "managed": False}


def settled(lab: Lab) -> dict[str, t.Any]:
    lab.must(token=lab.token())
    return {"token": lab.token()}


def settings_only(lab: Lab) -> dict[str, t.Any]:
    lab.must(token=lab.token())
    return {"scan_interval": {"timer": 60}, "backup": False}


def elsewhere(lab: Lab) -> dict[str, t.Any]:
    lab.must(token=lab.token(space=OTHER))
    return {"token": lab.token()}


def moved(lab: Lab) -> dict[str, t.Any]:
    return {**elsewhere(lab), "move": True}


def forced(lab: Lab) -> dict[str, t.Any]:
    return {**settled(lab), "force": True}


def revoked(lab: Lab) -> dict[str, t.Any]:
    given = settled(lab)
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    return given


def damaged(lab: Lab) -> dict[str, t.Any]:
    given = settled(lab)
    lab.write((lab.content or b"")[:300])
    return given


def expired(lab: Lab) -> dict[str, t.Any]:
    return {"token": lab.token(lifetime=-60)}


def revoked_token(lab: Lab) -> dict[str, t.Any]:
    token = lab.token()
    lab.platform.revoke_token(token)
    return {"token": token}


def revoked_document(lab: Lab) -> dict[str, t.Any]:
    document = lab.platform.create_service_account()
    lab.must(credentials=document)
    lab.platform.revoke_service_account(document["mrn"])
    return {"credentials": document}


def absent(lab: Lab) -> dict[str, t.Any]:
    lab.must(token=lab.token(), annotations={"a": "b"})
    return {"state": "absent"}


def absent_and_revoked(lab: Lab) -> dict[str, t.Any]:
    return {**revoked(lab), "state": "absent", "token": ""}


def no_identity(lab: Lab) -> dict[str, t.Any]:
    return {}


STATES: list[State] = [
    *(fresh, managed, adopted, settled, settings_only, elsewhere, moved, forced, revoked, damaged),
    *(expired, revoked_token, revoked_document, absent, absent_and_revoked, no_identity),
]
MADE = ("agent_mrn", "service_account_mrn", "config_path", "left_behind", "diff", "api_endpoint")


def comparable(result: Result) -> Result:
    """A result without what is made anew each time."""
    kept = {name: value for name, value in result.items() if name not in MADE}
    kept["left_behind"] = len(result.get("left_behind", []))
    kept["warnings"] = [warning for warning in result.get("warnings", []) if warning != SHOWN]
    return kept | {name: bool(result.get(name)) for name in ("agent_mrn", "service_account_mrn", "diff")}


def keys(config: Config) -> list[str]:
    return [str(name.value) for name, dummy in config.root.value] if config.root is not None else []


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_both_methods_give_the_same_result_and_the_same_file(state: State, tmp_path: Path) -> None:
    seen: list[tuple[Result, list[str], int, int]] = []
    for method in ("api", "cnspec"):
        with Platform() as platform:
            lab = Lab(platform, tmp_path / method)
            cnspec = HostCnspec(lab, "13.0.1")
            given = state(lab)
            lab.slept.clear()
            result = lab.register(method=method, cnspec_path=str(cnspec.path), **given)
            result["msg"] = result.get("msg", "").replace(str(tmp_path / method), "")
            seen.append((comparable(result), keys(lab.config), len(lab.agents), lab.registered()))
    assert seen[0] == seen[1]
