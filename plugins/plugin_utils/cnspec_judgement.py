# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one call of cnspec status or logout says of an identity. Pure; an exit code alone never decides."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime

from . import status_reason
from .credentials import ServiceAccount
from .host_records import Ran
from .problems import NO_PROXY, NOT_REACHED
from .status_lines import Line, clean, read_line
from .status_report import Report
from .verdict import Judgement, Verdict

# cnspec warns from here on. Beyond it a wrong clock of the host explains a refusal.
SKEW_SECONDS = 30.0
NOT_COMPARED = "cannot run clock skew check"


def judge_status(ran: Ran, report: Report, account: ServiceAccount) -> Judgement:
    """Return what cnspec says of an identity that it was given.

    REJECTED takes the platform's own words, SERVING, and clocks that agree, all in one report.
    """
    if report.registered and report.service_account_mrn != account.mrn:
        return Judgement(Verdict.UNKNOWN, "cnspec on the host answers for another identity than it was asked for")
    if report.authenticated is True:
        return Judgement(Verdict.ACCEPTED)
    if report.authenticated is False and report.reachable is True:
        if NOT_COMPARED in report.warnings:
            return Judgement(Verdict.UNKNOWN, "it refused the identity, but the clocks could not be compared")
        if abs(report.skew_seconds or 0.0) <= SKEW_SECONDS:
            return Judgement(Verdict.REJECTED, "the platform does not accept this identity")
        return Judgement(Verdict.UNKNOWN, "it refused the identity, but the host's clock is off by more than 30 s")
    return Judgement(Verdict.UNKNOWN, _no_verdict(ran, report))


def _no_verdict(ran: Ran, report: Report) -> str:
    problem = did_not_end("status", ran)
    if problem is not None:
        return problem
    if report.config_problem is not None:
        return "cnspec on the host cannot use the identity"
    if report.form is None and report.releases_reason is not None:
        return "this version of cnspec tells nothing without the release site, which the host does not reach"
    if report.reason is not None and report.reason in NOT_REACHED:
        return f"it is not reached from the host: {why_not_reached(report.reason)}"
    if report.ping_failed and report.reason is not None:
        return f"it answered the host with an error ({report.reason.replace('_', ' ')})"
    return "cnspec on the host does not say whether the identity is accepted"


def why_not_reached(reason: str) -> str:
    """Return in words why the platform is not reached; `reason` is one of the codes in NOT_REACHED."""
    return NOT_REACHED[reason].format(**NO_PROXY)


def did_not_end(command: str, ran: Ran) -> str | None:
    """Return why a command has no end of its own; None when it has one."""
    if ran.timed_out:
        return f"cnspec {command} did not end in time"
    if ran.rc is None:
        return f"cnspec {command} could not be run ({ran.problem or 'for no reason that is known'})"
    return f"cnspec {command} crashed" if panicked(ran) else None


def panicked(ran: Ran) -> bool:
    """Tell whether a command ended by a panic of its own."""
    return any(raw.startswith("panic:") for raw in clean(ran.stderr)[0].splitlines())


def platform_time(report: Report) -> float | None:
    """Return the platform's time (seconds since the epoch) in a report; None when the platform did not tell it."""
    try:
        # Python 3.10 reads neither Z nor nanoseconds.
        moment = datetime.fromisoformat(re.sub(r"\.\d+", "", report.api_time or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.timestamp() if report.reachable is True and moment.tzinfo is not None else None


@dataclass(frozen=True)
class Logout:
    """What a logout says. `gone`: None when it does not tell. `worked`: the platform accepted the identity before.

    `refusal`: the platform's own word for why it would not.
    """

    gone: bool | None
    worked: bool
    refusal: str = ""


def judge_logout(ran: Ran, report: Report, after: Judgement, worked: bool) -> Logout:
    """Return whether the agent is gone for certain, by cnspec's words and by the status that followed.

    Its exit code is always 0. `worked`: an earlier try was accepted, so that a refusal may be its doing.
    """
    lines = [read_line(raw) for raw in clean(ran.stderr)[0].splitlines() if raw.strip()]
    worked = worked or any(
        line.message.startswith("client ") and line.message.endswith("authenticated successfully") for line in lines
    )
    if worked and after.verdict is Verdict.REJECTED:
        # The service account of an agent that was made by a token goes with it.
        return Logout(True, worked)
    said = _first(lines, "communication with Mondoo Platform failed")
    if said is not None:
        return Logout(False if status_reason.is_refusal(said.error) and not worked else None, worked)
    said = _first(lines, "failed to unregister client")
    if said is not None:
        gone, code = _gone_by_refusal(said.error), status_reason.platform_code(said.error)
        return Logout(gone, worked, code if gone is False and code and code != "Unauthenticated" else "")
    ended = did_not_end("logout", ran) is None and any(
        line.message.endswith("unregistered successfully") for line in lines
    )
    # Up to cnspec 13.28 an empty answer of something between counts as success; status shows that, too.
    believed = ended and worked and report.reason != status_reason.EMPTY_ANSWER
    return Logout(True if believed else None, worked)


def _gone_by_refusal(error: str) -> bool | None:
    code = status_reason.platform_code(error)
    if code == "NotFound":
        return True
    return False if code in ("PermissionDenied", "Unauthenticated", "InvalidArgument", "FailedPrecondition") else None


def _first(lines: t.Iterable[Line], start: str) -> Line | None:
    return next((line for line in lines if line.message.startswith(start)), None)
