# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as the brain sees it: ask it to write, look and run, in one round trip."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from .errors import FleetError
from .host_records import (
    Answer,
    Candidates,
    CnspecFile,
    Command,
    ConfigFile,
    FileSeen,
    Look,
    LookRequest,
    Problem,
    Ran,
    ReadConfig,
    RunRequest,
    Scratched,
    ScratchRequest,
    System,
    WriteRequest,
    Written,
)
from .private_keys import private_keys
from .secrets import Secrets

__all__ = [
    "Answer",
    "Candidates",
    "CnspecFile",
    "Command",
    "ConfigFile",
    "FileSeen",
    "Host",
    "HostError",
    "HostLost",
    "Look",
    "LookRequest",
    "Problem",
    "Ran",
    "ReadConfig",
    "RunRequest",
    "ScratchRequest",
    "Scratched",
    "System",
    "WriteRequest",
    "Written",
]

MODULE = "mondoo.fleet.cnspec_host"
UNREACHABLE = "Cannot reach the host: its connection failed. Run ansible.builtin.ping on it, which shows why."


class HostLost(FleetError):
    """Say that the host gave no answer: what was asked may have been done, or not."""


class HostError(FleetError):
    """Say that the host refused what was asked; nothing was done."""


class Host:
    """Ask the hands on one host. `calls` counts the round trips."""

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any], secrets: Secrets) -> None:
        self._action, self._task_vars, self._secrets = action, task_vars, secrets
        self.calls = 0

    def call(
        self,
        *,
        look: LookRequest | None = None,
        write: WriteRequest | None = None,
        run: RunRequest | None = None,
        scratch: ScratchRequest | None = None,
    ) -> Answer:
        """Write, look and run (in this order, each optional; on a copy with `scratch`) and return what came of it.

        Raises HostLost when no answer came, HostError when the hands refused the request, and, where nothing could be
        changed by it, what Ansible raises for a host that cannot be reached (which makes it `unreachable`).
        """
        for sent in (write, scratch):
            if sent is not None and sent.content is not None:
                self._remember(sent.content)
        requests = {"look": look, "write": write, "run": run, "scratch": scratch}
        arguments = {name: request.to_arguments() for name, request in requests.items() if request is not None}
        before = time.time()
        result = self._execute(arguments, writing=write is not None or scratch is not None)
        after = time.time()
        self._refuse_failure(result)
        try:
            answer = Answer.from_result(result, round_trip=(before, after))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _lost("the answer is not complete") from None
        for request, part in ((look, answer.look), (write, answer.written), (scratch, answer.scratch)):
            if request is not None and part is None:
                raise _lost("the answer is not complete")
        self._remember_answer(answer)
        return answer

    def _execute(self, arguments: dict[str, t.Any], *, writing: bool) -> dict[str, t.Any]:
        self.calls += 1
        try:
            with _silent(self._action):
                return t.cast(
                    "dict[str, t.Any]",
                    self._action._execute_module(module_name=MODULE, module_args=arguments, task_vars=self._task_vars),
                )
        except AnsibleConnectionFailure:
            if writing:
                raise _lost("the connection was lost") from None
            # The plugin's own words are censored: what a host answers may hold a key.
            raise AnsibleConnectionFailure(UNREACHABLE) from None
        except AnsibleError:
            if writing:
                raise _lost("the module could not be run") from None
            raise

    def _refuse_failure(self, result: dict[str, t.Any]) -> None:
        if not isinstance(result, dict):
            raise _lost("the answer is not JSON")
        if result.get("unreachable"):
            raise _lost("the connection was lost")
        if result.get("_ansible_parsed") is False:
            raise _unparsed(result)
        if result.get("failed"):
            # The message may quote a value; the secrets of this run are known, so it is safe without them.
            said = _why(result)
            self._remember(said.encode("utf-8", "replace"))
            message = " ".join(str(self._secrets.scrub(said)).split())[:300]
            raise HostError(
                "work on the host",
                message or "the module failed and did not say why",
                "Check that Ansible can run modules there: ansible HOST -m ansible.builtin.ping",
                code="host_error",
            )

    def _remember(self, content: bytes) -> None:
        for key in private_keys(content.decode("utf-8", "replace")):
            self._secrets.add(key)

    def _remember_answer(self, answer: Answer) -> None:
        if answer.look is not None and answer.look.config.content is not None:
            self._remember(answer.look.config.content)
        if answer.scratch is not None and answer.scratch.content is not None:
            self._remember(answer.scratch.content)
        for ran in answer.ran.values():
            self._remember(f"{ran.stdout}\n{ran.stderr}".encode())


@contextlib.contextmanager
def _silent(action: ActionBase) -> t.Iterator[None]:
    """Keep what the host says out of the output: the ssh connection prints it at -vvv, and job events keep that.

    The connection's own play context is what it asks (ansible-core 2.16 to 2.21); the action's is another object.
    """
    context = action._connection._play_context
    before = context.no_log
    context.no_log = True
    try:
        yield
    finally:
        context.no_log = before


def _why(result: dict[str, t.Any]) -> str:
    """Return why a module failed: its message, or the end of the exception that it did not catch."""
    said, exception = str(result.get("msg") or ""), result.get("exception")
    if exception is None or (said and not said.startswith("MODULE FAILURE")):
        return said
    # ansible-core 2.19 and later give a record in place of the traceback, and no message.
    event = getattr(exception, "event", None)
    lines = [str(event.msg)] if event is not None else [line for line in str(exception).splitlines() if line.strip()]
    return lines[-1] if lines else said


def _unparsed(result: dict[str, t.Any]) -> HostLost:
    code = result.get("rc")
    if code == 127:
        return HostLost(
            "get an answer from the host",
            "its Python interpreter was not found (exit code 127)",
            "Set ansible_python_interpreter for this host",
            code="host_lost",
        )
    return _lost("the module ended without one" + (f" (exit code {code})" if isinstance(code, int) else ""))


def _lost(cause: str) -> HostLost:
    return HostLost(
        "get an answer from the host",
        cause,
        "Check the connection and the Python on the host, and run again",
        code="host_lost",
    )
