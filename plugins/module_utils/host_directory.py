# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory that is worked in: made where it is missing, held by one process at a time, flushed to disk."""

import contextlib
import errno
import fcntl
import os
import time
from typing import Iterator, List

from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import HostProblem, Problem

LOCK_SECONDS = 30.0
# The parents that are missing get what the vendor's package gives /etc/opt/mondoo.
PARENT_MODE = 0o755
# Some file systems (NFS without a lock daemon, FUSE) lock no directories; the digest is compared there all the same.
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def opened(path: str, create: bool) -> Iterator[int]:
    """Open the directory, made if that is allowed; one that was made for a write that fails goes again."""
    made: List[str] = []
    try:
        if create:
            _make(path, made)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except BaseException:
        for directory in reversed(made):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        raise


def _make(path: str, made: List[str]) -> None:
    if os.path.isdir(path):
        return
    _make(os.path.dirname(path), made)
    try:
        os.mkdir(path, PARENT_MODE)
    except FileExistsError:
        return
    made.append(path)
    # The umask of whoever runs us does not decide who can reach the config.
    os.chmod(path, PARENT_MODE)


@contextlib.contextmanager
def locked(directory: int) -> Iterator[bool]:
    """Hold the lock of the directory itself, which leaves no file behind and ends with this process.

    Yields False where the file system has no such locks.
    """
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
            break
        except OSError as error:
            if error.errno in _NO_LOCKS:
                held = False
                break
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                raise
            if time.monotonic() > until:
                raise HostProblem(Problem("other", "another process keeps the directory locked")) from None
        time.sleep(0.02)
    yield held


def make_last(directory: str) -> None:
    """Flush the rename to disk. The new file is in place by now, so a refusal changes nothing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
