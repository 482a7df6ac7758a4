# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A row run by a real ansible-playbook, of which a part ends at the step."""

from __future__ import annotations

import contextlib
import signal
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from doubles.lab import Lab, Result
from sandbox import Platform

from .controller import Controller, until
from .ledger import Ledger
from .row import ABSENT, LOOK, REGISTER, WRITES, Found, Row
from .vocabulary import FAULTS, METHODS, OTHER

# Longer than anything here takes; the platform forgets it when it stops.
HELD_SECONDS = 60.0
TASK_SECONDS = 4


@dataclass
class ProcessScene:
    """One host, registered in another space and asked to move; before and after the fault, runs are in this process."""

    row: Row
    folder: Path
    stack: contextlib.ExitStack

    def __post_init__(self) -> None:
        self.platform = self.stack.enter_context(Platform())
        self.lab = Lab(self.platform, self.folder)
        self.lab.path.parent.mkdir(parents=True)
        self.lab.write("kept: by whoever wrote it\n")
        self.what = FAULTS[self.row.fault].special.removeprefix("process ")

    def run(self) -> tuple[Found, dict[str, str]]:
        """Run with the fault, again without it and once more; return what came of it, and names for `expected`."""
        absent = self.row.step in ABSENT
        self.lab.must(token=self.lab.token(**({} if absent else {"space": OTHER})), name="web1")
        ledger = Ledger(self.lab)
        token = self.lab.token(lifetime=9999)
        task = {"state": "absent"} if absent else {"token": token, "move": True, "name": "web1"}
        self.options = {**task, "config_path": str(self.lab.path)}
        kind, dummy, when = self.what.partition(" ")
        result = getattr(self, f"_{kind}")(when)
        self.platform.clear_faults()
        seen = ledger.after(result, METHODS.get(self.row.step), absent=absent, others=kind == "two")
        again, left = ledger.next_runs(**task)
        return Found(**seen, again=again, left=left), ledger.names

    def _controller(self, plan: str = "", connection: str = "local", name: str = "run1") -> Controller:
        return Controller(self.folder / name, self.options, plan, connection)

    @staticmethod
    def _played(controller: Controller) -> Result | None:
        controller.start()
        return controller.wait()

    def _hands(self, when: str) -> Result | None:
        plan = "kill look" if self.row.step == LOOK else f"kill {when} write"
        return self._played(self._controller(plan))

    def _ssh(self, when: str) -> Result | None:
        controller = self._controller("never" if self.row.step == LOOK else when, "ssh")
        controller.settings["ANSIBLE_SSH_RETRIES"] = str(int(when == "again"))
        return self._played(controller)

    def _kill(self, dummy: str) -> Result | None:
        return self._ended(signal.SIGKILL)

    def _term(self, dummy: str) -> Result | None:
        return self._ended(signal.SIGTERM)

    def _ended(self, number: signal.Signals) -> Result | None:
        controller, held = self._held()
        controller.start()
        until(held, f"the step was not reached: {controller.log}")
        controller.end(number)
        controller.let_hands_go()
        return controller.wait()

    def _timeout(self, dummy: str) -> Result | None:
        controller, held = self._held()
        controller.seconds = TASK_SECONDS
        controller.start()
        until(held, f"the step was not reached: {controller.log}")
        if self.row.step in (LOOK, *WRITES):
            # A moment after the task has run out of its time; the hands are not ended by that.
            time.sleep(TASK_SECONDS)
            controller.let_hands_go()
        return controller.wait()

    def _held(self) -> tuple[Controller, t.Callable[[], bool]]:
        """Return a run that stops at the step, and whether it is there."""
        if self.row.step in (LOOK, *WRITES):
            controller = self._controller(f"hold {'look' if self.row.step == LOOK else 'write'}")
            return controller, controller.hands_held
        method = METHODS[self.row.step]
        # A run that is told to stop waits for this answer, which comes a moment after the task ran out of its time.
        waits = self.row.step == REGISTER and self.what != "kill"
        self.platform.fault(method=method, delay=TASK_SECONDS + 2 if waits else HELD_SECONDS, times=1)
        before = len(self.platform.calls())
        return self._controller(), lambda: bool(self.platform.calls(method=method, since=before))

    def _two(self, dummy: str) -> Result | None:
        """Start two runs that both make an agent before either writes; return the result of the one that lost."""
        self.platform.fault(method="RegisterAgent", delay=4.0, times=2)
        controllers = [self._controller(name=f"run{number}") for number in (1, 2)]
        for controller in controllers:
            controller.start()
        results = [controller.wait() for controller in controllers]
        lost = [result for result in results if result is not None and result.get("failed")]
        assert len(lost) == 1, [controller.log for controller in controllers]
        return lost[0]
