# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils import run_folder
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.run_folder import RunFolder

FORK = multiprocessing.get_context("fork")


def _register(folder: str, limit: int, log: str) -> None:
    with RunFolder(folder).turn(limit):
        for mark in ("+", "-"):
            with open(log, "a") as handle:
                handle.write(mark)
            time.sleep(0.1)


@pytest.mark.parametrize("limit", [1, 2])
def test_no_more_processes_than_the_limit_have_a_turn_at_once(tmp_path: Path, limit: int) -> None:
    log = tmp_path / "log"
    workers = [FORK.Process(target=_register, args=(str(tmp_path / "run"), limit, str(log))) for dummy in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    held = [log.read_text()[: end + 1].count("+") - log.read_text()[: end + 1].count("-") for end in range(10)]
    assert max(held) == limit
    assert held[-1] == 0


def test_a_turn_is_given_back_when_its_holder_fails(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    with pytest.raises(KeyboardInterrupt), folder.turn(1):
        raise KeyboardInterrupt
    with folder.turn(1):
        pass


def test_a_turn_of_a_process_that_was_killed_is_free_again(tmp_path: Path) -> None:
    worker = FORK.Process(target=_hold, args=(str(tmp_path),))
    worker.start()
    _until(lambda: os.path.exists(tmp_path / "held"))
    worker.kill()
    worker.join(10)
    with RunFolder(str(tmp_path)).turn(1):
        pass


def _hold(folder: str) -> None:
    with RunFolder(folder).turn(1):
        Path(folder, "held").touch()
        time.sleep(60)


def _until(true: object) -> None:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)


def test_a_turn_that_never_comes_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "TURN_SECONDS", 0.1)
    done = threading.Event()

    def hold() -> None:
        with RunFolder(str(tmp_path)).turn(1):
            Path(tmp_path, "held").touch()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    _until(lambda: os.path.exists(tmp_path / "held"))
    try:
        with pytest.raises(FleetError) as caught, RunFolder(str(tmp_path)).turn(1):
            pass
    finally:
        done.set()
        thread.join()
    assert str(caught.value) == (
        "Cannot register the agent: other hosts held all 1 turns for 15 minutes. "
        "Run again, or raise registration_limit."
    )


def test_the_first_hosts_whose_identity_was_rejected_are_counted(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    assert [folder.count_rejected(host, 2) for host in ("a", "b", "c")] == [True, True, False]


def test_a_host_that_is_counted_again_keeps_its_place(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    for dummy in range(3):
        assert [folder.count_rejected(host, 2) for host in ("a", "b", "c")] == [True, True, False]


def test_with_a_limit_of_nothing_no_host_is_among_the_first(tmp_path: Path) -> None:
    assert RunFolder(str(tmp_path)).count_rejected("a", 0) is False


def _count(folder: str, host: str, limit: int, log: str) -> None:
    if RunFolder(folder).count_rejected(host, limit):
        with open(log, "a") as handle:
            handle.write(f"{host}\n")


def test_hosts_that_are_counted_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    arguments = [(str(tmp_path / "run"), f"web{number}", 3, str(log)) for number in range(10)]
    workers = [FORK.Process(target=_count, args=item) for item in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(log.read_text().splitlines()) == 3


def test_distrust_is_shared_by_all_hosts_of_the_run(tmp_path: Path) -> None:
    assert not RunFolder(str(tmp_path / "run")).distrusted
    RunFolder(str(tmp_path / "run")).distrust()
    assert RunFolder(str(tmp_path / "run")).distrusted
    assert not RunFolder(str(tmp_path / "another")).distrusted


def test_the_folder_is_made_only_when_needed_and_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert not RunFolder(str(folder)).distrusted
    assert not folder.exists()
    RunFolder(str(folder)).distrust()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_the_first_found_out_is_kept_for_those_who_ask_again(tmp_path: Path) -> None:
    folder, answer = str(tmp_path / "run"), {"platform_serving": False, "hosts": 3}
    assert RunFolder(folder).kept("question") == {}
    RunFolder(folder).keep("question", answer)
    assert RunFolder(folder).kept("question") == answer
    assert RunFolder(folder).kept("another") == {}


def test_what_cannot_be_kept_is_as_if_nobody_had_asked(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    folder = RunFolder(str(tmp_path / "run"))
    folder.keep("question", {"hosts": 3})
    assert folder.kept("question") == {}


def test_what_was_found_out_first_stays(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.keep("question", {"hosts": 3})
    folder.keep("question", {"hosts": 4})
    assert folder.kept("question") == {"hosts": 3}
