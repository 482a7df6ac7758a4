# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying a plan so that nothing is lost: make the agent, prove it, write the config, then let go of the old one."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

from ansible.errors import AnsibleError

from .arguments import Options
from .config import DEFAULT_ENDPOINT, Config, Edit, edit
from .credentials import Document, ServiceAccount, load_key
from .errors import FleetError
from .host import HostLost, Look, LookRequest, WriteRequest, Written
from .interruption import interruptible, uninterrupted
from .plan import Plan, reason_to_register, space_of
from .platform import Confirmation, Patience, Platform, RegistrationFailed
from .verdict import Judgement, Verdict
from .wanted import Wanted

if t.TYPE_CHECKING:
    from .registration import Run

# A new account may need a moment until every part of the platform knows it.
NEW_IDENTITY_SECONDS = 15.0
UNANSWERED_TRIES = 3


@dataclass
class Outcome:
    """What came of a plan; `config` is what the host has now (or, foreseen, would have)."""

    config: Config
    verified: bool | None = None
    cause: str = ""
    changed: bool = False
    foreseen: bool = False
    left_behind: list[str] = field(default_factory=list)
    api_attempts: int = 0
    backup_file: str | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NewAgent:
    """The identity that signs for an agent that was just made, and the config that would hold it."""

    account: ServiceAccount
    config: Config


class WriteUnknown(FleetError):
    """The write was asked for and nobody can tell whether it was done."""


def new_identity(agent_mrn: str | None, account: ServiceAccount | None, wanted: Wanted, endpoint: str | None) -> Edit:
    """Return the edit that puts an identity into a config; `account` None: one that is yet to be made."""
    document = wanted.document
    fields = dict(document.fields) if document is not None else {}
    if account is not None and document is None:
        fields = {"mrn": account.mrn, "private_key": account.private_key, "certificate": account.certificate}
    elif account is None:
        made = "(made when this is applied)"
        fields = {"mrn": made, "private_key": made, "certificate": made}
    space = (account.space_mrn if account is not None else None) or wanted.space_mrn or space_of(agent_mrn)
    places = {"agent_mrn": agent_mrn or "", "api_endpoint": endpoint or "", "space_mrn": space or ""}
    # The key comes last: a file that was cut off anywhere then lacks it, and shows that it was.
    ordered = {**places, **{name: text for name, text in fields.items() if name != "private_key"}, **places}
    return Edit(identity={**ordered, "private_key": fields.get("private_key", "")})


@dataclass
class Enrolment:
    """Apply plans to one host."""

    options: Options
    around: Run
    wanted: Wanted
    look: Look
    found: Config
    mode: str

    def apply(self, plan: Plan, judgement: Judgement) -> Outcome:
        """Apply a plan. Raises FleetError; what was made on the way is unmade then, or named."""
        if plan.action == "configure":
            verified = True if judgement.verdict is Verdict.ACCEPTED else None
            outcome = Outcome(plan.settled if plan.settled.content else self.found, verified, judgement.cause)
            self._write_into(outcome)
        elif plan.action == "adopt":
            outcome = self._adopt(plan)
        else:
            with interruptible():
                outcome = self._register(plan)
        if plan.reason is not None:
            if self.found.problem is not None:
                outcome.warnings.append(
                    f"The config could not be read ({self.found.problem}); what stood in it is gone."
                )
            self._let_go(outcome, judgement)
        return outcome

    def _adopt(self, plan: Plan) -> Outcome:
        """Make a credentials document the whole identity of the host; no agent is made."""
        document = t.cast(Document, self.wanted.document)
        endpoint = self.wanted.register_endpoint or DEFAULT_ENDPOINT
        config = edit(plan.settled, new_identity(None, document.account, self.wanted, endpoint))
        outcome = Outcome(config)
        judgement = self._prove(self.around.platform_at(endpoint), document.account)
        outcome.verified, outcome.cause = judgement.verdict is Verdict.ACCEPTED or None, judgement.cause
        self._write_into(outcome)
        return outcome

    def _register(self, plan: Plan) -> Outcome:
        endpoint = self.wanted.register_endpoint or self.found.text("api_endpoint") or DEFAULT_ENDPOINT
        platform = self.around.platform_at(endpoint)
        with self.around.folder.turn(self.options["registration_limit"]):
            confirmation = self._make_agent(platform)
        outcome = Outcome(plan.settled, api_attempts=confirmation.attempts)
        try:
            new = self._new_agent(confirmation, plan, platform)
            outcome.config = new.config
            judgement = self._prove(platform, new.account)
            outcome.verified, outcome.cause = judgement.verdict is Verdict.ACCEPTED or None, judgement.cause
            self._check_answer(new)
            self._write_into(outcome)
        except WriteUnknown as error:
            # Either agent may be the one that the host has now, so neither is unregistered.
            agents = [mrn for mrn in (confirmation.agent_mrn, self.found.agent_mrn) if mrn]
            remedy = f"{error.remedy}; the host has one of the agents named in left_behind"
            detail = {**error.detail, "left_behind": agents}
            raise FleetError(error.what, error.cause, remedy, code=error.code, **detail) from None
        except BaseException as error:
            raise self._undo(platform, confirmation, error) from None
        return outcome

    def _make_agent(self, platform: Platform) -> Confirmation:
        system = self.look.system
        info = {
            "platform_name": system.os_id or system.system.lower(),
            "platform_release": system.os_version,
            "platform_arch": system.arch,
            "platform_ip": system.ip,
            "platform_hostname": system.hostname,
            "labels": self.wanted.settings.get("labels"),
            "platform_id": f"//platformid.api.mondoo.app/hostname/{system.hostname}",
        }
        request = {
            "name": self.wanted.settings.get("name") or system.hostname,
            "agent_info": {key: value for key, value in info.items() if value},
        }
        patience = Patience(float(self.options["timeout"]), self.options["retries"])
        document = self.wanted.document
        bearer = document.account if document is not None else str(self.wanted.token)
        try:
            return platform.register(request, bearer, patience)
        except RegistrationFailed as error:
            if error.may_have_acted is not None:
                error.detail["left_behind"] = [error.may_have_acted]
            raise
        except (FleetError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            raise FleetError(
                "register the agent",
                "the run was told to stop while the platform was asked",
                f"An agent named {request['name']} may have been made; look for it in the console before running again",
                code="maybe_registered",
                left_behind=["unknown"],
            ) from None

    def _new_agent(self, confirmation: Confirmation, plan: Plan, platform: Platform) -> NewAgent:
        account = self._new_account(confirmation)
        self.around.secrets.add(account.private_key)
        endpoint = confirmation.credential.get("api_endpoint") or self.wanted.register_endpoint or platform.endpoint
        identity = new_identity(confirmation.agent_mrn, account, self.wanted, endpoint)
        return NewAgent(account, edit(plan.settled, identity))

    def _new_account(self, confirmation: Confirmation) -> ServiceAccount:
        """Return the identity that signs for a new agent: the document's, or the one that the platform made for it."""
        if self.wanted.document is not None:
            return self.wanted.document.account
        credential = confirmation.credential
        return ServiceAccount(
            mrn=credential["mrn"],
            private_key=credential["private_key"].strip() + "\n",
            certificate=credential["certificate"].strip() + "\n",
            space_mrn=credential.get("scope_mrn") or credential.get("parent_mrn") or space_of(confirmation.agent_mrn),
        )

    def _prove(self, platform: Platform, account: ServiceAccount) -> Judgement:
        """Ask whether a new identity is accepted. Raises FleetError when it is refused for 15 s."""
        if self.options["verify"] == "false":
            return Judgement(Verdict.UNASKED)
        clock = self.around.clock
        deadline, delay, unanswered = clock.monotonic() + NEW_IDENTITY_SECONDS, 0.5, 0
        while True:
            judgement = platform.ping(account, clock.platform_time)
            unanswered += judgement.verdict is Verdict.UNKNOWN
            if judgement.verdict is Verdict.ACCEPTED or unanswered >= UNANSWERED_TRIES:
                return judgement
            if clock.monotonic() + delay > deadline:
                break
            clock.sleep(delay)
            delay = min(delay * 2, 4.0)
        if judgement.verdict is not Verdict.REJECTED:
            return judgement
        self.around.folder.distrust()
        raise FleetError(
            "prove the new identity",
            "the platform refused it for 15 s",
            "The host is as it was; look at the platform's state and run again",
            code="new_identity_refused",
            verified=False,
        )

    def _check_answer(self, new: NewAgent) -> None:
        """Plan again on the config about to be written: an answer for another space must never reach a host."""
        wanted = replace(self.wanted, force=False)
        reason = reason_to_register(new.config, wanted, Verdict.ACCEPTED)
        if reason is not None:
            raise FleetError(
                "register the host",
                f"the platform's answer is not what was asked for ({reason})",
                "The host is as it was; check that token, credentials and api_endpoint belong together",
                code="answer_differs",
                reason=reason,
            )

    def _write_into(self, outcome: Outcome) -> None:
        content = outcome.config.content or b""
        file = self.look.config
        request = WriteRequest(
            path=file.path,
            content=content,
            expect_digest=file.digest,
            mode=self.mode,
            owner=self.options.get("owner"),
            group=self.options.get("group"),
            backup=self.options["backup"],
        )
        try:
            # Host refuses an answer without it.
            written = t.cast(Written, self.around.host.call(write=request).written)
        except HostLost as error:
            written = self._look_again(error, hashlib.sha256(content).hexdigest())
        if written.error is not None:
            changed = written.error.code == "changed_meanwhile"
            cause = "it was changed by someone else meanwhile" if changed else written.error.cause
            remedy = "Run again" if changed else "Mend that and run again; the host is as it was"
            raise FleetError(f"write the config {file.path}", cause, remedy, code=written.error.code)
        outcome.changed = True
        outcome.backup_file = written.backup_file

    def _look_again(self, lost: HostLost, digest: str) -> Written:
        """Find out whether a write without an answer was done: the file itself tells."""
        path = self.look.config.path
        try:
            again = self.around.host.call(look=LookRequest(config_path=path, read_config="without_keys")).look
        except (FleetError, AnsibleError):
            raise WriteUnknown(
                f"tell whether the config {path} was written",
                lost.cause,
                "Look at the host and run again",
                code="write_unknown",
                verified=None,
            ) from None
        if again is not None and again.config.digest == digest:
            return Written(written=True, digest=digest, backup_file=None, error=None)
        raise FleetError(f"write the config {path}", lost.cause, "The file is as it was; run again", code="host_lost")

    def _undo(self, platform: Platform, made: Confirmation, error: BaseException) -> BaseException:
        """Remove an agent that no host will use; return what to raise."""
        with uninterrupted():
            gone = self._unregister(platform, self._new_account(made), made.agent_mrn)
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            return error
        if not isinstance(error, FleetError):
            stopped = "the run was told to stop" if not isinstance(error, Exception) else type(error).__name__
            remedy = "The host is as it was; run again"
            error = FleetError("finish the registration", stopped, remedy, code="interrupted")
        if gone:
            return error
        remedy = f"{error.remedy}. The new agent {made.agent_mrn} could not be removed again; remove it in the console"
        detail = {**error.detail, "left_behind": [made.agent_mrn]}
        return FleetError(error.what, error.cause, remedy, code=error.code, **detail)

    def _let_go(self, outcome: Outcome, judgement: Judgement) -> None:
        """Unregister the previous agent, signed by its own identity, where that still works."""
        previous, signer = self.found.agent_mrn, self._previous_signer(judgement)
        if self.found.problem is not None and self.found.content:
            outcome.left_behind.append("unknown")
        if previous is not None and previous != outcome.config.agent_mrn:
            proved = outcome.verified is not None or self.options["verify"] == "false"
            wanted = proved and self.options["unregister_previous"]
            if not (wanted and signer is not None and self._unregister(None, signer, previous)):
                outcome.left_behind.append(previous)
        if outcome.left_behind and self.options["unregister_previous"]:
            outcome.warnings.append("The previous agent is left behind on the platform: see left_behind in the result.")

    def _previous_signer(self, judgement: Judgement) -> ServiceAccount | None:
        """Return the identity that can still unregister the previous agent; None when there is none."""
        account, document = self.found.account, self.wanted.document
        if account is not None and load_key(account.private_key) is not None:
            return None if judgement.verdict is Verdict.REJECTED else account
        # The file is damaged, but the document that was given is the service account that stood in it.
        same = document is not None and document.account.mrn == self.found.text("mrn")
        return document.account if document is not None and same else None

    def _unregister(self, platform: Platform | None, account: ServiceAccount, agent_mrn: str) -> bool:
        """Remove an agent; `platform` None: where its account belongs. Tell whether it is gone for certain."""
        try:
            platform = platform or self.around.platform_at(account.api_endpoint or DEFAULT_ENDPOINT)
            return platform.unregister(account, agent_mrn)
        except FleetError:
            return False
