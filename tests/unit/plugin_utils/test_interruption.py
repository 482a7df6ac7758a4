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
    postponed,
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


def test_what_is_put_off_is_an_exception_at_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(Interrupted), interruptible(), postponed(5):
        terminate()
        done.append("answered")
    assert done == ["answered"]


def test_what_is_put_off_comes_when_the_time_is_up() -> None:
    began = time.monotonic()
    with pytest.raises(Interrupted), interruptible(), postponed(0.1):
        terminate()
        time.sleep(5)
    assert time.monotonic() - began < 2


def test_being_told_twice_ends_at_once_what_puts_off() -> None:
    with pytest.raises(Interrupted), interruptible(), postponed(5):
        terminate()
        terminate()
        pytest.fail("nothing was raised")


def test_the_timeout_of_a_task_is_put_off_too() -> None:
    def ring(dummy_signal: int, dummy_frame: object) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, ring)
    done = []
    with pytest.raises(Alarm), postponed(5):
        os.kill(os.getpid(), signal.SIGALRM)
        time.sleep(0.01)
        done.append("answered")
    assert done == ["answered"]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_failure_is_not_replaced_by_what_was_put_off() -> None:
    with interruptible(), pytest.raises(ValueError, match="mine"), postponed(5):
        terminate()
        raise ValueError("mine")


@pytest.mark.parametrize("block", [interruptible, uninterrupted, lambda: postponed(5)])
def test_the_handlers_are_put_back(block: t.Callable[[], t.ContextManager[None]]) -> None:
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with block():
        pass
    with pytest.raises(ValueError, match="mine"), block():
        raise ValueError("mine")
    terminate()
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("block", [interruptible, uninterrupted, lambda: postponed(5)])
def test_a_thread_that_may_not_set_handlers_goes_on_without(block: t.Callable[[], t.ContextManager[None]]) -> None:
    done = []

    def work() -> None:
        with block():
            done.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["worked"]
