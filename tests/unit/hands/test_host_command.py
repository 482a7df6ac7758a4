# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command is bounded in time and in output, gets a clean environment, and leaves nothing running."""

import os
import resource
import signal
import subprocess
import sys
import time
import unittest
from typing import Any, Dict, List, Optional
from unittest import mock

from scratch import NOT_ROOT, ScratchCase, as_nobody, is_alive, is_gone_soon, read, start_child

from ansible_collections.mondoo.fleet.plugins.module_utils.host_command import (
    Program,
    Ran,
    clean_environment,
    find_program,
    run_command,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_signals import end_cleanly

MEBIBYTE = 1024 * 1024


def run(argv: List[str], limit: float = 10.0, environment: Optional[Dict[str, str]] = None) -> Ran:
    """Run a command with the usual bounds."""
    return run_command(argv, limit, MEBIBYTE, dict(os.environ) if environment is None else environment)


def shell(script: str, limit: float = 10.0) -> Ran:
    """Run a shell script with the usual bounds."""
    return run(["/bin/sh", "-c", script], limit)


class RunTest(ScratchCase):
    def test_the_streams_and_the_exit_code_are_kept_apart(self) -> None:
        ran = shell("echo out; echo err >&2; exit 78")
        self.assertEqual(ran, Ran(True, 78, "out\n", "err\n", seconds=ran.seconds))
        self.assertLess(ran.seconds, 2)

    def test_arguments_are_passed_as_they_are(self) -> None:
        self.assertEqual(run(["/bin/echo", "$HOME; ls", "*"]).stdout, "$HOME; ls *\n")

    def test_a_command_killed_by_a_signal_has_its_negative_number(self) -> None:
        self.assertEqual(shell("kill -9 $$").rc, -9)

    def test_bytes_that_are_not_utf_8_are_replaced(self) -> None:
        self.assertEqual(shell(r"printf 'a\377b'").stdout, "a\ufffdb")

    def test_the_standard_input_is_empty(self) -> None:
        def work() -> Any:
            # Our own standard input is the connection to Ansible: a command must neither read it nor wait for it.
            inlet, dummy = os.pipe()
            os.dup2(inlet, 0)
            ran = run(["/bin/cat"], 2)
            return [ran.rc, ran.stdout, ran.timed_out]

        self.assertEqual(start_child(work).result().value, [0, "", False])

    def test_a_command_that_is_not_there_is_not_found(self) -> None:
        self.assertEqual(run([self.path("cnspec")]), Ran(False, problem="No such file or directory"))
        self.assertEqual(run(["no-command-of-this-name"]), Ran(False, problem="No such file or directory"))

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_closed_directory_on_path_does_not_make_a_command_found(self) -> None:
        os.mkdir(self.path("closed"), 0o700)
        environment = {"PATH": self.path("closed") + ":/usr/bin:/bin"}
        found = as_nobody(lambda: list(run(["no-command-of-this-name"], environment=environment)))
        self.assertEqual(found, list(Ran(False, problem="No such file or directory")))

    def test_a_command_that_is_not_executable_is_found(self) -> None:
        path = self.make("cnspec", b"#!/bin/sh\n", 0o644)
        self.assertEqual(run([path]), Ran(True, problem="Permission denied"))

    def test_a_file_that_is_no_program_is_found(self) -> None:
        path = self.make("cnspec", b"\x7fELFnot really", 0o755)
        self.assertEqual(run([path]), Ran(True, problem="Exec format error"))

    def test_a_script_whose_interpreter_is_missing_is_found(self) -> None:
        path = self.make("cnspec", b"#!/no/such/interpreter\n", 0o755)
        self.assertEqual(run([path]), Ran(True, problem="No such file or directory"))

    def test_a_nul_byte_is_a_problem_not_a_crash(self) -> None:
        self.assertEqual(run(["/bin/echo", "a\0b"]), Ran(True, problem="Invalid argument"))


class TimeTest(ScratchCase):
    def test_the_time_limit_is_honoured(self) -> None:
        ran = shell("echo first; sleep 30; echo second", 0.3)
        self.assertEqual((ran.found, ran.rc, ran.stdout, ran.timed_out), (True, None, "first\n", True))
        self.assertTrue(0.3 <= ran.seconds < 1.5, ran.seconds)

    def test_a_command_that_closed_its_streams_is_limited_too(self) -> None:
        ran = shell("exec >&- 2>&-; exec sleep 30", 0.3)
        self.assertTrue(ran.timed_out)
        self.assertLess(ran.seconds, 2)

    def test_a_command_that_ends_on_sigterm_may_say_goodbye(self) -> None:
        ran = shell("trap 'echo bye; exit 0' TERM; sleep 30 & wait", 0.3)
        self.assertEqual((ran.stdout, ran.rc, ran.timed_out), ("bye\n", None, True))

    def test_a_command_that_ignores_sigterm_is_killed_a_second_later(self) -> None:
        ran = shell("trap '' TERM; echo $$; while :; do sleep 0.1; done", 0.3)
        self.assertTrue(ran.timed_out)
        self.assertTrue(1.2 <= ran.seconds < 3, ran.seconds)
        self.assertTrue(is_gone_soon(int(ran.stdout)))

    def test_the_whole_family_is_gone_after_the_time_limit(self) -> None:
        ran = shell("(trap '' TERM; sleep 31 & echo $!; sleep 30) & echo $!; sleep 30", 0.4)
        pids = [int(line) for line in ran.stdout.split()]
        self.assertEqual((len(pids), ran.timed_out), (2, True))
        self.assertEqual([pid for pid in pids if not is_gone_soon(pid)], [])

    def test_a_grandchild_that_keeps_the_streams_open_does_not_keep_us(self) -> None:
        ran = shell("sleep 30 & echo $!; exit 3", 20)
        self.assertEqual((ran.rc, ran.timed_out), (3, False))
        self.assertLess(ran.seconds, 3)
        self.assertTrue(is_gone_soon(int(ran.stdout)))

    def test_a_grandchild_that_fled_into_a_session_of_its_own_does_not_keep_us(self) -> None:
        code = "import os, sys, time; os.fork() or (os.setsid(), time.sleep(6)); print(1)"
        ran = run([sys.executable, "-c", code], 20)
        self.assertEqual((ran.rc, ran.stdout), (0, "1\n"))
        self.assertLess(ran.seconds, 4)

    def test_what_a_child_says_just_after_the_command_ended_is_kept(self) -> None:
        self.assertEqual(shell("(sleep 0.3; echo late) & exit 0").stdout, "late\n")

    def test_a_signal_for_us_ends_the_command_and_its_family(self) -> None:
        note = self.path("pids")

        def work() -> Any:
            end_cleanly()
            return shell("trap '' TERM; sleep 30 & echo $$ $! > %s.new; mv %s.new %s; wait" % (note, note, note)).rc

        child = start_child(work)
        until = time.monotonic() + 5
        while not os.path.exists(note) and time.monotonic() < until:
            time.sleep(0.02)
        pids = [int(word) for word in read(note).split()]
        self.assertEqual([is_alive(pid) for pid in pids], [True, True])
        os.kill(child.pid, signal.SIGTERM)
        self.assertEqual(child.result().exit, 128 + signal.SIGTERM)
        self.assertEqual([pid for pid in pids if not is_gone_soon(pid)], [])

    def test_a_signal_while_the_command_is_being_started_ends_it_too(self) -> None:
        note = self.path("pid")
        start = subprocess.Popen

        def signalled(*given: Any, **options: Any) -> Any:
            process = start(*given, **options)
            with open(note, "w") as stream:
                stream.write(str(process.pid))
            os.kill(os.getpid(), signal.SIGTERM)
            return process

        def work() -> Any:
            end_cleanly()
            with mock.patch("subprocess.Popen", signalled):
                return shell("sleep 30").rc

        child = start_child(work)
        self.assertEqual(child.result().exit, 128 + signal.SIGTERM)
        self.assertTrue(is_gone_soon(int(read(note))))


class OutputTest(ScratchCase):
    def test_of_fifty_mebibytes_one_is_kept_and_the_command_is_not_stopped(self) -> None:
        def work() -> Any:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ran = shell("dd if=/dev/zero bs=1048576 count=50 2>/dev/null | tr '\\0' x; echo done >&2", 60)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            return [ran.rc, len(ran.stdout), set(ran.stdout) == {"x"}, ran.stderr, ran.truncated, grown < 16 * 1024]

        self.assertEqual(start_child(work).result().value, [0, MEBIBYTE, True, "done\n", True, True])

    def test_each_stream_has_the_limit_to_itself(self) -> None:
        ran = run_command(["/bin/sh", "-c", "printf 123456; printf 1234 >&2"], 10, 4, dict(os.environ))
        self.assertEqual((ran.stdout, ran.stderr, ran.truncated), ("1234", "1234", True))

    def test_output_of_exactly_the_limit_is_not_truncated(self) -> None:
        ran = run_command(["/bin/sh", "-c", "printf 1234; printf 1234 >&2"], 10, 4, dict(os.environ))
        self.assertEqual((ran.stdout, ran.stderr, ran.truncated), ("1234", "1234", False))


class EnvironmentTest(ScratchCase):
    def test_what_matches_a_pattern_is_gone_and_what_is_given_is_there(self) -> None:
        ours = {"MONDOO_TOKEN": "canary", "MONDOO_API_PROXY": "canary", "DEBUG": "1", "debug": "kept", "PATH": "/bin"}
        with mock.patch.dict(os.environ, ours, clear=True):
            environment = clean_environment(["MONDOO_*", "DEBUG", "TRACE"], {"NO_COLOR": "1", "PATH": "/usr/bin:/bin"})
        ran = run(["/usr/bin/env"], environment=environment)
        self.assertEqual(sorted(ran.stdout.split()), ["NO_COLOR=1", "PATH=/usr/bin:/bin", "debug=kept"])

    def test_a_proxy_variable_that_is_set_but_empty_is_left_out(self) -> None:
        empty = {"HTTPS_PROXY": "", "https_proxy": " ", "MONDOO_API_PROXY": "", "no_proxy": "", "EMPTY": ""}
        with mock.patch.dict(os.environ, dict(empty, http_proxy="http://proxy:3128", NO_PROXY="x"), clear=True):
            environment = clean_environment([], {"PATH": "/usr/bin:/bin"})
        ran = run(["/usr/bin/env"], environment=environment)
        self.assertEqual(
            sorted(ran.stdout.split()), ["EMPTY=", "NO_PROXY=x", "PATH=/usr/bin:/bin", "http_proxy=http://proxy:3128"]
        )


class FindTest(ScratchCase):
    def setUp(self) -> None:
        super().setUp()
        self.usable = self.make("bin/cnspec", b"#!/bin/sh\n", 0o755)
        self.closed = self.make("closed/cnspec", b"#!/bin/sh\n", 0o644)
        self.missing = self.path("missing", "cnspec")
        patch = mock.patch.dict(os.environ, {"PATH": "/usr/bin:/bin", "HOME": self.scratch})
        patch.start()
        self.addCleanup(patch.stop)

    def find(self, given: str = "", *candidates: str) -> Program:
        return find_program("cnspec-of-this-test", given, list(candidates))

    def test_what_was_given_is_taken_whatever_else_there_is(self) -> None:
        self.assertEqual(self.find(self.usable, self.missing), Program(self.usable, True))
        self.assertEqual(self.find("~/bin/cnspec"), Program(self.usable, True))
        self.assertEqual(self.find("$HOME/bin/cnspec"), Program(self.usable, True))
        self.assertEqual(self.find(self.missing, self.usable), Program(None, problem="No such file or directory"))
        self.assertEqual(self.find(self.closed, self.usable), Program(self.closed, problem="Permission denied"))
        self.assertEqual(self.find(self.scratch), Program(None, problem="Is a directory"))
        self.assertEqual(self.find("bin/cnspec"), Program(None, problem="not an absolute path"))

    def test_a_given_name_is_looked_up_on_path(self) -> None:
        self.assertEqual(self.find("env").path, "/usr/bin/env")

    def test_the_first_candidate_that_can_be_run_is_taken(self) -> None:
        self.assertEqual(self.find("", self.missing, self.closed, self.usable), Program(self.usable, True))
        self.assertEqual(self.find("", self.closed), Program(self.closed, problem="Permission denied"))

    def test_without_candidates_path_decides(self) -> None:
        self.assertEqual(find_program("env", "", [self.missing]).path, "/usr/bin/env")

    def test_nothing_found_is_said(self) -> None:
        self.assertEqual(self.find("", self.missing), Program(None, problem="No such file or directory"))

    @unittest.skipIf(NOT_ROOT, NOT_ROOT)
    def test_a_command_that_this_user_may_not_even_see_is_not_missing(self) -> None:
        os.chmod(self.path("bin"), 0o700)
        found = as_nobody(lambda: list(self.find(self.usable)))
        self.assertEqual(found, [self.usable, False, "Permission denied"])


if __name__ == "__main__":
    unittest.main()
