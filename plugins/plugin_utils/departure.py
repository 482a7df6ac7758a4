# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a host off the platform: unregister its agent, then remove the identity from its config."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .arguments import Options
from .config import Config
from .config_diff import diff
from .config_look import require_writable
from .config_writer import ConfigWriter, WriteUnknown
from .credentials import ServiceAccount
from .errors import FleetError
from .host import Look
from .interruption import interruptible
from .outcome import Outcome, task_result
from .plan import Plan, leaving_signer, plan_departure
from .proof import prove
from .run import Run
from .verdict import Verdict
from .wanted import Wanted

LEAVE_IT = "set unregister_previous: false to leave the agent there"
UNREGISTERED_ONLY = "The agent is unregistered already; run again to remove what is left in the config"


@dataclass
class Departure:
    """Make one host, which was looked at, absent; `run` does it and returns the task's result."""

    options: Options
    around: Run
    wanted: Wanted
    look: Look
    found: Config
    warnings: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    def run(self) -> dict[str, t.Any]:
        """Take the host off the platform. Raises FleetError, which says what was done when anything was."""
        plan = plan_departure(self.found, keep_settings=self.options["keep_settings"])
        backup_file = None
        if plan.changes:
            signer = self._signer()
            require_writable(self.look.config, removing=plan.settled.content is None)
            if not self.around.check_mode:
                backup_file = self._leave(plan, signer)
        return self._result(plan, backup_file)

    def _signer(self) -> ServiceAccount | None:
        """Return who can unregister the agent, None when nobody has to or can; what stays is named then.

        Raises FleetError while it is not known whether the platform would listen.
        """
        agent, signer = self.found.agent_mrn, leaving_signer(self.found, self.wanted)
        if self.found.problem is not None:
            self._leave_behind("unknown", f"The config cannot be read ({self.found.problem})")
        if agent is None:
            return None  # a service account may be shared with other hosts: it is never deleted
        if not self.options["unregister_previous"]:
            self.left_behind.append(agent)
            return None
        if signer is None:
            self._leave_behind(agent, "The config has no usable key to sign with")
            return None
        judgement = prove(signer, self.around, self.warnings)
        if judgement.verdict is Verdict.REJECTED:
            self._leave_behind(agent, "The platform rejects the identity already")
            return None
        if judgement.verdict is not Verdict.ACCEPTED:
            raise _not_unregistered(f"the platform gave no verdict: {judgement.cause}")
        return signer

    def _leave_behind(self, agent: str, cause: str) -> None:
        self.left_behind.append(agent)
        self.warnings.append(
            f"{cause}, so the host is taken off here only. Its agent may still be there: see left_behind in the result."
        )

    def _leave(self, plan: Plan, signer: ServiceAccount | None) -> str | None:
        """Unregister the agent, then write what stays; return the path of the backup."""
        writer = ConfigWriter(self.around.host, self.look.config, self.options, self._mode(), self.around.clock.sleep)
        if signer is None:
            try:
                return writer.write(plan.settled.content)
            except WriteUnknown as error:
                error.detail["left_behind"] = self.left_behind  # the host may name it no more
                raise
        done = False
        try:
            with interruptible():
                self._unregister(signer)
                done = True
                return writer.write(plan.settled.content)
        except FleetError as error:
            if not done:
                raise
            raise FleetError(error.what, error.cause, UNREGISTERED_ONLY, code=error.code, **error.detail) from None
        except BaseException as error:
            if isinstance(error, (Exception, KeyboardInterrupt, SystemExit)):
                raise
            # SIGTERM, or what the `timeout` of a task raises.
            raise FleetError(
                "finish unregistering",
                "the run was told to stop",
                UNREGISTERED_ONLY if done else "The agent may be unregistered; run again",
                code="stopped",
            ) from None

    def _mode(self) -> str:
        """What stays holds no key any more, so its mode is kept as it is."""
        return self.look.config.mode or "0600"

    def _unregister(self, signer: ServiceAccount) -> None:
        """Unregister the agent for certain. Raises FleetError."""
        platform = self.around.platform_of(signer)
        if platform.unregister(signer, str(self.found.agent_mrn)):
            return
        if platform.refusal:
            raise FleetError(
                "unregister the agent",
                f"the platform refused with {platform.refusal}",
                f"The config is as it was; check what its identity may do in this space, or {LEAVE_IT}",
                code="not_unregistered",
            )
        # When the answer was lost, a service account that was accepted a moment ago is gone with its agent.
        if prove(signer, self.around, self.warnings).verdict is not Verdict.REJECTED:
            raise _not_unregistered("the platform did not confirm it")

    def _result(self, plan: Plan, backup_file: str | None) -> dict[str, t.Any]:
        path = self.look.config.path
        outcome = Outcome(plan.settled, left_behind=self.left_behind, backup_file=backup_file, warnings=self.warnings)
        result = task_result(plan, outcome, path)
        if plan.changes and self.around.diff_mode:
            result["diff"] = diff(self.found, plan.settled, path)
        return result


def _not_unregistered(cause: str) -> FleetError:
    remedy = f"The config is as it was; run again when the platform can be reached, or {LEAVE_IT}"
    return FleetError("unregister the agent", cause, remedy, code="not_unregistered")
