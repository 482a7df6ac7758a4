# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell whether a file could be replaced, without touching anything."""

import errno
import os
import stat
from typing import Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem, from_errno, from_error

MOUNTS = "/proc/self/mountinfo"


def replace_problem(path: str) -> Optional[Problem]:
    """Return what would stand in the way of replacing the file behind `path` (or making it), None for nothing."""
    if not os.path.isabs(path):
        return Problem("other", "not an absolute path")
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except OSError as error:
        return from_error(error)
    if status is not None and not stat.S_ISREG(status.st_mode):
        return from_errno(errno.EISDIR) if stat.S_ISDIR(status.st_mode) else Problem("other", "not a regular file")
    directory = _nearest_directory(os.path.dirname(target))
    problem = _directory_problem(directory)
    if problem is None and status is not None:
        problem = _file_problem(target, status, os.stat(directory))
    return problem


def _nearest_directory(path: str) -> str:
    """Return the first of `path` and its parents that is there (parents that are missing would be made)."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _directory_problem(directory: str) -> Optional[Problem]:
    if not os.path.isdir(directory):
        return from_errno(errno.ENOTDIR)
    try:
        space = os.statvfs(directory)
    except OSError as error:
        return from_error(error)
    if space.f_flag & os.ST_RDONLY:
        return from_errno(errno.EROFS)
    # R_OK too: the directory is opened, for its lock and to make the change last.
    if not _may(directory, os.R_OK | os.W_OK | os.X_OK):
        return from_errno(errno.EACCES)
    is_root = os.geteuid() == 0
    blocks = space.f_bfree if is_root else space.f_bavail
    files = space.f_ffree if is_root else space.f_favail
    # Some file systems (btrfs, FUSE) count no files at all.
    if (space.f_blocks and not blocks) or (space.f_files and not files):
        return from_errno(errno.ENOSPC)
    return None


def _file_problem(target: str, status: os.stat_result, directory: os.stat_result) -> Optional[Problem]:
    user = os.geteuid()
    if user == 0:
        # Root may write any file but an immutable one, and that cannot be replaced either.
        if not _may(target, os.W_OK):
            return from_errno(errno.EPERM)
    else:
        if directory.st_mode & stat.S_ISVTX and user not in (directory.st_uid, status.st_uid):
            return from_errno(errno.EPERM)
        # The new file must have the old one's owner and group, which only root may give away.
        if status.st_uid != user or status.st_gid not in [os.getegid()] + os.getgroups():
            return from_errno(errno.EPERM)
    if _is_mounted(target):
        # A single file mounted into a container can be written to, not replaced.
        return from_errno(errno.EBUSY)
    return None


def _is_mounted(target: str) -> bool:
    try:
        with open(MOUNTS, "rb") as stream:
            points = [line.split()[4] for line in stream if len(line.split()) > 4]
    except OSError:
        return False
    escaped = os.fsencode(target)
    for character in (b"\\", b" ", b"\t", b"\n"):
        escaped = escaped.replace(character, b"\\%03o" % ord(character))
    return escaped in points


def _may(path: str, mode: int) -> bool:
    """Ask the system with the rights that this process really has."""
    effective = os.access in os.supports_effective_ids
    return os.access(path, mode, effective_ids=True) if effective else os.access(path, mode)
