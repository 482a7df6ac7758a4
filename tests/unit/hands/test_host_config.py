# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking tells what is there, whatever is there, and changes nothing."""

import base64
import errno
import os
import platform
import plistlib
import threading
import time
import unittest
from typing import Any, Dict, List
from unittest import mock

from scratch import NOBODY, NOT_ROOT, ScratchCase, as_nobody

from ansible_collections.mondoo.fleet.plugins.module_utils.host_config import (
    Choice,
    choose_config,
    find_shadow,
    look_at_config,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import SIZE_LIMIT, read_settled, sha256

CONFIG = b"mrn: x\nprivate_key: |\n    -----BEGIN PRIVATE KEY-----\n    Y2FuYXJ5\n    -----END PRIVATE KEY-----\n"
NO_STATUS = dict.fromkeys(("size", "mode", "uid", "gid", "owner", "group", "mtime"))
LONG_AGO = time.time() - 3600


class LookCase(ScratchCase):
    def look(self, path: str, read: str = "all") -> Dict[str, Any]:
        return look_at_config(Choice(path, "option"), read)

    def make_old(self, name: str, content: bytes, mode: int = 0o600) -> str:
        """Make a file that was not touched for an hour, in a directory that was not either."""
        path = self.make(name, content, mode)
        for each in (path, os.path.dirname(path)):
            os.utime(each, (LONG_AGO, LONG_AGO))
        return path


class FileTest(LookCase):
    def test_a_file_is_told_with_content_digest_owner_and_mode(self) -> None:
        path = self.make_old("mondoo.yml", CONFIG, 0o640)
        found = self.look(path)
        status = os.stat(path)
        expected = {
            "path": path,
            "source": "option",
            "exists": True,
            "kind": "file",
            "symlink_to": None,
            "content": base64.b64encode(CONFIG).decode(),
            "digest": sha256(CONFIG),
            "size": len(CONFIG),
            "mode": "0640",
            "uid": status.st_uid,
            "gid": status.st_gid,
            "mtime": status.st_mtime,
            "problem": None,
            "writable": True,
            "not_writable": None,
        }
        self.assertEqual({name: found[name] for name in expected}, expected)
        self.assertEqual(set(found) - set(expected), {"owner", "group"})

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_owner_and_group_have_names_or_else_numbers(self) -> None:
        path = self.make_old("mondoo.yml", CONFIG)
        self.assertEqual(self.look(path)["owner"], "root")
        os.chown(path, 12345, 23456)
        self.assertEqual((self.look(path)["owner"], self.look(path)["group"]), ("12345", "23456"))

    def test_a_missing_file_is_told(self) -> None:
        path = self.path("mondoo.yml")
        os.utime(self.scratch, (LONG_AGO, LONG_AGO))
        found = self.look(path)
        expected = dict(NO_STATUS, path=path, source="option", exists=False, kind="missing", symlink_to=None)
        expected.update(content=None, digest="", problem=os.strerror(errno.ENOENT), writable=True, not_writable=None)
        self.assertEqual(found, expected)

    def test_a_file_below_a_file_is_missing_and_cannot_be_made(self) -> None:
        found = self.look(os.path.join(self.make_old("file", b""), "mondoo.yml"))
        self.assertEqual((found["kind"], found["problem"]), ("missing", os.strerror(errno.ENOTDIR)))
        self.assertEqual(found["not_writable"], {"code": "other", "cause": os.strerror(errno.ENOTDIR)})

    def test_a_directory_is_told(self) -> None:
        found = self.look(self.scratch)
        self.assertEqual((found["kind"], found["exists"], found["mode"]), ("directory", True, "0755"))
        self.assertEqual((found["content"], found["digest"]), (None, ""))
        self.assertEqual(found["not_writable"], {"code": "is_directory", "cause": os.strerror(errno.EISDIR)})

    def test_a_fifo_is_told_without_waiting_for_it(self) -> None:
        os.mkfifo(self.path("mondoo.yml"))
        found = self.look(self.path("mondoo.yml"))
        self.assertEqual((found["kind"], found["writable"]), ("other", False))

    def test_a_relative_path_is_told_and_nothing_else_done(self) -> None:
        with mock.patch.object(os, "stat", side_effect=AssertionError), mock.patch.object(
            os, "open", side_effect=AssertionError
        ):
            found = self.look("etc/mondoo.yml")
        expected = dict(NO_STATUS, path="etc/mondoo.yml", source="option", exists=False, kind="relative")
        expected.update(symlink_to=None, content=None, digest="", problem=None, writable=False)
        expected.update(not_writable={"code": "other", "cause": "not an absolute path"})
        self.assertEqual(found, expected)

    def test_a_symlink_is_followed_and_told(self) -> None:
        target = self.make_old("real/config.yml", CONFIG)
        os.symlink("real/config.yml", self.path("mondoo.yml"))
        found = self.look(self.path("mondoo.yml"))
        self.assertEqual((found["kind"], found["digest"]), ("file", sha256(CONFIG)))
        self.assertEqual((found["path"], found["symlink_to"]), (self.path("mondoo.yml"), target))

    def test_a_symlink_to_nothing_is_a_missing_file(self) -> None:
        os.symlink("nothing", self.path("mondoo.yml"))
        os.utime(self.scratch, (LONG_AGO, LONG_AGO))
        found = self.look(self.path("mondoo.yml"))
        self.assertEqual((found["kind"], found["symlink_to"]), ("missing", self.path("nothing")))

    def test_a_symlink_to_itself_is_unreadable(self) -> None:
        os.symlink("mondoo.yml", self.path("mondoo.yml"))
        found = self.look(self.path("mondoo.yml"))
        self.assertEqual((found["kind"], found["problem"]), ("unreadable", os.strerror(errno.ELOOP)))
        self.assertFalse(found["writable"])

    def test_a_file_of_one_mebibyte_is_read_and_a_larger_one_is_not(self) -> None:
        content = b"a: 1\n" + b"#" * (SIZE_LIMIT - 6) + b"\n"
        path = self.make_old("mondoo.yml", content)
        self.assertEqual((self.look(path)["kind"], self.look(path)["digest"]), ("file", sha256(content)))
        found = self.look(self.make_old("mondoo.yml", content + b"\n"))
        self.assertEqual((found["kind"], found["content"], found["digest"]), ("too_large", None, ""))
        self.assertEqual(found["size"], SIZE_LIMIT + 1)

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_file_that_may_not_be_read_is_not_missing(self) -> None:
        path = self.make_old("etc/mondoo.yml", CONFIG)
        found = as_nobody(lambda: self.look(path))
        self.assertEqual((found["kind"], found["exists"], found["content"]), ("unreadable", True, None))
        self.assertEqual((found["problem"], found["mode"]), (os.strerror(errno.EACCES), "0600"))
        self.assertEqual(found["not_writable"], {"code": "permission", "cause": os.strerror(errno.EACCES)})

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_file_in_a_directory_that_may_not_be_entered_is_not_missing(self) -> None:
        path = self.make_old("etc/mondoo.yml", CONFIG, 0o644)
        os.chmod(self.path("etc"), 0o700)
        found = as_nobody(lambda: self.look(path))
        self.assertEqual((found["kind"], found["exists"], found["uid"]), ("unreadable", True, None))
        self.assertEqual(found["not_writable"], {"code": "permission", "cause": os.strerror(errno.EACCES)})
        self.assertNotEqual(NOBODY, os.geteuid())

    def test_keys_are_left_out_when_asked_for_and_the_digest_is_that_of_the_file(self) -> None:
        path = self.make_old("mondoo.yml", CONFIG)
        found = self.look(path, "without_keys")
        content = base64.b64decode(found["content"])
        self.assertIn(b"mrn: x\n", content)
        self.assertIn(b"-----BEGIN PRIVATE KEY-----(hidden)-----END PRIVATE KEY-----", content)
        self.assertNotIn(b"Y2FuYXJ5", content)
        self.assertEqual(found["digest"], sha256(CONFIG))
        self.assertEqual((self.look(path, "no")["content"], self.look(path, "no")["digest"]), (None, sha256(CONFIG)))


class SettlingTest(LookCase):
    def watched(self, path: str) -> List[Any]:
        """Return what was seen, and how many pauses that took (they are counted, and taken)."""
        pauses: List[float] = []
        real = time.sleep

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            real(seconds)

        with mock.patch.object(time, "sleep", sleep):
            view = read_settled(path)
        return [view.kind, view.content, len(pauses)]

    def test_a_file_that_looks_whole_is_read_once_even_if_it_is_new(self) -> None:
        self.assertEqual(self.watched(self.make("mondoo.yml", CONFIG)), ["file", CONFIG, 0])

    def test_a_file_that_looks_cut_is_read_once_if_it_is_old(self) -> None:
        for content in (b"", b"mrn: x\npriv", b"{}\n"):
            self.assertEqual(self.watched(self.make_old("mondoo.yml", content)), ["file", content, 0])

    def test_a_new_file_that_stays_empty_or_cut_is_read_twice(self) -> None:
        for content in (b"", b"mrn: x\npriv", b"\x00\xff\n"):
            self.assertEqual(self.watched(self.make("mondoo.yml", content)), ["file", content, 1])

    def test_a_file_that_vanished_just_now_is_looked_for_twice(self) -> None:
        os.unlink(self.make("mondoo.yml", CONFIG))
        self.assertEqual(self.watched(self.path("mondoo.yml")), ["missing", None, 1])

    def test_a_file_that_is_being_written_is_seen_whole(self) -> None:
        path = self.make("mondoo.yml", b"")

        def finish() -> None:
            with open(path, "wb") as stream:
                stream.write(CONFIG)

        timer = threading.Timer(0.4, finish)
        timer.start()
        self.addCleanup(timer.join)
        self.assertEqual(self.watched(path), ["file", CONFIG, 1])

    def test_a_file_that_never_stands_still_is_given_up_after_three_seconds(self) -> None:
        path = self.make("mondoo.yml", b"")
        stop = threading.Event()

        def scribble() -> None:
            while not stop.wait(0.2):
                with open(path, "ab") as stream:
                    stream.write(b"mrn")

        writer = threading.Thread(target=scribble)
        writer.start()
        started = time.monotonic()
        try:
            kind, dummy, pauses = self.watched(path)
        finally:
            stop.set()
            writer.join()
        self.assertEqual((kind, pauses), ("file", 2))
        self.assertLess(time.monotonic() - started, 3.5)


class ChoiceTest(LookCase):
    def choose(self, given: str = "", plists: Any = (), paths: Any = ()) -> List[str]:
        return list(choose_config(given, {"": {"plists": list(plists), "paths": list(paths)}}))

    def plist(self, *arguments: Any) -> str:
        path = self.path("com.mondoo.client.plist")
        with open(path, "wb") as stream:
            plistlib.dump({"Label": "com.mondoo.client", "ProgramArguments": list(arguments)}, stream)
        return path

    def test_what_was_given_is_expanded_here(self) -> None:
        with mock.patch.dict(os.environ, {"HOME": "/home/them", "WHERE": "/etc"}):
            self.assertEqual(self.choose("~/mondoo.yml"), ["/home/them/mondoo.yml", "option"])
            self.assertEqual(self.choose("$WHERE/mondoo.yml"), ["/etc/mondoo.yml", "option"])

    def test_the_first_path_that_exists_is_the_default(self) -> None:
        there = self.make("b.yml")
        self.assertEqual(self.choose(paths=[self.path("a.yml"), there, self.make("c.yml")]), [there, "default"])

    def test_where_none_exists_the_first_is_the_default(self) -> None:
        self.assertEqual(self.choose(paths=["/no/a.yml", "/no/b.yml"]), ["/no/a.yml", "default"])

    def test_the_candidates_of_this_system_are_taken_before_those_of_any_other(self) -> None:
        candidates = {platform.system(): {"paths": ["/no/this.yml"]}, "": {"paths": ["/no/any.yml"]}}
        self.assertEqual(list(choose_config("", candidates)), ["/no/this.yml", "default"])
        self.assertEqual(list(choose_config("", {"": candidates[""], "Elsewhere": {}})), ["/no/any.yml", "default"])

    def test_the_plist_names_the_file_even_if_it_is_not_there(self) -> None:
        for arguments in (("cnspec", "serve", "--config", "/no/p.yml"), ("cnspec", "--config=/no/p.yml", "serve")):
            plist = self.plist(*arguments)
            self.assertEqual(
                self.choose(plists=["/no.plist", plist], paths=[self.make("a.yml")]), ["/no/p.yml", "plist"]
            )

    def test_a_plist_that_names_no_absolute_path_decides_nothing(self) -> None:
        lists: List[List[Any]] = [
            ["cnspec", "--config", "~/mondoo.yml"],
            ["cnspec", "serve"],
            ["cnspec", "--config"],
            [1],
        ]
        for arguments in lists:
            self.assertEqual(
                self.choose(plists=[self.plist(*arguments)], paths=["/no/a.yml"]), ["/no/a.yml", "default"]
            )

    def test_a_plist_that_cannot_be_read_is_passed_over(self) -> None:
        garbage = [self.make("1.plist"), self.make("2.plist", b"<plist><oops"), self.make("3.plist", b"bplist00\xff")]
        chosen = self.choose(plists=garbage + [self.scratch, self.plist("cnspec", "--config", "/no/p.yml")])
        self.assertEqual(chosen, ["/no/p.yml", "plist"])

    def test_a_config_in_the_home_directory_shadows_unless_it_is_the_config(self) -> None:
        home = self.make("home/.config/mondoo/mondoo.yml")
        system = self.make("etc/mondoo.yml")
        with mock.patch.dict(os.environ, {"HOME": self.path("home")}):
            candidates = ["/no/such.yml", "relative.yml", "~/.config/mondoo/mondoo.yml"]
            self.assertEqual(find_shadow(candidates, system), home)
            self.assertEqual(find_shadow(candidates, home), None)
            os.symlink(home, self.path("link.yml"))
            self.assertEqual(find_shadow(candidates, self.path("link.yml")), None)
            os.unlink(home)
            self.assertEqual(find_shadow(candidates, system), None)


if __name__ == "__main__":
    unittest.main()
