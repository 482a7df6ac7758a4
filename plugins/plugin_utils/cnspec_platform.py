# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mondoo Platform as the host's own cnspec reaches it: by status, login and logout on a copy of the config."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
import uuid
from dataclasses import dataclass, field

from . import status
from .cnspec_commands import UNSET_ENV, Caller
from .cnspec_judgement import Logout, judge_logout, judge_status, platform_time
from .cnspec_login import Failed, Registered, judge_login, maybe
from .config import Config, parse
from .credentials import ServiceAccount
from .endpoint import check_endpoint
from .errors import FleetError
from .host import Answer, CnspecFile, Command, Host, HostLost, Ran, RunRequest, ScratchRequest
from .platform import FIRST_DELAY, LONGEST_DELAY, UNREGISTER_TRIES, Clock, Confirmation, Patience, RegistrationFailed
from .status_report import Report
from .verdict import Judgement, Verdict
from .wanted import Wanted

TOKEN_WAS_SHOWN = (
    "With method cnspec the registration token stood in the host's process list while cnspec login ran."
    " With credentials, or with method api, it does not."
)
# cnspec gives each call to the platform 30 s.
STATUS_SECONDS = 45.0
# With less time than this left, another login would only be killed on its way.
LEAST_SECONDS = 10.0
# The hands may still be at work when the connection to them is lost.
LATE_SECONDS = 2.0
# What is told in one status is as old as that; a slow one does not set a clock right.
QUICK_SECONDS, OFFSET_SECONDS = 5.0, 5.0


@dataclass(frozen=True)
class Place:
    """The host whose cnspec is asked. `seconds`: how long one command may take; `warnings`: grows by what is done."""

    host: Host
    clock: Clock
    config_path: str
    cnspec: CnspecFile
    seconds: float
    api_proxy: str | None = field(default=None, repr=False)
    warnings: list[str] = field(default_factory=list)


def proxy_in_force(found: Config, wanted: Wanted) -> str | None:
    """Return the proxy that the host's config will name; cnspec 8.3 to 8.28 wrote `api-proxy`."""
    if "api_proxy" in wanted.settings:
        return str(wanted.settings["api_proxy"])
    if {"api_proxy", "api-proxy"} & {name.lower() for name in wanted.unset}:
        return None
    return found.text("api_proxy") or found.text("api-proxy")


class CnspecPlatform:
    """Mondoo Platform at one endpoint, asked by the cnspec of one host. Raises FleetError where there is none."""

    def __init__(self, endpoint: str, here: Place) -> None:
        self.endpoint = check_endpoint(endpoint)
        self.clock = here.clock
        self.refusal = ""  # why the last unregistering was refused
        self._here = here
        self._caller = Caller(_usable(here.cnspec), self.endpoint, here.api_proxy)
        self._told: tuple[float, float] | None = None  # the platform's time, and when (monotonic) it was that

    def time(self) -> float | None:
        """Return the platform's own time (seconds since the epoch), as cnspec was told; None when it was not."""
        if self._told is None:
            self._status(None)
        if self._told is None:
            return None
        told, when = self._told
        return told + self.clock.monotonic() - when

    def ping(self, account: ServiceAccount, at: float) -> Judgement:
        """Ask whether the platform accepts an identity. `at` has no meaning here: cnspec signs by the host's clock."""
        del at
        asked = self._status(account)
        if asked is None:
            return Judgement(Verdict.UNKNOWN, "the host could not be asked")
        return judge_status(asked[0], asked[1], account)

    def register(self, request: dict[str, t.Any], bearer: str | ServiceAccount, patience: Patience) -> Confirmation:
        """Make one agent: by a registration token, or by a service account that is put into the copy.

        Tried again only where nothing can have been made. Raises RegistrationFailed.
        """
        deadline, failed = self.clock.monotonic() + patience.seconds, 0
        for attempt in itertools.count(1):
            left = deadline - self.clock.monotonic()
            outcome = self._login(str(request["name"]), bearer, max(left, 1.0))
            if isinstance(outcome, Registered):
                return Confirmation(outcome.agent_mrn, outcome.credential, attempt, "")
            delay = patience.jitter(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))
            late = self.clock.monotonic() + delay + LEAST_SECONDS > deadline
            failed += outcome.code != "busy"
            if not outcome.again or late or failed >= patience.tries:
                raise RegistrationFailed(
                    outcome.cause,
                    outcome.remedy,
                    code=outcome.code,
                    attempts=attempt,
                    may_have_acted=outcome.acted,
                )
            self.clock.sleep(delay)
        raise AssertionError  # the loop has no other end

    def unregister(self, account: ServiceAccount, agent_mrn: str) -> bool:
        """Remove an agent, signed by `account`; tell whether it is gone for certain (gone already counts)."""
        deadline = self.clock.monotonic() + self._here.seconds
        commands = {"logout": self._caller.logout(), "status": self._caller.status()}
        copy, said = self._caller.copy(account, agent_mrn), Logout(None, worked=False)
        for attempt in range(UNREGISTER_TRIES):
            if attempt:
                self.clock.sleep(FIRST_DELAY * 2**attempt)
            try:
                ran = self._run(commands, copy, min(STATUS_SECONDS, self._here.seconds)).ran
            except HostLost:
                continue
            if {"logout", "status"} <= ran.keys():
                report = _report(ran["status"])
                after = judge_status(ran["status"], report, account)
                said = judge_logout(ran["logout"], report, after, said.worked)
                self.refusal = said.refusal
            if said.gone is not None or self.clock.monotonic() > deadline:
                break
        return said.gone is True

    def _login(self, name: str, bearer: str | ServiceAccount, seconds: float) -> Registered | Failed:
        """Run one login. Whatever the connection does, the host runs it once: the second time it sees the mark."""
        token = bearer if isinstance(bearer, str) else None
        copy = self._caller.copy(bearer if isinstance(bearer, ServiceAccount) else None)
        once = uuid.uuid4().hex
        commands = {"login": self._caller.login(name, token)}
        try:
            answer = self._run(commands, copy, seconds, once)
        except FleetError:
            self.clock.sleep(LATE_SECONDS)
            try:
                answer = self._run(commands, copy, seconds, once)
            except HostLost as lost:
                self._warn_of_token(token)
                return maybe(f"the host gave no answer, {lost.cause}")
        self._forget(once)
        ran = answer.ran.get("login")
        if (answer.scratch is not None and answer.scratch.done_before) or (ran is not None and ran.problem is None):
            self._warn_of_token(token)
        scratch = answer.scratch
        if scratch is not None and scratch.done_before:
            return maybe("the connection to the host was lost")
        if "login" not in answer.ran:
            why = scratch.error.cause if scratch is not None and scratch.error is not None else "it says not why"
            remedy = "Nothing was made; mend that on the host, or set method: api"
            return Failed(f"the host cannot hold a copy of the config ({why})", remedy, "cnspec_failed")
        left = None if scratch is None else scratch.content
        return judge_login(answer.ran["login"], parse(left), by_token=token is not None)

    def _warn_of_token(self, token: str | None) -> None:
        if token is not None and TOKEN_WAS_SHOWN not in self._here.warnings:
            self._here.warnings.append(TOKEN_WAS_SHOWN)

    def _forget(self, once: str) -> None:
        """Let the host remove the mark of a login that will not be asked for again."""
        with contextlib.suppress(FleetError):
            self._here.host.call(scratch=ScratchRequest(self._here.config_path, forget=once))

    def _status(self, account: ServiceAccount | None) -> tuple[Ran, Report] | None:
        """Ask about an identity, or with None only about the platform; None when the host gives no answer."""
        asked = self.clock.monotonic()
        seconds = min(STATUS_SECONDS, self._here.seconds)
        try:
            answer = self._run({"status": self._caller.status()}, self._caller.copy(account), seconds)
        except HostLost:
            return None
        ran = answer.ran.get("status")
        if ran is None:
            return None
        report = _report(ran)
        self._learn_time(report, asked)
        return ran, report

    def _run(self, commands: dict[str, tuple[str, ...]], copy: bytes, seconds: float, once: str = "") -> Answer:
        return self._here.host.call(
            run=RunRequest(
                commands={name: Command(argv, seconds) for name, argv in commands.items()},
                unset_env=UNSET_ENV,
                set_env=self._caller.environment(),
            ),
            scratch=ScratchRequest(self._here.config_path, copy, once),
        )

    def _learn_time(self, report: Report, asked: float) -> None:
        """Take the platform's time from a report, and how far the controller's clock is off from it."""
        told, now = platform_time(report), self.clock.monotonic()
        if told is None:
            return
        self._told = told, now
        if now - asked < QUICK_SECONDS:
            offset = told - self.clock.now()
            self.clock.offset = offset if abs(offset) > OFFSET_SECONDS else 0.0


def _report(ran: Ran) -> Report:
    return status.parse(ran.stdout, ran.stderr, ran.rc, whole=not ran.truncated)


def _usable(cnspec: CnspecFile) -> str:
    if cnspec.path is not None and cnspec.executable:
        return cnspec.path
    cause = "there is no cnspec on the host" if cnspec.path is None else "the cnspec on the host cannot be run"
    remedy = "Install cnspec there, set cnspec_path, or set method: api"
    raise FleetError("ask the platform by method cnspec", cause, remedy, code="cnspec_missing")
