# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six steps of the main job, each with what it promises."""

from __future__ import annotations

from demo import proofs, trouble
from demo.play import Outcome
from demo.promises import listed, say
from demo.stage import STATUS, Stage

REGISTER = "mondoo.fleet.register"
HOUR = 3600.0

# What status is to find, for the trouble that was made; everywhere else it is to find nothing.
FOUND = {
    **dict.fromkeys(trouble.REVOKED, "unauthenticated"),
    trouble.WRONG_CLOCK: "clock_skew",
    trouble.WRONG_PROXY: "unreachable",
    trouble.TRUNCATED: "config_invalid",
}
# What can be repaired without a token: a setting, and a host that has a credentials document.
WITHOUT_TOKEN = {trouble.WRONG_PROXY, trouble.TRUNCATED}
WITH_TOKEN = {*trouble.REVOKED, trouble.MOVED_AWAY}


def run(stage: Stage) -> None:
    """Take all steps."""
    stage.controller.set_up(stage.proxy.url_with_password)
    for step in (register, register_again, make_trouble, ask_status, register_without_token, repair):
        step(stage)


def register(stage: Stage) -> None:
    """Register the whole fleet."""
    _title(stage, f"1. ansible-playbook {REGISTER}: a fleet that is not registered yet")
    stage.use_token()
    play = stage.play("1-register", REGISTER)
    stage.show(play)
    proofs.nobody_failed(stage, play)
    proofs.registered_once(stage, play)
    proofs.all_ok(stage, play)
    proofs.files_are_private(stage)
    proofs.proxy_was_used(stage, play)


def register_again(stage: Stage) -> None:
    """Do the same again: there is nothing to do."""
    _title(stage, f"2. ansible-playbook {REGISTER}: the same again")
    before = stage.fleet.configs()
    play = stage.play("2-register-again", REGISTER)
    stage.show(play)
    proofs.nobody_failed(stage, play)
    proofs.nothing_changed(stage, play, before)


def make_trouble(stage: Stage) -> None:
    """Let things go wrong."""
    _title(stage, "3. trouble")
    for made in trouble.make(stage.fleet, stage.platform, stage.proxy):
        say(f"{made.host.ljust(6)}  {made.what}", first="  ", rest=" " * 10)
    stage.use_token(lifetime=-HOUR)
    say("token   the registration token in secrets.yml expired an hour ago", first="  ")


def ask_status(stage: Stage) -> None:
    """Ask every host how it stands."""
    _title(stage, f"4. ansible-playbook {STATUS}: what is wrong, and what to do")
    before = stage.fleet.configs()
    play = stage.play("4-status", STATUS)
    stage.show(play)
    found = {name: play.outcomes.get(name, Outcome()) for name in stage.fleet.names}
    wrong = [name for name, outcome in found.items() if outcome.health != FOUND.get(name, "ok")]
    poor = [name for name in FOUND if not found[name].last_line or not found[name].fix]
    space = str((found[trouble.MOVED_AWAY].fact or {}).get("registration", {}).get("space_mrn"))
    elsewhere = space.endswith(f"/{trouble.OTHER_SPACE}")
    check = stage.promises.check
    proofs.nobody_failed(stage, play)
    check(not wrong, f"each has the health that its trouble gives, all others are ok (otherwise: {listed(wrong)})")
    check(not poor, f"each of these {len(FOUND)} has a last line and a fix (without: {listed(poor)})")
    check(elsewhere, f"{trouble.MOVED_AWAY} is well where it is, and its fact says where ({space})")
    proofs.nothing_changed(stage, play, before)


def register_without_token(stage: Stage) -> None:
    """Register with the expired token: repair what needs none, and stop nobody."""
    _title(stage, f"5. ansible-playbook {REGISTER}: with the expired token")
    before = stage.fleet.configs()
    play = stage.play("5-register-expired", REGISTER)
    differ = proofs.different(before, stage.fleet.configs())
    stage.show(stage.with_facts("5-status-of-failed", play))
    failed, ledger = set(play.failed), sorted(play.registered())
    cryptic = [name for name in failed if not one_line(play.outcomes[name].failure)]
    lost = [name for name in differ if name in failed]
    well = [name for name in stage.fleet.names if name not in failed]
    stopped = [name for name in well if play.outcomes.get(name, Outcome()).health != "ok"]
    check = stage.promises.check
    check(set(play.changed) == WITHOUT_TOKEN, f"what needs no token is repaired (changed: {listed(play.changed)})")
    only = failed == {*WITH_TOKEN, trouble.WRONG_CLOCK}
    check(only, f"the other hosts in trouble fail, and only these (failed: {listed(play.failed)})")
    check(not cryptic, f"each says in one line what to do (otherwise: {listed(cryptic)})")
    check(not lost, f"nothing is lost: hosts that failed have the file they had (different: {listed(lost)})")
    check(not stopped, f"no other host was stopped: the {len(well)} others are ok (otherwise: {listed(stopped)})")
    check(set(ledger) <= WITHOUT_TOKEN, f"RegisterAgent only where repaired (ledger: {listed(ledger)})")


def repair(stage: Stage) -> None:
    """Register with a fresh token and move: everything ends well."""
    _title(stage, f"6. ansible-playbook {REGISTER} -e cnspec_move=true: with a fresh token")
    stage.fleet.set_clock(trouble.WRONG_CLOCK, 0)
    say(f"The clock of {trouble.WRONG_CLOCK} was set right by hand: the role does not set clocks yet.", first="  ")
    stage.use_token()
    play = stage.play("6-register-fresh", REGISTER, "-e", "cnspec_move=true")
    stage.show(play)
    proofs.nobody_failed(stage, play)
    proofs.all_ok(stage, play)
    check, ledger = stage.promises.check, sorted(play.registered())
    check(set(play.changed) == WITH_TOKEN, f"only what was still broken is changed (changed: {listed(play.changed)})")
    check(set(ledger) == WITH_TOKEN, f"RegisterAgent only for these (ledger: {listed(ledger)})")
    revoked = set(trouble.REVOKED) <= set(play.left_behind)
    check(revoked, f"agents that could not be let go of are named (by: {listed(list(play.left_behind))})")
    proofs.registered_at_most_once(stage)
    proofs.no_agent_is_lost(stage)
    proofs.no_secret_was_said(stage)


def one_line(message: str) -> bool:
    """Tell whether a message has the form of every error here: one line, a cause, and what to do."""
    return "\n" not in message and message.startswith("Cannot ") and ": " in message and message.endswith(".")


def _title(stage: Stage, title: str) -> None:
    stage.promises.step = f"step {title.partition('.')[0]}"
    print(f"\n{title}", flush=True)
