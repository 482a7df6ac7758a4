# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a process by exception when a signal asks for its end, so that nothing is left lying about or running."""

import signal
from typing import Any, List, Tuple

_ENDINGS: Tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGHUP)
# The signals that came while an end was held back, and whether it is.
_waiting: List[int] = []
_holding: List[bool] = []


def end_cleanly() -> None:
    """Raise SystemExit at the first SIGTERM or SIGHUP from now on; later ones do not disturb the cleaning up."""
    for number in _ENDINGS:
        signal.signal(number, _end)


class HeldBack:
    """Let a signal wait, from `with` until `release` or the end of the block: what it would cut off is half done."""

    def __enter__(self) -> "HeldBack":
        _holding.append(True)
        return self

    def __exit__(self, *dummy: Any) -> None:
        self.release()

    def release(self) -> None:
        """Let signals end the process again. Raises SystemExit where one has waited."""
        del _holding[:]
        if _waiting:
            _end(_waiting[0], None)


def _end(number: int, dummy: Any) -> None:
    if _holding:
        _waiting.append(number)
        return
    del _waiting[:]
    for each in _ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
