# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows in which processes end while a host is taken off (`state: absent`).

The platform acts before it is held, so at UnRegisterAgent the agent is gone; what is left in the config, the next run
removes.
"""

from __future__ import annotations

from .row import ABSENT_PING, ABSENT_UNREGISTER, ABSENT_WRITE, LeftOut, Row
from .rows_absent import NOT_WRITTEN
from .rows_process import KILLED, LOST, TERM, TIMEOUT

STOPPED = "Cannot finish unregistering: the run was told to stop. {}."
ONLY = "The agent is unregistered already; run again to remove what is left in the config"
UNKNOWN = f"Cannot tell whether the config {{path}} was written: the connection was lost. {ONLY}."


def kept(step: str, fault: str, agents: str = "") -> Row:
    """Return a row of a stopped run, after which the config is the old one."""
    return Row(step, fault, "", "stopped", agents=agents, again="unregister")


def failed(step: str, fault: str, reads: str, agents: str = "", tries: int | None = None) -> Row:
    """Return a row of a run that failed, after which the config is the old one."""
    return Row(step, fault, reads, tries=tries, agents=agents, again="unregister")


def removed(fault: str, reads: str = "", ends: str = "changed") -> Row:
    """Return a row after which the identity is out of the config."""
    return Row(ABSENT_WRITE, fault, reads, ends, "new", agents="", again="none")


ROWS = (
    kept(ABSENT_PING, KILLED, agents="old"),
    kept(ABSENT_PING, TERM, agents="old"),
    # Nothing was asked for yet but whether the platform listens.
    failed(ABSENT_PING, TIMEOUT, "Task failed: Timed out after 4 second(s).", "old", 1),
    kept(ABSENT_UNREGISTER, KILLED),
    kept(ABSENT_UNREGISTER, TERM),
    failed(ABSENT_UNREGISTER, TIMEOUT, STOPPED.format("The agent may be unregistered; run again"), tries=1),
    failed(ABSENT_WRITE, "hands killed before", NOT_WRITTEN.format(LOST)),
    removed("hands killed after"),
    failed(ABSENT_WRITE, "connection lost before", NOT_WRITTEN.format("the connection was lost")),
    removed("connection lost after"),
    removed("connection lost after, ssh tries again"),
    removed("connection lost after, host gone", UNKNOWN, "failed"),
    # The hands on the host went on.
    removed(KILLED, ends="stopped"),
    removed(TERM, ends="stopped"),
    removed(TIMEOUT, STOPPED.format(ONLY), "failed"),
)

LEFT_OUT = (
    LeftOut(ABSENT_WRITE, ("two plays at once",), "who comes second finds an identity that is rejected, or no file"),
)
