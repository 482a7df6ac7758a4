# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A row of the table: a fault at a step, and all that must come of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

LOOK, REGISTER, PING, WRITE, UNREGISTER = "look", "RegisterAgent", "PingPong", "write", "unregister"
# With `state: absent`, after the same look.
ABSENT_PING, ABSENT_UNREGISTER, ABSENT_WRITE = "absent: PingPong", "absent: UnRegisterAgent", "absent: write"
ABSENT = (ABSENT_PING, ABSENT_UNREGISTER, ABSENT_WRITE)
STEPS = (LOOK, REGISTER, PING, WRITE, UNREGISTER, *ABSENT)
WRITES = (WRITE, ABSENT_WRITE)
# So many tries as fit into a minute, which chance decides: any number above 8.
MANY = 9


@dataclass(frozen=True)
class Row:
    """What must come of a fault at a step.

    `reads`: all that the user reads of the task, the message of a failure or the warnings; {path} is the config's,
    {id} the request's id, {many} so many tries, {old} and {new} are agents.
    `ends`: failed, changed, ok, unreachable or killed (no result).
    `host`: what is on the host, whole: the old config or the new one, or "theirs" when somebody else wrote it.
    `made`: how many RegisterAgent acted in the run.
    `tries`: api_attempts for RegisterAgent, else how many calls of the step reached the platform; MANY: as many as
    there was time for.
    `agents`: which exist then; `named`: what left_behind and the message name.
    `again`: what the next run, in which nothing goes wrong, does; `left`: agents that no host uses after that. The run
    after it must change nothing.
    `asked`: register by "token", or by "credentials" (then RegisterAgent is signed).
    """

    step: str
    fault: str
    reads: str = ""
    ends: str = "failed"
    host: str = "old"
    made: int = 0
    tries: int | None = None
    agents: str = "old"
    named: str = ""
    again: str = "register (wrong_space)"
    left: str = ""
    asked: str = "token"


@dataclass(frozen=True)
class Found:
    """What came of it; the same fields as a row's, without those that say which row it is."""

    reads: str
    ends: str
    host: str
    made: int
    tries: int | None
    agents: str
    named: str
    again: str
    left: str


@dataclass(frozen=True)
class LeftOut:
    """Pairs of a step and faults that are no rows, and why."""

    step: str
    faults: tuple[str, ...]
    reason: str


def expected(row: Row, names: dict[str, str]) -> Found:
    """Return what must be found; `names` are what stands in braces."""
    reads = row.reads
    for name, value in names.items():
        reads = reads.replace(f"{{{name}}}", value)
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(Found)}
    return Found(**{**fields, "reads": reads})
