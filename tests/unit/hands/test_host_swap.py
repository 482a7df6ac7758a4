# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is replaced whole or not at all, by one writer, readable by nobody else, whatever happens meanwhile."""

import errno
import functools
import os
import signal
import sys
import time
import unittest
from typing import Any, Callable, Dict, Iterator, List, Tuple
from unittest import mock

from scratch import (
    COLLECTIONS,
    NO_MOUNT,
    NOBODY,
    NOT_ROOT,
    Edge,
    ScratchCase,
    as_nobody,
    in_child,
    in_mounts,
    kill_self_at,
    mode_of,
    read,
    start_child,
)

from ansible_collections.mondoo.fleet.plugins.module_utils.host_access import replace_problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import sha256
from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_signals import end_cleanly
from ansible_collections.mondoo.fleet.plugins.module_utils.host_swap import Swap, Swapped, replace_file

OLD, NEW, OTHER = b"mrn: old\n", b"mrn: new\nprivate_key: canary\n", b"mrn: other\n"
CHANGED = Problem("changed_meanwhile", "the file is not what it was when it was looked at")


def swap_of(path: str, **given: Any) -> Swap:
    """Return the swap of OLD for NEW."""
    return Swap(**dict({"path": path, "content": NEW, "expect_digest": sha256(OLD)}, **given))


class ReplacingTest(ScratchCase):
    def test_a_file_with_the_expected_content_is_replaced(self) -> None:
        path = self.make("mondoo.yml", OLD, 0o644)
        self.assertEqual(replace_file(swap_of(path)), Swapped(True, sha256(NEW)))
        self.assertEqual((read(path), mode_of(path), self.files()), (NEW, 0o600, ["mondoo.yml"]))

    def test_a_file_that_was_changed_meanwhile_stays(self) -> None:
        path = self.make("mondoo.yml", OTHER, 0o640)
        self.assertEqual(replace_file(swap_of(path)), Swapped(False, sha256(OTHER), error=CHANGED))
        self.assertEqual((read(path), mode_of(path), self.files()), (OTHER, 0o640, ["mondoo.yml"]))

    def test_a_file_that_vanished_meanwhile_is_not_made(self) -> None:
        self.assertEqual(replace_file(swap_of(self.path("mondoo.yml"))), Swapped(False, "", error=CHANGED))
        self.assertEqual(self.files(), [])

    def test_a_file_that_appeared_meanwhile_stays(self) -> None:
        path = self.make("mondoo.yml", OTHER)
        done = replace_file(swap_of(path, expect_digest=""))
        self.assertEqual(done, Swapped(False, sha256(OTHER), error=CHANGED))

    def test_a_file_that_has_the_content_already_is_a_success_that_writes_nothing(self) -> None:
        path = self.make("mondoo.yml", NEW)
        before = os.stat(path)
        for expected in (sha256(OLD), sha256(OTHER), ""):
            done = replace_file(swap_of(path, expect_digest=expected, backup=True))
            self.assertEqual(done, Swapped(False, sha256(NEW)))
        self.assertEqual((os.stat(path).st_ino, os.stat(path).st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.assertEqual(self.files(), ["mondoo.yml"])

    def test_a_file_that_has_the_content_already_gets_the_mode(self) -> None:
        path = self.make("mondoo.yml", NEW, 0o644)
        self.assertEqual(replace_file(swap_of(path, mode=0o640)), Swapped(False, sha256(NEW)))
        self.assertEqual(mode_of(path), 0o640)

    def test_a_write_done_twice_succeeds_twice(self) -> None:
        path = self.make("mondoo.yml", OLD)
        self.assertEqual([replace_file(swap_of(path)).written for dummy in range(2)], [True, False])

    def test_a_change_in_the_last_moment_is_seen(self) -> None:
        path = self.make("mondoo.yml", OLD)

        def change(moment: int) -> None:
            if edge.moments[moment] == "after fsync" and read(path) == OLD:
                with open(path, "wb") as stream:
                    stream.write(OTHER)

        with Edge(change) as edge:
            done = replace_file(swap_of(path, backup=True))
        problem = Problem("changed_meanwhile", "the file was changed while it was being replaced")
        self.assertEqual(done, Swapped(False, sha256(OTHER), error=problem))
        self.assertEqual((read(path), self.files()), (OTHER, ["mondoo.yml"]))

    def test_missing_parents_are_made_0755_whatever_the_umask(self) -> None:
        os.umask(0o077)
        path = self.path("etc", "opt", "mondoo", "mondoo.yml")
        self.assertTrue(replace_file(swap_of(path, expect_digest="")).written)
        self.assertEqual((read(path), mode_of(path)), (NEW, 0o600))
        for names in (("etc",), ("etc", "opt"), ("etc", "opt", "mondoo")):
            self.assertEqual(mode_of(self.path(*names)), 0o755)

    def test_missing_parents_are_not_made_unless_asked_for(self) -> None:
        done = replace_file(swap_of(self.path("etc", "mondoo.yml"), expect_digest="", create_parent=False))
        self.assertEqual(done, Swapped(False, "", error=Problem("other", os.strerror(errno.ENOENT))))
        self.assertEqual(self.files(), [])

    def test_parents_made_for_a_write_that_fails_go_again(self) -> None:
        done = replace_file(swap_of(self.path("etc", "mondoo", "mondoo.yml")))
        self.assertEqual((done.error, self.files()), (CHANGED, []))

    def test_a_symlink_stays_and_the_file_behind_it_is_replaced(self) -> None:
        target = self.make("real/config.yml", OLD)
        link = self.path("mondoo.yml")
        os.symlink("real/config.yml", link)
        done = replace_file(swap_of(link, backup=True))
        self.assertEqual((done.written, done.error), (True, None))
        self.assertEqual((os.readlink(link), read(target)), ("real/config.yml", NEW))
        self.assertEqual(os.path.dirname(str(done.backup_file)), self.path("real"))

    def test_a_symlink_to_nothing_stays_and_its_file_is_made(self) -> None:
        link = self.path("mondoo.yml")
        os.symlink("real/config.yml", link)
        self.assertTrue(replace_file(swap_of(link, expect_digest="")).written)
        self.assertEqual((os.readlink(link), read(self.path("real", "config.yml"))), ("real/config.yml", NEW))

    def test_a_backup_is_the_old_content_for_its_owner_only(self) -> None:
        os.umask(0)
        path = self.make("mondoo.yml", OLD, 0o644)
        backup = str(replace_file(swap_of(path, mode=0o644, backup=True)).backup_file)
        self.assertRegex(backup, r"^%s\.%d\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$" % (path, os.getpid()))
        self.assertEqual((read(backup), mode_of(backup)), (OLD, 0o600))
        self.assertEqual(self.files(), ["mondoo.yml", os.path.basename(backup)])

    def test_there_is_no_backup_of_nothing(self) -> None:
        done = replace_file(swap_of(self.path("mondoo.yml"), expect_digest="", backup=True))
        self.assertEqual(done, Swapped(True, sha256(NEW)))

    def test_a_backup_goes_again_when_the_write_fails(self) -> None:
        path = self.make("mondoo.yml", OLD)
        renames: List[List[str]] = []

        def fail_to_rename(moment: int) -> None:
            if edge.moments[moment] == "before rename":
                renames.append(self.files())
                if len(renames) == 2:
                    raise OSError(errno.EIO, "canary")

        with Edge(fail_to_rename) as edge:
            done = replace_file(swap_of(path, backup=True))
        self.assertEqual(done, Swapped(False, sha256(OLD), error=Problem("other", os.strerror(errno.EIO))))
        self.assertTrue(any(name.endswith("~") for name in renames[1]))
        self.assertEqual(self.files(), ["mondoo.yml"])

    def test_a_directory_is_refused(self) -> None:
        os.mkdir(self.path("mondoo.yml"))
        done = replace_file(swap_of(self.path("mondoo.yml")))
        self.assertEqual(done, Swapped(False, "", error=Problem("is_directory", os.strerror(errno.EISDIR))))

    def test_a_fifo_is_refused_at_once(self) -> None:
        os.mkfifo(self.path("mondoo.yml"))
        done = replace_file(swap_of(self.path("mondoo.yml")))
        self.assertEqual(done, Swapped(False, "", error=Problem("other", "not a regular file")))

    def test_an_owner_or_a_group_that_does_not_exist_is_refused(self) -> None:
        path = self.make("mondoo.yml", OLD)
        for given in ("owner", "group"):
            done = replace_file(swap_of(path, **{given: "nobody-of-this-name"}))
            kind = {"owner": "user", "group": "group"}[given]
            problem = Problem("no_such_" + given, "no such %s: nobody-of-this-name" % kind)
            self.assertEqual(done, Swapped(False, sha256(OLD), error=problem))

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_owner_and_group_are_kept_unless_given(self) -> None:
        path = self.make("mondoo.yml", OLD)
        os.chown(path, 12345, 23456)
        backup = str(replace_file(swap_of(path, backup=True)).backup_file)
        for each in (path, backup):
            self.assertEqual((os.stat(each).st_uid, os.stat(each).st_gid), (12345, 23456))
        swap = Swap(path, OTHER, sha256(NEW), owner="root", group=str(NOBODY))
        self.assertTrue(replace_file(swap).written)
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (0, NOBODY))
        replace_file(swap._replace(owner="12345"))
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (12345, NOBODY))

    def test_what_is_put_in_place_has_its_label_before_it_is_there(self) -> None:
        path = self.make("mondoo.yml", OLD)
        seen = []

        def label(temporary: str, target: str) -> None:
            seen.append((read(temporary), mode_of(temporary), target, read(target)))

        replace_file(swap_of(path), label)
        self.assertEqual(seen, [(NEW, 0o600, path, OLD)])


class RemovingTest(ScratchCase):
    def remove(self, path: str, expect: str, **given: Any) -> Swapped:
        return replace_file(Swap(path, None, expect, **given))

    def test_a_file_with_the_expected_content_is_removed_and_nothing_else(self) -> None:
        path = self.make("mondoo.yml", OLD)
        self.make("beside.yml", OTHER)
        self.assertEqual(self.remove(path, sha256(OLD)), Swapped(True, ""))
        self.assertEqual(os.listdir(os.path.dirname(path)), ["beside.yml"])

    def test_a_file_that_was_changed_meanwhile_is_not_removed(self) -> None:
        path = self.make("mondoo.yml", OTHER)
        self.assertEqual(self.remove(path, sha256(OLD)), Swapped(False, sha256(OTHER), error=CHANGED))
        self.assertTrue(os.path.exists(path))

    def test_what_is_gone_already_is_a_success_and_no_directory_is_made(self) -> None:
        for path in (self.path("mondoo.yml"), self.path("nowhere/etc/mondoo.yml")):
            self.assertEqual(self.remove(path, sha256(OLD)), Swapped(False, ""))
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_a_backup_is_kept_when_asked_for(self) -> None:
        path = self.make("mondoo.yml", OLD)
        backup = str(self.remove(path, sha256(OLD), backup=True).backup_file)
        self.assertEqual(os.listdir(os.path.dirname(path)), [os.path.basename(backup)])
        self.assertEqual((mode_of(backup), read(backup)), (0o600, OLD))

    def test_a_backup_goes_again_when_the_file_cannot_be_removed(self) -> None:
        path = self.make("mondoo.yml", OLD)
        with mock.patch("os.unlink", side_effect=self.refuse_the_config):
            done = self.remove(path, sha256(OLD), backup=True)
        self.assertEqual(done, Swapped(False, sha256(OLD), error=Problem("permission", os.strerror(errno.EPERM))))
        self.assertEqual(os.listdir(os.path.dirname(path)), ["mondoo.yml"])

    @staticmethod
    def refuse_the_config(path: str) -> None:
        if path.endswith("mondoo.yml"):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        os.remove(path)

    def test_a_symlink_stays_and_the_file_behind_it_is_removed(self) -> None:
        behind, link = self.make("behind.yml", OLD), self.path("mondoo.yml")
        os.symlink(behind, link)
        self.assertEqual(self.remove(link, sha256(OLD)), Swapped(True, ""))
        self.assertTrue(os.path.islink(link))
        self.assertFalse(os.path.exists(behind))

    def test_a_directory_is_refused(self) -> None:
        os.mkdir(self.path("mondoo.yml"))
        done = self.remove(self.path("mondoo.yml"), "")
        self.assertEqual(done, Swapped(False, "", error=Problem("is_directory", os.strerror(errno.EISDIR))))


class SecrecyTest(ScratchCase):
    def test_nobody_else_can_read_any_file_at_any_moment(self) -> None:
        os.umask(0)
        path = self.make("mondoo.yml", OLD, 0o600)
        seen = set()

        def look(dummy: int) -> None:
            for name in os.scandir(self.scratch):
                self.assertEqual(mode_of(name.path) & 0o077, 0, name.path)
                seen.add(name.name)

        with Edge(look) as edge:
            self.assertTrue(replace_file(swap_of(path, backup=True)).written)
        self.assertGreater(len(seen), 3)
        self.assertIn("after rename", edge.moments)

    def test_a_file_that_others_may_read_later_is_not_readable_before_it_is_whole(self) -> None:
        os.umask(0)
        modes = []

        def look(moment: int) -> None:
            for entry in os.scandir(self.scratch):
                modes.append((edge.moments[moment], entry.stat().st_size, mode_of(entry.path)))

        with Edge(look) as edge:
            replace_file(swap_of(self.path("mondoo.yml"), expect_digest="", mode=0o644))
        self.assertIn(("after open", 0, 0o600), modes)
        self.assertTrue(all(size == len(NEW) for dummy, size, mode in modes if mode != 0o600), modes)


Damage = Callable[[Swap], Swapped]


class FailingTest(ScratchCase):
    """Whatever fails, wherever: the whole old file or the whole new one, and nothing beside it."""

    def swap(self) -> Swap:
        return swap_of(self.make("mondoo.yml", OLD), backup=True)

    def moments(self) -> int:
        swap = self.swap()
        with Edge() as edge:
            self.assertTrue(replace_file(swap).written)
        for name in self.files():
            os.unlink(self.path(name))
        self.assertGreater(len(edge.moments), 20)
        return len(edge.moments)

    def check(self, moment: str, clean: bool) -> None:
        content = read(self.path("mondoo.yml"))
        self.assertIn(content, (OLD, NEW), moment)
        rest = [name for name in self.files() if name != "mondoo.yml"]
        backups = [name for name in rest if name.endswith("~")]
        for name in rest:
            self.assertEqual(mode_of(self.path(name)), 0o600, moment)
        if clean:
            self.assertEqual(rest, backups, moment)
            self.assertEqual(len(backups), 1 if content == NEW else 0, moment)
        for name in backups:
            self.assertEqual(read(self.path(name)), OLD, moment)

    def each_moment(self) -> Iterator[Tuple[int, Swap]]:
        for moment in range(self.moments()):
            yield moment, self.swap()
            for name in self.files():
                os.unlink(self.path(name))

    def test_killed_outright_at_any_moment(self) -> None:
        left_behind = 0
        for moment, swap in self.each_moment():
            self.run_until(moment, swap, signal.SIGKILL)
            self.check("killed at %d" % moment, clean=False)
            left_behind += any(name.endswith(".fleet-tmp") for name in self.files())
            # What a killed writer left is gone after the next write.
            replace_file(Swap(swap.path, OTHER, sha256(read(swap.path))))
            self.assertEqual([name for name in self.files() if name.endswith(".fleet-tmp")], [])
        self.assertGreater(left_behind, 5)

    def test_asked_to_end_at_any_moment(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            for moment, swap in self.each_moment():
                self.run_until(moment, swap, number)
                self.check("%s at %d" % (number, moment), clean=True)

    def run_until(self, moment: int, swap: Swap, number: "signal.Signals") -> None:
        def work() -> Any:
            end_cleanly()
            with Edge(kill_self_at(moment, number)):
                return replace_file(swap).written

        child = in_child(work)
        expected = (number, None) if number == signal.SIGKILL else (None, 128 + number)
        self.assertEqual((child.signal, child.exit), expected)

    def test_an_error_of_the_system_at_any_moment(self) -> None:
        codes = {
            errno.ENOSPC: "no_space",
            errno.EDQUOT: "no_space",
            errno.EROFS: "read_only",
            errno.EPERM: "permission",
        }
        for moment, swap in self.each_moment():
            number = sorted(codes)[moment % len(codes)]

            def fail(now: int, at: int = moment, number: int = number) -> None:
                if now == at:
                    raise OSError(number, "canary", "/canary")

            with Edge(fail) as edge:
                done = replace_file(swap)
            self.check("error at %s" % edge.moments[moment], clean=True)
            self.assertNotIn("canary", repr(done))
            self.assertEqual(done.digest, sha256(read(swap.path)))
            if done.error is not None:
                self.assertEqual(done.error, Problem(codes[number], os.strerror(number)))
                self.assertFalse(done.written)

    def test_a_timeout_that_raises_at_any_moment_is_passed_on(self) -> None:
        class Timeout(BaseException):
            pass

        for moment, swap in self.each_moment():

            def fail(now: int, at: int = moment) -> None:
                if now == at:
                    raise Timeout()

            with self.assertRaises(Timeout), Edge(fail):
                replace_file(swap)
            self.check("timeout at %d" % moment, clean=True)


class RacingTest(ScratchCase):
    def test_of_many_writers_at_once_exactly_one_wins(self) -> None:
        for dummy in range(5):
            path = self.make("mondoo.yml", OLD)
            start = time.time() + 0.1

            def write(number: int, path: str = path, start: float = start) -> Any:
                time.sleep(max(0.0, start - time.time()))
                done = replace_file(swap_of(path, content=b"winner: %d\n" % number))
                return [done.written, done.error and done.error.code]

            children = [start_child(functools.partial(write, number)) for number in range(8)]
            outcomes = [child.result().value for child in children]
            winners = [number for number, outcome in enumerate(outcomes) if outcome == [True, None]]
            self.assertEqual(len(winners), 1, outcomes)
            self.assertEqual(outcomes.count([False, "changed_meanwhile"]), 7, outcomes)
            self.assertEqual((read(path), self.files()), (b"winner: %d\n" % winners[0], ["mondoo.yml"]))

    def test_many_writers_of_one_content_all_succeed(self) -> None:
        path = self.make("mondoo.yml", OLD)

        def write() -> Any:
            done = replace_file(swap_of(path))
            return [done.written, done.error]

        outcomes = [child.result().value for child in [start_child(write) for dummy in range(6)]]
        self.assertEqual(sorted(outcomes), [[False, None]] * 5 + [[True, None]])

    def test_a_writer_waits_for_one_that_is_about_to_rename(self) -> None:
        path = self.make("mondoo.yml", OLD)
        inlet, outlet = os.pipe()
        self.addCleanup(os.close, inlet)

        def slow() -> Any:
            def linger(moment: int) -> None:
                if edge.moments[moment] == "before rename":
                    os.write(outlet, b"!")
                    time.sleep(0.5)

            with Edge(linger) as edge:
                return replace_file(swap_of(path)).written

        first = start_child(slow)
        os.close(outlet)
        os.read(inlet, 1)
        done = replace_file(swap_of(path, content=OTHER))
        self.assertEqual(done, Swapped(False, sha256(NEW), error=CHANGED))
        self.assertTrue(first.result().value)


REFUSED = """
import json, sys
from ansible_collections.mondoo.fleet.plugins.module_utils.host_access import replace_problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import sha256
from ansible_collections.mondoo.fleet.plugins.module_utils.host_swap import Swap, replace_file
expected = replace_problem(sys.argv[1])
done = replace_file(Swap(sys.argv[1], b"x" * 100000, sha256(open(sys.argv[1], "rb").read()), backup=True))
print(json.dumps([expected and expected.to_result(), done.to_result()["error"], done.written]))
"""


class RefusedTest(ScratchCase):
    """What looking promises about writing is what writing then meets."""

    def both(self, path: str) -> Dict[str, Any]:
        expected = replace_problem(path)
        swap = swap_of(path, expect_digest=sha256(read(path)) if os.path.isfile(path) else "")
        done = replace_file(swap)
        return {"expected": expected and list(expected), "met": done.error and list(done.error)}

    def as_nobody(self, path: str) -> Dict[str, Any]:
        found = as_nobody(lambda: self.both(path))
        assert isinstance(found, dict)
        return found

    def test_nothing_stands_in_the_way_of_a_plain_file_or_of_a_missing_one(self) -> None:
        for path in (self.make("mondoo.yml", OLD), self.path("a", "b", "mondoo.yml")):
            self.assertEqual(self.both(path), {"expected": None, "met": None})

    def test_a_directory(self) -> None:
        problem = ["is_directory", os.strerror(errno.EISDIR)]
        self.assertEqual(self.both(self.scratch), {"expected": problem, "met": problem})

    def test_a_parent_that_is_a_file(self) -> None:
        self.make("file")
        problem = ["other", os.strerror(errno.ENOTDIR)]
        found = self.both(self.path("file", "mondoo.yml"))
        self.assertEqual(found["expected"], problem)
        self.assertEqual(found["met"][0], "other")

    def test_looking_touches_nothing(self) -> None:
        path = self.make("mondoo.yml", OLD)
        before = os.stat(path), os.stat(self.scratch)
        replace_problem(path)
        replace_problem(self.path("not", "there"))
        self.assertEqual((os.stat(path), os.stat(self.scratch)), before)

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_directory_that_this_user_may_not_write(self) -> None:
        path = self.make("mondoo.yml", OLD, 0o644)
        os.chown(path, NOBODY, NOBODY)
        problem = ["permission", os.strerror(errno.EACCES)]
        self.assertEqual(self.as_nobody(path), {"expected": problem, "met": problem})
        self.assertEqual(self.as_nobody(self.path("a", "mondoo.yml")), {"expected": problem, "met": problem})

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_file_whose_owner_could_not_be_kept(self) -> None:
        os.chmod(self.scratch, 0o777)
        path = self.make("mondoo.yml", OLD, 0o644)
        problem = ["permission", os.strerror(errno.EPERM)]
        self.assertEqual(self.as_nobody(path), {"expected": problem, "met": problem})
        self.assertEqual((read(path), self.files()), (OLD, ["mondoo.yml"]))

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_file_of_ones_own_in_a_directory_of_ones_own(self) -> None:
        path = self.make("mondoo.yml", OLD, 0o400)
        os.chown(path, NOBODY, NOBODY)
        os.chown(self.scratch, NOBODY, NOBODY)
        self.assertEqual(self.as_nobody(path), {"expected": None, "met": None})
        self.assertEqual(read(path), NEW)

    @unittest.skipIf(NO_MOUNT, NO_MOUNT)
    def test_a_read_only_file_system(self) -> None:
        path = self.make("etc/mondoo.yml", OLD)
        setup = 'mount --bind "$2" "$2"; mount -o remount,ro,bind "$2"'
        problem = {"code": "read_only", "cause": os.strerror(errno.EROFS)}
        self.assertEqual(in_mounts(setup, REFUSED, path, self.path("etc")), [problem, problem, False])
        self.assertEqual((read(path), self.files("etc")), (OLD, ["mondoo.yml"]))

    @unittest.skipIf(NO_MOUNT, NO_MOUNT)
    def test_a_single_file_mounted_into_a_container(self) -> None:
        source, path = self.make("source", OLD), self.make("etc/mon doo.yml")
        problem = {"code": "other", "cause": os.strerror(errno.EBUSY)}
        found = in_mounts('mount --bind "$2" "$1"', REFUSED, path, source)
        self.assertEqual(found, [problem, problem, False])
        self.assertEqual((read(source), self.files("etc")), (OLD, ["mon doo.yml"]))

    @unittest.skipIf(NO_MOUNT, NO_MOUNT)
    def test_a_full_file_system(self) -> None:
        os.mkdir(self.path("etc"))
        setup = 'mount -t tmpfs -o size=64k tmpfs "$2"; echo mrn: old >"$1"'
        problem = {"code": "no_space", "cause": os.strerror(errno.ENOSPC)}
        path, directory = self.path("etc", "mondoo.yml"), self.path("etc")
        # There is still room, only not enough: that cannot be foreseen.
        self.assertEqual(in_mounts(setup, REFUSED, path, directory), [None, problem, False])
        setup += '; dd if=/dev/zero of="$2/rest" bs=1k 2>/dev/null || true'
        self.assertEqual(in_mounts(setup, REFUSED, path, directory), [problem, problem, False])

    def test_the_collection_is_the_one_under_test(self) -> None:
        self.assertTrue(str(sys.modules[Swap.__module__].__file__).startswith(COLLECTIONS))


if __name__ == "__main__":
    unittest.main()
