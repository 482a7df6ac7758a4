# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ansible-playbook whose parts can be ended at a step: its own processes, the hands, the connection to them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from doubles.lab import Result
from tooling.paths import COLLECTIONS, ROOT

# Stands in for ssh: the plugin's own code runs, but no daemon is needed. The second time that it runs Python it is the
# write; `plan` says what becomes of that.
SSH = """\
#!/bin/sh
here=${0%/*}
for command in "$@"; do :; done
plan=$(cat "$here/plan")
case $command in
*hands-python*) echo x >> "$here/count" ;;
esac
number=$(cat "$here/count" 2>/dev/null | wc -l)
test "$plan" = never && exit 255
test "$plan" = before -a "$number" -eq 2 && exit 255
test "$plan" = gone -a "$number" -gt 2 && exit 255
/bin/sh -c "$command" > "$here/said"
code=$?
case $plan in
after | again | gone) test "$number" -eq 2 && exit 255 ;;
esac
cat "$here/said"
exit $code
"""
# Read by the Python of the hands when it starts: ends it, or holds it, where the file is put in place or at once.
TRAP = """\
import os, pathlib, signal, time

here = pathlib.Path(os.environ["HANDS_TRAP"])
plan = (here / "plan").read_text()
rename = os.rename


def hold():
    (here / "pid").write_text(str(os.getpid()))
    (here / "held").touch()
    while not (here / "go").exists():
        time.sleep(0.02)


def trapped(source, target):
    if not str(target).endswith("mondoo.yml"):
        return rename(source, target)
    if plan == "hold write":
        hold()
    if plan == "kill before write":
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
    if plan == "kill after write":
        os.kill(os.getpid(), signal.SIGKILL)


os.rename = trapped
if plan == "kill look":
    os.kill(os.getpid(), signal.SIGKILL)
if plan == "hold look":
    hold()
"""


class Controller:
    """Run ansible-playbook in `folder`. `plan` is for the traps: what the hands or the connection do."""

    def __init__(self, folder: Path, options: dict[str, t.Any], plan: str = "", connection: str = "local") -> None:
        self.folder = folder
        folder.mkdir()
        self._write("ssh", SSH)
        self._write("sitecustomize.py", TRAP)
        self._write("hands-python", f'#!/bin/sh\nHANDS_TRAP={folder} PYTHONPATH={folder} exec {sys.executable} "$@"\n')
        self._write("plan", plan)
        self._options, self._connection = options, connection
        self.seconds = 0
        self.settings: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o700)

    def start(self) -> None:
        """Start the run."""
        variables = {
            "ansible_connection": self._connection,
            "ansible_python_interpreter": str(self.folder / "hands-python"),
            "ansible_ssh_executable": str(self.folder / "ssh"),
            "ansible_pipelining": True,
        }
        task = {"mondoo.fleet.mondoo_registration": self._options, "timeout": self.seconds}
        play = {"hosts": "all", "gather_facts": False, "vars": variables, "tasks": [task]}
        # JSON is YAML, too.
        self._write("play.yml", json.dumps([play]))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "demo/callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "host_results",
            "HOST_RESULTS_PATH": str(self.folder / "results"),
            **self.settings,
        }
        command = str(Path(sys.executable).with_name("ansible-playbook"))
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                [command, "-i", "web1,", "play.yml"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> Result | None:
        """Wait until all of it has ended, hands that were held as well; return the result, None when nobody saw one."""
        assert self._process is not None
        self._process.wait(60)
        hands = self.folder / "pid"
        left = [*self._workers, *([int(hands.read_text())] if hands.exists() else [])]
        until(lambda: not any(map(alive, left)), "a worker, or the hands, did not end")
        return self._result()

    _workers: tuple[int, ...] = ()

    def end(self, number: signal.Signals) -> None:
        """Send a signal to the run and its workers, not to the hands, which are on the host."""
        assert self._process is not None
        self._workers = tuple(pid for pid in descendants(self._process.pid) if b"ansible-playbook" in command_line(pid))
        for pid in (self._process.pid, *(self._workers if number is signal.SIGKILL else ())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def hands_held(self) -> bool:
        """Tell whether the hands wait in their trap."""
        return (self.folder / "held").exists()

    def let_hands_go(self) -> None:
        """Let the hands go on."""
        (self.folder / "go").touch()

    @property
    def log(self) -> str:
        """All that ansible-playbook printed."""
        return (self.folder / "log").read_text(errors="replace")

    def _result(self) -> Result | None:
        results = self.folder / "results"
        for line in results.read_text().splitlines() if results.exists() else ():
            record = json.loads(line)
            if "result" in record:
                return {**record["result"], record["state"]: True}
        return None


def until(done: t.Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    """Wait until something is so. Raises AssertionError with `what` when it does not come about."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_line(pid: int) -> bytes:
    """Return the arguments of a process, b"" when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> list[int]:
    """Return the children of a process and theirs."""
    parents: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found = []
    todo = [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found
