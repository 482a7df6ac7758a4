# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an output must have for a host to be called ok: a plain search, which shares no line with the parser."""

from __future__ import annotations

import re

# What a terminal does not show. Taken out as often as there is any: pieces may come together.
_UNSEEN = re.compile(
    r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~]?)|[\x00-\x08\x0b-\x1f\x7f\ufeff]"
)
_TEXT = re.compile(r"client is registered")
_TEXT_AUTHENTICATED = re.compile(r"client authenticated successfully")
_DOCUMENT = re.compile(r"""["']?registered["']?\s*:\s*["']?true""")
_SCREEN = re.compile(r"registered\s{2,}[^\n]*authenticated")
REFUSAL = "request permission unauthenticated"


def may_be_ok(stdout: str, stderr: str, rc: int | None) -> bool:
    """Tell whether both marks of success and SERVING are in the output, and nothing that excludes it."""
    if rc not in (None, 0):
        return False
    for text in (f"{stdout}\n{stderr}", _UNSEEN.sub("", f"{stdout}\n{stderr}")):
        by_text = _TEXT.search(text) and _TEXT_AUTHENTICATED.search(text)
        if "SERVING" in text and (by_text or _DOCUMENT.search(text) or _SCREEN.search(text)):
            return True
    return False


def may_be_refused(stdout: str, stderr: str) -> bool:
    """Tell whether the platform's own refusal is in the output."""
    text = f"{stdout}\n{stderr}"
    return REFUSAL in text or REFUSAL in _UNSEEN.sub("", text)
