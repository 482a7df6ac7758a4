# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real squid that wants a password, on the way of the hosts to the platform, and on that of the controller."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
import yaml

from hosts.conftest import image_of
from hosts.controller import Controller, Played
from hosts.host import CONFIG, Host
from hosts.image import FAMILIES
from hosts.podman import Podman
from hosts.services import Proxy, Services
from sandbox import Platform

# What a proxy may be to a host: `gone` was right until it was stopped, at `wrong-port` nobody ever listened.
NAMES = ("right", "wrong-password", "wrong-port", "gone")
WRONG = "canary-swordfish"
VERIFY = "Prove the registration from the host's own view"


@dataclass
class Way:
    """A host for each thing that a proxy may be, the proxies, and what each run of the role gave."""

    hosts: dict[str, Host]
    proxy: Proxy
    gone: Proxy
    controller: Controller
    platform: Platform
    runs: dict[str, dict[str, Played]] = field(default_factory=dict)
    written: dict[str, dict[str, object]] = field(default_factory=dict)
    log: str = ""

    def urls(self) -> dict[str, str]:
        """Return for each host the URL of the proxy that it is given."""
        port, other = f":{self.proxy.port}", f":{self.proxy.port + 7}"
        urls = (self.proxy.url_for(), self.proxy.url_for(password=WRONG), self.proxy.url_for().replace(port, other))
        return dict(zip(NAMES, (*urls, self.gone.url_for()), strict=True))

    def play(self, run: str, *names: str, words: tuple[str, ...] = (), **variables: t.Any) -> None:
        """Run the role, as far as it speaks with the platform, and keep what came of it."""
        steps = {"cnspec_time": False, "cnspec_install": False, "cnspec_service": False}
        given: dict[str, t.Any] = {**steps, "cnspec_token": self.platform.mint_token(), **variables}
        self.runs[run] = self.controller.play(*(self.hosts[name] for name in names), words=words, **given)
        configs = {name: self.hosts[name].try_to(f"cat {CONFIG}").stdout for name in names}
        self.written[run] = {name: (yaml.safe_load(text) or {}).get("api_proxy") for name, text in configs.items()}


@pytest.fixture(scope="module")
def way(lab: Podman, services: Services, platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    image = image_of(lab, FAMILIES["debian-bookworm"])
    with ExitStack() as stack:
        hosts = {name: stack.enter_context(Host(lab, image, name)) for name in NAMES}
        for host in hosts.values():
            host.booted().install_cnspec()
        story = Way(
            hosts, services.proxy(), services.proxy(port=3129), Controller(tmp_path_factory.mktemp("way")), platform
        )
        tell(story)
        yield story


def tell(way: Way) -> None:
    """Register by way of the proxies, again, with another, without; let each controller's proxy be wrong before."""
    for name, url in way.urls().items():
        if name == "gone":
            way.gone.stop()
        if name != "right":
            way.play(f"controller {name}", name, cnspec_controller_proxy=url, cnspec_retries=1, words=("-vvvv",))
    ways = {"cnspec_api_proxy": f"{{{{ {way.urls()!r}[inventory_hostname] }}}}"}
    way.play("all", *NAMES, cnspec_controller_proxy=way.proxy.url_for(), words=("-vvvv", "--diff"), **ways)
    way.log = way.proxy.log()
    way.play("again", "right", cnspec_api_proxy="", words=("--diff",))
    way.gone.start()
    way.play("changed", "right", cnspec_api_proxy=way.gone.url_for(), words=("--diff",))
    way.play("unset", "right", cnspec_unset=["api_proxy"], words=("--diff",))


def test_registering_and_the_agent_go_through_the_proxy_that_they_are_given(way: Way) -> None:
    played = way.runs["all"]["right"]
    assert played.failure == ""
    assert way.written["all"]["right"] == way.proxy.url_for()
    assert played.of(VERIFY)[0]["ansible_facts"]["mondoo"]["registration"]["authenticated"] is True
    # squid notes what it let through: the controller registered all hosts by it, one asked for its own status.
    passed = [line.split()[6] for line in way.log.splitlines() if "/200 " in line]
    assert passed.count(f"{way.platform.url}/AgentManager/RegisterAgent") == len(NAMES)
    assert passed.count(f"{way.platform.url}/AgentManager/PingPong") == len(NAMES) + 1


USER = "wants a user and a password that it knows (407). Give api_proxy a user and a password that the proxy knows: "
REFUSED = "cannot be reached, or refuses. Correct api_proxy with mondoo.fleet.mondoo_registration, or let the proxy "


@pytest.mark.parametrize(
    ("name", "port", "why"),
    [
        ("wrong-password", 3128, USER + "http://USER:PASSWORD@PROXY:PORT."),
        ("wrong-port", 3135, REFUSED + "answer this host."),
        ("gone", 3129, REFUSED + "answer this host."),
    ],
)
def test_a_proxy_that_is_no_good_to_the_agent_is_named_by_the_step_verify(
    way: Way, name: str, port: int, why: str
) -> None:
    assert way.runs["all"][name].failure == (
        f"Cannot confirm what is expected of this host: authenticated is not known: {way.platform.url} is not reached: "
        f"the proxy http://fleet:***@127.0.0.1:{port} {why}"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wrong-password", "the proxy wants a user and a password (407)"),
        ("wrong-port", "the connection was refused"),
        ("gone", "the connection was refused"),
    ],
)
def test_a_proxy_that_is_no_good_to_the_controller_fails_the_host_and_nothing_is_made(
    way: Way, name: str, why: str
) -> None:
    assert way.runs[f"controller {name}"][name].failure == (
        f"Cannot register the agent: the platform was not reached: {why}. Nothing was made; check the way from the "
        "controller to the platform (api_endpoint, controller_proxy, ca_path)."
    )
    assert way.written[f"controller {name}"] == {name: None}


def test_each_host_was_registered_once(way: Way) -> None:
    calls = way.platform.calls(method="RegisterAgent")
    assert sorted(call.host for call in calls) == sorted(NAMES)
    assert all("proxy.lab (squid" in call.via for call in calls)


def test_an_empty_proxy_is_not_given_and_the_one_that_is_there_stays(way: Way) -> None:
    assert way.runs["again"]["right"].changed == []
    assert way.written["again"]["right"] == way.proxy.url_for()


def test_a_proxy_is_changed_and_unset(way: Way) -> None:
    for run, expected in (("changed", way.gone.url_for()), ("unset", None)):
        played = way.runs[run]["right"]
        assert played.changed == ["Register the host with Mondoo Platform"], run
        assert played.failure == ""
        assert way.written[run]["right"] == expected
        assert played.of(VERIFY)[0]["ansible_facts"]["mondoo"]["registration"]["authenticated"] is True


def test_no_password_is_shown_anywhere(way: Way) -> None:
    said = "".join(next(iter(played.values())).said for played in way.runs.values())
    for password in (way.proxy.password, way.gone.password, WRONG):
        assert password not in said
    changed = way.runs["changed"]["right"].said
    assert "-api_proxy: http://fleet:***@127.0.0.1:3128\n+api_proxy: http://fleet:***@127.0.0.1:3129\n" in changed
