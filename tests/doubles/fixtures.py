# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform of its own for each test, and one host: fixtures that a conftest imports to have them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from doubles.lab import Lab
from sandbox import Platform


@pytest.fixture
def platform() -> t.Iterator[Platform]:
    with Platform() as platform:
        yield platform


@pytest.fixture
def lab(platform: Platform, tmp_path: Path) -> Lab:
    return Lab(platform, tmp_path)
