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
    with _handled(signal.SIGTERM, _interrupt):
        yield


@contextlib.contextmanager
def uninterrupted() -> t.Iterator[None]:
    """Ignore SIGTERM, and the SIGALRM of a task's `timeout`: cleaning up must end, and is bounded in time."""
    with _handled(signal.SIGTERM, signal.SIG_IGN), _handled(signal.SIGALRM, signal.SIG_IGN):
        yield


@contextlib.contextmanager
def postponed(seconds: float) -> t.Iterator[None]:
    """Put off SIGTERM, and the SIGALRM of a task's `timeout`, to the end of this block, for at most `seconds`.

    A block that fails is not interrupted on top of that: its error ends the run, and says more.
    """
    heard: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}

    def put_off(number: int, dummy: types.FrameType | None) -> None:
        if heard:
            # The time is up, or the run was told to end once more.
            _obey(before, heard[0])
        heard.append(number)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    with _handled(signal.SIGTERM, put_off), _handled(signal.SIGALRM, put_off):
        try:
            yield
        finally:
            if heard:
                signal.setitimer(signal.ITIMER_REAL, 0)
    if heard:
        _obey(before, heard[0])


def _obey(handlers: dict[signal.Signals, t.Any], number: int) -> None:
    handler = handlers[signal.Signals(number)]
    if callable(handler):
        handler(number, None)
    else:
        _interrupt(number, None)


@contextlib.contextmanager
def _handled(number: signal.Signals, handler: t.Any) -> t.Iterator[None]:
    try:
        before = signal.signal(number, handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        # None: a handler that was not set from Python, and that Python cannot set again.
        signal.signal(number, signal.SIG_DFL if before is None else before)


def _interrupt(dummy_signal: int, dummy_frame: types.FrameType | None) -> None:
    raise Interrupted("SIGTERM")
