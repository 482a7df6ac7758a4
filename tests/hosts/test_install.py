# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step install with real apt, dnf and zypper, through runs that follow each other."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.installed import HOSTS, RPM, Installed, booted, by_host
from hosts.packages import Packages, Repository
from hosts.podman import Podman
from sandbox import Platform

# Left out of make test; make hosts runs it.
pytestmark = pytest.mark.slow

OLD, NEW = "12.11.0", "13.0.1"
DEBIAN = tuple(name for name in HOSTS if name not in RPM)
# One of each package manager, for the runs where the release of Debian makes no difference.
MAIN = ("bookworm", *RPM)

KEY, SOURCE = "Install the key of the package repository", "Add the package source"
REPOSITORY, TRUST = "Add the repository, or the proxy on the way to it", "Let zypper trust the key"
INSTALL, HOLD = "Install cnspec", "Hold the package, or release it"
REMOVE, RELEASE = "Remove the source that the vendor's installer wrote", "Release the package while its version changes"
REGISTER, SERVICE = "Register the host with Mondoo Platform", "Enable and start the agent's service"
PREPARED = {
    **dict.fromkeys(DEBIAN, [KEY, SOURCE]),
    "bookworm": [KEY, REMOVE, SOURCE],
    "redhat": [KEY, REPOSITORY],
    "suse": [KEY, REPOSITORY, TRUST],
}

# As the vendor's installer leaves it; apt refuses it beside another key for the same source.
OLD_LIST = "/etc/apt/sources.list.d/mondoo.list"
OLD_SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {url}/debian/ stable main\n"
OURS = dict.fromkeys(HOSTS, "find /etc /usr/share/keyrings /usr/bin -iname '*mondoo*' -o -name 'cnspec*'")
UPGRADE = {
    **dict.fromkeys(DEBIAN, "apt-get upgrade -q -y"),
    "redhat": "dnf upgrade -q -y --refresh",
    "suse": "zypper --non-interactive update",
}
HELD = {
    **dict.fromkeys(DEBIAN, "apt-mark showhold"),
    "redhat": "grep ^exclude= /etc/yum.repos.d/mondoo.repo",
    "suse": "grep solvable_name: /etc/zypp/locks",
}
REFUSED = {
    "bullseye": "The following signatures couldn't be verified because the public key is not available",
    "bookworm": "The following signatures couldn't be verified because the public key is not available",
    "trixie": "Missing key",
    "redhat": "Failed to validate GPG signature for cnspec",
    "suse": "Signature verification failed",
}


@pytest.fixture(scope="module")
def fleet(
    lab: Podman, packages: Packages, vendor: Repository, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    with booted(lab, tmp_path_factory.mktemp("install"), vendor, HOSTS) as fleet:
        fleet.hosts["bookworm"].write(OLD_LIST, OLD_SOURCE.format(url=vendor.url))
        tell(fleet, packages, platform, tmp_path_factory.mktemp("packages"))
        yield fleet


def tell(fleet: Installed, packages: Packages, platform: Platform, folder: Path) -> None:
    """Run the role in check mode, for real, again, with other pins; then the step with what is newest, and refused."""
    mirror, forged = packages.publish(name="mirror", key="mirror"), packages.forged()
    elsewhere: dict[str, t.Any] = {
        "cnspec_package_url": mirror.url,
        "cnspec_package_key_fingerprint": mirror.fingerprint,
    }
    role: dict[str, t.Any] = {"tasks_from": "main", "cnspec_token": platform.mint_token(), "cnspec_time": False}
    pinned: dict[str, t.Any] = {**role, "cnspec_version": OLD, "cnspec_hold": True}
    fleet.versions["nothing"] = fleet.all(OURS)
    fleet.play("check", "--check", "--diff", **pinned)
    fleet.play("wrong key", only=("bookworm", "redhat"), cnspec_package_key_fingerprint=mirror.fingerprint)
    fleet.versions["still nothing"] = fleet.all(OURS)
    fleet.play("first", **pinned)
    fleet.play("again", **pinned)
    fleet.versions["upgrade"] = fleet.all(UPGRADE)
    fleet.play("upgraded", **{**pinned, "cnspec_version": NEW})
    fleet.versions["held"] = fleet.all(HELD)
    fleet.play("foreseen", "--check", only=MAIN, cnspec_version=OLD, cnspec_hold=False)
    fleet.play("downgraded", only=MAIN, cnspec_version=OLD, cnspec_hold=False)
    fleet.versions["released"] = fleet.all(HELD)
    fleet.play("latest", only=MAIN, cnspec_version="latest")
    fleet.play("latest again", "--check", only=MAIN, cnspec_version="latest")
    fleet.play("mirror", only=MAIN, cnspec_version=OLD, **t.cast("t.Any", elsewhere))
    files = {name: str(unsigned(packages, "deb" if name in DEBIAN else "rpm", folder)) for name in MAIN}
    for run, words in (("file foreseen", ["--check"]), ("file", []), ("file again", [])):
        fleet.play(run, *words, only=MAIN, cnspec_package_file=by_host(files))
    fleet.versions["left"] = fleet.all(dict.fromkeys(MAIN, "ls -d /tmp/*.cnspec"), MAIN)
    fleet.play("forged", cnspec_package_url=forged.url, cnspec_version=OLD)


def unsigned(packages: Packages, kind: str, folder: Path) -> Path:
    """Copy a package, as it is before a repository signs it, and return its path in `folder`."""
    host = packages.services.host
    found = host.run(f"ls /srv/packages/{kind}/cnspec?{NEW}*").strip()
    host.podman.run("cp", f"{host.name}:{found}", folder)
    return folder / found.rpartition("/")[2]


@pytest.mark.parametrize("name", HOSTS)
def test_check_mode_on_a_fresh_host_says_what_would_be_done_shows_it_and_does_nothing(
    fleet: Installed, vendor: Repository, name: str
) -> None:
    played = fleet.runs["check"][name]
    assert played.failure == "", played.said
    told = [task for task in PREPARED[name] if task != TRUST]
    assert played.changed[: len(told) + 1] == [*told, "Say which package would be installed"]
    assert played.of("Say which package")[0]["msg"] == f"cnspec {OLD} would be installed."
    assert f"URIs: {vendor.url}/debian/" in played.said and f"+baseurl={vendor.url}/rpm/$basearch/" in played.said
    assert fleet.versions["still nothing"] == fleet.versions["nothing"]


@pytest.mark.parametrize("name", ["bookworm", "redhat"])
def test_a_key_of_another_fingerprint_is_refused_in_one_line(
    fleet: Installed, packages: Packages, vendor: Repository, name: str
) -> None:
    url = f"{vendor.url}/{'debian' if name == 'bookworm' else 'rpm'}/pubkey.gpg"
    assert fleet.runs["wrong key"][name].failure == (
        f"Cannot install the key {url}: its fingerprint is {vendor.fingerprint}, "
        f"not {packages.fingerprint('mirror')}. Ask whoever runs the repository, and set "
        "cnspec_package_key_fingerprint only if that is its new key."
    )


@pytest.mark.parametrize("name", HOSTS)
def test_a_fresh_host_gets_the_key_the_repository_and_the_pinned_package_which_is_held(
    fleet: Installed, name: str
) -> None:
    played = fleet.runs["first"][name]
    assert played.failure == "", played.said
    held = [] if name == "redhat" else [HOLD]
    assert played.changed == [*PREPARED[name], INSTALL, *held, REGISTER, SERVICE]
    assert fleet.versions["first"][name] == OLD


@pytest.mark.parametrize("name", HOSTS)
def test_a_second_run_changes_nothing_and_asks_no_package_manager(fleet: Installed, name: str) -> None:
    played = fleet.runs["again"][name]
    assert (played.changed, played.failure, fleet.asked("again", name)) == ([], "", [])
    assert {"ansible.builtin.copy", "ansible.builtin.file"}.isdisjoint(task["action"] for task in played.tasks)


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_held_stays_when_all_is_upgraded_and_follows_its_pin(fleet: Installed, name: str) -> None:
    assert fleet.versions["again"][name] == OLD
    played = fleet.runs["upgraded"][name]
    assert played.failure == "", played.said
    assert INSTALL in played.changed
    assert fleet.versions["upgraded"][name] == NEW
    assert "cnspec\n" in fleet.versions["held"][name]
    assert name not in MAIN or fleet.versions["released"][name] == ""


@pytest.mark.parametrize("name", HOSTS)
def test_an_upgrade_of_the_package_does_not_register_the_host_again(
    fleet: Installed, platform: Platform, name: str
) -> None:
    first, upgraded = (fleet.runs[run][name].of(REGISTER)[0]["agent_mrn"] for run in ("first", "upgraded"))
    assert first == upgraded
    assert len(platform.calls("RegisterAgent", host=name)) == 1


@pytest.mark.parametrize("name", MAIN)
def test_a_pin_below_what_is_there_downgrades_and_what_was_held_is_released(fleet: Installed, name: str) -> None:
    foreseen, played = fleet.runs["foreseen"][name], fleet.runs["downgraded"][name]
    assert foreseen.of("Say which package")[0]["msg"] == f"cnspec {OLD} would be installed in place of {NEW}."
    assert played.failure == "", played.said
    assert INSTALL in played.changed
    assert fleet.versions["downgraded"][name] == OLD
    assert fleet.versions["latest"][name] == NEW


@pytest.mark.parametrize("name", MAIN)
def test_the_newest_version_is_asked_for_every_time_and_changes_only_what_is_older(fleet: Installed, name: str) -> None:
    assert fleet.runs["latest"][name].changed == [INSTALL]
    again = fleet.runs["latest again"][name]
    assert (again.changed, again.failure) == ([], "")
    assert len(fleet.asked("latest again", name)) == 1


@pytest.mark.parametrize("name", MAIN)
def test_a_mirror_has_its_own_address_and_key(fleet: Installed, name: str) -> None:
    played = fleet.runs["mirror"][name]
    assert played.failure == "", played.said
    assert played.changed == [*(task for task in PREPARED[name] if task != REMOVE), INSTALL]
    assert fleet.versions["mirror"][name] == OLD


@pytest.mark.parametrize("name", MAIN)
def test_a_file_is_installed_from_the_controller_once_and_no_copy_of_it_is_left(fleet: Installed, name: str) -> None:
    told = fleet.runs["file foreseen"][name]
    assert told.of("Say which package")[0]["msg"] == f"cnspec {NEW} would be installed in place of {OLD}."
    played, again = fleet.runs["file"][name], fleet.runs["file again"][name]
    assert played.failure == "", played.said
    assert played.changed == ["Install cnspec from a file"]
    assert (fleet.versions["file"][name], fleet.versions["left"][name]) == (NEW, "")
    assert (again.changed, fleet.asked("file again", name)) == ([], [])


@pytest.mark.parametrize("name", HOSTS)
def test_what_a_stranger_has_signed_is_refused_in_one_line_with_the_right_key_in_place(
    fleet: Installed, name: str
) -> None:
    failure = fleet.runs["forged"][name].failure
    assert failure.startswith("Cannot install cnspec: ") and REFUSED[name] in failure and "\n" not in failure
    assert failure.endswith(". Check the repository, or set cnspec_install: false.")
    assert fleet.versions["forged"][name] == NEW
