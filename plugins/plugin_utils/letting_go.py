# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting go of the agent that a host had before: unregistered where that still works, else named."""

from __future__ import annotations

from dataclasses import dataclass

from .arguments import Options
from .config import Config
from .credentials import ServiceAccount
from .interruption import interruptible
from .outcome import Outcome
from .plan import leaving_signer
from .proof import prove
from .run import Run
from .verdict import Judgement, Verdict
from .wanted import Wanted


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
            signer = self._signer(outcome, judgement)
            # Unasked: the plan does not depend on it, but whether the old identity can still sign does.
            unasked = judgement.verdict is Verdict.UNASKED
            if signer is None or (unasked and self._is_rejected(signer, outcome)):
                outcome.left_behind.append(str(self.found.agent_mrn))
        self._warn_of_left(outcome)

    def let_go(self, outcome: Outcome, judgement: Judgement) -> None:
        """Unregister the previous agent, signed by its own identity, where that still works."""
        self._name_lost(outcome)
        if self._lets_go(outcome):
            previous, signer = str(self.found.agent_mrn), self._signer(outcome, judgement)
            try:
                with interruptible():
                    gone = signer is not None and self.around.platform_of(signer).unregister(signer, previous)
            except BaseException:
                gone = False  # told to stop, or nobody to ask: the host is registered, and the old agent is named
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

    def _signer(self, outcome: Outcome, judgement: Judgement) -> ServiceAccount | None:
        """Return the identity that is to unregister the previous agent; None when there is none, or nobody may."""
        proved = outcome.foreseen or outcome.verified is not None or self.options["verify"] == "false"
        if not (proved and self.options["unregister_previous"]):
            return None
        signer = leaving_signer(self.found, self.wanted)
        return None if signer == self.found.account and judgement.verdict is Verdict.REJECTED else signer

    def _is_rejected(self, signer: ServiceAccount, outcome: Outcome) -> bool:
        return prove(signer, self.around, outcome.warnings).verdict is Verdict.REJECTED

    def _warn_of_left(self, outcome: Outcome) -> None:
        if outcome.left_behind and self.options["unregister_previous"]:
            stays = "would be" if outcome.foreseen else "is"
            outcome.warnings.append(
                f"The previous agent {stays} left behind on the platform: see left_behind in the result."
            )
