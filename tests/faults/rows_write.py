# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step write: the agent exists, the host does not have it yet. What is not written is unmade again."""

from __future__ import annotations

from .row import WRITE, LeftOut, Row
from .sentences import CHANGED_MEANWHILE, NOT_WRITTEN
from .vocabulary import FAULTS

ROWS = (
    Row(WRITE, "disk full", NOT_WRITTEN.format("No space left on device"), made=1),
    Row(WRITE, "read-only", NOT_WRITTEN.format("Read-only file system"), made=1),
    Row(WRITE, "file changed by someone else", CHANGED_MEANWHILE, host="theirs", made=1),
)

ON_THE_WAY = tuple(name for name, fault in FAULTS.items() if not fault.processes and not fault.place)
LEFT_OUT = (LeftOut(WRITE, ON_THE_WAY, "the platform is not asked anything during this step"),)
