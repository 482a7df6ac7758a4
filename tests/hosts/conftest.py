# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fresh host for each test, and a controller that reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.controller import Controller
from hosts.host import Host, remove_abandoned
from hosts.image import Recipe, made
from hosts.podman import Podman, missing
from sandbox import Platform


@pytest.fixture(scope="session")
def podman() -> Podman:
    lacking = missing()
    if lacking:
        pytest.skip(f"hosts with an init system want {lacking}; sudo sh tests/hosts/setup.sh installs what they are made of")
    found = Podman()
    remove_abandoned(found)
    return found


@pytest.fixture(scope="session")
def image(podman: Podman) -> str:
    return made(podman, Recipe())


@pytest.fixture
def host(podman: Podman, image: str) -> Iterator[Host]:
    """Return a host with cnspec and its service as the package leaves them: neither enabled nor started."""
    with Host(podman, image) as booting:
        host = booting.booted()
        host.install_cnspec()
        yield host


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform() as platform:
        yield platform
