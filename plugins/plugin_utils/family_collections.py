# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collections beside ansible-core that the hosts of one family need, and whether the controller has them."""

from __future__ import annotations

import importlib.util
import typing as t

from .errors import FleetError

# ansible-core itself has no module for zypper.
NEEDED = {"Suse": "community.general"}


def installed(collection: str) -> bool:
    """Tell whether Ansible finds a collection on the controller."""
    try:
        return importlib.util.find_spec(f"ansible_collections.{collection}") is not None
    except ModuleNotFoundError:
        return False  # nothing of that namespace is installed


def problem(family: str, is_installed: t.Callable[[str], bool] = installed) -> str:
    """Return why packages of a family cannot be managed from here; an empty text where they can.

    It has to be known before a file is included that names such a module: that would end the play for every host.
    """
    collection = NEEDED.get(family)
    if collection is None or is_installed(collection):
        return ""
    cause = f"the collection {collection}, which {family} needs, is not installed on the controller"
    remedy = f"Run there: ansible-galaxy collection install {collection}"
    return str(FleetError("manage packages of this host", cause, remedy, code="collection_missing"))
