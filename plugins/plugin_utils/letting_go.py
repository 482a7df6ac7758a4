# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting go of the agent that a host had before: unregistered where that still works, else named."""

from __future__ import annotations

from dataclasses import dataclass, field

from .arguments import Options
from .config import DEFAULT_ENDPOINT, Config
from .credentials import ServiceAccount
from .errors import FleetError
from .interruption import interruptible
from .plan import leaving_signer
from .proof import prove
from .run import Run
from .verdict import Judgement, Verdict
from .wanted import Wanted


@dataclass
class Outcome:
    """What came of a plan; `config` is what the host has now (or, foreseen, would have)."""

    config: Config
    verified: bool | None = None
    cause: str = ""
    foreseen: bool = False
    changed: bool = False
    left_behind: list[str] = field(default_factory=list)
    api_attempts: int = 0
    backup_file: str | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PreviousAgent:
    """The agent, if any, in the config that was found."""

    options: Options
    around: Run
    wanted: Wanted
    found: Config

    def foresee(self, outcome: Outcome, judgement: Judgement) -> None:
        """Say in `outcome` what applying the plan would leave behind on the platform."""
        self._name_lost(outcome)
        if self._lets_go(outcome):
            can = self._can_let_go(outcome, judgement)
            signer = self._signer(judgement)
            if can and signer is not None and judgement.verdict is Verdict.UNASKED:
                # The plan does not depend on it, but whether the old identity can still sign does.
                can = not self._is_rejected(signer, outcome)
            if not can:
                outcome.left_behind.append(str(self.found.agent_mrn))
        self._warn_of_left(outcome)

    def let_go(self, outcome: Outcome, judgement: Judgement) -> None:
        """Unregister the previous agent, signed by its own identity, where that still works."""
        self._name_lost(outcome)
        if self._lets_go(outcome):
            previous, signer = str(self.found.agent_mrn), self._signer(judgement)
            try:
                with interruptible():
                    may = self._can_let_go(outcome, judgement)
                    gone = may and signer is not None and self._unregister(signer, previous)
            except BaseException:
                gone = False  # told to stop: the host is registered, and the old agent is named
            if not gone:
                outcome.left_behind.append(previous)
        self._warn_of_left(outcome)

    def _name_lost(self, outcome: Outcome) -> None:
        if self.found.problem is not None:
            outcome.warnings.append(
                f"The config could not be read ({self.found.problem}); what stood in it is gone."
                if not outcome.foreseen
                else f"The config cannot be read ({self.found.problem}); what stands in it would be gone."
            )
        if self.found.problem is not None and self.found.content:
            outcome.left_behind.append("unknown")

    def _lets_go(self, outcome: Outcome) -> bool:
        """Tell whether the host had an agent that it has no more."""
        return self.found.agent_mrn is not None and self.found.agent_mrn != outcome.config.agent_mrn

    def _can_let_go(self, outcome: Outcome, judgement: Judgement) -> bool:
        """Tell whether the previous agent is to be unregistered, and by an identity that still works."""
        proved = outcome.foreseen or outcome.verified is not None or self.options["verify"] == "false"
        return proved and self.options["unregister_previous"] and self._signer(judgement) is not None

    def _is_rejected(self, signer: ServiceAccount, outcome: Outcome) -> bool:
        return prove(signer, self.around, outcome.warnings).verdict is Verdict.REJECTED

    def _warn_of_left(self, outcome: Outcome) -> None:
        if outcome.left_behind and self.options["unregister_previous"]:
            stays = "would be" if outcome.foreseen else "is"
            outcome.warnings.append(
                f"The previous agent {stays} left behind on the platform: see left_behind in the result."
            )

    def _signer(self, judgement: Judgement) -> ServiceAccount | None:
        """Return the identity that can still unregister the previous agent; None when there is none."""
        signer = leaving_signer(self.found, self.wanted)
        return None if signer == self.found.account and judgement.verdict is Verdict.REJECTED else signer

    def _unregister(self, account: ServiceAccount, agent_mrn: str) -> bool:
        """Remove the agent where its account belongs; tell whether it is gone for certain."""
        try:
            platform = self.around.platform_at(account.api_endpoint or DEFAULT_ENDPOINT)
            return platform.unregister(account, agent_mrn)
        except FleetError:
            return False
