# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registration of one host: ask the platform, plan, and hand the plan to the enrolment that applies it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .arguments import Options
from .config import Config, edit
from .config_diff import diff
from .config_look import require_writable
from .config_writer import ConfigWriter
from .enrolment import Enrolment
from .errors import FleetError
from .host import ConfigFile, Look
from .letting_go import PreviousAgent
from .new_identity import TO_BE_MADE, new_identity, register_endpoint
from .outcome import Outcome, task_result
from .plan import Plan, make_plan, needs_verdict
from .platform import SKEW_SECONDS
from .proof import prove
from .run import Run
from .verdict import Judgement, Verdict
from .wanted import Wanted

FEWEST_REJECTED, REJECTED_SHARE = 3, 0.1


@dataclass
class Registration:
    """Register one host, which was looked at, as its options say; `run` does it and returns the task's result."""

    options: Options
    around: Run
    wanted: Wanted
    look: Look
    found: Config
    mode: str
    warnings: list[str] = field(default_factory=list)

    def run(self) -> dict[str, t.Any]:
        """Bring the host to what the options say. Raises FleetError; the host and the platform are as before then."""
        wanted, found, file = self.wanted, self.found, self.look.config
        judgement = self._judge(found, wanted)
        plan = self._plan(found, wanted, judgement.verdict)
        plan = replace(plan, action="configure") if not plan.changes and self._permissions_differ(file) else plan
        self._check_token(plan, wanted)
        self._check_trust(plan, judgement)
        if plan.changes:
            require_writable(file)
        if self.around.check_mode or not plan.changes:
            outcome = self._foresee(plan, judgement)
        else:
            writer = ConfigWriter(self.around.host, file, self.options, self.mode, self.around.clock.sleep)
            enrolment = Enrolment(self.options, self.around, wanted, found, self.look.system, writer)
            outcome = enrolment.apply(plan, judgement)
        result = self._result(outcome, plan)
        self._weigh(outcome, result)
        return result

    def _judge(self, found: Config, wanted: Wanted) -> Judgement:
        """Ask the platform about the identity that was found, where the plan depends on it."""
        account = found.account
        if self.options["verify"] == "false" or not needs_verdict(found, wanted) or account is None:
            return Judgement(Verdict.UNASKED)
        return prove(account, self.around, self.warnings)

    def _plan(self, found: Config, wanted: Wanted, verdict: Verdict) -> Plan:
        now = self.around.clock.platform_time
        try:
            return make_plan(found, wanted, verdict, now)
        except FleetError as error:
            if error.code != "token_expired" or wanted.register_endpoint is None:
                raise
            # By the controller's clock, which may be the one that is wrong.
            platform_time = self.around.platform_at(wanted.register_endpoint).time()
            if platform_time is None or abs(platform_time - now) < SKEW_SECONDS:
                raise
            return make_plan(found, wanted, verdict, platform_time)

    def _permissions_differ(self, file: ConfigFile) -> bool:
        owner, group = self.options.get("owner"), self.options.get("group")
        return file.exists and (
            file.mode != self.mode
            or (owner is not None and owner not in (file.owner, str(file.uid)))
            or (group is not None and group not in (file.group, str(file.gid)))
        )

    def _check_token(self, plan: Plan, wanted: Wanted) -> None:
        if plan.reason is None and wanted.token_problem is not None:
            self.warnings.append(
                f"The registration token was not needed, and is no good: {wanted.token_problem.cause}."
            )

    def _check_trust(self, plan: Plan, judgement: Judgement) -> None:
        """Refuse to register a whole fleet anew because the platform has a bad quarter of an hour."""
        if judgement.verdict is not Verdict.REJECTED or plan.action not in ("register", "adopt"):
            return
        share = int(self.around.fleet_size * REJECTED_SHARE)
        limit = self.options.get("max_rejected", max(FEWEST_REJECTED, share))
        if self.around.folder.distrusted:
            raise _too_many("new identities are refused in this run, too")
        if not self.around.folder.count_rejected(self.around.host_name, limit):
            raise _too_many(f"more than {limit} hosts of this run are")

    def _foresee(self, plan: Plan, judgement: Judgement) -> Outcome:
        """Say what applying the plan would give, without anything being made or written."""
        found, wanted = self.found, self.wanted
        outcome = Outcome(config=plan.settled, verified=_verified(judgement), cause=judgement.cause)
        if plan.action == "none":
            outcome.config = found
        elif plan.reason is not None:
            agent = None if plan.action == "adopt" else TO_BE_MADE
            account = wanted.document.account if wanted.document is not None else None
            endpoint = register_endpoint(wanted, found)
            outcome.config = edit(plan.settled, new_identity(agent, account, wanted, endpoint))
            outcome.verified = None
            outcome.foreseen = True
            PreviousAgent(self.options, self.around, wanted, found).foresee(outcome, judgement)
        return outcome

    def _weigh(self, outcome: Outcome, result: dict[str, t.Any]) -> None:
        """Say that an identity could not be proved: a warning, or with `verify: strict` a failure."""
        if outcome.verified is not None or outcome.foreseen or self.options["verify"] == "false":
            return
        cause = outcome.cause or "it was not asked"
        if self.options["verify"] == "strict":
            asking = "controller" if self.options["method"] == "api" else "host"
            remedy = f"Run again when the platform can be reached from the {asking}, or set verify: true"
            detail = {**result, "changed": outcome.changed}
            raise FleetError(
                "prove the registration",
                f"the platform gave no verdict: {cause}",
                remedy,
                code="unverified",
                **detail,
            )
        unproved = f"The registration is not proved: the platform gave no verdict, {cause}."
        result["warnings"].insert(len(self.warnings), unproved)

    def _result(self, outcome: Outcome, plan: Plan) -> dict[str, t.Any]:
        told = replace(outcome, warnings=self.warnings + outcome.warnings)
        result = task_result(plan, told, self.look.config.path)
        if plan.changes and self.around.diff_mode:
            result["diff"] = self._diff(outcome.config)
        return result

    def _diff(self, config: Config) -> dict[str, str]:
        """Return what changes in the file, and in who may read it."""
        file, shown = self.look.config, diff(self.found, config, self.look.config.path)
        after = {"mode": self.mode, "owner": self.options.get("owner"), "group": self.options.get("group")}
        known = {"mode": (file.mode,), "owner": (file.owner, str(file.uid)), "group": (file.group, str(file.gid))}
        for name, value in reversed(after.items()):
            if file.exists and value is not None and value not in known[name]:
                shown["before"] = f"# {name} {known[name][0]}\n" + shown["before"]
                shown["after"] = f"# {name} {value}\n" + shown["after"]
        return shown


def _verified(judgement: Judgement) -> bool | None:
    return {Verdict.ACCEPTED: True, Verdict.REJECTED: False}.get(judgement.verdict)


def _too_many(cause: str) -> FleetError:
    return FleetError(
        "register the host (credentials_rejected)",
        f"the platform rejects its identity, but {cause}, which looks like trouble of the platform",
        "Look at the platform's state and run again, or raise max_rejected",
        code="too_many_rejected",
        reason="credentials_rejected",
        verified=None,
    )
