# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.interruption import (
    Interrupted,
    interruptible,
    uninterrupted,
)


class Alarm(BaseException):
    """What the `timeout` of a task raises."""


@pytest.fixture(autouse=True)
def handlers() -> t.Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)  # Python runs the handler between two instructions


def test_sigterm_becomes_an_exception() -> None:
    with pytest.raises(Interrupted), interruptible():
        terminate()
        pytest.fail("nothing was raised")


def test_no_handler_of_ordinary_exceptions_takes_it_for_its_own() -> None:
    assert not issubclass(Interrupted, Exception)


def test_cleaning_up_is_not_interrupted() -> None:
    done = []
    with interruptible(), uninterrupted():
        terminate()
        done.append("cleaned up")
    assert done == ["cleaned up"]


def test_cleaning_up_is_not_ended_by_the_timeout_of_a_task() -> None:
    def ring(dummy_signal: int, dummy_frame: object) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, ring)
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGALRM)
        time.sleep(0.01)
    with pytest.raises(Alarm):
        os.kill(os.getpid(), signal.SIGALRM)
        time.sleep(0.01)


def test_after_cleaning_up_sigterm_is_an_exception_again() -> None:
    with pytest.raises(Interrupted), interruptible():
        with uninterrupted():
            pass
        terminate()


@pytest.mark.parametrize("block", [interruptible, uninterrupted])
def test_the_handlers_are_put_back(block: t.Callable[[], t.ContextManager[None]]) -> None:
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with block():
        pass
    with pytest.raises(ValueError, match="mine"), block():
        raise ValueError("mine")
    terminate()
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("block", [interruptible, uninterrupted])
def test_a_thread_that_may_not_set_handlers_goes_on_without(block: t.Callable[[], t.ContextManager[None]]) -> None:
    done = []

    def work() -> None:
        with block():
            done.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["worked"]
