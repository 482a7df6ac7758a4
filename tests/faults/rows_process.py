# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows in which processes end, by a real ansible-playbook: of the hands, of the connection, of the controller.

A controller that is ended shows no result to anybody, and its platform acts before it is held: what was asked is done.
"""

from __future__ import annotations

from .row import LOOK, PING, REGISTER, UNREGISTER, WRITE, LeftOut, Row
from .sentences import CHANGED_MEANWHILE, LEFT_BEHIND

NO_ANSWER = "Check the connection and the Python on the host, and run again."
AS_IT_WAS = "The file is as it was; run again."
STOPPED = "Cannot finish the registration: the run was told to stop. The host is as it was; run again."
UNREACHABLE = (
    "Task failed: Cannot reach the host: its connection failed. Run ansible.builtin.ping on it, which shows why."
)
UNKNOWN = (
    "Cannot tell whether the config {path} was written: the connection was lost. "
    "Look at the host and run again; the host has one of the agents named in left_behind."
)
KILLED, TERM, TIMEOUT = "controller killed", "controller told to stop (SIGTERM)", "timeout keyword"
LOST = "the module ended without one (exit code 137)"


def stopped(step: str, fault: str, made: int = 0, **more: str) -> Row:
    """Return a row whose result nobody sees."""
    return Row(step, fault, "", "stopped", made=made, **more)  # type: ignore[arg-type]


def written(fault: str) -> Row:
    """Return a row in which the file is written all the same, and the rest is done."""
    return Row(WRITE, fault, "", "changed", "new", 1, None, "new", again="none")


ROWS = (
    Row(LOOK, "hands killed before", f"Cannot get an answer from the host: {LOST}. {NO_ANSWER}"),
    Row(LOOK, "connection lost before", UNREACHABLE, "unreachable"),
    stopped(LOOK, KILLED),
    stopped(LOOK, TERM),
    Row(LOOK, TIMEOUT, "Task failed: Timed out after 4 second(s)."),
    # The one agent that a controller killed outright may leave for each host; it bears the host's name.
    stopped(REGISTER, KILLED, 1, agents="new old", left="new"),
    # The answer is waited for, 10 s at most, because it tells which agent to remove again.
    stopped(REGISTER, TERM, 1),
    Row(REGISTER, TIMEOUT, STOPPED, made=1),
    stopped(PING, KILLED, 1, agents="new old", left="new"),
    stopped(PING, TERM, 1),
    Row(PING, TIMEOUT, STOPPED, made=1, tries=1),
    Row(WRITE, "hands killed before", f"Cannot write the config {{path}}: {LOST}. {AS_IT_WAS}", made=1),
    written("hands killed after"),
    Row(
        WRITE,
        "connection lost before",
        f"Cannot write the config {{path}}: the connection was lost. {AS_IT_WAS}",
        made=1,
    ),
    # Looked at again, the file has what was to be written.
    written("connection lost after"),
    # The module ran twice; the second time, the file had what was to be written.
    written("connection lost after, ssh tries again"),
    Row(
        WRITE,
        "connection lost after, host gone",
        UNKNOWN,
        "failed",
        "new",
        1,
        None,
        "new old",
        "new old",
        "none",
        "old",
    ),
    # The hands on the host went on.
    stopped(WRITE, KILLED, 1, host="new", agents="new old", again="none", left="old"),
    stopped(WRITE, TERM, 1, host="new", agents="new", again="none"),
    written(TIMEOUT),
    # The message is that of the run that lost the race; the host has the agent of the other.
    Row(WRITE, "two plays at once", CHANGED_MEANWHILE, "failed", "new", 2, None, "new", again="none"),
    stopped(UNREGISTER, KILLED, 1, host="new", agents="new", again="none"),
    stopped(UNREGISTER, TERM, 1, host="new", agents="new", again="none"),
    Row(UNREGISTER, TIMEOUT, LEFT_BEHIND, "changed", "new", 1, 1, "new", "old", again="none"),
)

AFTER = (
    "hands killed after",
    "connection lost after",
    "connection lost after, ssh tries again",
    "connection lost after, host gone",
)
ON_HOST = ("hands killed before", "connection lost before", *AFTER, "two plays at once")
LEFT_OUT = (
    LeftOut(LOOK, AFTER, "looking changes nothing, so it is the same as before"),
    LeftOut(LOOK, ("two plays at once",), "what two plays share is the file: it is found at the write"),
)
