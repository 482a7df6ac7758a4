# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts of one run share: turns at the platform, and how many identities were found rejected.

Each host is a process of its own; what they share lies in Ansible's temporary directory of this run, which Ansible
removes when the run ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import typing as t

from ansible import constants as C

from .errors import FleetError

TURN_SECONDS = 900.0
POLL_SECONDS = 0.05


class RunFolder:
    """Locks and counters of one run, in `folder` (made when first needed, for this user only)."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @classmethod
    def of_this_run(cls) -> RunFolder:
        """Return the folder of this run of Ansible."""
        return cls(os.path.join(C.DEFAULT_LOCAL_TMP, "mondoo.fleet"))

    @contextlib.contextmanager
    def turn(self, limit: int) -> t.Iterator[None]:
        """Hold one of `limit` turns; a host that needs none is never slowed.

        Raises FleetError (code `no_turn`) when none becomes free within 15 minutes.
        """
        deadline = time.monotonic() + TURN_SECONDS
        while True:
            for number in range(limit):
                with self._open(f"turn-{number}") as handle:
                    if _lock(handle, wait=False):
                        yield
                        return
            if time.monotonic() > deadline:
                cause = f"other hosts held all {limit} turns for 15 minutes"
                raise FleetError("register the agent", cause, "Run again, or raise registration_limit", code="no_turn")
            time.sleep(POLL_SECONDS)

    def count_rejected(self, host: str, limit: int) -> bool:
        """Count a host whose identity was rejected; tell whether it is among the first `limit` of this run."""
        with self._open("rejected") as handle:
            _lock(handle, wait=True)
            names = handle.read().split("\0")[:-1]
            if host not in names:
                handle.write(f"{host}\0")
                handle.flush()
                names.append(host)
            return names.index(host) < limit

    def distrust(self) -> None:
        """Note that a new identity was refused too: the platform's refusals mean nothing for the rest of this run."""
        with self._open("distrusted"):
            pass

    @property
    def distrusted(self) -> bool:
        """Tell whether a new identity was refused in this run."""
        return os.path.exists(os.path.join(self._folder, "distrusted"))

    def first(self, question: str) -> bool:
        """Tell whether this is asked for the first time in this run; asking twice does no harm if that is not known."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            os.close(os.open(os.path.join(self._folder, f"first-{question}"), os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        except OSError:
            return True
        return True

    def keep(self, question: str, answer: dict[str, t.Any]) -> None:
        """Keep what was found out first, for others of this run; one that cannot be kept does no harm."""
        with contextlib.suppress(OSError), self._open(f"answer-{question}") as handle:
            _lock(handle, wait=True)
            if not handle.read():
                handle.write(json.dumps(answer))

    def kept(self, question: str) -> dict[str, t.Any]:
        """Return what was found out; nothing when it was not kept, or is not yet."""
        try:
            with self._open(f"answer-{question}") as handle:
                answer = json.loads(handle.read())
        except (OSError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def _open(self, name: str) -> t.TextIO:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        number = os.open(os.path.join(self._folder, name), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        handle = os.fdopen(number, "a+", encoding="utf-8")
        handle.seek(0)
        return handle


def _lock(handle: t.TextIO, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
