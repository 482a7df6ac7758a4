# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a run, or of all of them: by the ledger, by the proxy's count and by the hosts' own files."""

from __future__ import annotations

from collections.abc import Iterator

from demo.play import Outcome, Play
from demo.promises import listed
from demo.stage import Stage


def nobody_failed(stage: Stage, play: Play) -> None:
    """Check that ansible-playbook ended well, for every host."""
    complete = play.code == 0 and len(play.outcomes) == len(stage.fleet.names)
    stage.promises.check(complete and not play.failed, f"no host failed (failed: {listed(play.failed)})")


def all_ok(stage: Stage, play: Play) -> None:
    """Check that every host is well, as its own cnspec sees it."""
    other = [name for name in stage.fleet.names if play.outcomes.get(name, Outcome()).health != "ok"]
    stage.promises.check(not other, f"all are ok, as their own cnspec says (otherwise: {listed(other)})")


def registered_once(stage: Stage, play: Play) -> None:
    """Check that each host was registered by one RegisterAgent, and has the agent that it made."""
    ledger, count = play.registered(), len(stage.fleet.names)
    once = set(ledger) == set(stage.fleet.names) and set(ledger.values()) == {1}
    stage.promises.check(once, f"each is registered once (ledger: {ledger.total()} RegisterAgent for {count} hosts)")
    agents = {agent["mrn"] for agent in stage.platform.agents()}
    same = set(stage.fleet.agents().values()) == agents and len(agents) == count
    stage.promises.check(same, f"the agents on the platform ({len(agents)}) are those in the hosts' files")


def files_are_private(stage: Stage) -> None:
    """Check that nobody but the owner can read a mondoo.yml."""
    wide = [name for name in stage.fleet.names if stage.fleet.config(name).stat().st_mode & 0o077]
    stage.promises.check(not wide, f"no other user can read a mondoo.yml (otherwise: {listed(wide)})")


def proxy_was_used(stage: Stage, play: Play) -> None:
    """Check that cnspec of the hosts behind the proxy went through it, by the proxy's count and by the ledger."""
    behind = [host.name for host in stage.fleet.hosts if host.behind_proxy]
    passed, refused = stage.proxy.count("passed"), stage.proxy.count("unauthorized")
    calls = play.by_cnspec()
    through = [call for call in calls if call.via]
    around = [call for call in calls if call.host in behind and not call.via]
    # Every cnspec makes as many calls; under a shared service account the ledger cannot tell whose they are.
    share = len(calls) * len(behind) // len(stage.fleet.names)
    stage.promises.check(
        len(through) == passed == share > 0 and not around,
        f"cnspec of {listed(behind)} goes through the proxy (it passed on {passed} requests with its password and "
        f"refused {refused}; ledger: {len(through)} came through it, {len(around)} went around it)",
    )


def nothing_changed(stage: Stage, play: Play, before: dict[str, bytes]) -> None:
    """Check that neither a host nor the platform has changed, and that nobody says so."""
    differ = different(before, stage.fleet.configs())
    acted = [call for call in play.calls if call.acted or call.method == "RegisterAgent"]
    check = stage.promises.check
    check(not play.changed, f"nothing is reported as changed (changed: {listed(play.changed)})")
    check(not differ, f"no mondoo.yml differs (different: {listed(differ)})")
    check(not acted, f"no RegisterAgent, nothing made or removed (ledger: {len(acted)} of {len(play.calls)} calls)")


def different(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the hosts whose files are not the same bytes."""
    return [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def registered_at_most_once(stage: Stage) -> None:
    """Check that no run registered a host twice."""
    most = max((max(play.registered().values(), default=0) for play in stage.plays.values()), default=0)
    text = f"at most one RegisterAgent for each host in each of {len(stage.plays)} runs (ledger: at most {most})"
    stage.promises.check(most <= 1, text)


def no_agent_is_lost(stage: Stage) -> None:
    """Check that each agent on the platform is in a host's file, or named in left_behind."""
    there = {agent["mrn"] for agent in stage.platform.agents()}
    used = set(stage.fleet.agents().values())
    said = [mrn for play in stage.plays.values() for agents in play.left_behind.values() for mrn in agents]
    named, unknown = {mrn for mrn in said if mrn != "unknown"}, said.count("unknown")
    unnamed = there - used - named
    stage.promises.check(
        used | named <= there and not used & named and len(unnamed) == unknown,
        f"agents on the platform ({len(there)}) = those in the hosts' files ({len(used)}) + those named in "
        f"left_behind ({len(named)}) + those it calls unknown ({unknown}; unnamed on the platform: {len(unnamed)})",
    )


def no_secret_was_said(stage: Stage) -> None:
    """Check that neither the output of Ansible nor a task's result has a secret in it."""
    logs = sorted((stage.fleet.folder / "logs").iterdir())
    texts = {log.name: log.read_text() for log in logs}
    secrets = set(_secrets(stage))
    leaking = [name for name, text in texts.items() if any(secret in text for secret in secrets)]
    stage.promises.check(
        not leaking,
        f"no token, private key or proxy password is in output or results ({len(secrets)} looked for in "
        f"{len(logs)} files; found in: {listed(leaking)})",
    )


def _secrets(stage: Stage) -> Iterator[str]:
    yield from stage.tokens
    yield stage.proxy.password
    keys = [str(stage.document["private_key"]), *(stage.fleet.value(name, "private_key") for name in stage.fleet.names)]
    for key in keys:
        # The first line of base64 is the same for all keys of this kind.
        yield from [line for line in key.splitlines() if not line.startswith("-")][1:]
