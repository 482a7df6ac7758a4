# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fresh host for each test, and a controller that reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from hosts.host import Host, remove_abandoned
from hosts.image import NoImage, Recipe, made
from hosts.podman import Podman, missing
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


@pytest.fixture(scope="session")
def image(podman: Podman) -> str:
    try:
        return made(podman, Recipe())
    except NoImage as error:
        # Without the network there is none; what is left out is printed with this reason.
        pytest.skip(" ".join(str(error).split())[:300])


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
