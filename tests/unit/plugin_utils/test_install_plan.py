# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the step install has to do, from what was seen of a host and what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mondoo.fleet.plugins.module_utils.openpgp_key import read_keys
from ansible_collections.mondoo.fleet.plugins.plugin_utils import package_files as files
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host_records import FileSeen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.install_plan import (
    NOTHING,
    Archive,
    Found,
    Wanted,
    plan,
    repository_files,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_proxy import Proxy, Route
from ansible_collections.mondoo.fleet.plugins.plugin_utils.packages import Package
from unit.hands.test_openpgp_key import OTHER, WANTED, WANTED_FINGERPRINT

URL = "https://releases.mondoo.com"
WANTS = Wanted(url=URL, fingerprint=WANTED_FINGERPRINT)
THERE = Package("cnspec", "13.0.1", False)
FAMILIES = ["Debian", "RedHat", "Suse"]
DEB = Archive("/a/cnspec.deb", "deb", "cnspec", "13.0.1")
LOGIN = Route("proxy", Proxy("http://proxy.example.com:3128", "fleet", "canary"))
LOCKED = files.with_lock("", True)


def found(family: str, package: Package | None = THERE, **more: t.Any) -> Found:
    """Return a host as it is after the step with WANTS, with this package."""
    binary = b"".join(key.packets for key in read_keys(WANTED))
    content = {
        "Debian": {files.KEYRING: binary, files.SOURCES: files.sources(URL).text.encode()},
        "RedHat": {
            files.RPM_KEY: WANTED,
            files.YUM_REPOSITORY: files.yum_repository(URL, Route("kept"), None, "").text.encode(),
        },
        "Suse": {
            files.RPM_KEY: WANTED,
            files.ZYPP_REPOSITORY: files.zypp_repository(URL, Route("kept"), "").text.encode(),
        },
    }[family]
    content.update(more.pop("files", {}))
    given = {
        "family": family,
        "system": family,
        "path": "/usr/bin/cnspec" if package else None,
        "package": package,
        "keys": (WANTED_FINGERPRINT[-8:].lower(),),
        "files": {path: FileSeen("missing" if text is None else "file", text) for path, text in content.items()},
    }
    return Found(**{**given, **more})


def fresh(family: str) -> Found:
    return Found(family, family)


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_done_where_package_key_and_repository_are_as_they_are_to_be(family: str) -> None:
    assert plan(found(family), WANTS) == NOTHING
    pinned = plan(found(family), replace(WANTS, version="13.0.1"))
    assert pinned == {**NOTHING, "version": "13.0.1"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_host_gets_the_key_the_repository_and_the_newest_package(family: str) -> None:
    todo = plan(fresh(family), WANTS)
    assert todo["todo"] is True
    assert (todo["package"], todo["foretold"]) == ("present", "cnspec in the newest version would be installed.")
    assert todo["key"]["fetch"] is True
    assert (todo["sources"] is not None, todo["repository"]) == (family == "Debian", family != "Debian")


def test_the_key_is_text_for_rpm_and_binary_for_apt_and_lies_in_the_folder_of_the_family() -> None:
    keys = {family: plan(fresh(family), WANTS)["key"] for family in FAMILIES}
    assert [(key["path"], key["armored"], key["trust"], key["url"]) for key in keys.values()] == [
        (files.KEYRING, False, False, f"{URL}/debian/pubkey.gpg"),
        (files.RPM_KEY, True, False, f"{URL}/rpm/pubkey.gpg"),
        (files.RPM_KEY, True, True, f"{URL}/rpm/pubkey.gpg"),
    ]
    elsewhere = plan(fresh("Debian"), replace(WANTS, key_url="https://keys.example.com/mondoo.asc"))
    assert elsewhere["key"]["url"] == "https://keys.example.com/mondoo.asc"


@pytest.mark.parametrize("content", [OTHER, WANTED + OTHER, b"", b"damaged"])
@pytest.mark.parametrize("family", FAMILIES)
def test_another_key_or_one_key_too_many_is_replaced(family: str, content: bytes) -> None:
    path = files.KEYRING if family == "Debian" else files.RPM_KEY
    todo = plan(found(family, files={path: content}), WANTS)
    assert todo["key"]["fetch"] is True
    assert (todo["package"], todo["todo"]) == ("", True)


def test_a_key_that_apt_cannot_read_for_its_form_is_replaced() -> None:
    assert plan(found("Debian", files={files.KEYRING: WANTED}), WANTS)["key"]["fetch"] is True


@pytest.mark.parametrize("name", [WANTED_FINGERPRINT[-8:].lower(), WANTED_FINGERPRINT.lower()])
def test_zypper_is_told_of_a_key_that_rpm_does_not_trust_yet_by_whichever_name_rpm_knows_it(name: str) -> None:
    assert plan(found("Suse", keys=("fee1600d", name)), WANTS) == NOTHING
    key = plan(found("Suse", keys=("fee1600d",)), WANTS)["key"]
    assert (key["trust"], key["fetch"]) == (True, False)


def test_the_source_of_the_vendors_installer_goes_because_apt_would_refuse_both() -> None:
    todo = plan(found("Debian", files={files.OLD_SOURCES: b"deb [signed-by=x] y stable main\n"}), WANTS)
    assert todo == {**NOTHING, "todo": True, "obsolete": [files.OLD_SOURCES]}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mirror_is_another_repository_with_a_key_of_its_own_place(family: str) -> None:
    todo = plan(found(family), replace(WANTS, url="https://mirror.example.com/mondoo"))
    assert todo["todo"] and todo["key"] is None
    assert bool(todo["sources"]) is (family == "Debian")
    text = todo["sources"]["content"] if family == "Debian" else ""
    assert family != "Debian" or "URIs: https://mirror.example.com/mondoo/debian/\n" in text


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("version", "way", "foretold"),
    [
        ("13.0.2", "version", "cnspec 13.0.2 would be installed in place of 13.0.1."),
        ("12.11.0", "version", "cnspec 12.11.0 would be installed in place of 13.0.1."),
        ("13.0.10", "version", "cnspec 13.0.10 would be installed in place of 13.0.1."),
        ("13.0.1-1", "", None),
        ("latest", "latest", None),
        ("", "", None),
    ],
)
def test_a_version_is_installed_where_another_is_there(family: str, version: str, way: str, foretold: str) -> None:
    todo = plan(found(family), replace(WANTS, version=version))
    assert (todo["package"], todo["foretold"]) == (way, foretold)
    assert todo["todo"] is bool(way)


def test_the_newest_version_cannot_be_asked_for_before_the_repository_is_known() -> None:
    assert plan(fresh("RedHat"), replace(WANTS, version="latest"))["foretold"] == (
        "cnspec in the newest version would be installed."
    )
    todo = plan(found("Debian", files={files.SOURCES: b""}), replace(WANTS, version="latest"))
    assert todo["foretold"] == "cnspec in the newest version would be installed in place of 13.0.1."


@pytest.mark.parametrize(
    ("held", "hold", "todo"),
    [
        (False, True, "hold"),
        (True, False, "release"),
        (True, True, ""),
        (False, False, ""),
        (True, None, ""),
        (False, None, ""),
    ],
)
def test_apt_holds_or_releases_only_what_differs_and_only_when_asked(held: bool, hold: bool | None, todo: str) -> None:
    planned = plan(found("Debian", replace(THERE, held=held)), replace(WANTS, hold=hold))
    assert planned == {**NOTHING, "todo": bool(todo), "hold": todo}


def test_a_package_that_is_held_stays_so_when_its_version_changes() -> None:
    wanted = replace(WANTS, version="13.0.2")
    assert plan(found("Debian", replace(THERE, held=True)), wanted)["hold"] == "hold"
    todo = plan(found("Suse", files={files.ZYPP_LOCKS: LOCKED.encode()}), wanted)
    assert (todo["hold"], todo["locks"]) == ("hold", {"held": LOCKED, "released": "", "now": True})
    assert plan(found("Suse"), wanted)["hold"] == ""


def test_zypper_holds_or_releases_by_its_locks() -> None:
    todo = plan(found("Suse"), replace(WANTS, hold=True))
    assert (todo["todo"], todo["hold"], todo["locks"]["held"]) == (True, "hold", LOCKED)
    locked = found("Suse", files={files.ZYPP_LOCKS: LOCKED.encode()})
    assert plan(locked, replace(WANTS, hold=True)) == NOTHING
    assert plan(locked, replace(WANTS, hold=False))["hold"] == "release"


def test_dnf_holds_or_releases_by_its_repository() -> None:
    todo = plan(found("RedHat"), replace(WANTS, hold=True))
    assert (todo["todo"], todo["repository"], todo["hold"]) == (True, True, "")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_proxy_makes_the_files_differ_once_and_its_password_is_in_no_plan(family: str) -> None:
    wanted = replace(WANTS, route=LOGIN)
    host = found(family)
    todo = plan(host, wanted)
    assert (todo["repository"], todo["package"]) == (True, "")
    assert todo["reach"] == {
        "url": f"{URL}/{'debian' if family == 'Debian' else 'rpm'}/pubkey.gpg",
        "proxied": True,
    }
    assert "canary" not in repr(todo)
    written = {file.path: file.text.encode() for file in repository_files(host, wanted)}
    again = found(family, files=written)
    assert plan(again, wanted)["todo"] is False
    kept = plan(again, WANTS)
    assert (kept["todo"], kept["kept_proxy"]) == (False, "http://proxy.example.com:3128")
    assert plan(again, replace(WANTS, route=Route("removed")))["repository"] is True


def test_the_key_takes_the_way_of_its_own_host() -> None:
    direct = plan(fresh("Debian"), replace(WANTS, route=LOGIN, key_route=Route("direct")))["key"]
    assert (direct["use_proxy"], direct["proxied"]) == (False, False)
    proxied = plan(fresh("Debian"), replace(WANTS, key_route=LOGIN))["key"]
    assert (proxied["use_proxy"], proxied["proxied"]) == (True, True)


@pytest.mark.parametrize("family", [*FAMILIES, "Darwin", ""])
def test_a_cnspec_that_came_some_other_way_is_left_alone(family: str) -> None:
    assert plan(Found(family, "Some system", path="/opt/cnspec"), replace(WANTS, hold=True)) == NOTHING
    if family in FAMILIES:
        assert plan(Found(family, "x", path="/opt/cnspec"), replace(WANTS, version="13.0.1"))["package"] == "version"


@pytest.mark.parametrize("family", ["", "Darwin", "Windows"])
def test_a_system_whose_packages_nobody_knows_is_refused_in_one_line_where_something_is_to_be_done(family: str) -> None:
    for host, wanted in (
        (Found(family, "Alpine Linux v3.20"), WANTS),
        (Found(family, "Alpine Linux v3.20", path="/usr/bin/cnspec"), replace(WANTS, version="13.0.1")),
    ):
        with pytest.raises(FleetError) as error:
            plan(host, wanted)
        assert str(error.value) == (
            "Cannot install cnspec: mondoo.fleet does not know the packages of this system (Alpine Linux v3.20). "
            "Set cnspec_install: false."
        )


def test_a_file_is_installed_without_a_repository_and_only_where_its_version_is_not_there() -> None:
    wanted = replace(WANTS, archives=(Archive("/a/mql.deb", "deb", "mql", "13.0.9"), DEB))
    assert plan(fresh("Debian"), wanted) == {
        **NOTHING,
        "todo": True,
        "package": "file",
        "version": "13.0.1",
        "foretold": "cnspec 13.0.1 would be installed.",
        "files": ["/a/mql.deb", "/a/cnspec.deb"],
    }
    assert plan(found("Debian"), wanted)["todo"] is False
    assert plan(found("Debian", replace(THERE, version="13.0.0")), wanted)["package"] == "file"
    assert plan(Found("Debian", "x", path="/opt/cnspec"), wanted)["package"] == "file"


def test_of_a_file_whose_version_cannot_be_told_the_package_manager_decides() -> None:
    todo = plan(found("Debian"), replace(WANTS, archives=(replace(DEB, name=None, version=None),)))
    assert (todo["package"], todo["foretold"]) == ("file", "cnspec would be installed in place of 13.0.1.")


def test_a_file_of_another_family_or_of_another_package_is_refused() -> None:
    with pytest.raises(FleetError) as error:
        plan(Found("RedHat", "Rocky Linux 9.5"), replace(WANTS, archives=(DEB,)))
    assert str(error.value) == (
        "Cannot install cnspec: /a/cnspec.deb is no .rpm, which this system (Rocky Linux 9.5) installs. "
        "Set cnspec_package_file for each family."
    )
    with pytest.raises(FleetError) as error:
        plan(fresh("Debian"), replace(WANTS, archives=(replace(DEB, name="mondoo"),)))
    assert str(error.value) == (
        "Cannot install cnspec: cnspec_package_file names the package mondoo, and not cnspec. Add that of cnspec."
    )
