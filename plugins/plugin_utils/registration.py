# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registration of one host: look, ask the platform, plan, and hand the plan to the enrolment that applies it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .arguments import Options
from .config import CNSPEC_CANDIDATES, CONFIG_CANDIDATES, DEFAULT_ENDPOINT, Config, edit, parse
from .config_diff import diff
from .config_writer import ConfigWriter
from .credentials import certificate_valid_until
from .enrolment import Enrolment, Outcome
from .errors import FleetError
from .host import Candidates, ConfigFile, Host, Look, LookRequest
from .new_identity import TO_BE_MADE, new_identity, register_endpoint
from .plan import Plan, found_space, make_plan, needs_verdict
from .platform import SKEW_SECONDS, Clock, Platform
from .run_folder import RunFolder
from .secrets import Secrets
from .verdict import Judgement, Verdict
from .wanted import Wanted, file_mode, read_wanted

# A refusal counts when it is repeated after this time; an outage of the platform's own databases may be shorter.
REFUSED_AGAIN_SECONDS = 5.0
FEWEST_REJECTED, REJECTED_SHARE = 3, 0.1


@dataclass(frozen=True)
class Run:
    """What one run gives every registration: the edges, and what this host is among the others."""

    host: Host
    platform_at: t.Callable[[str], Platform]
    clock: Clock
    folder: RunFolder
    secrets: Secrets
    host_name: str
    fleet_size: int
    check_mode: bool
    diff_mode: bool


@dataclass
class Registration:
    """Register one host as its options say; `run` does it all and returns the task's result."""

    options: Options
    around: Run
    warnings: list[str] = field(default_factory=list)

    def run(self) -> dict[str, t.Any]:
        """Bring the host to what the options say. Raises FleetError; the host and the platform are as before then."""
        wanted, mode = read_wanted(self.options), file_mode(self.options["mode"])
        look = self._look()
        file = look.config
        found = parse(file.content)
        self._remember(found, wanted)
        judgement = self._judge(found, wanted)
        plan = self._plan(found, wanted, judgement.verdict)
        plan = replace(plan, action="configure") if not plan.changes and self._permissions_differ(file, mode) else plan
        self._check_token(plan, wanted)
        self._check_trust(plan, judgement)
        if plan.changes and not file.writable:
            raise _not_writable(file)
        if self.around.check_mode or not plan.changes:
            outcome = self._foresee(plan, found, wanted, judgement)
        else:
            writer = ConfigWriter(self.around.host, file, self.options, mode, self.around.clock.sleep)
            enrolment = Enrolment(self.options, self.around, wanted, found, look.system, writer)
            outcome = enrolment.apply(plan, judgement)
        self._weigh(outcome)
        return self._result(outcome, plan, found, file, mode)

    def _look(self) -> Look:
        request = LookRequest(
            config_path=self.options.get("config_path", ""),
            config_candidates={
                system: Candidates(tuple(places["plists"]), tuple(places["paths"]))
                for system, places in CONFIG_CANDIDATES.items()
            },
            cnspec_path=self.options.get("cnspec_path", ""),
            cnspec_candidates=tuple(CNSPEC_CANDIDATES),
        )
        # Host refuses an answer without it.
        look = t.cast(Look, self.around.host.call(look=request).look)
        _require_usable(look.config)
        return look

    def _remember(self, found: Config, wanted: Wanted) -> None:
        if wanted.document is not None:
            self.around.secrets.add(wanted.document.account.private_key)
        if found.account is not None:
            self.around.secrets.add(found.account.private_key)
        for key in ("api_proxy", "api-proxy"):
            self.around.secrets.add_proxy(found.text(key))

    def _judge(self, found: Config, wanted: Wanted) -> Judgement:
        """Ask the platform about the identity that was found, where the plan depends on it."""
        account = found.account
        if self.options["verify"] == "false" or not needs_verdict(found, wanted) or account is None:
            return Judgement(Verdict.UNASKED)
        try:
            # At the endpoint in the file, never the option's or the token's: that is where the identity belongs.
            platform = self.around.platform_at(account.api_endpoint or DEFAULT_ENDPOINT)
        except FleetError as error:
            if error.code != "endpoint_invalid":
                raise
            return Judgement(Verdict.UNKNOWN, f"the API endpoint in the config cannot be used, {error.cause}")
        clock = self.around.clock
        first = platform.ping(account, clock.now())
        if first.verdict is not Verdict.REJECTED:
            return first
        # A wrong controller clock looks the same, so the second try is signed with the platform's own time.
        platform_time, asked = platform.time(), clock.monotonic()
        if platform_time is None:
            return Judgement(Verdict.UNKNOWN, "it refused the identity, but does not tell its time")
        clock.sleep(REFUSED_AGAIN_SECONDS)
        second = platform.ping(account, platform_time + clock.monotonic() - asked)
        if second.verdict is Verdict.ACCEPTED and abs(platform_time - clock.now()) > SKEW_SECONDS:
            self.warnings.append("The controller's clock is off from the platform's by more than 30 s. Set it right.")
        return second

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

    def _permissions_differ(self, file: ConfigFile, mode: str) -> bool:
        owner, group = self.options.get("owner"), self.options.get("group")
        return file.exists and (
            file.mode != mode
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

    def _foresee(self, plan: Plan, found: Config, wanted: Wanted, judgement: Judgement) -> Outcome:
        """Say what applying the plan would give, without anything being asked or written."""
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
        return outcome

    def _weigh(self, outcome: Outcome) -> None:
        """Say that an identity could not be proved: a warning, or with `verify: strict` a failure."""
        if outcome.verified is not None or outcome.foreseen or self.options["verify"] == "false":
            return
        cause = outcome.cause or "it was not asked"
        if self.options["verify"] == "strict":
            remedy = "Run again when the platform can be reached from the controller, or set verify: true"
            raise FleetError(
                "prove the registration", f"the platform gave no verdict: {cause}", remedy, code="unverified",
                changed=outcome.changed, verified=None, left_behind=outcome.left_behind,
            )  # fmt: skip
        self.warnings.append(f"The registration is not proved: the platform gave no verdict, {cause}.")

    def _result(self, outcome: Outcome, plan: Plan, found: Config, file: ConfigFile, mode: str) -> dict[str, t.Any]:
        config = outcome.config
        made = config.agent_mrn if config.agent_mrn != TO_BE_MADE else None
        account_mrn = config.text("mrn") if config.text("mrn") != TO_BE_MADE else None
        result = {
            "changed": plan.changes,
            "action": plan.action,
            "reason": plan.reason,
            "agent_mrn": made,
            "service_account_mrn": account_mrn,
            "space_mrn": found_space(config),
            "api_endpoint": config.text("api_endpoint") or DEFAULT_ENDPOINT,
            "config_path": file.path,
            "verified": outcome.verified,
            "left_behind": outcome.left_behind,
            "api_attempts": outcome.api_attempts,
            "certificate_valid_until": certificate_valid_until(config.text("certificate") or ""),
            "backup_file": outcome.backup_file,
            "warnings": self.warnings + outcome.warnings,
        }
        if plan.changes and self.around.diff_mode:
            result["diff"] = _diff(found, config, file, mode)
        return result


def _verified(judgement: Judgement) -> bool | None:
    return {Verdict.ACCEPTED: True, Verdict.REJECTED: False}.get(judgement.verdict)


def _diff(found: Config, config: Config, file: ConfigFile, mode: str) -> dict[str, str]:
    shown = diff(found, config, file.path)
    if file.exists and file.mode != mode:
        shown["before"] = f"# mode {file.mode}\n" + shown["before"]
        shown["after"] = f"# mode {mode}\n" + shown["after"]
    return shown


def _require_usable(file: ConfigFile) -> None:
    """Raise FleetError for a config path that no registration can be at."""
    what = f"use the config {file.path}"
    if file.kind == "relative":
        raise FleetError("use config_path", "it is not an absolute path", "Give an absolute one", code="config_path")
    if file.kind == "directory":
        raise FleetError(what, "it is a directory", "Give the path of the file in config_path", code="config_path")
    if file.kind == "unreadable":
        cause = f"it cannot be read ({file.problem or 'permission denied'})"
        raise FleetError(what, cause, "Use become: true, or a user who may read it", code="config_unreadable")
    if file.kind not in ("file", "missing"):
        raise FleetError(what, "it is no ordinary file", "Look at what lies there", code="config_path")


def _not_writable(file: ConfigFile) -> FleetError:
    problem = file.not_writable
    cause = problem.cause if problem is not None else "the folder cannot be written to"
    code = problem.code if problem is not None else "permission"
    remedy = "Mount it writable" if code == "read_only" else "Use become: true, or a user who may write there"
    return FleetError(f"write the config {file.path}", cause, f"{remedy}; nothing was changed", code=code)


def _too_many(cause: str) -> FleetError:
    return FleetError(
        "register the host (credentials_rejected)",
        f"the platform rejects its identity, but {cause}, which looks like trouble of the platform",
        "Look at the platform's state and run again, or raise max_rejected",
        code="too_many_rejected",
        reason="credentials_rejected",
        verified=None,
    )
