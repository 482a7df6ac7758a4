# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.credentials import ServiceAccount
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.platform import (
    CALL_SECONDS,
    Clock,
    Confirmation,
    Patience,
    Platform,
    RegistrationFailed,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import Answer, NoAnswer
from ansible_collections.mondoo.fleet.plugins.plugin_utils.verdict import Judgement, Verdict
from doubles.identities import account, agent_mrn, document, token
from sandbox import tokens
from sandbox.authority import load_key

WIRE = Path(__file__).parents[2] / "transcripts" / "wire"
BUG = "the test asked for more answers than it gives"


class Time:
    """A clock that passes only when somebody sleeps, or an answer takes time."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep, monotonic=lambda: self.now)


Outcome = t.Union[Answer, NoAnswer]  # noqa: UP007 - evaluated when the module is loaded


class Wire:
    """What lies behind the platform's client: it gives answers in turn, and remembers what was asked."""

    def __init__(self, *outcomes: Outcome, time: Time | None = None, takes: float = 0.0) -> None:
        self._outcomes = list(outcomes)
        self._time, self._takes = time, takes
        self.calls: list[tuple[str, bytes, dict[str, str], float]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        self.calls.append((url, body, headers, seconds))
        if self._time is not None:
            self._time.now += self._takes
        assert self._outcomes, BUG
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, NoAnswer):
            raise outcome
        return outcome


def platform(*outcomes: Outcome, time: Time | None = None, takes: float = 0.0) -> tuple[Platform, Wire, Time]:
    time = time or Time()
    wire = Wire(*outcomes, time=time, takes=takes)
    return Platform("https://eu.api.mondoo.com", wire, time.clock()), wire, time


def answer(status: int, data: t.Any = None, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, b"" if data is None else json.dumps(data).encode())


def status(http: int, code: int, message: str = "words", **headers: str) -> Answer:
    return answer(http, {"code": code, "message": message}, **headers)


REFUSED = status(401, 16, "request permission unauthenticated")
HTML = Answer(502, {}, b"<html>bad gateway</html>")
CREDENTIAL = {name: document()[name] for name in ("mrn", "private_key", "certificate", "scope_mrn", "api_endpoint")}
MADE = answer(200, {"agent_mrn": agent_mrn(), "credential": CREDENTIAL})
MADE_SIGNED = answer(200, {"agent_mrn": agent_mrn()})
NOT_SENT = NoAnswer("the connection was refused", sent=False)
LASTING = NoAnswer("its certificate is not trusted (x)", sent=False, lasting=True)
SENT = NoAnswer("the connection was cut", sent=True)


def recorded(number: str) -> Answer:
    path = next(WIRE.glob(f"{number}-*.json"))
    response = json.loads(path.read_text())["response"]
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Answer(response["status"], headers, response["text"].encode())


# PingPong


def ping(*outcomes: Outcome) -> Judgement:
    return platform(*outcomes)[0].ping(account(), 1000.0)


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("28", Verdict.ACCEPTED),
        ("31", Verdict.ACCEPTED),
        ("33", Verdict.REJECTED),
        ("36", Verdict.REJECTED),
        ("44", Verdict.REJECTED),
        ("39", Verdict.UNKNOWN),
        ("40", Verdict.UNKNOWN),
        ("42", Verdict.UNKNOWN),
    ],
)
def test_what_the_platform_was_recorded_to_say_is_understood(number: str, verdict: Verdict) -> None:
    assert ping(recorded(number)).verdict is verdict


def test_a_ping_is_signed_by_the_account_at_the_time_given() -> None:
    asked, wire, dummy = platform(answer(200, {}))
    asked.ping(account(), 1000.0)
    url, body, headers, seconds = wire.calls[0]
    assert (url, body, seconds) == ("https://eu.api.mondoo.com/AgentManager/PingPong", b"{}", 10.0)
    assert (headers["Content-Type"], headers["Accept"]) == ("application/json", "application/json")
    jwt = tokens.decode(headers["Authorization"].removeprefix("Bearer "))
    jwt.verify(load_key(document()["private_key"]).public_key())
    assert (jwt.claims["iat"], jwt.claims["sub"]) == (1000, document()["mrn"])


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (SENT, "the connection was cut"),
        (NOT_SENT, "the connection was refused"),
        (answer(401), "it answered 401 with an empty body"),
        (Answer(401, {}, b"<html>401</html>"), "it answered 401 with an HTML page"),
        (answer(401, {"error": "canary"}), "it answered 401 with something that is not the platform's"),
        (answer(401, {"code": 401, "message": "canary"}), "it answered 401 with something that is not the platform's"),
        (answer(401, {"code": "16"}), "it answered 401 with something that is not the platform's"),
        (answer(401, {"code": 16.0}), "it answered 401 with something that is not the platform's"),
        (
            answer(401, {"code": 16, "message": {"x": "canary"}}),
            "it answered 401 with something that is not the platform's",
        ),
        (answer(401, [16]), "it answered 401 with something that is not the platform's"),
        (status(403, 7), "it answered 403 (code 7)"),
        (status(503, 14), "it answered 503 (code 14)"),
        (answer(200), "it answered 200 with an empty body"),
        (Answer(200, {}, b"<html>log in</html>"), "it answered 200 with an HTML page"),
        (answer(200, {"code": 16}), "it answered 200 with something that is not the platform's"),
        (answer(302, {}), "it answered 302 with something that is not the platform's"),
    ],
)
def test_anything_but_the_platforms_own_word_is_unknown(outcome: Outcome, cause: str) -> None:
    assert ping(outcome) == Judgement(Verdict.UNKNOWN, cause)


def test_a_status_with_code_16_is_rejected() -> None:
    assert ping(REFUSED) == Judgement(Verdict.REJECTED, "the platform does not accept this identity")
    assert ping(answer(401, {"code": 16})).verdict is Verdict.REJECTED


JSON: st.SearchStrategy[t.Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
STATUSES = st.fixed_dictionaries(
    {"code": st.integers(-1, 20) | st.just(16) | JSON},
    optional={"message": st.text(max_size=5) | JSON, "details": JSON},
)
BODIES = (
    st.binary(max_size=30)
    | (JSON | STATUSES).map(lambda value: json.dumps(value).encode())
    | STATUSES.map(lambda value: json.dumps(value).encode()[:-1])
    | st.sampled_from([b"", b"{}", b"<html></html>", b"[" * 3000, b'{"code": 1' + b"0" * 5000 + b"}"])
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "date": st.text(max_size=20)
        | st.sampled_from(
            ["Mon, 01 Jan 0001 00:00:00 -0000", "Fri, 31 Dec 9999 23:59:59 GMT", formatdate(usegmt=True)]
        ),
        "retry-after": st.text(max_size=5)
        | st.sampled_from(["0", "3", "9" * 400, "-1", "²", "Mon, 01 Jan 0001 00:00:00 GMT"]),
        "content-type": st.sampled_from(["application/json", "text/html"]),
    },
)
ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 407, 409, 429, 500, 502, 503, 504]),
    HEADERS,
    BODIES,
)
FAILURES = st.sampled_from([NOT_SENT, LASTING, SENT])


def is_busy(given: Answer) -> bool:
    """Tell whether an answer asks for more time, whatever else it says."""
    return given.status == 429 or is_status(given, 10) or (given.status == 503 and "retry-after" in given.headers)


def is_status(given: Answer, code: int) -> bool:
    """Tell whether an answer carries a google.rpc.Status with this code; one that says OK carries none."""
    try:
        data = json.loads(given.body)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(data, dict)
        and isinstance(data.get("code"), int)
        and not isinstance(data["code"], bool)
        and data["code"] == code
        and isinstance(data.get("message", ""), str)
        and not 200 <= given.status < 300
    )


@given(
    ANSWERS
    | st.builds(
        Answer, st.sampled_from([401, 403, 502]), st.just({}), STATUSES.map(lambda value: json.dumps(value).encode())
    )
)
@settings(deadline=None, max_examples=300)
def test_rejected_is_exactly_the_platforms_own_word(given_answer: Answer) -> None:
    assert (ping(given_answer).verdict is Verdict.REJECTED) == is_status(given_answer, 16)


@given(ANSWERS)
@settings(deadline=None, max_examples=200)
def test_no_answer_but_an_object_without_code_is_accepted(given_answer: Answer) -> None:
    judgement = ping(given_answer)
    if judgement.verdict is Verdict.ACCEPTED:
        assert given_answer.status == 200
        assert "code" not in json.loads(given_answer.body)
    else:
        assert judgement.cause


# The platform's time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-21T01:36:20Z", 1795224980.0),
        ("2026-11-21T01:36:20.123456789Z", 1795224980.0),
        ("2026-11-21T03:36:20+02:00", 1795224980.0),
        ("2026-11-21T01:36:20", None),
        ("tomorrow", None),
        (7, None),
        (None, None),
    ],
)
def test_the_platform_tells_its_time(text: t.Any, seconds: float | None) -> None:
    assert platform(answer(200, {"status": "SERVING", "time": text}))[0].time() == seconds


@pytest.mark.parametrize(
    "outcome",
    [
        SENT,
        HTML,
        answer(200),
        answer(503, {"status": "SERVING", "time": "2026-11-21T01:36:20Z"}),
        answer(200, {"status": "NOT_SERVING", "time": "2026-11-21T01:36:20Z"}),
    ],
)
def test_only_a_platform_that_serves_tells_its_time(outcome: Outcome) -> None:
    assert platform(outcome)[0].time() is None


def test_the_recorded_health_check_tells_its_time() -> None:
    assert platform(recorded("47"))[0].time() == 1795224980.0


@pytest.mark.parametrize(("ahead", "offset"), [(3600.0, 3600.0), (-3600.0, -3600.0), (2.0, 0.0)])
def test_the_date_of_the_platforms_own_answer_sets_the_clock(ahead: float, offset: float) -> None:
    asked, dummy, time = platform(answer(200, {}, date=formatdate(1_700_000_000.0 + ahead, usegmt=True)))
    asked.ping(account(), time.now)
    assert asked.clock.offset == offset
    assert asked.clock.platform_time == time.now + offset


def test_the_date_of_something_in_between_does_not_set_the_clock() -> None:
    asked, dummy, time = platform(Answer(502, {"date": formatdate(0, usegmt=True)}, b"<html>"))
    asked.ping(account(), time.now)
    assert asked.clock.offset == 0.0


# RegisterAgent


def register(
    *outcomes: Outcome,
    bearer: str | ServiceAccount | None = None,
    tries: int = 5,
    seconds: float = 60.0,
    takes: float = 0.0,
) -> tuple[Confirmation | RegistrationFailed, Wire, Time]:
    asked, wire, time = platform(*outcomes, takes=takes)
    try:
        made = asked.register(
            {"name": "web1"},
            token() if bearer is None else bearer,
            Patience(seconds, tries, jitter=lambda low, high: high),
        )
    except RegistrationFailed as error:
        return error, wire, time
    return made, wire, time


def identifier(wire: Wire) -> str:
    return wire.calls[0][2]["X-Request-ID"]


def test_a_token_makes_an_agent_and_an_account() -> None:
    made, wire, dummy = register(MADE)
    assert made == Confirmation(agent_mrn(), CREDENTIAL, 1, identifier(wire))
    url, body, headers, seconds = wire.calls[0]
    assert url == "https://eu.api.mondoo.com/AgentManager/RegisterAgent"
    assert json.loads(body) == {"name": "web1", "token": token()}
    assert (headers["Authorization"], seconds) == (f"Bearer {token()}", CALL_SECONDS)


def test_a_service_account_makes_an_agent_without_a_token() -> None:
    made, wire, dummy = register(MADE_SIGNED, bearer=account())
    assert made == Confirmation(agent_mrn(), {}, 1, identifier(wire))
    dummy_url, body, headers, dummy_seconds = wire.calls[0]
    assert json.loads(body) == {"name": "web1"}
    jwt = tokens.decode(headers["Authorization"].removeprefix("Bearer "))
    jwt.verify(load_key(document()["private_key"]).public_key())
    assert jwt.claims["chash"] == tokens.content_hash(body)


def test_a_confirmation_does_not_show_the_key() -> None:
    made, dummy_wire, dummy = register(MADE)
    assert repr(made) == f"Confirmation({agent_mrn()})"


def test_every_try_of_one_registration_has_the_same_request_id() -> None:
    dummy_made, wire, dummy = register(NOT_SENT, status(409, 10), MADE)
    assert len({call[2]["X-Request-ID"] for call in wire.calls}) == 1
    assert len(wire.calls) == 3


DID_NOT_ACT: dict[str, Outcome] = {
    "nothing was sent": NOT_SENT,
    "429": answer(429),
    "429 with a Status": status(429, 8),
    "Aborted": status(409, 10),
    "Aborted with another status": status(503, 10),
    "503 with Retry-After": answer(503, retry_after="0"),
}
REFUSALS: dict[str, Outcome] = {
    "unauthenticated": REFUSED,
    "permission denied": status(403, 7),
    "not found": status(404, 5),
    "invalid": status(400, 3),
    "already exists": status(409, 6),
}
MAY_HAVE_ACTED: dict[str, Outcome] = {
    "cut after sending": SENT,
    "bare 500": answer(500),
    "bare 502": HTML,
    "bare 503": answer(503),
    "Status 14": status(503, 14),
    "Status 14 below 500": status(404, 14),
    "Status 13": status(500, 13),
    "Status 4": status(504, 4),
    "bare 401": answer(401),
    "bare 404": Answer(404, {}, b"<html>"),
    "redirect": answer(302),
    "empty 200": answer(200),
    "HTML 200": Answer(200, {}, b"<html>"),
    "200 without agent": answer(200, {"credential": CREDENTIAL}),
    "200 without credential": answer(200, {"agent_mrn": agent_mrn()}),
    "200 with a credential that is text": answer(200, {"agent_mrn": agent_mrn(), "credential": "canary"}),
    "200 with half a credential": answer(
        200, {"agent_mrn": agent_mrn(), "credential": {"mrn": "x", "private_key": "y"}}
    ),
    "200 with an empty key": answer(200, {"agent_mrn": agent_mrn(), "credential": {**CREDENTIAL, "private_key": " "}}),
    "200 with a key that is none": answer(
        200, {"agent_mrn": agent_mrn(), "credential": {**CREDENTIAL, "private_key": "y"}}
    ),
    "200 with a list": answer(200, []),
    "204": answer(204),
}


@pytest.mark.parametrize("what", DID_NOT_ACT)
def test_what_did_not_act_is_tried_again(what: str) -> None:
    made, wire, dummy = register(DID_NOT_ACT[what], MADE)
    assert isinstance(made, Confirmation)
    assert (made.attempts, len(wire.calls)) == (2, 2)


@pytest.mark.parametrize("what", REFUSALS)
def test_what_was_refused_is_not_tried_again(what: str) -> None:
    failed, wire, dummy = register(REFUSALS[what], MADE)
    assert isinstance(failed, RegistrationFailed)
    assert (len(wire.calls), failed.may_have_acted) == (1, None)


@pytest.mark.parametrize("what", MAY_HAVE_ACTED)
def test_what_may_have_acted_is_not_tried_again_and_says_so(what: str) -> None:
    failed, wire, dummy = register(MAY_HAVE_ACTED[what], MADE)
    assert isinstance(failed, RegistrationFailed)
    assert (len(wire.calls), failed.code) == (1, "maybe_registered")
    assert failed.may_have_acted in ("unknown", agent_mrn())
    assert identifier(wire) in str(failed)
    assert "canary" not in str(failed)


def test_an_agent_that_was_named_in_an_answer_that_is_no_use_is_named() -> None:
    failed, dummy_wire, dummy = register(MAY_HAVE_ACTED["200 without credential"])
    assert isinstance(failed, RegistrationFailed)
    assert failed.may_have_acted == agent_mrn()


def message(*outcomes: Outcome, **how: t.Any) -> tuple[str, str]:
    failed, wire, dummy = register(*outcomes, **how)
    assert isinstance(failed, RegistrationFailed)
    return failed.code, str(failed).replace(identifier(wire), "ID")


def test_each_failure_says_what_to_do() -> None:
    assert message(REFUSED) == (
        "identity_refused",
        "Cannot register the agent: the platform does not accept the registration token (expired, revoked, or of "
        "another platform). Make a new one in the console.",
    )
    assert message(REFUSED, bearer=account()) == (
        "identity_refused",
        "Cannot register the agent: the platform does not accept the credentials document (expired, revoked, or of "
        "another platform). Make a new one in the console.",
    )
    assert message(status(403, 7, "canary")) == (
        "refused",
        "Cannot register the agent: the platform refused with 403 (code 7). "
        "Check what the registration token may do in this space.",
    )
    assert message(SENT) == (
        "maybe_registered",
        "Cannot register the agent: the platform gave no clear answer: the connection was cut, "
        "after the request with the id ID was sent. "
        "An agent of this name may have been made; look for it in the console before running again.",
    )
    assert message(HTML) == (
        "maybe_registered",
        "Cannot register the agent: the platform gave no clear answer: it answered 502 with an HTML page, "
        "after the request with the id ID was sent. "
        "An agent of this name may have been made; look for it in the console before running again.",
    )
    assert message(LASTING) == (
        "unreachable",
        "Cannot register the agent: the platform was not reached: its certificate is not trusted (x). Nothing was "
        "made; check the way from the controller to the platform (api_endpoint, controller_proxy, ca_path).",
    )
    assert message(answer(407)) == (
        "unreachable",
        "Cannot register the agent: the platform was not reached: the proxy wants a user and a password (407). "
        "Nothing was made; check the way from the controller to the platform "
        "(api_endpoint, controller_proxy, ca_path).",
    )
    assert message(status(409, 10), seconds=0.5) == (
        "busy",
        "Cannot register the agent: the platform answered 409 (code 10) to 1 tries with the request id ID. "
        "Nothing was made; run again later, or raise timeout.",
    )


@pytest.mark.parametrize("outcome", [LASTING, answer(407)])
def test_what_would_do_harm_is_not_tried_again(outcome: Outcome) -> None:
    dummy_failed, wire, dummy = register(outcome, MADE)
    assert len(wire.calls) == 1


def test_the_tries_are_counted_and_wait_ever_longer() -> None:
    failed, wire, time = register(*[NOT_SENT] * 5, tries=5)
    assert isinstance(failed, RegistrationFailed)
    assert (failed.detail["api_attempts"], len(wire.calls), time.slept) == (5, 5, [1.0, 2.0, 4.0, 4.0])


def test_the_time_limit_is_for_all_tries_together() -> None:
    dummy_failed, wire, time = register(*[NOT_SENT] * 50, tries=50, seconds=20.0)
    assert time.slept == [1.0, 2.0, 4.0, 4.0, 4.0, 4.0]
    dummy_failed, wire, time = register(*[NOT_SENT] * 50, tries=50, seconds=20.0, takes=12.0)
    assert len(wire.calls) == 2


def test_a_busy_platform_is_asked_again_as_long_as_there_is_time() -> None:
    busy = [status(429, 8), status(409, 10), answer(503, retry_after="2")]
    made, wire, dummy_time = register(*busy * 3, MADE, tries=1)
    assert isinstance(made, Confirmation)
    assert (made.attempts, len(wire.calls)) == (10, 10)
    failed, dummy_wire, time = register(*busy * 30, tries=1, seconds=60.0)
    assert isinstance(failed, RegistrationFailed)
    assert failed.code == "busy"
    assert 50 <= sum(time.slept) <= 60


def test_one_try_takes_no_longer_than_what_is_left() -> None:
    dummy_failed, wire, dummy = register(NOT_SENT, NOT_SENT, MADE, seconds=40.0, takes=15.0)
    assert [round(call[3]) for call in wire.calls] == [30, 24, 7]


def test_retry_after_is_honoured_in_seconds_and_as_a_date() -> None:
    dummy_made, dummy_wire, time = register(answer(503, retry_after="7"), MADE)
    assert time.slept == [7.0]
    dummy_made, dummy_wire, time = register(answer(429, retry_after=formatdate(1_700_000_009.0, usegmt=True)), MADE)
    assert time.slept == [9.0]


def test_a_retry_after_beyond_the_time_limit_is_not_waited_for() -> None:
    failed, dummy_wire, time = register(answer(503, retry_after="3600"), MADE)
    assert isinstance(failed, RegistrationFailed)
    assert (failed.code, time.slept) == ("busy", [])


@given(
    st.lists(ANSWERS | FAILURES | st.just(MADE) | st.sampled_from(list(DID_NOT_ACT.values())), min_size=1, max_size=6),
    st.integers(1, 6),
    st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_whatever_the_network_does_at_most_one_agent_is_made_and_none_in_doubt_tried_again(
    outcomes: list[Outcome], tries: int, by_token: bool
) -> None:
    result, wire, time = register(
        *outcomes, *[MADE] * 6, bearer=token() if by_token else account(), tries=tries, seconds=1e6
    )
    happened = [*outcomes, *[MADE] * 6][: len(wire.calls)]
    for outcome in happened[:-1]:
        if isinstance(outcome, NoAnswer):
            assert not outcome.sent
            assert not outcome.lasting
        else:
            # A refused signature may have had the wrong time.
            assert is_busy(outcome) or (not by_token and is_status(outcome, 16))
    counted = [outcome for outcome in happened[:-1] if isinstance(outcome, NoAnswer) or not is_busy(outcome)]
    assert len(counted) < tries
    if isinstance(result, Confirmation):
        assert json.loads(t.cast(Answer, happened[-1]).body)["agent_mrn"] == result.agent_mrn
    elif isinstance(happened[-1], NoAnswer):
        assert (result.may_have_acted is not None) == happened[-1].sent
    elif happened[-1].status == 200:
        assert result.may_have_acted is not None


# UnRegisterAgent


def unregister(*outcomes: Outcome) -> tuple[bool, Wire]:
    asked, wire, dummy = platform(*outcomes)
    return asked.unregister(account(), agent_mrn()), wire


def test_an_agent_is_unregistered_signed_by_the_account() -> None:
    gone, wire = unregister(recorded("43"))
    url, body, headers, dummy = wire.calls[0]
    assert (gone, url) == (True, "https://eu.api.mondoo.com/AgentManager/UnRegisterAgent")
    assert json.loads(body) == {"mrn": agent_mrn()}
    assert tokens.decode(headers["Authorization"].removeprefix("Bearer ")).claims["sub"] == document()["mrn"]


def test_an_agent_that_is_gone_already_counts_as_unregistered() -> None:
    assert unregister(recorded("46"))[0] is True


@pytest.mark.parametrize("outcome", [REFUSED, status(403, 7), status(400, 3)])
def test_a_refusal_to_unregister_is_not_asked_again(outcome: Outcome) -> None:
    gone, wire = unregister(outcome)
    assert (gone, len(wire.calls)) == (False, 1)


@pytest.mark.parametrize("outcome", [SENT, NOT_SENT, HTML, answer(200), answer(302), status(503, 14)])
def test_unregistering_is_tried_three_times(outcome: Outcome) -> None:
    assert unregister(outcome, outcome, answer(200, {}))[0] is True
    gone, wire = unregister(*[outcome] * 3)
    assert (gone, len(wire.calls)) == (False, 3)


@pytest.mark.parametrize("outcome", [status(409, 10), status(429, 8), answer(503, retry_after="2")])
def test_a_platform_that_is_busy_is_asked_for_a_minute_to_unregister(outcome: Outcome) -> None:
    assert unregister(*[outcome] * 9, answer(200, {}))[0] is True
    asked, wire, time = platform(*[outcome] * 30)
    assert asked.unregister(account(), agent_mrn()) is False
    assert 50 <= sum(time.slept) <= 60


def test_a_platform_at_an_endpoint_that_must_not_be_used_is_refused() -> None:
    with pytest.raises(FleetError) as caught:
        Platform("http://127.0.0.1.example.com", Wire(), Clock())
    assert str(caught.value) == (
        "Cannot use the API endpoint: it is plain http. Give one like https://eu.api.mondoo.com."
    )
