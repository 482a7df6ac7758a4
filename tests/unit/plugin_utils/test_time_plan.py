# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the step time has to do, from what was seen of a host and what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils import clock_wait, time_config, time_services
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock_judgement import ClockSeen, judge
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host_records import FileSeen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.time_config import MARKER, Block
from ansible_collections.mondoo.fleet.plugins.plugin_utils.time_plan import TimePlan, TimeSeen, plan
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

WELL = ClockSeen(offset=0.0, in_step=True, kernel=True)
ALONE = ClockSeen(offset=0.0, in_step=False, kernel=False)
BEHIND = ClockSeen(offset=-259200.0, in_step=False, kernel=False)
SERVERS = ("time1.example.com", "192.0.2.1")
MISSING = FileSeen("missing", None)
DEBIAN = "pool 2.debian.pool.ntp.org iburst\nsourcedir /etc/chrony/sources.d\nconfdir /etc/chrony/conf.d\n"
REDHAT = "pool 2.rhel.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\nmakestep 1.0 3\n"
SUSE = "! pool pool.ntp.org iburst\nsourcedir /run/netconfig/chrony.servers\ninclude /etc/chrony.d/*.conf\n"


def files(**content: str) -> dict[str, FileSeen]:
    """Return the files of a host that has only these, by the last part of their names."""
    found = dict.fromkeys(time_config.FILES, MISSING)
    for path, text in content.items():
        found[path] = FileSeen("file", text.encode())
    return found


def chrony_conf(path: str, text: str) -> dict[str, FileSeen]:
    return files(**{path: text})


def unit(name: str, active: bool = False, enabled: bool = False, state: str | None = None) -> dict[str, Unit]:
    return {name: Unit(name, active=active, enabled=enabled, state=state or ("active" if active else "inactive"))}


def running(name: str, **more: t.Any) -> TimeSeen:
    given: dict[str, t.Any] = {"family": "Debian", "files": files(), "clock": WELL, **more}
    return TimeSeen(running=name, units=unit(name, active=True, enabled=True), **given)


@pytest.mark.parametrize("name", time_services.UNITS)
@pytest.mark.parametrize("clock", [WELL, ALONE])
@pytest.mark.parametrize("family", ["Debian", "RedHat", "Suse", ""])
def test_a_service_that_runs_is_left_alone_whether_it_is_in_step_yet_or_not(
    name: str, clock: ClockSeen, family: str
) -> None:
    assert plan(running(name, family=family, clock=clock)).todo == ()


@pytest.mark.parametrize(
    ("family", "todo", "package", "name"),
    [
        ("Debian", ("install", "enable", "start", "wait"), "systemd-timesyncd", "systemd-timesyncd"),
        ("RedHat", ("install", "enable", "start", "wait"), "chrony", "chronyd"),
        ("Suse", ("install", "enable", "start", "wait"), "chrony", "chronyd"),
    ],
)
def test_where_nothing_runs_the_familys_default_is_set_up(
    family: str, todo: tuple[str, ...], package: str, name: str
) -> None:
    made = plan(TimeSeen(family=family, clock=ALONE))
    assert made.service is not None
    assert (made.todo, made.service.package, made.service.unit) == (todo, package, name)


@pytest.mark.parametrize("family", ["Debian", "RedHat", "Suse", ""])
@pytest.mark.parametrize("name", time_services.UNITS)
def test_where_nothing_runs_what_is_installed_is_started_and_nothing_beside_it(family: str, name: str) -> None:
    made = plan(TimeSeen(family=family, units=unit(name), clock=ALONE))
    assert made.service is not None
    assert (made.todo, made.service.unit, made.service.package) == (("enable", "start", "wait"), name, "")


def test_of_two_that_are_installed_the_enabled_one_is_started_else_the_one_that_is_not_built_in() -> None:
    both = {**unit("systemd-timesyncd"), **unit("chrony")}
    chosen = plan(TimeSeen(family="Debian", units=both, clock=ALONE)).service
    assert chosen is not None and chosen.unit == "chrony"
    enabled = {**unit("systemd-timesyncd", enabled=True), **unit("chrony")}
    chosen = plan(TimeSeen(family="Debian", units=enabled, clock=ALONE)).service
    assert chosen is not None and chosen.unit == "systemd-timesyncd"


def test_an_unknown_service_that_keeps_the_clock_right_gets_none_beside_it() -> None:
    assert plan(TimeSeen(family="Debian", clock=WELL)).todo == ()


def test_a_container_is_not_judged_by_the_time_service_of_the_machine_that_it_runs_on() -> None:
    made = plan(TimeSeen(family="Debian", clock=WELL, container=True, settable=False))
    assert made.todo == ("say", "install", "enable")
    assert made.notes == (
        "systemd-timesyncd is enabled and not started: the clock is not one that a container may set.",
    )


def test_timesyncd_does_not_start_in_a_container_that_may_set_the_clock_and_chrony_does() -> None:
    container = TimeSeen(family="Debian", container=True, settable=True, clock=ALONE)
    assert plan(replace(container, units=unit("systemd-timesyncd"))).todo == ("say", "enable")
    assert plan(replace(container, units=unit("chrony"))).todo == ("enable", "start", "wait")


@pytest.mark.parametrize(
    ("name", "main", "content", "expected"),
    [
        ("chrony", "/etc/chrony/chrony.conf", DEBIAN, ["/etc/chrony/conf.d/mondoo-fleet.conf"]),
        ("chronyd", "/etc/chrony.conf", REDHAT, ["/etc/chrony.conf", "/etc/chrony.d/mondoo-fleet.conf"]),
        ("chronyd", "/etc/chrony.conf", SUSE, ["/etc/chrony.d/mondoo-fleet.conf"]),
        ("chronyd", "/etc/chrony.conf", "sourcedir /etc/ntp.d\n", ["/etc/ntp.d/mondoo-fleet.sources"]),
        ("chronyd", "/etc/chrony.conf", "CONFDIR /run/x /etc/a/\n", ["/etc/a/mondoo-fleet.conf"]),
        ("chronyd", "/etc/chrony.conf", "# confdir /etc/a\n", ["/etc/chrony.conf", "/etc/chrony.d/mondoo-fleet.conf"]),
        ("chrony", "/etc/chrony/chrony.conf", "", ["/etc/chrony/chrony.conf", "/etc/chrony/conf.d/mondoo-fleet.conf"]),
        ("systemd-timesyncd", "/etc/systemd/timesyncd.conf", "", ["/etc/systemd/timesyncd.conf.d/mondoo-fleet.conf"]),
        ("ntpsec", "/etc/ntpsec/ntp.conf", "pool x\n", ["/etc/ntpsec/ntp.conf"]),
        ("ntpd", "/etc/ntp.conf", "pool x\n", ["/etc/ntp.conf"]),
        ("openntpd", "/etc/openntpd/ntpd.conf", "servers x\n", ["/etc/openntpd/ntpd.conf"]),
    ],
)
def test_servers_are_added_to_the_service_that_runs_where_it_reads_them(
    name: str, main: str, content: str, expected: list[str]
) -> None:
    made = plan(running(name, files=chrony_conf(main, content)), SERVERS)
    assert [block.path for block in made.files] == expected
    assert made.todo == ("configure", "wait")


def test_what_is_added_is_in_the_language_of_each_service() -> None:
    def lines(name: str, path: str) -> tuple[str, ...]:
        return plan(running(name, files=chrony_conf(path, "x\n")), SERVERS).files[-1].lines

    chrony = ("server time1.example.com iburst", "server 192.0.2.1 iburst")
    assert lines("chrony", "/etc/chrony/chrony.conf") == chrony
    assert lines("ntpsec", "/etc/ntpsec/ntp.conf") == chrony
    assert lines("openntpd", "/etc/openntpd/ntpd.conf") == ("server time1.example.com", "server 192.0.2.1")
    assert lines("systemd-timesyncd", "/etc/x") == ("[Time]", "NTP=time1.example.com 192.0.2.1")
    redhat = plan(running("chronyd", files=chrony_conf("/etc/chrony.conf", REDHAT)), SERVERS)
    assert redhat.files[0] == Block("/etc/chrony.conf", ("include /etc/chrony.d/*.conf",), own=False)
    assert redhat.folders == ("/etc/chrony.d",)


def test_a_folder_that_is_there_is_not_made() -> None:
    there = chrony_conf("/etc/chrony.conf", SUSE)
    assert plan(running("chronyd", files=there), SERVERS).folders == ("/etc/chrony.d",)
    there["/etc/chrony.d"] = FileSeen("directory", None)
    assert plan(running("chronyd", files=there), SERVERS).folders == ()


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("Debian", ["/etc/systemd/timesyncd.conf.d/mondoo-fleet.conf"]),
        ("RedHat", ["/etc/chrony.conf", "/etc/chrony.d/mondoo-fleet.conf"]),
        ("Suse", ["/etc/chrony.d/mondoo-fleet.conf"]),
    ],
)
def test_of_what_is_not_installed_yet_it_is_known_what_would_be_written(family: str, expected: list[str]) -> None:
    made = plan(TimeSeen(family=family, clock=ALONE, files=files()), SERVERS)
    assert [block.path for block in made.files] == expected
    assert made.todo == ("install", "configure", "enable", "start", "wait")


def written(block: Block, before: str = "") -> str:
    begin, end = (MARKER.format(mark=mark) for mark in ("BEGIN", "END"))
    return "\n".join((*before.splitlines(), begin, *block.lines, end, ""))


def test_servers_that_are_there_already_are_not_written_again_and_others_are() -> None:
    there = Block("x", ("[Time]", "NTP=a"), own=True)
    drop_in = {"/etc/systemd/timesyncd.conf.d/mondoo-fleet.conf": written(there)}
    seen = running("systemd-timesyncd", files=files(**drop_in))
    assert plan(seen, ["a"]).todo == ()
    assert plan(seen, ["b"]).todo == ("configure", "wait")
    assert plan(seen, []).todo == ()


def test_a_marked_block_without_an_end_is_written_anew() -> None:
    block = Block("x", ("server a",), own=False)
    torn = FileSeen("file", f"{MARKER.format(mark='BEGIN')}\nserver a\n".encode())
    assert not block.is_in(torn)
    assert block.is_in(FileSeen("file", written(block, before="pool x").encode()))


@pytest.mark.parametrize("given_servers", [(), SERVERS])
def test_without_systemd_a_configuration_is_written_and_no_service_is_touched(given_servers: tuple[str, ...]) -> None:
    bare = TimeSeen(family="Debian", systemd=False, container=True, settable=False, clock=ALONE, files=files())
    made = plan(bare, given_servers)
    if not given_servers:
        assert made.todo == ()
        return
    assert made.todo == ("say", "install", "configure")
    assert made.notes == ("systemd-timesyncd is told of the time servers, and not restarted: systemd does not run it.",)


def test_a_service_that_was_started_by_hand_is_not_restarted() -> None:
    by_hand = replace(
        running("chrony", files=chrony_conf("/etc/chrony.conf", SUSE), clock=BEHIND), units=unit("chronyd")
    )
    made = plan(by_hand, SERVERS)
    assert made.todo == ("look", "say", "configure", "wait")
    assert made.notes == ("chrony is told of the time servers, and not restarted: systemd does not run it.",)


def test_without_systemd_what_a_package_left_tells_which_service_is_there() -> None:
    bare = TimeSeen(systemd=False, clock=ALONE, files=chrony_conf("/etc/chrony/chrony.conf", "confdir /etc/chrony.x\n"))
    made = plan(bare, SERVERS)
    assert made.todo == ("say", "configure")
    assert [block.path for block in made.files] == ["/etc/chrony.x/mondoo-fleet.conf"]


@pytest.mark.parametrize("clock", [WELL, ALONE])
def test_a_system_that_is_not_known_is_left_alone_while_its_clock_is_right(clock: ClockSeen) -> None:
    assert plan(TimeSeen(name="Alpine Linux v3.20", systemd=False, clock=clock)) == TimePlan(
        remedy="Synchronise its clock with a time server (NTP)"
    )


@pytest.mark.parametrize(("clock", "given_servers"), [(BEHIND, ()), (ALONE, SERVERS)])
def test_a_system_that_is_not_known_says_so_where_something_has_to_be_done(
    clock: ClockSeen, given_servers: tuple[str, ...]
) -> None:
    made = plan(TimeSeen(name="Alpine Linux v3.20", systemd=False, clock=clock, files=files()), given_servers)
    assert made.todo[-1] == "say" and "wait" not in made.todo
    assert made.problem == (
        "Cannot start a time service: mondoo.fleet does not know how to install one on this system "
        "(Alpine Linux v3.20). Start one there, or set cnspec_time: false."
    )


def test_servers_for_a_service_of_which_little_is_known_are_refused() -> None:
    made = plan(TimeSeen(family="Darwin", systemd=False, running="timed", clock=WELL, files=files()), SERVERS)
    assert made.problem == (
        "Cannot give time servers to timed: mondoo.fleet does not know its configuration. "
        "Leave cnspec_ntp_servers empty for this host, or set cnspec_time: false."
    )


def test_a_service_that_is_masked_is_not_unmasked() -> None:
    masked = TimeSeen(family="Debian", units=unit("systemd-timesyncd", state="masked"), clock=ALONE)
    assert plan(masked).todo == ()
    assert plan(replace(masked, clock=BEHIND)).problem == (
        "Cannot start a time service: systemd-timesyncd is masked. "
        "Run there: sudo systemctl unmask systemd-timesyncd, or set cnspec_time: false."
    )


HOUR = 3600.0


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        (ClockSeen(30.0), "right"),
        (ClockSeen(-30.1), "wrong"),
        (ClockSeen(HOUR, in_step=False), "wrong"),
        # Who says that it is in step may be right, and the controller wrong.
        (ClockSeen(HOUR, in_step=True, kernel=True), "doubtful"),
        (ClockSeen(HOUR, in_step=True, kernel=None, correction=0.1), "doubtful"),
        # Somebody set the clock since, or chronyd is past its makestep window and only nudges it.
        (ClockSeen(HOUR, in_step=True, kernel=False), "wrong"),
        (ClockSeen(HOUR, in_step=True, kernel=True, correction=HOUR), "wrong"),
        # What the platform says of the controller decides.
        (ClockSeen(HOUR, controller=-HOUR, in_step=True, kernel=True), "right"),
        (ClockSeen(HOUR, controller=-HOUR, in_step=False), "right"),
        (ClockSeen(HOUR, controller=0.0, in_step=True, kernel=True), "wrong"),
        (ClockSeen(0.0, controller=HOUR, in_step=False), "wrong"),
        (ClockSeen(None, in_step=None), "right"),
    ],
)
def test_a_clock_is_judged_by_the_platform_else_by_controller_and_time_service(clock: ClockSeen, verdict: str) -> None:
    assert judge(clock) == verdict


@pytest.mark.parametrize("name", ["chrony", "systemd-timesyncd", "ntpsec", "openntpd"])
def test_a_service_that_keeps_a_wrong_clock_is_restarted_and_waited_for(name: str) -> None:
    made = plan(running(name, clock=BEHIND))
    assert (made.todo, made.can_wait) == (("look", "step", "wait"), True)


def test_a_clock_of_which_nobody_knows_whether_it_is_wrong_is_looked_at_and_nothing_is_restarted() -> None:
    made = plan(running("chrony", clock=ClockSeen(HOUR, in_step=True, kernel=True)))
    assert made.todo == ("look", "wait")


def looks(*plans: TimePlan) -> t.Callable[[], dict[str, t.Any]]:
    """Return a look that gives prepared answers, the last one for ever."""
    left = list(plans)
    return lambda: {"time": (left.pop(0) if len(left) > 1 else left[0]).to_dict()}


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass without waiting, and note the pauses."""
    now, pauses = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(clock_wait.time, "sleep", sleep)
    monkeypatch.setattr(clock_wait.time, "monotonic", lambda: now[0])
    return pauses


def test_nothing_is_waited_for_when_all_is_well_at_the_first_look(naps: list[float]) -> None:
    assert clock_wait.wait_for_clock(looks(plan(running("chrony"))), 60)["warnings"] == []
    assert naps == []


def test_it_is_waited_until_the_clock_is_right_and_its_service_in_step(naps: list[float]) -> None:
    seen = [running("chrony", clock=clock) for clock in (BEHIND, ALONE, WELL)]
    assert clock_wait.wait_for_clock(looks(*map(plan, seen)), 60)["warnings"] == []
    assert naps == [2.0, 2.0]


def test_a_clock_that_stays_wrong_is_an_error_with_the_fix(naps: list[float]) -> None:
    with pytest.raises(FleetError) as raised:
        clock_wait.wait_for_clock(looks(plan(running("systemd-timesyncd", clock=BEHIND))), 60)
    assert str(raised.value) == (
        "Cannot register this host: its clock is 72 h 0 min behind the controller's, and did not come right within "
        "60 s. Let it reach a time server (UDP port 123), or name others in cnspec_ntp_servers; run there: "
        "timedatectl timesync-status."
    )
    assert sum(naps) == 60


def test_a_clock_that_nobody_may_set_is_an_error_at_once(naps: list[float]) -> None:
    seen = TimeSeen(family="Debian", container=True, settable=False, units=unit("chrony", enabled=True), clock=BEHIND)
    made = plan(seen)
    assert made.todo == ("look", "say", "wait")
    with pytest.raises(FleetError) as raised:
        clock_wait.wait_for_clock(looks(made), 60)
    assert str(raised.value) == (
        "Cannot register this host: its clock is 72 h 0 min behind the controller's, and a container may not set it. "
        "Set the clock of the machine that it runs on right."
    )
    assert naps == []


def test_a_service_that_died_is_an_error_with_the_fix_of_the_family(naps: list[float]) -> None:
    died = plan(TimeSeen(family="RedHat", systemd=False, clock=BEHIND, files=files(**{"/etc/chrony.conf": REDHAT})))
    with pytest.raises(FleetError) as raised:
        clock_wait.wait_for_clock(looks(died), 60)
    assert str(raised.value) == (
        "Cannot register this host: its clock is 72 h 0 min behind the controller's, and no time service runs. "
        "Synchronise its clock with a time server (NTP); run there: sudo dnf install -y chrony && "
        "sudo systemctl enable --now chronyd && sudo chronyc makestep."
    )
    assert naps == []


def test_a_right_clock_whose_service_reaches_nobody_is_a_warning(naps: list[float]) -> None:
    found = clock_wait.wait_for_clock(looks(plan(running("chrony", clock=ALONE))), 10)
    assert found["warnings"] == [
        "The clock is right, and chrony does not follow a time server yet. Let it reach a time server (UDP port 123), "
        "or name others in cnspec_ntp_servers; run there: chronyc -n sources; sudo chronyc makestep."
    ]
    assert sum(naps) == 10


def test_a_service_that_may_not_set_the_clock_is_not_waited_for(naps: list[float]) -> None:
    contained = plan(running("chrony", clock=ALONE, container=True, settable=False))
    assert clock_wait.wait_for_clock(looks(contained), 60)["warnings"] == []
    assert naps == []


def test_a_host_that_follows_a_time_server_and_differs_from_the_controller_is_a_warning(naps: list[float]) -> None:
    doubtful = plan(running("chrony", clock=ClockSeen(HOUR, in_step=True, kernel=True)))
    assert clock_wait.wait_for_clock(looks(doubtful), 60)["warnings"] == [clock_wait.DOUBTFUL]
    assert naps == []


@pytest.mark.parametrize("name", ["time.example.com", "ntp", "192.0.2.1", "2001:db8::1", "_x.example.com.", "a-b.c"])
def test_a_name_or_an_address_is_a_time_server(name: str) -> None:
    assert time_config.read_servers([name, name]) == (name,)


BAD = ["a b", "a\nserver b", "a iburst", "-x", "a..b", "http://a", "a;b", "#a", "2001:db8::1%x y", "x" * 64, "a.b\n"]


@pytest.mark.parametrize("name", BAD)
def test_what_could_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(FleetError) as raised:
        time_config.read_servers(["ok.example.com", name])
    assert str(raised.value) == (
        "Cannot use cnspec_ntp_servers: item 2 is neither the name of a host nor an address. "
        "Give names or addresses: [time.example.com]."
    )


@given(st.text())
def test_no_server_brings_a_line_or_a_word_of_its_own(name: str) -> None:
    try:
        assert time_config.read_servers([name]) == (name,)
    except FleetError:
        return
    assert len(name.split()) == 1 and name.split()[0] == name and not set(name) & set("#;!%\"'\\")


CONFIGURATIONS = st.dictionaries(
    st.sampled_from([path for path in time_config.FILES if not path.endswith(".d")]),
    st.sampled_from([DEBIAN, REDHAT, SUSE, "", "[Time]\n", "confdir /etc/chrony.d\n"]),
).map(lambda found: files(**found))
CLOCKS = st.builds(
    ClockSeen,
    offset=st.sampled_from([0.0, 20.0, -259200.0]),
    controller=st.sampled_from([None, 0.0, 259200.0]),
    in_step=st.sampled_from([True, False, None]),
    kernel=st.sampled_from([True, False, None]),
)
HOSTS = st.builds(
    TimeSeen,
    family=st.sampled_from(["Debian", "RedHat", "Suse", "Darwin", ""]),
    systemd=st.booleans(),
    container=st.booleans(),
    settable=st.sampled_from([True, False, None]),
    units=st.dictionaries(st.sampled_from(time_services.UNITS), st.booleans()).map(
        lambda found: {name: Unit(name, active=False, enabled=on, state="inactive") for name, on in found.items()}
    ),
    clock=CLOCKS,
    files=CONFIGURATIONS,
)


def applied(seen: TimeSeen, made: TimePlan) -> TimeSeen:
    """Return the host after what the plan says, by what modules and services really do."""
    service = made.service
    if service is None:
        return seen
    content = dict(seen.files)
    for block in made.files:
        before = (content.get(block.path, MISSING).content or b"").decode()
        content[block.path] = FileSeen("file", written(block, "" if block.own else before).encode())
    units = dict(seen.units)
    runs = service.runs or "start" in made.todo
    if seen.systemd and {"install", "enable", "start"}.intersection(made.todo):
        units[service.unit] = Unit(service.unit, active=runs, enabled=True, state="active" if runs else "inactive")
    clock = replace(WELL, controller=seen.clock.controller, offset=-(seen.clock.controller or 0.0))
    moved = {"start", "step"}.intersection(made.todo)
    return replace(
        seen,
        files=content,
        units=units,
        running=service.unit if runs else seen.running,
        clock=clock if moved else seen.clock,
    )


@given(HOSTS, st.sampled_from([(), SERVERS]))
def test_a_plan_that_was_carried_out_leaves_nothing_to_change(seen: TimeSeen, servers: tuple[str, ...]) -> None:
    made = plan(seen, servers)
    again = plan(applied(seen, made), servers)
    changing = {"install", "configure", "enable", "start", "step"}
    if not seen.systemd:
        changing.remove("install")  # a package manager that finds it installed changes nothing
    assert not changing.intersection(again.todo), (made, again)


@given(HOSTS, st.sampled_from([(), SERVERS]))
def test_a_service_that_runs_never_gets_a_second_one_beside_it(seen: TimeSeen, servers: tuple[str, ...]) -> None:
    made = plan(replace(seen, running="chrony", units=unit("chrony", active=True, enabled=True)), servers)
    assert made.service is not None and made.service.kind == "chrony"
    assert not {"install", "enable", "start"}.intersection(made.todo)


def test_what_chronyd_has_still_to_correct_is_read() -> None:
    said = "Reference ID    : C0000201 (192.0.2.1)\nSystem time     : 259199.531250000 seconds slow of NTP time\n"
    assert time_services.correction(said) == 259199.53125
    assert time_services.correction("506 Cannot talk to daemon") is None
