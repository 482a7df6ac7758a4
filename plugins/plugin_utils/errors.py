# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one error of the brain: a line that says what could not be done, why, and what to do."""

from __future__ import annotations

from typing import Any


class FleetError(Exception):
    """Say `Cannot <what>: <cause>. <remedy>.` in one line.

    `code` is stable and machine-readable; `detail` lands beside the message in the task's result.
    None of the parts may quote a value that could be a secret.
    """

    def __init__(self, what: str, cause: str, remedy: str, *, code: str, **detail: Any) -> None:
        self.what, self.cause, self.remedy = what, cause.rstrip("."), remedy.rstrip(".")
        self.code = code
        self.detail = detail
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"Cannot {self.what}: {self.cause}. {self.remedy}."
