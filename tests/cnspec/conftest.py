# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform of its own for each test, and one host with a cnspec: of each version, or of one."""

from __future__ import annotations

import os

import pytest

from doubles.fixtures import lab, platform
from doubles.host_cnspec import VERSIONS, HostCnspec
from doubles.lab import Lab

__all__ = ["cnspec", "each", "lab", "nothing_is_left", "platform", "version"]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def each(lab: Lab, version: str) -> HostCnspec:
    return HostCnspec(lab, version)


@pytest.fixture
def cnspec(lab: Lab) -> HostCnspec:
    return HostCnspec(lab, "12.11.0")


def nothing_is_left(lab: Lab) -> None:
    beside = os.listdir(lab.path.parent) if lab.path.parent.is_dir() else []
    assert [name for name in beside if name != "mondoo.yml"] == []
