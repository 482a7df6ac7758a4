# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying a plan so that nothing is lost: make the agent, prove it, write the config, then let go of the old one."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .arguments import Options
from .config import Config, edit
from .config_writer import ConfigWriter, WriteUnknown
from .credentials import Document, ServiceAccount
from .errors import FleetError
from .host import System
from .interruption import interruptible, postponed, uninterrupted
from .letting_go import PreviousAgent
from .new_identity import new_account, new_agent, new_identity, register_endpoint, registration_request
from .outcome import Outcome
from .plan import Plan, reason_to_register
from .platform import BUSY_SECONDS, Confirmation, Patience, PlatformCalls, RegistrationFailed
from .run import Run
from .verdict import Judgement, Verdict
from .wanted import Wanted

# A new account may need a moment until every part of the platform knows it.
NEW_IDENTITY_SECONDS = 15.0
UNANSWERED_TRIES = 3
# Who is told to stop waits so long for the answer that tells which agent to remove again.
ANSWER_SECONDS = 10.0
STOPPED = "the run was told to stop"


@dataclass
class Enrolment:
    """Apply one plan to one host. `made` is the agent that was made on the way, as soon as there is one."""

    options: Options
    around: Run
    wanted: Wanted
    found: Config
    system: System
    writer: ConfigWriter
    made: Confirmation | None = None

    def apply(self, plan: Plan, judgement: Judgement) -> Outcome:
        """Apply a plan. Raises FleetError; what was made on the way is unmade then, or named."""
        if plan.action == "configure":
            verified = True if judgement.verdict is Verdict.ACCEPTED else None
            outcome = Outcome(plan.settled if plan.settled.content else self.found, verified, judgement.cause)
            self._write(outcome)
        elif plan.action == "adopt":
            outcome = self._adopt(plan)
        else:
            with interruptible():
                outcome = self._register(plan)
        if plan.reason is not None:
            PreviousAgent(self.options, self.around, self.wanted, self.found).let_go(outcome, judgement)
        return outcome

    def _adopt(self, plan: Plan) -> Outcome:
        """Make a credentials document the whole identity of the host; no agent is made."""
        document = t.cast(Document, self.wanted.document)
        endpoint = register_endpoint(self.wanted, self.found)
        outcome = Outcome(edit(plan.settled, new_identity(None, document.account, self.wanted, endpoint)))
        self._prove(self.around.platform_at(endpoint), document.account, outcome)
        try:
            self._write(outcome)
        except WriteUnknown as error:
            raise self._name_both(error) from None
        return outcome

    def _register(self, plan: Plan) -> Outcome:
        """Make an agent and give it to the host. However this ends, no agent is left that nobody names."""
        platform = self.around.platform_at(register_endpoint(self.wanted, self.found))
        outcome = Outcome(plan.settled)
        try:
            self._make_and_give(platform, outcome)
        except WriteUnknown as error:
            raise self._name_both(error) from None
        except BaseException as error:
            if isinstance(error, FleetError) or not self._was_given(outcome):
                raise self._undo(platform, error) from None
        outcome.changed = True
        return outcome

    def _was_given(self, outcome: Outcome) -> bool:
        """Tell whether a host has the new config although the run was stopped; raise FleetError for unknown."""
        try:
            with uninterrupted():
                return self.writer.begun and self.writer.holds(outcome.config.content or b"", STOPPED)
        except WriteUnknown as error:
            raise self._name_both(error) from None
        except FleetError:
            return False  # somebody else changed the file: the new agent is not in it

    def _name_both(self, error: WriteUnknown) -> FleetError:
        """Name what there is of both agents: either may be what the host has now, so neither is unregistered."""
        # What cannot be read may name an agent, too.
        found = "unknown" if self.found.problem is not None and self.found.content else self.found.agent_mrn
        agents = [mrn for mrn in (self.made and self.made.agent_mrn, found) if mrn]
        has = "has one of the agents" if self.made is not None else "may no longer have the agent"
        remedy = f"{error.remedy}; the host {has} named in left_behind" if agents else error.remedy
        return FleetError(error.what, error.cause, remedy, code=error.code, **{**error.detail, "left_behind": agents})

    def _make_and_give(self, platform: PlatformCalls, outcome: Outcome) -> None:
        with self.around.folder.turn(self.options["registration_limit"]):
            made = self._make_agent(platform)
        outcome.api_attempts = made.attempts
        new = new_agent(self.wanted, made, outcome.config, platform.endpoint)
        self.around.secrets.add(new.account.private_key)
        self._prove(platform, new.account, outcome)
        self._check_answer(new.config)
        outcome.config = new.config
        self._write(outcome)

    def _make_agent(self, platform: PlatformCalls) -> Confirmation:
        request = registration_request(self.wanted, self.system)
        patience = Patience(float(self.options["timeout"]), self.options["retries"])
        document = self.wanted.document
        bearer = document.account if document is not None else str(self.wanted.token)
        try:
            with postponed(ANSWER_SECONDS):
                self.made = platform.register(request, bearer, patience)
        except RegistrationFailed as error:
            if error.may_have_acted is not None:
                error.detail["left_behind"] = [error.may_have_acted]
            raise
        except FleetError:
            raise
        except BaseException:
            if self.made is not None:
                raise  # told to stop meanwhile: the answer came nevertheless, so the agent can be removed again
            remedy = f"An agent named {request['name']} may have been made; look for it in the console first"
            cause = f"{STOPPED} while the platform was asked"
            raise FleetError(
                "register the agent", cause, remedy, code="maybe_registered", left_behind=["unknown"]
            ) from None
        return self.made

    def _prove(self, platform: PlatformCalls, account: ServiceAccount, outcome: Outcome) -> None:
        """Ask whether a new identity is accepted. Raises FleetError when it is refused for 15 s."""
        if self.options["verify"] == "false":
            return
        clock = self.around.clock
        began, delay, unanswered = clock.monotonic(), 0.5, 0
        while True:
            judgement = platform.ping(account, clock.platform_time)
            unanswered += judgement.verdict is Verdict.UNKNOWN and not judgement.busy
            enough = judgement.verdict is Verdict.ACCEPTED or unanswered >= UNANSWERED_TRIES
            limit = BUSY_SECONDS if judgement.busy else NEW_IDENTITY_SECONDS
            if enough or clock.monotonic() + delay > began + limit:
                break
            clock.sleep(delay)
            delay = min(delay * 2, 4.0)
        if judgement.verdict is Verdict.REJECTED:
            self.around.folder.distrust()
            cause, remedy = "the platform refused it for 15 s", "The host is as it was; look at the platform's state"
            code = "new_identity_refused"
            raise FleetError("prove the new identity", cause, f"{remedy} and run again", code=code, verified=False)
        outcome.verified, outcome.cause = judgement.verdict is Verdict.ACCEPTED or None, judgement.cause

    def _check_answer(self, config: Config) -> None:
        """Plan again on the config about to be written: an answer for another space must never reach a host."""
        reason = reason_to_register(config, replace(self.wanted, force=False), Verdict.ACCEPTED)
        if reason is not None:
            raise FleetError(
                "register the host",
                f"the platform's answer is not what was asked for ({reason})",
                "The host is as it was; check that token, credentials and api_endpoint belong together",
                code="answer_differs",
                reason=reason,
            )

    def _write(self, outcome: Outcome) -> None:
        outcome.backup_file = self.writer.write(outcome.config.content or b"")
        outcome.changed = True

    def _undo(self, platform: PlatformCalls, error: BaseException) -> BaseException:
        """Remove an agent that no host will use; return what to raise."""
        if self.made is None:
            return error
        with uninterrupted():
            gone = _unregister(platform, new_account(self.wanted, self.made), self.made.agent_mrn)
        if gone and isinstance(error, (KeyboardInterrupt, SystemExit)):
            return error
        if not isinstance(error, FleetError):
            cause = type(error).__name__ if isinstance(error, Exception) else STOPPED
            remedy = "The host is as it was; run again"
            error = FleetError("finish the registration", cause, remedy, code="interrupted")
        if gone:
            return error
        orphan = self.made.agent_mrn
        remedy = f"{error.remedy}. The new agent {orphan} could not be removed again; remove it in the console"
        detail = {**error.detail, "left_behind": [orphan]}
        return FleetError(error.what, error.cause, remedy, code=error.code, **detail)


def _unregister(platform: PlatformCalls, account: ServiceAccount, agent_mrn: str) -> bool:
    """Remove an agent; tell whether it is gone for certain."""
    try:
        return platform.unregister(account, agent_mrn)
    except FleetError:
        return False
