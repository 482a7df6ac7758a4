# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A row run in this process: the real brain, hands and HTTP client against a sandbox, and sleep that takes no time."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from doubles.lab import Lab
from doubles.servers import free_port
from sandbox import Platform, Proxy

from .ledger import Ledger
from .process_scene import ProcessScene
from .row import ABSENT, ABSENT_UNREGISTER, LOOK, PING, REGISTER, UNREGISTER, WRITES, Found, Row
from .vocabulary import FAULTS, METHODS, OTHER, Fault

# The call right before a step, after which the connection is made anew.
BEFORE = {PING: "RegisterAgent", UNREGISTER: "PingPong", ABSENT_UNREGISTER: "PingPong"}
# What every config of the table has besides: nobody mentions it, so it must be there whatever happens.
KEPT = "kept: by whoever wrote it\n"


class NotHere(Exception):
    """Say why a row cannot be run on this machine."""


@dataclass
class Scene:
    """One host, registered before anything goes wrong; `run` makes the fault and tells what came of it.

    At the step look it is well registered, so that one PingPong is all that there is to do, and before `state: absent`.
    At the others it is registered in another space and asked to move, which takes every step.
    """

    row: Row
    folder: Path
    stack: contextlib.ExitStack
    fault: Fault = field(init=False)
    platform: Platform = field(init=False)
    lab: Lab = field(init=False)
    options: dict[str, t.Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fault = FAULTS[self.row.fault]
        tls = bool(self.fault.broken or self.fault.tunnel)
        self.platform = self.stack.enter_context(Platform(tls=tls))
        self.lab = Lab(self.platform, self.folder)
        self.lab.longest_call = 0.5
        self.lab.path.parent.mkdir(parents=True)
        self.lab.write(KEPT)
        if self.platform.ca:
            self.options["ca_path"] = self.platform.ca

    def run(self) -> tuple[Found, dict[str, str]]:
        """Run with the fault, again without it and once more; return what came of it, and names for `expected`."""
        stays = self.row.step in ABSENT or (self.row.step == LOOK and not self.fault.place)
        self._register(space=None if stays else OTHER)
        ledger = Ledger(self.lab)
        self.platform.clock_offset = self.fault.platform_clock
        task = {**self._task(), **self.options}
        with contextlib.ExitStack() as undo:
            options = self._arrange(undo)
            result = self.lab.register(**{**task, **options})
            self.lab.clock_error = 0.0
        self._mend()
        seen = ledger.after(result, METHODS.get(self.row.step), absent=self.row.step in ABSENT)
        again, left = ledger.next_runs(**task)
        return Found(**seen, again=again, left=left), ledger.names

    def _register(self, space: str | None) -> None:
        claims = {} if space is None else {"space": space}
        self.lab.must(token=self.lab.token(**claims), **self.options)
        self.lab.slept.clear()

    def _task(self) -> dict[str, t.Any]:
        if self.row.step in ABSENT:
            return {"state": "absent"}
        if self.row.asked == "credentials":
            return {"credentials": self.platform.create_service_account(), "move": True}
        return {"token": self.lab.token(lifetime=9999), "move": True}

    def _mend(self) -> None:
        self.platform.clear_faults()
        self.platform.clock_offset = 0.0
        self.lab.host.before_write = lambda: None

    def _arrange(self, undo: contextlib.ExitStack) -> dict[str, t.Any]:
        """Make the fault; return the options that it takes."""
        fault, method = self.fault, METHODS.get(self.row.step)
        self.lab.clock_error = fault.clock
        if fault.call:
            call = {name: self._other(undo) if value == "{other}" else value for name, value in fault.call.items()}
            self.platform.fault(method=method, **call)
        if fault.broken:
            self._connect_anew()
            self.platform.break_connections(fault.broken, skip=int(self.row.step in BEFORE))
        if fault.tunnel or fault.proxy:
            return self._behind_proxy(undo, {**fault.tunnel, **fault.proxy})
        if fault.place:
            at = getattr(self, f"_{fault.place}")
            if self.row.step in WRITES:
                self.lab.host.before_write = lambda: at(undo)
            else:
                at(undo)
        return getattr(self, f"_{fault.special}")(undo) if fault.special else {}

    def _connect_anew(self) -> None:
        if self.row.step in BEFORE:
            self.platform.fault(method=BEFORE[self.row.step], headers={"Connection": "close"})

    def _behind_proxy(self, undo: contextlib.ExitStack, answer: dict[str, t.Any]) -> dict[str, t.Any]:
        proxy = undo.enter_context(Proxy())
        earlier = 1 if self.fault.tunnel else {UNREGISTER: 2}.get(self.row.step, 1)
        self._connect_anew()
        proxy.fault(skip=earlier if self.row.step in BEFORE else 0, **answer)
        return {"controller_proxy": proxy.url}

    def _other(self, undo: contextlib.ExitStack) -> str:
        """Return the URL of another host, which must not be asked anything."""
        other = undo.enter_context(Platform())
        undo.callback(lambda: self._must_be_silent(other))
        return f"{other.url}/AgentManager/{METHODS[self.row.step]}"

    @staticmethod
    def _must_be_silent(other: Platform) -> None:
        assert other.calls() == [], "the redirect was followed"

    def _gone(self, dummy: contextlib.ExitStack) -> dict[str, t.Any]:
        self.platform.delete_agent(str(self.lab.config.agent_mrn))
        return {}

    def _netrc(self, undo: contextlib.ExitStack) -> dict[str, t.Any]:
        home = self.folder / "home"
        home.mkdir()
        netrc = home / ".netrc"
        netrc.touch(mode=0o600)
        netrc.write_text("machine 127.0.0.1 login somebody password of-somebody\n")
        undo.enter_context(mock.patch.dict(os.environ, {"HOME": str(home), "NETRC": str(netrc)}))
        return {}

    def _no_proxy(self, dummy: contextlib.ExitStack) -> dict[str, t.Any]:
        return {"controller_proxy": f"http://127.0.0.1:{free_port()}"}

    def _no_name(self, undo: contextlib.ExitStack) -> dict[str, t.Any]:
        """Let the platform have a name that nobody knows where the step asks for it."""
        nowhere = "https://platform.invalid"
        if self.row.step == REGISTER:
            return {"api_endpoint": nowhere}
        before = self.lab.content or b""
        self.lab.write(before.replace(self.platform.url.encode(), nowhere.encode()))
        renamed = self.lab.content

        def name_back() -> None:
            if self.lab.content == renamed:
                self.lab.write(before)

        undo.callback(name_back)
        return {}

    def _full(self, undo: contextlib.ExitStack) -> None:
        folder = self._own_disk(undo)
        with contextlib.suppress(OSError), open(folder / "filler", "wb") as filler:
            while True:
                filler.write(b"x" * 4096)
                filler.flush()

    def _read_only(self, undo: contextlib.ExitStack) -> None:
        self._mount("-o", "remount,ro", str(self._own_disk(undo)))

    def _changed(self, dummy: contextlib.ExitStack) -> None:
        self.lab.write((self.lab.content or b"") + b"theirs: true\n")

    def _own_disk(self, undo: contextlib.ExitStack) -> Path:
        """Put the config's folder on a small file system of its own, until the fault is over."""
        folder = self.lab.path.parent
        content = self.lab.content
        self._mount("-t", "tmpfs", "-o", "size=32k,mode=0755", "tmpfs", str(folder))

        def take_away() -> None:
            left = self.lab.content
            subprocess.run(["umount", str(folder)], check=True)
            assert left is not None
            self.lab.write(left)

        undo.callback(take_away)
        self.lab.write(content or b"")
        return folder

    @staticmethod
    def _mount(*options: str) -> None:
        if os.geteuid() != 0 or not shutil.which("mount"):
            raise NotHere("a file system of its own takes root")
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotHere(f"a file system of its own cannot be mounted here ({' '.join(done.stderr.split())})")


def play(row: Row) -> tuple[Found, dict[str, str]]:
    """Run one row; raise NotHere where this machine cannot."""
    # Said before anything begins: in the middle of a registration it would be undone like any other failure.
    if row.fault in ("disk full", "read-only") and os.geteuid() != 0:
        raise NotHere("a file system of its own takes root")
    # A proxy of this shell is in nobody's way to a platform on loopback.
    proxies = {name: value for name, value in os.environ.items() if not re.search("(?i)_proxy$", name)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, proxies, clear=True))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        scene = ProcessScene if FAULTS[row.fault].processes else Scene
        return scene(row, Path(folder), stack).run()
