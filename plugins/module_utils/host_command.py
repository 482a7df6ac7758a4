# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command that may hang, print without end, and leave children behind; nothing of it outlives the call."""

import errno
import fnmatch
import os
import selectors
import shutil
import signal
import subprocess
import time
from typing import Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.host_signals import HeldBack

GRACE_SECONDS = 1.0
_TICK_SECONDS = 0.05
# A process in an uninterruptible sleep cannot be killed; we do not wait for it for ever.
_REAP_SECONDS = 5.0
_CHUNK = 65536


class Ran(NamedTuple):
    """What a command did. `found` false: there is no such command; `rc` is None when it did not end by itself."""

    found: bool
    rc: Optional[int] = None
    stdout: str = ""
    stderr: str = ""
    timed_out: bool = False
    truncated: bool = False
    seconds: float = 0.0
    problem: Optional[str] = None


class Program(NamedTuple):
    """A command as found: `path` is None when there is none."""

    path: Optional[str]
    executable: bool = False
    problem: Optional[str] = None


def find_program(name: str, given: str, candidates: List[str]) -> Program:
    """Return the program at `given`; when that is empty, the first of `candidates`, else the one on PATH."""
    if given:
        path = os.path.expandvars(os.path.expanduser(given))
        if not os.path.isabs(path):
            path = shutil.which(path) or path
        return _examine(path)
    seen = [_examine(os.path.expandvars(os.path.expanduser(path))) for path in candidates]
    on_path = shutil.which(name)
    if on_path:
        seen.append(_examine(os.path.abspath(on_path)))
    usable = [program for program in seen if program.executable] + [program for program in seen if program.path]
    return usable[0] if usable else Program(None, problem=os.strerror(errno.ENOENT))


def _examine(path: str) -> Program:
    if not os.path.isabs(path):
        return Program(None, problem="not an absolute path")
    try:
        os.stat(path)
    except OSError as error:
        hidden = error.errno == errno.EACCES
        return Program(path if hidden else None, problem=os.strerror(error.errno or 0))
    if os.path.isdir(path):
        return Program(None, problem=os.strerror(errno.EISDIR))
    if not os.access(path, os.X_OK):
        return Program(path, problem=os.strerror(errno.EACCES))
    return Program(path, executable=True)


def clean_environment(unset: List[str], set_to: Mapping[str, str]) -> Dict[str, str]:
    """Return this process's environment without the names that match a pattern of `unset`, with `set_to` added.

    A proxy variable that is set but empty is left out, too: cnspec takes it for a proxy, and then reaches nothing.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in unset)
        and (value.strip() or not name.upper().endswith("_PROXY"))
    }
    kept.update(set_to)
    return kept


def run_command(argv: List[str], time_limit: float, output_limit: int, environment: Mapping[str, str]) -> Ran:
    """Run `argv` for at most `time_limit` seconds, and keep the first `output_limit` bytes of each stream."""
    started = time.monotonic()
    # A signal that came while Popen is at it would leave behind a process that nobody knows.
    with HeldBack() as held:
        try:
            # AnsibleModule.run_command has no time limit that kills a whole process group, and no bound on the output.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                # A session of its own: one signal reaches the command and all that it started.
                start_new_session=True,
            )
        except OSError as error:
            return _not_started(argv[0], environment, error)
        except ValueError:
            # A NUL byte in an argument or in the environment.
            return Ran(True, problem=os.strerror(errno.EINVAL))
        run = _Run(process, output_limit)
        try:
            held.release()
            run.follow(started + time_limit)
        finally:
            run.end()
    return Ran(
        True,
        rc=None if run.timed_out else process.returncode,
        stdout=run.text("stdout"),
        stderr=run.text("stderr"),
        timed_out=run.timed_out,
        truncated=run.truncated,
        seconds=round(time.monotonic() - started, 3),
    )


def _not_started(name: str, environment: Mapping[str, str], error: OSError) -> Ran:
    # The error alone does not tell: a missing interpreter of a script that is there gives the same as a missing
    # command, and a directory of PATH that may not be entered the same as a command that may not be run.
    if _is_missing(name, environment):
        return Ran(False, problem=os.strerror(errno.ENOENT))
    return Ran(True, problem=os.strerror(error.errno or 0))


def _is_missing(name: str, environment: Mapping[str, str]) -> bool:
    if os.sep not in name:
        return shutil.which(name, path=environment.get("PATH")) is None
    try:
        os.stat(name)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class _Run:
    """Follow one process until it and its streams end, or its time is over."""

    def __init__(self, process: "subprocess.Popen[bytes]", limit: int) -> None:
        self._process, self._limit = process, limit
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._selector = selectors.DefaultSelector()
        self.timed_out = self.truncated = False
        for name in self._kept:
            self._selector.register(getattr(process, name), selectors.EVENT_READ, name)

    def follow(self, deadline: float) -> None:
        """Read until the command and its streams have ended, or the deadline (monotonic seconds) has passed."""
        while not self._has_ended():
            if time.monotonic() >= deadline:
                self.timed_out = True
                self._signal(signal.SIGTERM)
                break
            self._read(deadline)
        # Its children may hold the streams open; what is on its way still gets this long.
        grace = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < grace and (self._selector.get_map() or not self._has_ended()):
            self._read(grace)

    def end(self) -> None:
        """Kill what is left of the group, close the streams, and collect the exit code."""
        # The leader is not waited for before this, so that its number, the group's, belongs to nobody else.
        self._signal(signal.SIGKILL)
        self._selector.close()
        for name in self._kept:
            getattr(self._process, name).close()
        try:
            self._process.wait(_REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self.timed_out = True

    def text(self, name: str) -> str:
        """Return what was kept of a stream."""
        return bytes(self._kept[name]).decode("utf-8", "replace")

    def _read(self, until: float) -> None:
        wait = max(0.0, min(_TICK_SECONDS, until - time.monotonic()))
        if not self._selector.get_map():
            time.sleep(wait)
            return
        for key in [ready[0] for ready in self._selector.select(wait)]:
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                self._selector.unregister(key.fileobj)
                continue
            kept = self._kept[key.data]
            room = self._limit - len(kept)
            kept += chunk[:room]
            self.truncated = self.truncated or len(chunk) > room

    def _has_ended(self) -> bool:
        """Tell whether the command itself has ended."""
        if not hasattr(os, "waitid"):
            # macOS before Python 3.13: this collects the exit code, so the number could in theory be given away.
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except OSError:
            # Nobody is left, or (macOS) only what has ended and was not collected yet.
            return
