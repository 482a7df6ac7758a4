# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why the system refuses something, as a code for programs and words for people. It never quotes a file's content."""

import errno
import os
from typing import Dict, NamedTuple

_CODES = {
    errno.EROFS: "read_only",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EISDIR: "is_directory",
}


class Problem(NamedTuple):
    """What stands in the way: `code` is one of the documented words, `cause` the system's own sentence."""

    code: str
    cause: str

    def to_result(self) -> Dict[str, str]:
        """Return the problem as it stands in the module's result."""
        return {"code": self.code, "cause": self.cause}


class HostProblem(Exception):
    """Carry a problem out of the work that it ended."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.cause)
        self.problem = problem


def from_errno(number: int) -> Problem:
    """Name the problem behind an errno."""
    return Problem(_CODES.get(number, "other"), os.strerror(number))


def from_error(error: OSError) -> Problem:
    """Name the problem behind an OSError; its text may hold anything, its errno does not."""
    if error.errno is None:
        return Problem("other", type(error).__name__)
    return from_errno(error.errno)
