# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let commands work on a copy of the config, in a directory that only its owner can enter, and that goes afterwards.

cnspec rewrites its config in place (truncate, then write, 0644 where it is new), so it never gets the live one.
"""

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
import uuid
from typing import Callable, Dict, Iterator, NamedTuple, Optional, Tuple, TypeVar

from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import read_view
from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem, from_error

# cnspec tells the format from the name.
COPY = "mondoo.yml"
# A directory is made under the first name and held under the second: what has the second name and nobody holds is
# left from a run that was killed.
_NEW, _HELD, _MARK = ".%s.%s.fleet-new.d", ".%s.%s.fleet-tmp.d", ".%s.%s.fleet-once"
_LEFTOVER = r"\.[0-9a-f]{32}\.fleet-(new\.d|tmp\.d|once)"
# For what nobody can hold: a mark, a directory that is just being made, one on a file system without locks.
ABANDONED_SECONDS = 3600.0

ID = re.compile(r"[0-9a-f]{32}")

T = TypeVar("T")


class Scratch(NamedTuple):
    """What to work on: a copy with this content, beside the file at `path`.

    `once`: an id (32 hexadecimal digits) under which the work is done at most once, however often it is asked for.
    `forget`: such an id that will not be asked for again.
    """

    path: str
    content: bytes = b""
    once: str = ""
    forget: str = ""


class Scratched(NamedTuple):
    """What became of the copy. `done_before`: nothing was run, because it was already, under the same id."""

    content: Optional[bytes] = None
    done_before: bool = False
    error: Optional[Problem] = None

    def to_result(self) -> Dict[str, object]:
        """Return the outcome as it stands in the module's result, but for the content."""
        return {"done_before": self.done_before, "error": self.error.to_result() if self.error else None}


class _DoneBefore(Exception):
    """The work was done, or begun, by another process."""


def work_on_copy(scratch: Scratch, work: Callable[[str], T]) -> Tuple[Scratched, Optional[T]]:
    """Call `work` with the path of the copy; return what became of the copy, and what `work` returned.

    What `work` raises is raised. No copy outlives this call.
    """
    parent, name = _place(scratch)
    forget(scratch)
    with contextlib.ExitStack() as stack:
        try:
            copy = os.path.join(stack.enter_context(_private_directory(parent, name)), COPY)
            _write(copy, scratch.content)
            if scratch.once:
                _mark(os.path.join(parent, _MARK % (name, scratch.once)))
        except _DoneBefore:
            return Scratched(done_before=True), None
        except OSError as error:
            return Scratched(error=from_error(error)), None
        done = work(copy)
        view = read_view(copy)
        if view.content is None:
            return Scratched(error=Problem("other", view.problem or "the copy is no file any more")), done
        return Scratched(view.content), done


def forget(scratch: Scratch) -> None:
    """Remove the mark of the id that will not come again, and what killed runs left behind."""
    parent, name = _place(scratch)
    if scratch.forget:
        _unlink(os.path.join(parent, _MARK % (name, scratch.forget)))
    _sweep(parent, name)


def _place(scratch: Scratch) -> Tuple[str, str]:
    """Return the directory to work in, and the name of the config, which all names there begin with.

    It is the config's own directory if that can be written to, else the system's for temporary files.
    """
    directory, name = os.path.split(os.path.realpath(scratch.path))
    effective = os.access in os.supports_effective_ids
    usable = os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK, effective_ids=effective)
    return directory if usable else tempfile.gettempdir(), name


@contextlib.contextmanager
def _private_directory(parent: str, name: str) -> Iterator[str]:
    """Make a directory that only its owner can enter; it goes at the end of the block, with all that is in it."""
    new = os.path.join(parent, _NEW % (name, uuid.uuid4().hex))
    held = os.path.join(parent, _HELD % (name, uuid.uuid4().hex))
    try:
        os.mkdir(new, 0o700)
        # Open until the end: that is how others see that it is in use. Commands do not inherit it.
        descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with contextlib.suppress(OSError):  # some file systems lock no directories
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(new, held)
            yield held
        finally:
            os.close(descriptor)
    finally:
        _remove(new)
        _remove(held)


def _write(path: str, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        stream.write(content)


def _mark(path: str) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        raise _DoneBefore() from None


def _sweep(parent: str, name: str) -> None:
    """Remove what runs that were killed outright left behind: it may hold a private key."""
    pattern = re.compile(re.escape("." + name) + _LEFTOVER)
    try:
        entries = [entry for entry in os.listdir(parent) if pattern.fullmatch(entry)]
    except OSError:
        return
    for entry in entries:
        path = os.path.join(parent, entry)
        try:
            status = os.lstat(path)
        except OSError:
            continue
        # In a directory that others can write to, too, only what is ours.
        if status.st_uid != os.geteuid():
            continue
        if stat.S_ISREG(status.st_mode) and _is_old(status):
            _unlink(path)
        elif stat.S_ISDIR(status.st_mode) and (_is_old(status) or (entry.endswith("tmp.d") and _is_free(path))):
            _remove(path)


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > ABANDONED_SECONDS


def _is_free(directory: str) -> bool:
    """Tell whether nobody holds a directory; false where the file system cannot tell."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(directory: str) -> None:
    """Remove a directory with all that is in it, also when a signal asks for the end meanwhile."""
    try:
        shutil.rmtree(directory, ignore_errors=True)
    except BaseException:
        # host_signals ignores all but the first, so this comes to its end.
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
