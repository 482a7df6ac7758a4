# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run left behind, by independent looks: the file on the host, and the agents that the platform has."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import parse
from doubles.lab import Lab, Result

from .row import MANY

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRIES = re.compile(r"to \d+ tries")


def reads(result: Result) -> str:
    """Return all that a user reads of a result; what is another each time, as {id} and {many}."""
    wrong = result.get("failed") or result.get("unreachable")
    text = str(result["msg"]) if wrong else " ".join(result.get("warnings", ()))
    return TRIES.sub("to {many} tries", REQUEST_ID.sub("{id}", text))


class Ledger:
    """Look at host and platform before the fault, after it and after the next run; check what must always hold."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._before = lab.content
        self._calls = len(lab.platform.calls())
        self.names = {"path": str(lab.path), "old": str(lab.config.agent_mrn)}

    def after(
        self, result: Result | None, method: str | None, *, absent: bool = False, others: bool = False
    ) -> dict[str, t.Any]:
        """Return the fields of Found that are known after the run with the fault. Raises AssertionError.

        `result` is None when nobody was left to tell it. `absent`: the run was to take the host off. `others`: two runs
        were at work, so two agents were made.
        """
        calls = self.lab.platform.calls(since=self._calls)
        made = [call.agent_mrn for call in calls if call.method == "RegisterAgent" and call.acted]
        assert len(made) <= 1 + others, "more than one RegisterAgent acted in a run"
        # Of two that were made, the host has the one of the run that won.
        self.names["new"] = next((mrn for mrn in made if mrn == self.lab.config.agent_mrn), made[0] if made else "none")
        if result is None:
            # A run that was ended outright leaves at most one agent for each host in flight, which bears its name.
            assert len(self.lab.agents) <= 2, "more than one agent that no host uses"
            assert {agent["name"] for agent in self.lab.platform.agents()} <= {"web1"}, "an agent of another name"
            return {**self._seen(made, absent), "reads": "", "ends": "stopped", "named": "", "tries": None}
        reached = sum(call.method == method for call in calls) or None
        tries = result.get("api_attempts") if method == "RegisterAgent" else reached
        named = [*result.get("left_behind", ()), *re.findall(r"//agents\S+/agents/\w+", reads(result))]
        self._check_named(named)
        ends = next((word for word in ("unreachable", "failed", "changed") if result.get(word)), "ok")
        return {
            **self._seen(made, absent),
            "reads": reads(result),
            "ends": ends,
            "tries": None if tries is None else min(tries, MANY),
            "named": self._said(set(named)),
        }

    def _seen(self, made: list[str], absent: bool) -> dict[str, t.Any]:
        return {"host": self._host(absent), "made": len(made), "agents": self._said(self.lab.agents)}

    def next_runs(self, **options: t.Any) -> tuple[str, str]:
        """Return what a run without a fault does, and the agents that no host uses then. Raises AssertionError."""
        again = self.lab.register(**options)
        assert not again.get("failed"), again["msg"]
        present = options.get("state") != "absent"
        assert self.lab.agents >= ({self.lab.config.agent_mrn} if present else set()), "the host's agent does not exist"
        left = self._said(self.lab.agents - {self.lab.config.agent_mrn})
        last = self.lab.register(**options)
        assert (last["changed"], last["verified"]) == (False, present or None), "the run after the next one is not idle"
        return f"{again['action']} ({again['reason']})" if again["reason"] else again["action"], left

    def _check_named(self, named: list[str]) -> None:
        unused = self.lab.agents - {self.lab.config.agent_mrn}
        assert unused <= set(named) or "unknown" in named, f"nobody names {self._said(unused - set(named))}"

    def _said(self, agents: t.Iterable[str]) -> str:
        known = {mrn: name for name, mrn in self.names.items() if name in ("old", "new")}
        return " ".join(sorted(known.get(mrn, mrn) for mrn in agents))

    def _host(self, absent: bool) -> str:
        """Tell which config is on the host. Raises AssertionError when it is not a whole one."""
        content = self.lab.content
        if content == self._before:
            return "old"
        config = parse(content)
        assert config.problem is None and config.text("kept"), "the config is not whole"
        if config.text("theirs"):
            return "theirs"
        if absent:
            assert config.account is None and config.agent_mrn is None, "an identity is left in the config"
            return "new"
        assert config.account is not None, "the config is not whole"
        assert config.agent_mrn == self.names["new"], "the config is neither the old nor the new one"
        return "new"
