# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGTERM as an exception, for the moments in which an agent exists that no host has yet."""

from __future__ import annotations

import contextlib
import signal
import types
import typing as t


class Interrupted(BaseException):
    """The run was told to end. Not an Exception, so that nothing takes it for a failure of its own."""


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Turn SIGTERM into Interrupted inside this block, where this process may (only a main thread can)."""
    try:
        before = signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def uninterrupted() -> t.Iterator[None]:
    """Ignore SIGTERM inside this block: cleaning up must come to its end, and is bounded in time."""
    try:
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(dummy_signal: int, dummy_frame: types.FrameType | None) -> None:
    raise Interrupted("SIGTERM")
