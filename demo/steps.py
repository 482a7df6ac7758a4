# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six steps of the main job, each with what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from demo import trouble
from demo.fleet import Fleet
from demo.loopback import Proxy
from demo.play import Controller, Outcome, Play
from demo.promises import Promises, listed, say
from demo.table import Row, render
from sandbox import Remote

REGISTER, STATUS = "mondoo.fleet.register", "mondoo.fleet.status"
# What status is to find, for the trouble that was made; everywhere else it is to find nothing.
FOUND = {
    **dict.fromkeys(trouble.REVOKED, "unauthenticated"),
    trouble.WRONG_CLOCK: "clock_skew",
    trouble.WRONG_PROXY: "unreachable",
    trouble.TRUNCATED: "config_invalid",
}
WITHOUT_TOKEN = {trouble.WRONG_PROXY, trouble.TRUNCATED}
HOUR = 3600


@dataclass
class Demo:
    """The fleet, the servers, and what was run so far, by the title of the run."""

    fleet: Fleet
    platform: Remote
    proxy: Proxy
    document: Mapping[str, Any]
    promises: Promises = field(default_factory=Promises)
    plays: dict[str, Play] = field(default_factory=dict)

    @property
    def controller(self) -> Controller:
        """Where ansible-playbook runs."""
        return Controller(self.fleet, self.platform)

    def run(self) -> None:
        """Set up, then take all steps."""
        self.controller.set_up(self.proxy.url_with_password)
        for number, step in enumerate(
            (self.register, self.again, self.trouble, self.status, self.expired, self.repair), start=1
        ):
            self.promises.step = f"step {number}"
            step(f"{number}")

    def register(self, number: str) -> None:
        """Register the whole fleet."""
        self._title(number, f"ansible-playbook {REGISTER}: a fleet that is not registered yet")
        self.controller.set_secrets(self.platform.mint_token(), self.document)
        play = self._play(f"{number}-register", REGISTER)
        self._show(play)
        count, agents = len(self.fleet.names), {agent["mrn"] for agent in self.platform.agents()}
        ledger = play.registered()
        check = self.promises.check
        check(play.code == 0 and not play.failed, f"no host failed (failed: {listed(play.failed)})")
        once = set(ledger) == set(self.fleet.names) and set(ledger.values()) == {1}
        check(once, f"each host is registered once (ledger: {ledger.total()} RegisterAgent for {count} hosts)")
        check(set(self.fleet.agents().values()) == agents, f"the platform has the agents in the files ({len(agents)})")
        self._check_all_ok(play)
        self._check_modes()
        self._check_proxy(play)

    def again(self, number: str) -> None:
        """Do the same again: there is nothing to do."""
        self._title(number, f"ansible-playbook {REGISTER}: the same again")
        before = self.fleet.configs()
        play = self._play(f"{number}-again", REGISTER)
        self._show(play)
        after = self.fleet.configs()
        differ = [name for name in self.fleet.names if before[name] != after[name]]
        check = self.promises.check
        check(play.code == 0 and not play.failed, f"no host failed (failed: {listed(play.failed)})")
        check(not play.changed, f"nothing is reported as changed (changed: {listed(play.changed)})")
        check(not differ, f"no file differs (different: {listed(differ)})")
        made = [call for call in play.calls if call.method == "RegisterAgent"]
        check(not made, f"no RegisterAgent (ledger: {len(made)} among {len(play.calls)} calls)")

    def trouble(self, number: str) -> None:
        """Let things go wrong."""
        self._title(number, "trouble")
        for made in trouble.make(self.fleet, self.platform, self.proxy):
            say(f"{made.host.ljust(6)}  {made.what}", first="  ", rest=" " * 10)
        self.controller.set_secrets(self.platform.mint_token(lifetime=-HOUR), self.document)
        say("token   the registration token in secrets.yml expired an hour ago", first="  ")

    def status(self, number: str) -> None:
        """Ask every host how it stands."""
        self._title(number, f"ansible-playbook {STATUS}: what is wrong, and what to do")
        before = self.fleet.configs()
        play = self._play(f"{number}-status", STATUS)
        self._show(play)
        found = {name: health(outcome) for name, outcome in play.outcomes.items()}
        wanted = {name: FOUND.get(name, "ok") for name in self.fleet.names}
        wrong = [name for name in wanted if found.get(name) != wanted[name]]
        check = self.promises.check
        check(not wrong, f"each host has the health that its trouble gives (otherwise: {listed(wrong)})")
        without = [name for name in FOUND if not fix(play.outcomes[name]) or not last_line(play.outcomes[name])]
        check(not without, f"each of these {len(FOUND)} has a last line and a fix (without: {listed(without)})")
        check(play.code == 0 and not play.changed, f"asking changes nothing (changed: {listed(play.changed)})")
        check(before == self.fleet.configs(), "no file differs")
        space = (play.outcomes[trouble.MOVED_AWAY].fact or {})["registration"]["space_mrn"]
        elsewhere = str(space).endswith(f"/{trouble.OTHER_SPACE}")
        check(elsewhere, f"{trouble.MOVED_AWAY} is well where it is, and its fact says where ({space})")
        acted = [call for call in play.calls if call.acted]
        check(not acted, f"nothing was made or removed on the platform (ledger: {len(acted)})")

    def expired(self, number: str) -> None:
        """Register with the expired token: repair what needs no token."""
        self._title(number, f"ansible-playbook {REGISTER}: with the expired token")
        before = self.fleet.configs()
        play = self._play(f"{number}-expired", REGISTER)
        self._show(self._with_facts(number, play))
        self._say_below(play)
        after = self.fleet.configs()
        check, failed = self.promises.check, set(play.failed)
        check(set(play.changed) == WITHOUT_TOKEN, f"what needs no token is repaired (changed: {listed(play.changed)})")
        expected = {*trouble.REVOKED, trouble.WRONG_CLOCK, trouble.MOVED_AWAY}
        check(failed == expected, f"the other hosts in trouble fail, and only these (failed: {listed(play.failed)})")
        lines = [name for name in failed if not one_line(play.outcomes[name].failure)]
        check(not lines, f"each says in one line what to do (otherwise: {listed(lines)})")
        lost = [name for name in self.fleet.names if name in failed and before[name] != after[name]]
        check(not lost, f"nothing is lost: hosts that failed have the file they had (different: {listed(lost)})")
        stopped = [name for name in self.fleet.names if name not in failed and health(play.outcomes.get(name)) != "ok"]
        check(not stopped, f"no other host was stopped: all others end as ok (otherwise: {listed(stopped)})")
        ledger = play.registered()
        check(set(ledger) <= WITHOUT_TOKEN, f"RegisterAgent only where repaired (ledger: {listed(sorted(ledger))})")

    def repair(self, number: str) -> None:
        """Register with a fresh token and move: everything ends well."""
        self._title(number, f"ansible-playbook {REGISTER} -e cnspec_move=true: with a fresh token")
        self.fleet.set_clock(trouble.WRONG_CLOCK, 0)
        say(f"The clock of {trouble.WRONG_CLOCK} was set right by hand; the role does not set clocks yet.", first="  ")
        self.controller.set_secrets(self.platform.mint_token(), self.document)
        play = self._play(f"{number}-repair", REGISTER, "-e", "cnspec_move=true")
        self._show(play)
        self._say_below(play)
        ledger = play.registered()
        check = self.promises.check
        check(play.code == 0 and not play.failed, f"no host failed (failed: {listed(play.failed)})")
        self._check_all_ok(play)
        expected = {*trouble.REVOKED, trouble.MOVED_AWAY}
        check(set(play.changed) == expected, f"only what was broken is changed (changed: {listed(play.changed)})")
        check(max(ledger.values(), default=0) <= 1, f"at most one RegisterAgent a host ({listed(sorted(ledger))})")
        self.promises.step = "all steps"
        self._check_once()
        self._check_agents()

    def _title(self, number: str, title: str) -> None:
        print(f"\n{number}. {title}", flush=True)

    def _play(self, title: str, playbook: str, *options: str) -> Play:
        play = self.plays[title] = self.controller.run(title, playbook, *options)
        return play

    def _show(self, play: Play) -> None:
        """Print one row for each host; paths are shown as they are on the host."""
        rows = []
        for name in self.fleet.names:
            outcome = play.outcomes.get(name, Outcome(failure="it was not reached"))
            todo = fix(outcome) or ("its line below says" if outcome.failure else "")
            row = Row(name, health(outcome), last_line(outcome), todo, "yes" if outcome.changed else "no")
            root = str(self.fleet.root(name))
            rows.append(replace(row, last_line=row.last_line.replace(root, ""), fix=row.fix.replace(root, "")))
        print(f"\n{render(rows)}\n", flush=True)

    def _with_facts(self, number: str, play: Play) -> Play:
        """Ask the hosts that failed before they were asked how they stand, so that the table can tell."""
        silent = [name for name in play.failed if play.outcomes[name].fact is None]
        if not silent:
            return play
        asked = self._play(f"{number}-status", STATUS, "--limit", ",".join(silent))
        found = {name: replace(play.outcomes[name], fact=asked.outcomes[name].fact) for name in silent}
        return replace(play, outcomes={**play.outcomes, **found})

    def _say_below(self, play: Play) -> None:
        """Print a line for each host that failed, and the agents that nobody uses any more."""
        for name in play.failed:
            text = play.outcomes[name].failure.replace(str(self.fleet.root(name)), "")
            say(f"{name.ljust(6)}  {text}", first="  ", rest=" " * 10)
        for name, agents in play.left_behind.items():
            say(f"{name.ljust(6)}  left_behind: {listed(agents)}", first="  ", rest=" " * 10)
        if play.failed or play.left_behind:
            print()

    def _check_all_ok(self, play: Play) -> None:
        other = [name for name in self.fleet.names if health(play.outcomes.get(name)) != "ok"]
        self.promises.check(not other, f"all are ok, as their own cnspec says (otherwise: {listed(other)})")

    def _check_modes(self) -> None:
        wide = [name for name in self.fleet.names if self.fleet.config(name).stat().st_mode & 0o077]
        self.promises.check(not wide, f"no other user can read a mondoo.yml (otherwise: {listed(wide)})")

    def _check_proxy(self, play: Play) -> None:
        """Check that cnspec of the hosts behind the proxy went through it, by the proxy's count and by the ledger."""
        behind = [host.name for host in self.fleet.hosts if host.behind_proxy]
        passed, refused = self.proxy.count("passed"), self.proxy.count("unauthorized")
        through = [call for call in play.by_cnspec() if call.via]
        around = [call for call in play.by_cnspec() if call.host in behind and not call.via]
        share = len(play.by_cnspec()) * len(behind) // len(self.fleet.names)
        self.promises.check(
            len(through) == passed == share and not around,
            f"cnspec of {listed(behind)} goes through the proxy (it passed on {passed} requests with its password and "
            f"refused {refused}; ledger: {len(through)} came through it, {len(around)} went around it)",
        )

    def _check_once(self) -> None:
        most = max((max(play.registered().values(), default=0) for play in self.plays.values()), default=0)
        text = f"at most one RegisterAgent for each host in each of {len(self.plays)} runs (ledger: at most {most})"
        self.promises.check(most <= 1, text)

    def _check_agents(self) -> None:
        """Check that each agent on the platform is in a host's file, or named in left_behind."""
        there = {agent["mrn"] for agent in self.platform.agents()}
        used = set(self.fleet.agents().values())
        said = [mrn for play in self.plays.values() for agents in play.left_behind.values() for mrn in agents]
        named, unknown = {mrn for mrn in said if mrn != "unknown"}, said.count("unknown")
        unnamed = there - used - named
        self.promises.check(
            used | named <= there and len(unnamed) == unknown,
            f"agents on the platform ({len(there)}) = those in the hosts' files ({len(used)}) + those named in "
            f"left_behind ({len(named)}) + those it calls unknown ({unknown}; unnamed on the platform: {len(unnamed)})",
        )


def health(outcome: Outcome | None) -> str:
    """Return the health that the fact tells."""
    return str(outcome.fact["health"]) if outcome and outcome.fact else "not known"


def last_line(outcome: Outcome) -> str:
    """Return the last line as cnspec said it."""
    return str(outcome.fact["last_line"] or "") if outcome.fact else ""


def fix(outcome: Outcome) -> str:
    """Return what to do about the first problem of a host that is not ok."""
    problems = outcome.fact["problems"] if outcome.fact and outcome.fact["health"] != "ok" else []
    return str(problems[0]["fix"]) if problems else ""


def one_line(message: str) -> bool:
    """Tell whether a message has the form of every error here: one line, a cause, and what to do."""
    return "\n" not in message and message.startswith("Cannot ") and ": " in message and message.endswith(".")
