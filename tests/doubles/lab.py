# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform, a host whose files are real, and a clock that does not make anybody wait."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path
from unittest import mock

from ansible_collections.mondoo.fleet.plugins.module_utils import host_file
from ansible_collections.mondoo.fleet.plugins.module_utils.host_scratch import Scratch
from ansible_collections.mondoo.fleet.plugins.module_utils.host_swap import Swap, replace_file
from ansible_collections.mondoo.fleet.plugins.module_utils.options import REGISTRATION_OPTIONS
from ansible_collections.mondoo.fleet.plugins.modules import cnspec_host
from ansible_collections.mondoo.fleet.plugins.plugin_utils import arguments
from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import Config, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.desired_state import reach
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import (
    Answer,
    HostLost,
    LookRequest,
    RunRequest,
    ScratchRequest,
    WriteRequest,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.platform import Clock
from ansible_collections.mondoo.fleet.plugins.plugin_utils.platform import Platform as Client
from ansible_collections.mondoo.fleet.plugins.plugin_utils.run import Run
from ansible_collections.mondoo.fleet.plugins.plugin_utils.run_folder import RunFolder
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import Answer as HttpAnswer
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import HttpTransport, Route, Transport
from sandbox import Platform

Result = dict[str, t.Any]


class LocalHost:
    """The hands without the connection: they work on the files of this machine, and what they say goes through JSON."""

    def __init__(self) -> None:
        self.calls = 0
        self.before_write: t.Callable[[], None] = lambda: None
        self.lost: str | None = None  # the answer to a write gets lost "before" or "after" it is done
        self.after_scratch: t.Callable[[ScratchRequest], None] = lambda scratch: None
        self.gone = False

    def call(
        self,
        *,
        look: LookRequest | None = None,
        write: WriteRequest | None = None,
        run: RunRequest | None = None,
        scratch: ScratchRequest | None = None,
    ) -> Answer:
        self.calls += 1
        if self.gone:
            raise self._lost()
        result: Result = {}
        if write is not None:
            self.before_write()
            if self.lost == "before":
                raise self._lost()
            fields = {name: getattr(write, name) for name in Swap._fields}
            swap = Swap(**{**fields, "mode": int(write.mode, 8)})
            result["written"] = replace_file(swap, lambda new, old: None).to_result()
            if self.lost == "after":
                raise self._lost()
        if look is not None:
            # A file that may be half written is looked at twice here, too, but nobody writes it meanwhile.
            with mock.patch.multiple(host_file, PAUSE_SECONDS=0.01, SETTLE_SECONDS=0.03):
                result["look"] = {**cnspec_host.look(look.to_arguments()), "time": time.time()}
        if scratch is not None:
            copy = Scratch(**{name: getattr(scratch, name) for name in Scratch._fields})
            result.update(cnspec_host.run_commands(run and json.loads(json.dumps(run.to_arguments())), copy, None))
            self.after_scratch(scratch)
        return Answer.from_result(json.loads(json.dumps(result)), round_trip=(time.time(), time.time()))

    @staticmethod
    def _lost() -> HostLost:
        return HostLost("get an answer from the host", "the connection was lost", "Run again", code="host_lost")


class Hurried:
    """The transport with less patience, so that a platform that does not answer does not make anybody wait."""

    def __init__(self, transport: Transport, longest: float) -> None:
        self._transport, self._longest = transport, longest

    def post(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> HttpAnswer:
        return self._transport.post(url, body, headers, min(seconds, self._longest))


class Lab:
    """One host at one platform; `register` is what the action does, with the options of a task."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.path = folder / "host" / "mondoo.yml"
        self.host = LocalHost()
        self.run_folder = folder / "run"
        self.slept: list[float] = []
        self.clock_error = 0.0
        self.longest_call = 60.0
        self.host_name = "web1"
        self.fleet_size = 1
        self.secrets = Secrets()

    def clock(self) -> Clock:
        return Clock(
            now=lambda: time.time() + self.clock_error,
            sleep=self.slept.append,
            monotonic=lambda: time.monotonic() + sum(self.slept),
        )

    def register(self, check: bool = False, **given: t.Any) -> Result:
        """Run one registration and return its result; a failure is a result, too (`failed`, `msg`)."""
        task = {"config_path": str(self.path), **given}
        clock = self.clock()
        route = Route(given.get("controller_proxy"), given.get("ca_path"))
        transport = Hurried(HttpTransport(route), self.longest_call)
        run = Run(
            host=t.cast("t.Any", self.host),
            platform_at=lambda endpoint: Client(endpoint, transport, clock),
            clock=clock,
            folder=RunFolder(str(self.run_folder)),
            secrets=self.secrets,
            host_name=self.host_name,
            fleet_size=self.fleet_size,
            check_mode=check,
            diff_mode=True,
        )
        try:
            options = arguments.read(task, REGISTRATION_OPTIONS, self.secrets)
            result = reach(options, run)
        except FleetError as error:
            result = {"changed": False, **error.detail, "failed": True, "msg": str(error), "code": error.code}
        return t.cast("Result", self.secrets.scrub(result))

    def must(self, **given: t.Any) -> Result:
        """Run one registration that has to succeed."""
        result = self.register(**given)
        assert not result.get("failed"), result["msg"]
        return result

    def token(self, **claims: t.Any) -> str:
        return self.platform.mint_token(**claims)

    def write(self, content: bytes | str, mode: int = 0o600) -> None:
        """Put a config on the host."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.path.chmod(mode)
        # As if written a while ago: a file that has just changed and looks odd is looked at twice.
        os.utime(self.path, (time.time() - 60, time.time() - 60))

    @property
    def content(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    @property
    def config(self) -> Config:
        return parse(self.content)

    @property
    def agents(self) -> set[str]:
        """The agents that exist on the platform, by its own account."""
        return {agent["mrn"] for agent in self.platform.agents()}

    def registered(self) -> int:
        """How many RegisterAgent calls the platform acted on, by its ledger."""
        return sum(call.acted for call in self.platform.calls(method="RegisterAgent"))
