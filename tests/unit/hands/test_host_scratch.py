# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that rewrite their config get a copy that nobody else can read, and that is gone afterwards."""

import fcntl
import os
import signal
import tempfile
import threading
import time
import unittest
from typing import Any, Callable, List
from unittest import mock

from scratch import NO_MOUNT, NOT_ROOT, ScratchCase, as_nobody, in_mounts, mode_of, read, start_child

from ansible_collections.mondoo.fleet.plugins.module_utils import host_scratch
from ansible_collections.mondoo.fleet.plugins.module_utils.host_command import run_command
from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_scratch import (
    Scratch,
    Scratched,
    forget,
    work_on_copy,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_signals import end_cleanly

ONCE = "0123456789abcdef0123456789abcdef"
LEFT = "." + "mondoo.yml" + "." + "f" * 32 + ".fleet-"


def nothing(copy: str) -> str:
    return copy


def never(copy: str) -> None:
    raise AssertionError("this must not be run")


class TheCopy(ScratchCase):
    """What a command finds, and what is left of it."""

    def setUp(self) -> None:
        super().setUp()
        self.config = self.make("etc/mondoo.yml", b"live\n", 0o640)

    def test_a_command_finds_the_copy_closed_to_everybody_else(self) -> None:
        def look(copy: str) -> List[Any]:
            return [mode_of(copy), mode_of(os.path.dirname(copy)), read(copy), os.path.basename(copy)]

        os.umask(0)
        outcome, seen = work_on_copy(Scratch(self.config, b"a copy\n"), look)
        self.assertEqual(seen, [0o600, 0o700, b"a copy\n", "mondoo.yml"])
        self.assertEqual(outcome, Scratched(b"a copy\n"))

    def test_it_lies_beside_the_config(self) -> None:
        dummy, copy = work_on_copy(Scratch(self.config), nothing)
        self.assertEqual(os.path.dirname(os.path.dirname(str(copy))), self.path("etc"))

    def test_it_lies_beside_the_file_behind_a_link(self) -> None:
        os.symlink(self.config, self.path("link.yml"))
        dummy, copy = work_on_copy(Scratch(self.path("link.yml")), nothing)
        self.assertEqual(os.path.dirname(os.path.dirname(str(copy))), self.path("etc"))

    def test_what_the_command_left_in_it_is_returned_and_the_live_file_is_as_it_was(self) -> None:
        def rewrite(copy: str) -> int:
            command = ["/bin/sh", "-c", 'echo rewritten >"$1"; chmod 644 "$1"; echo more >"$1.bak"', "sh", copy]
            return run_command(command, 10, 1000, os.environ).rc or 0

        before = os.stat(self.config)
        outcome, done = work_on_copy(Scratch(self.config, b"a copy\n"), rewrite)
        self.assertEqual((outcome.content, done), (b"rewritten\n", 0))
        self.assertEqual((read(self.config), os.stat(self.config).st_mtime), (b"live\n", before.st_mtime))
        self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def test_a_command_that_removes_the_copy_is_reported(self) -> None:
        outcome, done = work_on_copy(Scratch(self.config, b"a copy\n"), lambda copy: os.unlink(copy) or "done")
        self.assertEqual((outcome, done), (Scratched(error=Problem("other", os.strerror(2))), "done"))

    def test_nothing_is_left_when_the_command_fails(self) -> None:
        def fail(copy: str) -> None:
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            work_on_copy(Scratch(self.config, b"a copy\n"), fail)
        self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def test_nothing_is_left_when_a_signal_ends_it(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            end = self.ended_by(number)
            self.assertEqual(end.exit, 128 + number)
            self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def test_what_a_run_that_was_killed_left_is_removed_by_the_next(self) -> None:
        self.assertEqual(self.ended_by(signal.SIGKILL).signal, signal.SIGKILL)
        self.assertEqual(len(self.files("etc")), 2)
        work_on_copy(Scratch(self.config), nothing)
        self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def test_another_run_at_the_same_time_is_left_alone(self) -> None:
        def another(copy: str) -> bytes:
            work_on_copy(Scratch(self.config, b"another\n"), nothing)
            forget(Scratch(self.config))
            return read(copy)

        dummy, seen = work_on_copy(Scratch(self.config, b"this\n"), another)
        self.assertEqual(seen, b"this\n")

    def test_only_what_is_ours_is_swept(self) -> None:
        os.makedirs(self.path("etc", LEFT + "tmp.d", "in", "it"))
        os.mkdir(self.path("etc", LEFT + "new.d"))
        self.make("etc/" + LEFT + "once")
        self.make("etc/" + LEFT + "tmp")
        os.mkdir(self.path("etc", "." + "mondoo.yml.fleet-tmp.d"))
        os.mkdir(self.path("away"))
        os.symlink(self.path("away"), self.path("etc", LEFT.replace("f" * 32, "e" * 32) + "tmp.d"))
        forget(Scratch(self.config))
        left = [name.replace("f" * 32, "F").replace("e" * 32, "E") for name in self.files("etc")]
        young = [".mondoo.yml.F.fleet-new.d", ".mondoo.yml.F.fleet-once"]
        others = [".mondoo.yml.E.fleet-tmp.d", ".mondoo.yml.F.fleet-tmp", ".mondoo.yml.fleet-tmp.d", "mondoo.yml"]
        self.assertEqual(sorted(left), sorted(young + others))
        for name in ("new.d", "once"):
            os.utime(self.path("etc", LEFT + name), (time.time() - 4000, time.time() - 4000))
        forget(Scratch(self.config))
        left = [name.replace("f" * 32, "F").replace("e" * 32, "E") for name in self.files("etc")]
        self.assertEqual(sorted(left), sorted(others))
        self.assertTrue(os.path.isdir(self.path("away")))

    def test_without_locks_only_what_is_old_is_swept(self) -> None:
        os.mkdir(self.path("etc", LEFT + "tmp.d"))
        with mock.patch.object(fcntl, "flock", side_effect=OSError(37, "No locks available")):
            outcome, dummy = work_on_copy(Scratch(self.config, b"a copy\n"), nothing)
            self.assertEqual(outcome.content, b"a copy\n")
            self.assertEqual(len(self.files("etc")), 2)
            os.utime(self.path("etc", LEFT + "tmp.d"), (time.time() - 4000, time.time() - 4000))
            forget(Scratch(self.config))
        self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def ended_by(self, number: int) -> Any:
        """End a child while its command runs, and return its end."""

        def work() -> None:
            end_cleanly()
            work_on_copy(Scratch(self.config, b"a key\n"), lambda copy: time.sleep(30))

        child = start_child(work)
        until = time.monotonic() + 10
        while not self.is_at_work() and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(child.pid, number)
        return child.result()

    def is_at_work(self) -> bool:
        names = [name for name in self.files("etc") if name.endswith(".fleet-tmp.d")]
        return bool(names) and self.files(os.path.join("etc", names[0])) == ["mondoo.yml"]


class ThePlace(ScratchCase):
    """Where the copy lies when it cannot lie beside the config."""

    def test_a_directory_that_is_missing_is_not_made(self) -> None:
        with mock.patch.object(tempfile, "tempdir", self.scratch):
            outcome, copy = work_on_copy(Scratch(self.path("no", "such", "mondoo.yml"), b"a\n"), nothing)
        self.assertEqual(os.path.dirname(os.path.dirname(str(copy))), self.scratch)
        self.assertEqual((outcome.content, self.files()), (b"a\n", []))

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_directory_that_may_not_be_written_to_is_not_used(self) -> None:
        config = self.make("etc/mondoo.yml", b"live\n", 0o644)
        os.mkdir(self.path("tmp"))
        os.chmod(self.path("tmp"), 0o1777)
        with mock.patch.object(tempfile, "tempdir", self.path("tmp")):
            parent = as_nobody(lambda: os.path.dirname(str(work_on_copy(Scratch(config), os.path.dirname)[1])))
        self.assertEqual(parent, self.path("tmp"))
        self.assertEqual((self.files("etc"), self.files("tmp")), (["mondoo.yml"], []))

    @unittest.skipIf(NO_MOUNT, NO_MOUNT)
    def test_a_read_only_file_system_is_not_used(self) -> None:
        config = self.make("etc/mondoo.yml", b"live\n")
        code = (
            "import json, sys; from ansible_collections.mondoo.fleet.plugins.module_utils.host_scratch import *; "
            "import os; outcome, copy = work_on_copy(Scratch(sys.argv[1], b'a'), str); "
            "print(json.dumps([outcome.error is None, copy.startswith(os.path.dirname(sys.argv[1]))]))"
        )
        setup = 'mount --bind "$2" "$2"; mount -o remount,ro,bind "$2"'
        self.assertEqual(in_mounts(setup, code, config, self.path("etc")), [True, False])

    def test_where_there_is_no_room_nothing_is_run(self) -> None:
        config = self.make("etc/mondoo.yml", b"live\n")
        with mock.patch.object(host_scratch, "_write", side_effect=OSError(28, "No space left on device")):
            outcome, done = work_on_copy(Scratch(config, b"a\n", ONCE), never)
        self.assertEqual(outcome, Scratched(error=Problem("no_space", os.strerror(28))))
        self.assertEqual((done, self.files("etc")), (None, ["mondoo.yml"]))


class Once(ScratchCase):
    """A connection may run a module twice; what makes an agent must run once."""

    def setUp(self) -> None:
        super().setUp()
        self.config = self.make("etc/mondoo.yml", b"live\n")

    def test_the_second_call_with_an_id_runs_nothing(self) -> None:
        first = work_on_copy(Scratch(self.config, b"a\n", ONCE), lambda copy: "done")
        second = work_on_copy(Scratch(self.config, b"a\n", ONCE), never)
        self.assertEqual((first[1], second), ("done", (Scratched(done_before=True), None)))

    def test_nothing_is_written_of_what_the_mark_is_for(self) -> None:
        work_on_copy(Scratch(self.config, b"a key\n", ONCE), nothing)
        mark = ".mondoo.yml." + ONCE + ".fleet-once"
        self.assertEqual(self.files("etc"), [mark, "mondoo.yml"])
        self.assertEqual(read(self.path("etc", mark)), b"")

    def test_an_id_that_is_forgotten_leaves_nothing(self) -> None:
        work_on_copy(Scratch(self.config, b"a\n", ONCE), nothing)
        forget(Scratch(self.config, forget=ONCE))
        self.assertEqual(self.files("etc"), ["mondoo.yml"])

    def test_of_two_calls_at_the_same_time_one_runs(self) -> None:
        ran, start = [], threading.Barrier(8)  # type: List[str], threading.Barrier

        def call() -> None:
            start.wait()
            work_on_copy(Scratch(self.config, b"a\n", ONCE), ran.append)

        threads = [threading.Thread(target=call) for dummy in range(8)]
        self.run_all(threads)
        self.assertEqual(len(ran), 1)

    def test_a_run_that_was_killed_counts(self) -> None:
        child = start_child(
            lambda: work_on_copy(Scratch(self.config, b"a\n", ONCE), lambda dummy: os.kill(os.getpid(), signal.SIGKILL))
        )
        self.assertEqual(child.result().signal, signal.SIGKILL)
        self.assertEqual(work_on_copy(Scratch(self.config, b"a\n", ONCE), never)[0], Scratched(done_before=True))

    @staticmethod
    def run_all(threads: List[threading.Thread]) -> None:
        actions: List[Callable[[threading.Thread], None]] = [threading.Thread.start, threading.Thread.join]
        for action in actions:
            for thread in threads:
                action(thread)


if __name__ == "__main__":
    unittest.main()
