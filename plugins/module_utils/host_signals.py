# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a process by exception when a signal asks for its end, so that nothing is left lying about or running."""

import signal
from typing import Any, Tuple

_ENDINGS: Tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGHUP)


def end_cleanly() -> None:
    """Raise SystemExit at the first SIGTERM or SIGHUP from now on; later ones do not disturb the cleaning up."""
    for number in _ENDINGS:
        signal.signal(number, _end)


def _end(number: int, dummy: Any) -> None:
    for each in _ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
