# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which collections a family needs, and whether the controller has them."""

from __future__ import annotations

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.family_collections import installed, problem

MISSING = (
    "Cannot manage packages of this host: the collection community.general, which Suse needs, is not installed on the "
    "controller. Run there: ansible-galaxy collection install community.general."
)


def test_a_missing_collection_is_said_with_the_command_that_installs_it() -> None:
    assert problem("Suse", lambda dummy: False) == MISSING


def test_a_collection_that_is_there_is_no_problem() -> None:
    assert problem("Suse", lambda name: name == "community.general") == ""


@pytest.mark.parametrize("family", ["Debian", "RedHat", "Darwin", "Windows", ""])
def test_a_family_that_ansible_core_has_modules_for_needs_no_collection(family: str) -> None:
    assert problem(family, lambda dummy: False) == ""


def test_this_collection_is_found_and_one_that_nobody_made_is_not() -> None:
    assert installed("mondoo.fleet")
    assert not installed("mondoo.nosuch")
    assert not installed("nosuch.general")
