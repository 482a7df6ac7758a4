# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a plan, and how the result of the task tells it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .config import DEFAULT_ENDPOINT, Config
from .credentials import certificate_valid_until
from .new_identity import TO_BE_MADE
from .plan import Plan, found_space


@dataclass
class Outcome:
    """What came of a plan; `config` is what the host has now (or, foreseen, would have)."""

    config: Config
    verified: bool | None = None
    cause: str = ""
    foreseen: bool = False
    changed: bool = False
    left_behind: list[str] = field(default_factory=list)
    api_attempts: int = 0
    backup_file: str | None = None
    warnings: list[str] = field(default_factory=list)


def task_result(plan: Plan, outcome: Outcome, config_path: str) -> dict[str, t.Any]:
    """Return the result of a task; only the `diff` is left to who knows what else changes with the file."""
    config = outcome.config
    identity = config.text("mrn")
    certificate = config.text("certificate")
    return {
        "changed": plan.changes,
        "action": plan.action,
        "reason": plan.reason,
        "agent_mrn": config.agent_mrn if config.agent_mrn != TO_BE_MADE else None,
        "service_account_mrn": identity if identity != TO_BE_MADE else None,
        "space_mrn": found_space(config),
        "api_endpoint": (config.text("api_endpoint") or DEFAULT_ENDPOINT) if identity else None,
        "config_path": config_path,
        "verified": outcome.verified,
        "left_behind": outcome.left_behind,
        "api_attempts": outcome.api_attempts,
        "certificate_valid_until": certificate_valid_until(certificate) if certificate else None,
        "backup_file": outcome.backup_file,
        "warnings": outcome.warnings,
    }
