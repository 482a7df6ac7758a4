# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package manager's own way to the repository: through a real squid that wants a password, past it, and back."""

from __future__ import annotations

import base64
import contextlib
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hosts.installed import Installed, booted
from hosts.packages import Repository
from hosts.podman import Podman
from hosts.services import Proxy, Services

pytestmark = pytest.mark.slow

OLD, NEW = "12.11.0", "13.0.1"
HOSTS = ("bookworm", "redhat", "suse")
PORT = 3138
REPOSITORY = "Add the repository, or the proxy on the way to it"
# Where a password lies, and what else tells of the proxy.
SECRET = {
    "bookworm": "/etc/apt/auth.conf.d/80mondoo-fleet-proxy.conf",
    "redhat": "/etc/yum.repos.d/mondoo.repo",
    "suse": "/etc/zypp/repos.d/mondoo.repo",
}
FILES = dict.fromkeys(HOSTS, f"cd / && cat {' '.join(SECRET.values())} /etc/apt/apt.conf.d/80mondoo-fleet-proxy")
MODES = {name: f"stat --format %a {path}" for name, path in SECRET.items()}
USER = {
    "bookworm": "apt-cache policy cnspec 2>&1",
    "redhat": "dnf repolist 2>&1",
    "suse": "zypper --non-interactive repos 2>&1",
}


def forms(password: str) -> set[str]:
    """Return what a password may look like: as it is, in a URL, and in base64, wherever it begins there."""
    coded = {base64.b64encode(b" " * before + password.encode())[before + 1 : -4].decode() for before in range(3)}
    return {password, quote(password, safe=""), quote(password, safe=":/"), *coded}


@contextlib.contextmanager
def watched() -> Iterator[set[str]]:
    """Give the arguments of every process that ran meanwhile, as far as it lived for some milliseconds."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(path.read_bytes().decode("utf-8", "replace"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def proxy(services: Services) -> Proxy:
    return services.proxy(port=PORT)


class Story:
    """The runs. `requests`: how many the proxy had let through after each; `files`: what is in the hosts' files."""

    def __init__(self, fleet: Installed, proxy: Proxy, vendor: Repository) -> None:
        self.fleet, self.proxy, self.vendor = fleet, proxy, vendor
        self.requests: dict[str, int] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.modes: dict[str, dict[str, str]] = {}
        self.user: dict[str, str] = {}
        self.arguments: set[str] = set()

    def play(self, run: str, **variables: t.Any) -> None:
        self.fleet.play(run, "-vvvv", "--diff", **variables)
        self.requests[run] = self.proxy.log().count("TCP_MISS")
        self.files[run], self.modes[run] = self.fleet.all(FILES), self.fleet.all(MODES)

    def tell(self) -> None:
        """Take a proxy that is gone, the right one, none in particular, one that refuses, none at all, and past it."""
        gone = self.proxy.url_for().replace(str(PORT), "3139")
        self.play("gone", cnspec_package_proxy=gone)
        with watched() as self.arguments:
            self.play("right", cnspec_package_proxy=self.proxy.url_for(), cnspec_version=OLD)
        asked = {name: f"setpriv --reuid=65534 --clear-groups {line}" for name, line in USER.items()}
        self.user = self.fleet.all(asked)
        self.play("again", cnspec_package_proxy=self.proxy.url_for(), cnspec_version=OLD)
        self.play("kept", cnspec_version=NEW)
        self.play("refused", cnspec_package_proxy=self.proxy.url_for(password=WRONG), cnspec_version=OLD)
        self.play("kept wrong", cnspec_version=OLD)
        self.play("removed", cnspec_package_proxy="none", cnspec_version=OLD)
        past: dict[str, t.Any] = {"cnspec_package_proxy": gone, "cnspec_package_no_proxy": ["127.0.0.0/8"]}
        self.play("past", **past, cnspec_version=NEW)


WRONG = "wrong:p@ssword/of%the#tests"


@pytest.fixture(scope="module")
def story(lab: Podman, proxy: Proxy, vendor: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with booted(lab, tmp_path_factory.mktemp("proxy"), vendor, HOSTS) as fleet:
        story = Story(fleet, proxy, vendor)
        story.tell()
        yield story


def key(vendor: Repository, name: str) -> str:
    return f"{vendor.url}/{'debian' if name == 'bookworm' else 'rpm'}/pubkey.gpg"


@pytest.mark.parametrize("name", HOSTS)
def test_a_proxy_that_is_gone_is_named_in_one_line(story: Story, name: str) -> None:
    assert story.fleet.runs["gone"][name].failure == (
        f"Cannot install the key {key(story.vendor, name)}: it cannot be fetched by way of the proxy "
        "127.0.0.1:3139 ([Errno 111] Connection refused). Check that the host can reach it, or set "
        "cnspec_package_proxy."
    )


@pytest.mark.parametrize("name", HOSTS)
def test_key_and_package_come_through_the_proxy(story: Story, name: str) -> None:
    played = story.fleet.runs["right"][name]
    assert played.failure == "", played.said
    assert story.fleet.versions["right"][name] == OLD
    log = story.proxy.log()
    assert f"GET {key(story.vendor, name)} fleet " in log
    kind = "deb" if name == "bookworm" else "rpm"
    assert [line for line in log.splitlines() if "TCP_MISS/200" in line and line.split()[6].endswith(f".{kind}")]


@pytest.mark.parametrize("name", HOSTS)
def test_only_root_reads_the_password_and_package_managers_still_work_for_users(story: Story, name: str) -> None:
    assert story.modes["right"][name] == "600\n"
    # With dnf and zypper the repository is what they may not read, so they go on without it; zypper says so.
    assert (f"Candidate: {NEW}" if name == "bookworm" else "The system's own packages") in story.user[name]


@pytest.mark.parametrize("name", HOSTS)
def test_a_second_run_changes_nothing_and_sends_nothing(story: Story, name: str) -> None:
    assert (story.fleet.runs["again"][name].changed, story.fleet.asked("again", name)) == ([], [])
    assert story.requests["again"] == story.requests["right"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_proxy_that_nobody_mentions_stays_in_use(story: Story, name: str) -> None:
    assert story.fleet.versions["kept"][name] == NEW
    assert story.files["kept"][name] == story.files["right"][name]
    assert story.requests["kept"] > story.requests["again"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_proxy_that_refuses_the_password_is_named_in_one_line(story: Story, name: str) -> None:
    played = story.fleet.runs["refused"][name]
    assert played.changed == [REPOSITORY]
    assert played.failure == (
        f"Cannot reach the package repository by way of the proxy 127.0.0.1:{PORT}: {key(story.vendor, name)} gives "
        "nothing (the answer is 407 Proxy Authentication Required). "
        "Check cnspec_package_proxy and cnspec_package_no_proxy."
    )
    assert story.fleet.versions["refused"][name] == NEW
    later = story.fleet.runs["kept wrong"][name].failure
    assert later.startswith("Cannot install cnspec: ") and "\n" not in later
    assert later.endswith(
        f". Check the repository and the proxy http://127.0.0.1:{PORT} (cnspec_package_proxy: none removes it), "
        "or set cnspec_install: false."
    )


@pytest.mark.parametrize("name", HOSTS)
def test_the_word_none_removes_the_proxy(story: Story, name: str) -> None:
    played = story.fleet.runs["removed"][name]
    assert played.failure == "", played.said
    assert story.fleet.versions["removed"][name] == OLD
    assert "proxy" not in story.files["removed"][name]
    assert story.modes["removed"][name] == ("" if name == "bookworm" else "644\n")
    assert story.requests["removed"] == story.requests["refused"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_repository_that_no_proxy_names_is_reached_past_it(story: Story, name: str) -> None:
    played = story.fleet.runs["past"][name]
    assert played.failure == "", played.said
    assert story.fleet.versions["past"][name] == NEW
    assert ("DIRECT" if name == "bookworm" else "_none_") in story.files["past"][name]


def test_a_password_is_in_no_output_no_diff_and_no_arguments(story: Story) -> None:
    assert any("ansible" in line for line in story.arguments)
    for password in (story.proxy.password, WRONG):
        for form in forms(password):
            assert [run for run, played in story.fleet.runs.items() if form in played["suse"].said] == []
            assert [line for line in story.arguments if form in line] == []
    said = story.fleet.runs["refused"]["suse"].said
    for line in ("password (hidden, changed)", "proxy_password=(hidden, changed)", "proxypass=(hidden, changed)"):
        assert line in said
