# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run of Ansible gives each task: its edges, and what the host is among the others."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .config import DEFAULT_ENDPOINT
from .credentials import ServiceAccount
from .host import Host
from .platform import Clock, PlatformCalls
from .run_folder import RunFolder
from .secrets import Secrets


@dataclass(frozen=True)
class Run:
    """The edges of a task (host, platform, clock), and what this host is among the others of the run."""

    host: Host
    platform_at: t.Callable[[str], PlatformCalls]
    clock: Clock
    folder: RunFolder
    secrets: Secrets
    host_name: str
    fleet_size: int
    check_mode: bool
    diff_mode: bool

    def platform_of(self, account: ServiceAccount) -> PlatformCalls:
        """Return the platform where an identity belongs: by its own file, never by an option or a token."""
        return self.platform_at(account.api_endpoint or DEFAULT_ENDPOINT)
