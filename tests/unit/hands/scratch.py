# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scratch directory, and children that can be killed, demoted, or put on a file system of their own."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
import unittest
from typing import Any, Callable, Dict, List, Optional

import ansible_collections

NOBODY = 65534
# The folder that holds ansible_collections (a namespace package: its path is no list on Python 3.6).
COLLECTIONS = os.path.dirname(list(ansible_collections.__path__)[0])

NOT_ROOT = "" if os.geteuid() == 0 else "needs root, to become nobody"


def _can_mount() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("mount"):
        return False
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()]
    return subprocess.call(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


NO_MOUNT = "" if _can_mount() else "needs root that may mount in a namespace of its own (unshare -m)"


class ScratchCase(unittest.TestCase):
    """A test with an empty directory of its own that every user can reach."""

    def setUp(self) -> None:
        self.scratch = os.path.realpath(tempfile.mkdtemp(prefix="hands-"))
        self.addCleanup(shutil.rmtree, self.scratch, True)
        os.chmod(self.scratch, 0o755)
        umask = os.umask(0o022)
        self.addCleanup(os.umask, umask)

    def path(self, *names: str) -> str:
        """Return a path in the scratch directory."""
        return os.path.join(self.scratch, *names)

    def make(self, name: str, content: bytes = b"", mode: int = 0o600) -> str:
        """Make a file (and its parents) and return its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
        os.chmod(path, mode)
        return path

    def files(self, name: str = "") -> List[str]:
        """Return the names in a directory, in order."""
        return sorted(os.listdir(self.path(name) if name else self.scratch))


def read(path: str) -> bytes:
    """Return the content of a file."""
    with open(path, "rb") as stream:
        return stream.read()


def mode_of(path: str) -> int:
    """Return the permission bits of a file (of a link itself)."""
    return stat.S_IMODE(os.lstat(path).st_mode)


class Child:
    """What came of a child: `value` is what its function returned, `signal` what killed it."""

    def __init__(self, value: Any, status: int) -> None:
        self.value = value
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.exit = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None


def start_child(work: Callable[[], Any]) -> "Started":
    """Run `work` in a forked child; what it returns must be JSON."""
    inlet, outlet = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(outlet)
        return Started(pid, inlet)
    code = 1
    try:
        os.close(inlet)
        with os.fdopen(outlet, "w") as stream:
            json.dump({"value": work()}, stream)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Started:
    """A child at work."""

    def __init__(self, pid: int, inlet: int) -> None:
        self.pid, self._inlet = pid, inlet

    def result(self) -> Child:
        """Wait for its end."""
        with os.fdopen(self._inlet, "r") as stream:
            text = stream.read()
        dummy, status = os.waitpid(self.pid, 0)
        return Child(json.loads(text)["value"] if text else None, status)


def in_child(work: Callable[[], Any]) -> Child:
    """Run `work` in a forked child and wait for it."""
    return start_child(work).result()


def as_nobody(work: Callable[[], Any]) -> Any:
    """Return what `work` returns when a user without any rights runs it."""

    def demoted() -> Any:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        return work()

    child = in_child(demoted)
    if child.exit != 0:
        raise AssertionError("the child ended with %r, signal %r" % (child.exit, child.signal))
    return child.value


def in_mounts(setup: str, code: str, *arguments: str) -> Any:
    """Run shell commands, then Python that prints JSON, in a mount namespace that ends with it.

    Both find `arguments`: the shell as "$1", "$2", the Python as `sys.argv[1:]`.
    """
    script = setup + '\nexec "$PYTHON" -c "$CODE" "$@"'
    environment = dict(os.environ, PYTHON=sys.executable, CODE=code, PYTHONPATH=COLLECTIONS)
    output = subprocess.check_output(["unshare", "-m", "sh", "-ec", script, "sh"] + list(arguments), env=environment)
    return json.loads(output.decode())


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not collected yet does not."""
    try:
        with open("/proc/%d/stat" % pid) as stream:
            return stream.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        pass
    if os.path.isdir("/proc/self"):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone_soon(pid: int) -> bool:
    """Tell whether a process has ended or does so within a second (a killed one takes its moment)."""
    until = time.monotonic() + 1
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


class Edge:
    """Stand on the border to the operating system: count each call of some `os` functions, and act at one of them.

    `act` is called with the number of the moment: two for each call, before and after it.
    """

    NAMES = ("open", "fchmod", "fchown", "fsync", "rename", "unlink", "mkdir", "chmod", "listdir", "lseek")

    def __init__(self, act: Optional[Callable[[int], None]] = None) -> None:
        self.moments: List[str] = []
        self._act = act
        self._real: Dict[str, Any] = {}

    def __enter__(self) -> "Edge":
        for name in self.NAMES:
            self._real[name] = getattr(os, name)
            setattr(os, name, self._watched(name))
        return self

    def __exit__(self, *dummy: Any) -> None:
        for name, function in self._real.items():
            setattr(os, name, function)

    def _watched(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*arguments: Any, **named: Any) -> Any:
            self._moment("before " + name)
            result = real(*arguments, **named)
            self._moment("after " + name)
            return result

        return call

    def _moment(self, label: str) -> None:
        self.moments.append(label)
        if self._act is not None:
            self._act(len(self.moments) - 1)


def kill_self_at(moment: int, number: "signal.Signals") -> Callable[[int], None]:
    """Return what sends this process a signal at one moment of an Edge, and impatiently again at all later ones."""

    def act(now: int) -> None:
        if now >= moment:
            os.kill(os.getpid(), number)

    return act
