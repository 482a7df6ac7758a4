# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fresh host for each test, and a controller that reaches it; in a lab, hosts of each family."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from hosts import uml
from hosts.host import Host, remove_abandoned
from hosts.image import FAMILIES, IN_LAB, NoImage, Recipe, made
from hosts.packages import Packages, Repository
from hosts.podman import Podman, missing
from hosts.services import Services
from hosts.uml import UmlHost
from sandbox import Platform


@pytest.fixture(scope="session")
def podman() -> Podman:
    lacking = missing()
    if lacking:
        pytest.skip(
            f"hosts with an init system want {lacking}; sudo sh tests/hosts/setup.sh installs what they are made of"
        )
    found = Podman()
    remove_abandoned(found)
    return found


def image_of(podman: Podman, recipe: Recipe) -> str:
    try:
        return made(podman, recipe)
    except NoImage as error:
        # Without the network there is none; what is left out is printed with this reason.
        pytest.skip(" ".join(str(error).split())[:300])


@pytest.fixture(scope="session")
def image(podman: Podman) -> str:
    return image_of(podman, Recipe())


@pytest.fixture(scope="session")
def lab(podman: Podman) -> Podman:
    """Return podman in a lab, whose network has nothing but what the tests start in it."""
    if IN_LAB not in os.environ:
        pytest.skip("hosts that share servers want a lab: python -m hosts.lab pytest tests/hosts")
    return podman


@pytest.fixture
def boot(lab: Podman) -> Iterator[Callable[..., Host]]:
    """Return what boots a host of a family in the lab: boot("redhat", hostname="web1"). It is gone after the test."""
    with ExitStack() as hosts:

        def booted(family: str, hostname: str = "web1") -> Host:
            return hosts.enter_context(Host(lab, image_of(lab, FAMILIES[family]), hostname)).booted()

        yield booted


@pytest.fixture
def new_clock(lab: Podman) -> Iterator[Callable[..., UmlHost]]:
    """Return what boots a host with a clock of its own: new_clock(1, offset=-60), a minute behind, in network 1."""
    lacking = uml.missing()
    if lacking:
        pytest.skip(f"a host with a clock of its own wants {lacking}; sudo sh tests/hosts/setup.sh installs that")
    image_of(lab, FAMILIES["uml"])
    with ExitStack() as hosts:
        yield lambda number=0, offset=0: hosts.enter_context(UmlHost(lab, "web1", number, offset)).booted()


@pytest.fixture(scope="session")
def services(lab: Podman) -> Iterator[Services]:
    """Return the container of the lab's servers; a test starts those that it wants."""
    image_of(lab, FAMILIES["services"])
    with Services(lab) as services:
        yield services


@pytest.fixture(scope="session")
def packages(services: Services) -> Packages:
    """Return what builds packages and publishes them at http://127.0.0.80."""
    return Packages(services, services.http())


@pytest.fixture(scope="session")
def vendor(packages: Packages) -> Repository:
    """Return a repository with two versions of the agent, signed as the vendor's is."""
    return packages.publish()


@pytest.fixture(scope="session")
def new_host(podman: Podman, image: str) -> Callable[[], AbstractContextManager[Host]]:
    """Return what makes a host with cnspec and its service as the package leaves them: not enabled, not started."""

    @contextmanager
    def made_ready() -> Iterator[Host]:
        with Host(podman, image) as host:
            host.booted()
            host.install_cnspec()
            yield host

    return made_ready


@pytest.fixture
def host(new_host: Callable[[], AbstractContextManager[Host]]) -> Iterator[Host]:
    with new_host() as host:
        yield host


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    with Platform() as platform:
        yield platform
