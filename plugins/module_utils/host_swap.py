# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace or remove a file in one step, if it still is what was seen: readers find the old or the new one, whole."""

import contextlib
import errno
import os
import re
import stat
import time
import uuid
from typing import Callable, Dict, Iterator, NamedTuple, Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.host_directory import locked, make_last, opened
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import SIZE_LIMIT, sha256
from ansible_collections.mondoo.fleet.plugins.module_utils.host_owner import find_ids
from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import (
    HostProblem,
    Problem,
    from_errno,
    from_error,
)

_TEMPORARY = ".%s.%s.fleet-tmp"


class Swap(NamedTuple):
    """What is to be where; `content` None: nothing. `expect_digest`: SHA-256 of what is there now, "" for nothing."""

    path: str
    content: Optional[bytes]
    expect_digest: str
    mode: int = 0o600
    owner: Optional[str] = None
    group: Optional[str] = None
    backup: bool = False
    create_parent: bool = True


class Swapped(NamedTuple):
    """What came of it. `digest` is that of the file as it was left, "" when there is none or it cannot be read."""

    written: bool
    digest: str
    backup_file: Optional[str] = None
    error: Optional[Problem] = None

    def to_result(self) -> Dict[str, object]:
        """Return the outcome as it stands in the module's result."""
        return dict(self._asdict(), error=self.error.to_result() if self.error else None)


class _Ownership(NamedTuple):
    uid: int
    gid: int
    mode: int


# Given the new file under its temporary name and the path it will have: put the security label on it.
Label = Callable[[str, str], None]


class _Job(NamedTuple):
    swap: Swap
    target: str
    owner: _Ownership
    label: Optional[Label]
    alone: bool


def replace_file(swap: Swap, label: Optional[Label] = None) -> Swapped:
    """Do the swap and return what came of it; only what is not the file system's refusal is raised."""
    # The file behind a symlink is replaced, the link stays.
    target = os.path.realpath(swap.path)
    try:
        owner = _Ownership(*find_ids(swap.owner, swap.group), swap.mode)
        create = swap.create_parent and swap.content is not None
        with opened(os.path.dirname(target), create) as directory, locked(directory) as alone:
            return _replace(_Job(swap, target, owner, label, alone))
    except HostProblem as refused:
        return Swapped(False, _digest_or_nothing(target), error=refused.problem)
    except FileNotFoundError as error:
        # Where there is no directory there is no file, and that may be what is wanted.
        return Swapped(False, "", error=None if swap.content is None else from_error(error))
    except OSError as error:
        return Swapped(False, _digest_or_nothing(target), error=from_error(error))


def _replace(job: _Job) -> Swapped:
    wanted = "" if job.swap.content is None else sha256(job.swap.content)
    with _open_current(job.target) as current:
        found = current.digest()
        if found == wanted:
            # What ssh ran twice, or another run did already, is done.
            if current.descriptor is not None:
                _own(current.descriptor, job.owner)
            return Swapped(False, wanted)
        if found != job.swap.expect_digest:
            raise HostProblem(Problem("changed_meanwhile", "the file is not what it was when it was looked at"))
        backup = _put_in_place(job._replace(owner=_kept(job.owner, current.status)), current)
    return Swapped(True, wanted, backup)


class _Current:
    """The file that is there now, open; `descriptor` is None when there is none."""

    def __init__(self, descriptor: Optional[int] = None, status: Optional[os.stat_result] = None) -> None:
        self.descriptor, self.status = descriptor, status

    def read(self) -> bytes:
        """Return the whole content, from the start."""
        if self.descriptor is None:
            return b""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self.descriptor), "rb") as stream:
            return stream.read()

    def digest(self) -> str:
        """Return the digest of what is in the file at this moment."""
        return "" if self.descriptor is None else sha256(self.read())


@contextlib.contextmanager
def _open_current(target: str) -> Iterator[_Current]:
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield _Current()
        return
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise HostProblem(from_errno(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise HostProblem(Problem("other", "not a regular file"))
        if status.st_size > SIZE_LIMIT:
            raise HostProblem(from_errno(errno.EFBIG))
        yield _Current(descriptor, status)
    finally:
        os.close(descriptor)


def _put_in_place(job: _Job, current: _Current) -> Optional[str]:
    """Write the new file beside the old one and rename it over; return the backup's path, if one was asked for."""
    directory, name = os.path.split(job.target)
    if job.alone:
        _sweep(directory, name)
    temporary = os.path.join(directory, _TEMPORARY % (name, uuid.uuid4().hex))
    backup = _backup_name(job.target) if job.swap.backup and current.descriptor is not None else None
    try:
        if job.swap.content is not None:
            _write_new(temporary, job.swap.content, job.owner)
            if job.label is not None:
                job.label(temporary, job.target)
        if backup is not None:
            _back_up(current, backup)
        with _open_current(job.target) as now:
            if now.digest() != job.swap.expect_digest:
                raise HostProblem(Problem("changed_meanwhile", "the file was changed while it was being replaced"))
        if job.swap.content is not None:
            os.rename(temporary, job.target)
        else:
            os.unlink(job.target)
    except BaseException:
        # SystemExit by a signal and the like included: a private key must not lie about. What is in place by now
        # stays, and its backup too.
        done = not _unlink(temporary) if job.swap.content is not None else not os.path.lexists(job.target)
        if backup is not None and not done:
            _unlink(backup)
        raise
    make_last(directory)
    return backup


def _write_new(path: str, content: bytes, owner: _Ownership) -> None:
    """Make a file that nobody else could ever read: 0600 before its first byte, its own mode after its last."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        _own(descriptor, owner)
        os.fsync(descriptor)


def _back_up(current: _Current, backup: str) -> None:
    """Copy what is there now to `backup`, whole or not at all, readable by its owner only."""
    owner = _kept(_Ownership(-1, -1, 0o600), current.status)
    temporary = os.path.join(os.path.dirname(backup), _TEMPORARY % (os.path.basename(backup), uuid.uuid4().hex))
    try:
        _write_new(temporary, current.read(), owner)
        os.rename(temporary, backup)
    except BaseException:
        _unlink(temporary)
        raise


def _backup_name(target: str) -> str:
    """Name a backup as Ansible's own modules do (AnsibleModule.backup_local)."""
    return "%s.%s.%s" % (target, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S~", time.localtime()))


def _sweep(directory: str, name: str) -> None:
    """Remove what a writer killed outright left behind: while we hold the lock, no other temporary file is in use."""
    pattern = re.compile(re.escape("." + name) + r"(\.\d+\.[\d@:~-]+)?\.[0-9a-f]{32}\.fleet-tmp")
    for entry in os.listdir(directory):
        if pattern.fullmatch(entry):
            _unlink(os.path.join(directory, entry))


def _kept(owner: _Ownership, status: Optional[os.stat_result]) -> _Ownership:
    """Return `owner` with the present file's ids where none were given."""
    if status is None:
        return owner
    uid = status.st_uid if owner.uid == -1 else owner.uid
    gid = status.st_gid if owner.gid == -1 else owner.gid
    return owner._replace(uid=uid, gid=gid)


def _own(descriptor: int, owner: _Ownership) -> None:
    """Set owner, group and mode where they differ (what is right already needs no rights to set)."""
    status = os.fstat(descriptor)
    if owner.uid not in (-1, status.st_uid) or owner.gid not in (-1, status.st_gid):
        os.fchown(descriptor, owner.uid, owner.gid)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != owner.mode:
        os.fchmod(descriptor, owner.mode)


def _unlink(path: str) -> bool:
    """Remove a file; tell whether it was there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _digest_or_nothing(target: str) -> str:
    try:
        with _open_current(target) as current:
            return current.digest()
    except (OSError, HostProblem):
        return ""
