# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform says of an identity: yes, no, or nothing that counts."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    """What the platform says of an identity."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    UNASKED = "unasked"


@dataclass(frozen=True)
class Judgement:
    """The verdict of one PingPong; `cause` says why it is not ACCEPTED. `busy`: the platform says to ask later."""

    verdict: Verdict
    cause: str = ""
    busy: bool = False
