# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At the step write: the agent exists, the host does not have it yet. What is not written is unmade again."""

from __future__ import annotations

from .row import WRITE, WRITES, LeftOut, Row
from .sentences import CHANGED_MEANWHILE, NOT_WRITTEN
from .vocabulary import ON_THE_WAY

ROWS = (
    Row(WRITE, "disk full", NOT_WRITTEN.format("No space left on device"), made=1),
    Row(WRITE, "read-only", NOT_WRITTEN.format("Read-only file system"), made=1),
    Row(WRITE, "file changed by someone else", CHANGED_MEANWHILE, host="theirs", made=1),
)

# With `state: absent`, too.
LEFT_OUT = tuple(LeftOut(step, ON_THE_WAY, "the platform is not asked anything during this step") for step in WRITES)
