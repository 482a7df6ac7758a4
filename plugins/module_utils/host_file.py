# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at one file: what it is, what is in it, and whether it stands still."""

import errno
import hashlib
import os
import re
import stat
import time
from typing import NamedTuple, Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import from_error

# A config has some 3 KiB; anything beyond this is not one.
SIZE_LIMIT = 1024 * 1024
# cnspec rewrites its config in place (truncate, then write): what was touched this recently may be half written.
RECENT_SECONDS = 10.0
SETTLE_SECONDS = 3.0
PAUSE_SECONDS = 1.0

_KEY_LINE = re.compile(rb"^[A-Za-z_]", re.MULTILINE)


class FileView(NamedTuple):
    """What was seen of a file. `content` and `digest` only for kind `file`; `status` is None when stat failed."""

    path: str
    kind: str
    content: Optional[bytes] = None
    digest: str = ""
    status: Optional[os.stat_result] = None
    problem: Optional[str] = None

    @property
    def exists(self) -> bool:
        """Tell whether something is there; what cannot be looked at is not taken for missing."""
        return self.kind not in ("missing", "relative")


def sha256(content: bytes) -> str:
    """Return the digest of bytes, as the brain knows it."""
    return hashlib.sha256(content).hexdigest()


def read_view(path: str) -> FileView:
    """Look at the file behind `path` once (symlinks followed). Raises nothing for what it may find."""
    if not os.path.isabs(path):
        return FileView(path, "relative")
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return FileView(path, "directory", status=status)
        if not stat.S_ISREG(status.st_mode):
            return FileView(path, "other", status=status)
    except OSError as error:
        kind = "missing" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"
        return FileView(path, kind, problem=from_error(error).cause)
    except ValueError:
        return FileView(path, "unreadable", problem=os.strerror(errno.EINVAL))
    return _read_regular(path, status)


def _read_regular(path: str, status: os.stat_result) -> FileView:
    try:
        # O_NONBLOCK: should a FIFO have taken the file's place since stat, opening it must not hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            content = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        return FileView(path, "unreadable", status=status, problem=from_error(error).cause)
    if len(content) > SIZE_LIMIT:
        return FileView(path, "too_large", status=status)
    return FileView(path, "file", content, sha256(content), status)


def read_settled(path: str) -> FileView:
    """Look at a file; if it may be in the middle of being written, look until two looks agree (at most 3 s more)."""
    view = read_view(path)
    until = time.monotonic() + SETTLE_SECONDS
    while _may_be_half_written(view) and time.monotonic() + PAUSE_SECONDS <= until:
        time.sleep(PAUSE_SECONDS)
        before, view = view, read_view(path)
        if (before.kind, before.digest) == (view.kind, view.digest):
            break
    return view


def _may_be_half_written(view: FileView) -> bool:
    if view.kind == "file":
        content = view.content or b""
        return _is_recent(view.status) and (not _KEY_LINE.search(content) or not content.endswith(b"\n"))
    if view.kind == "missing":
        # A file that is gone leaves its time on the directory.
        try:
            return _is_recent(os.stat(os.path.dirname(view.path)))
        except OSError:
            return False
    return False


def _is_recent(status: Optional[os.stat_result]) -> bool:
    return status is not None and abs(time.time() - status.st_mtime) <= RECENT_SECONDS
