# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API client: the four calls of Mondoo Platform that an agent makes, and what their answers mean."""

from __future__ import annotations

import itertools
import json
import random
import re
import time
import typing as t
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from .credentials import ServiceAccount, load_key, sign
from .endpoint import check_endpoint
from .errors import FleetError
from .transport import Answer, NoAnswer, Transport
from .verdict import Judgement, Verdict

# google.rpc.Code
NOT_FOUND, ABORTED, UNAVAILABLE, UNAUTHENTICATED = 5, 10, 14, 16

CALL_SECONDS = 30.0
VERIFY_SECONDS = 10.0
# cnspec itself warns from here on; the platform bears 60 s ahead and 120 s behind.
SKEW_SECONDS = 30.0
FIRST_DELAY, LONGEST_DELAY = 0.5, 4.0
UNREGISTER_TRIES = 3
# A platform that says that it is busy is asked on for this long, where waiting does no harm.
BUSY_SECONDS = 60.0


@dataclass(frozen=True)
class Confirmation:
    """The platform's answer to RegisterAgent. `credential` is empty when a service account signed the call."""

    agent_mrn: str
    credential: dict[str, str]
    attempts: int
    attempt_id: str

    def __repr__(self) -> str:
        """Keep the new key out of every log and traceback."""
        return f"Confirmation({self.agent_mrn})"


class RegistrationFailed(FleetError):
    """RegisterAgent failed. `may_have_acted`: an agent that nobody uses may have been made."""

    def __init__(self, cause: str, remedy: str, *, code: str, attempts: int, may_have_acted: str | None = None) -> None:
        super().__init__("register the agent", cause, remedy, code=code, api_attempts=attempts)
        self.may_have_acted = may_have_acted


@dataclass
class Clock:
    """The controller's clock, and how far the platform's is ahead of it (seconds), as far as that is known."""

    now: t.Callable[[], float] = time.time
    sleep: t.Callable[[float], None] = time.sleep
    monotonic: t.Callable[[], float] = time.monotonic
    offset: float = 0.0

    @property
    def platform_time(self) -> float:
        """The platform's time, seconds since the epoch."""
        return self.now() + self.offset


@dataclass(frozen=True)
class Patience:
    """How long RegisterAgent is tried, seconds in all, and how often where the platform is not reached."""

    seconds: float = 60.0
    tries: int = 5
    jitter: t.Callable[[float, float], float] = field(default=random.uniform, repr=False)


class PlatformCalls(t.Protocol):
    """What a registration asks of the platform, whoever makes the calls."""

    endpoint: str
    refusal: str

    def time(self) -> float | None:
        """Return the platform's own time, seconds since the epoch; None when it cannot be had."""

    def ping(self, account: ServiceAccount, at: float) -> Judgement:
        """Ask whether the platform accepts an identity, as of the time `at`."""

    def register(self, request: dict[str, t.Any], bearer: str | ServiceAccount, patience: Patience) -> Confirmation:
        """Make one agent. Raises RegistrationFailed."""

    def unregister(self, account: ServiceAccount, agent_mrn: str) -> bool:
        """Remove an agent; tell whether it is gone for certain."""


class Platform:
    """Mondoo Platform at one endpoint, called by the controller."""

    def __init__(self, endpoint: str, transport: Transport, clock: Clock) -> None:
        self.endpoint = check_endpoint(endpoint)
        self.clock = clock
        self.refusal = ""  # why the last unregistering was refused
        self._transport = transport

    def time(self) -> float | None:
        """Return the platform's own time by Health/Check (seconds since the epoch); None when it cannot be had."""
        try:
            answer = self._call("Health/Check", b"{}", None, VERIFY_SECONDS)
        except NoAnswer:
            return None
        data = _json_object(answer)
        if answer.status != 200 or data is None or data.get("status") != "SERVING":
            return None
        try:
            # Python 3.10 reads neither Z nor nanoseconds.
            moment = datetime.fromisoformat(re.sub(r"\.\d+", "", str(data.get("time"))).replace("Z", "+00:00"))
        except ValueError:
            return None
        return moment.timestamp() if moment.tzinfo is not None else None

    def ping(self, account: ServiceAccount, at: float) -> Judgement:
        """Ask whether the platform accepts an identity: one PingPong, signed as of the time `at`.

        REJECTED takes the platform's own word, a Status with code 16: a bare 401 may come from something between.
        """
        try:
            answer = self._call("AgentManager/PingPong", b"{}", (account, at), VERIFY_SECONDS)
        except NoAnswer as error:
            return Judgement(Verdict.UNKNOWN, error.cause)
        data = _json_object(answer)
        if answer.status == 200 and data is not None and "code" not in data:
            return Judgement(Verdict.ACCEPTED)
        if status_code(answer) == UNAUTHENTICATED:
            return Judgement(Verdict.REJECTED, "the platform does not accept this identity")
        return Judgement(Verdict.UNKNOWN, f"it answered {describe(answer)}", busy=_is_busy(answer))

    def unregister(self, account: ServiceAccount, agent_mrn: str) -> bool:
        """Remove an agent, signed by `account`; tell whether it is gone for certain (gone already counts).

        Tried up to three times, and longer while the platform says that it is busy: removing twice does no harm,
        leaving an agent behind does.
        """
        body = json.dumps({"mrn": agent_mrn}).encode()
        tries, delay, deadline = UNREGISTER_TRIES, FIRST_DELAY, self.clock.monotonic() + BUSY_SECONDS
        while True:
            signer = (account, self.clock.platform_time)
            try:
                answer = self._call("AgentManager/UnRegisterAgent", body, signer, VERIFY_SECONDS)
            except NoAnswer:
                tries -= 1
            else:
                code = status_code(answer)
                if code == NOT_FOUND or (answer.status == 200 and _json_object(answer) is not None):
                    return True
                if not _is_busy(answer):
                    if code is not None and answer.status < 500:
                        # The account that signed may be gone with its agent, so a 401 alone refuses nothing.
                        self.refusal = describe(answer) if code != UNAUTHENTICATED else ""
                        return False
                    tries -= 1
            delay = min(delay * 2, LONGEST_DELAY)
            if tries <= 0 or self.clock.monotonic() + delay > deadline:
                return False
            self.clock.sleep(delay)

    def register(self, request: dict[str, t.Any], bearer: str | ServiceAccount, patience: Patience) -> Confirmation:
        """Make one agent: by a registration token, or signed by a service account.

        The call has no idempotency key, so it is tried again only when nothing can have been made: no byte of the
        request was written, or the platform itself says that it did not act. Raises RegistrationFailed.
        """
        attempt_id, failed = str(uuid.uuid4()), 0
        body = json.dumps({**request, "token": bearer} if isinstance(bearer, str) else request).encode()
        deadline = self.clock.monotonic() + patience.seconds
        for attempt in itertools.count(1):
            left = deadline - self.clock.monotonic()
            signed_at = self.clock.platform_time
            signer = bearer if isinstance(bearer, str) else (bearer, signed_at)
            try:
                answer = self._call(
                    "AgentManager/RegisterAgent", body, signer, min(CALL_SECONDS, max(left, 1.0)), attempt_id
                )
            except NoAnswer as error:
                if error.sent:
                    raise _maybe(error.cause, attempt, attempt_id) from None
                failure, wait = _never(error.cause, attempt), None
                if error.lasting:
                    raise failure from None
            else:
                confirmation = _confirmation(answer, bearer, attempt, attempt_id)
                if isinstance(confirmation, Confirmation):
                    return confirmation
                failure, wait = confirmation, _retry_after(answer, self.clock.now())
                # A refused signature may only have had the wrong time, which the answer's Date has just set right.
                wrong_time = abs(self.clock.platform_time - signed_at) > SKEW_SECONDS
                if failure.code == "identity_refused" and (isinstance(bearer, str) or not wrong_time):
                    raise failure
            delay = patience.jitter(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)) if wait is None else wait
            # Who is told to come again later comes again, as long as there is time: only what failed is counted.
            failed += failure.code != "busy"
            if failed >= patience.tries or self.clock.monotonic() + delay >= deadline:
                raise failure from None
            self.clock.sleep(delay)
        raise AssertionError  # the loop has no other end

    def _call(
        self,
        method: str,
        body: bytes,
        bearer: str | tuple[ServiceAccount, float] | None,
        seconds: float,
        request_id: str | None = None,
    ) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "mondoo.fleet",
            "X-Request-ID": request_id or str(uuid.uuid4()),
        }
        if bearer is not None:
            token = bearer if isinstance(bearer, str) else sign(bearer[0], body, bearer[1])
            headers["Authorization"] = f"Bearer {token}"
        answer = self._transport.post(f"{self.endpoint}/{method}", body, headers, seconds)
        self._learn_time(answer)
        return answer

    def _learn_time(self, answer: Answer) -> None:
        """Take the platform's clock from the Date of an answer that is the platform's own (JSON)."""
        if _json_object(answer) is None:
            return
        try:
            moment = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (TypeError, ValueError):
            return
        offset = moment - self.clock.now()
        # The header has whole seconds and the answer took its time: only a clock that is really off is corrected.
        self.clock.offset = offset if abs(offset) > 5 else 0.0


def status_code(answer: Answer) -> int | None:
    """Return the code of a google.rpc.Status body; None when the body is no Status."""
    data = _json_object(answer)
    if data is None or 200 <= answer.status < 300 or not isinstance(data.get("message", ""), str):
        return None
    code = data.get("code")
    # google.rpc.Code ends at 16: {"code": 401} is some gateway's.
    return code if isinstance(code, int) and not isinstance(code, bool) and 1 <= code <= 16 else None


def describe(answer: Answer) -> str:
    """Say what an answer is, without quoting it: whatever stands in the body may be anything."""
    code = status_code(answer)
    if code is not None:
        return f"{answer.status} (code {code})"
    if not answer.body.strip():
        return f"{answer.status} with an empty body"
    if answer.body.lstrip()[:1] == b"<":
        return f"{answer.status} with an HTML page"
    return f"{answer.status} with something that is not the platform's"


def _is_busy(answer: Answer) -> bool:
    """Tell whether the platform says that it did not act, and may later."""
    later = answer.status == 503 and "retry-after" in answer.headers
    return answer.status == 429 or status_code(answer) == ABORTED or later


def _json_object(answer: Answer) -> dict[str, t.Any] | None:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _confirmation(
    answer: Answer, bearer: str | ServiceAccount, attempt: int, attempt_id: str
) -> Confirmation | RegistrationFailed:
    """Return what RegisterAgent gave, or the failure when it did not act and may be tried again; raise the others."""
    code = status_code(answer)
    if answer.status == 200:
        data = _json_object(answer) or {}
        agent_mrn, credential = data.get("agent_mrn"), data.get("credential")
        pairs = credential.items() if isinstance(credential, dict) else ()
        fields = {str(key): value for key, value in pairs if isinstance(value, str) and value.strip()}
        complete = isinstance(bearer, ServiceAccount) or (
            {"mrn", "private_key", "certificate"} <= fields.keys() and load_key(fields["private_key"]) is not None
        )
        if isinstance(agent_mrn, str) and agent_mrn and complete:
            return Confirmation(agent_mrn, fields, attempt, attempt_id)
        named = agent_mrn if isinstance(agent_mrn, str) and agent_mrn else None
        raise _maybe("its answer cannot be read", attempt, attempt_id, named)
    if _is_busy(answer):
        return _not_now(answer, attempt, attempt_id)
    if answer.status == 407:
        raise _never("the proxy wants a user and a password (407)", attempt)
    if code is not None and answer.status < 500 and code != UNAVAILABLE:
        failure = _refused(answer, code, bearer, attempt)
        if code == UNAUTHENTICATED:
            return failure
        raise failure
    raise _maybe(f"it answered {describe(answer)}", attempt, attempt_id)


def _refused(answer: Answer, code: int, bearer: str | ServiceAccount, attempt: int) -> RegistrationFailed:
    identity = "registration token" if isinstance(bearer, str) else "credentials document"
    if code == UNAUTHENTICATED:
        remedy = "Make a new one in the console"
        return RegistrationFailed(
            f"the platform does not accept the {identity} (expired, revoked, or of another platform)",
            remedy,
            code="identity_refused",
            attempts=attempt,
        )
    cause = f"the platform refused with {describe(answer)}"
    return RegistrationFailed(
        cause, f"Check what the {identity} may do in this space", code="refused", attempts=attempt
    )


def _not_now(answer: Answer, attempt: int, attempt_id: str) -> RegistrationFailed:
    return RegistrationFailed(
        f"the platform answered {describe(answer)} to {attempt} tries with the request id {attempt_id}",
        "Nothing was made; run again later, or raise timeout",
        code="busy",
        attempts=attempt,
    )


def _never(cause: str, attempt: int) -> RegistrationFailed:
    remedy = (
        "Nothing was made; check the way from the controller to the platform (api_endpoint, controller_proxy, ca_path)"
    )
    return RegistrationFailed(f"the platform was not reached: {cause}", remedy, code="unreachable", attempts=attempt)


def _maybe(cause: str, attempt: int, attempt_id: str, agent_mrn: str | None = None) -> RegistrationFailed:
    return RegistrationFailed(
        f"the platform gave no clear answer: {cause}, after the request with the id {attempt_id} was sent",
        "An agent of this name may have been made; look for it in the console before running again",
        code="maybe_registered",
        attempts=attempt,
        may_have_acted=agent_mrn or "unknown",
    )


def _retry_after(answer: Answer, now: float) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date; None without a usable one."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now) if text else None
    except (TypeError, ValueError):
        return None
