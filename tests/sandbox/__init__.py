# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Mondoo Platform on loopback: the part that agents use, for tests, demos and trying out playbooks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .faults import Fault
    from .ledger import Call
    from .proxy import Proxy
    from .remote import Remote
    from .server import Platform
    from .tokens import sign_call

__all__ = ["Call", "Fault", "Platform", "Proxy", "Remote", "sign_call"]
_HOMES = {
    "Call": "ledger",
    "Fault": "faults",
    "Platform": "server",
    "Proxy": "proxy",
    "Remote": "remote",
    "sign_call": "tokens",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: whoever needs one module of this package does not pay for the others.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
