# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that agents make: RegisterAgent, UnRegisterAgent, PingPong, HealthCheck, and Health/Check."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import codec
from .accounts import Agent, ServiceAccount, Store, Token, space_id
from .authority import FOREVER
from .clock import Clock
from .faults import Fault
from .refusal import Refusal, unauthenticated
from .tokens import ISSUER, BadToken, Jwt, content_hash, decode

API_VERSION = "13"
BUILD = "lab"
# What may be called, with what it is asked and what it answers.
METHODS = {
    ("AgentManager", "RegisterAgent"): (codec.REGISTRATION, codec.CONFIRMATION),
    ("AgentManager", "UnRegisterAgent"): (codec.MRN, codec.MRN),
    ("AgentManager", "PingPong"): (codec.EMPTY, codec.EMPTY),
    ("AgentManager", "HealthCheck"): (codec.AGENT_INFO, codec.EMPTY),
    ("Health", "Check"): (codec.HEALTH_REQUEST, codec.HEALTH),
}


@dataclass(frozen=True)
class Request:
    """An HTTP request, taken apart."""

    verb: str
    service: str
    method: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header by its name in any case, or ""."""
        found = [value for key, value in self.headers.items() if key.lower() == name.lower()]
        return found[0] if found else ""

    @property
    def bearer(self) -> str:
        """Return the bearer token, or ""."""
        scheme, dummy, token = self.header("Authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass
class Turn:
    """One call being answered: who asks, by which clock, and what was done."""

    request: Request
    clock: Clock
    fault: Fault
    account: ServiceAccount | None = None
    token: Token | None = None
    agent_mrn: str = ""
    acted: bool = False


@dataclass(frozen=True)
class Caller:
    """Who a call claims to come from, before anything is checked; for the ledger and for faults of one host."""

    host: str = ""
    agent_mrn: str = ""
    service_account_mrn: str = ""


def rfc3339(seconds: float) -> str:
    """Return a time as the platform writes it."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class AgentManager:
    """Check who calls, then do it."""

    def __init__(self, store: Store, lock: threading.RLock) -> None:
        self.store = store
        self.endpoint = ""
        self._lock = lock

    def caller(self, request: Request) -> Caller:
        """Return who a call claims to come from."""
        mrn = self._claimed_account(request.bearer)
        asked = self._lenient_body(request)
        if request.method == "RegisterAgent":
            info = asked.get("agent_info") or {}
            return Caller(asked.get("name") or info.get("platform_hostname") or "", "", mrn)
        with self._lock:
            named = self.store.agents.get(asked.get("mrn") or "")
            agents = [named] if named else self.store.agents_of(mrn) if mrn else []
        # Under a shared service account, no call tells which of its agents it comes from.
        agent = agents[0] if len(agents) == 1 else None
        return Caller(agent.name if agent else "", agent.mrn if agent else "", mrn)

    @staticmethod
    def _claimed_account(bearer: str) -> str:
        try:
            return str(decode(bearer).header.get("kid") or "")
        except BadToken:
            return ""

    @staticmethod
    def _lenient_body(request: Request) -> dict[str, Any]:
        asks = METHODS.get((request.service, request.method))
        try:
            language = codec.content_type(request.header("Content-Type"))
            return codec.decode(language, asks[0], request.body) if asks else {}
        except Refusal:
            return {}

    def answer(self, turn: Turn) -> tuple[codec.Message, dict[str, Any]]:
        """Do what a call asks; raise Refusal. The order of the checks is the recorded one."""
        request = turn.request
        if request.service == "AgentManager":
            self._authenticate(turn)
        if (request.service, request.method) not in METHODS:
            raise Refusal(5, "method not defined")
        if request.verb != "POST":
            raise Refusal(3, f"unsupported method {request.verb!r} (only POST is allowed)")
        asks, says = METHODS[(request.service, request.method)]
        asked = codec.decode(codec.content_type(request.header("Content-Type")), asks, request.body)
        with self._lock:
            result = self._act(turn, asked)
        return says, _replaced(turn, result)

    def _act(self, turn: Turn, asked: dict[str, Any]) -> dict[str, Any]:
        if turn.request.method == "RegisterAgent":
            return self._register(turn, asked)
        if turn.request.service == "AgentManager" and turn.account is None:
            # A registration token opens RegisterAgent and nothing else.
            raise unauthenticated()
        if turn.request.method == "UnRegisterAgent":
            return self._unregister(turn, asked.get("mrn", ""))
        if turn.request.method == "Check":
            now = rfc3339(turn.clock.now())
            return {"status": "SERVING", "time": now, "apiVersion": API_VERSION, "build": BUILD}
        return {}

    def _authenticate(self, turn: Turn) -> None:
        try:
            jwt = decode(turn.request.bearer)
            if "kid" in jwt.header:
                turn.account = self._signer(jwt, turn)
            else:
                turn.token = self._registration_token(jwt, turn.clock.judging())
        except BadToken as exc:
            raise unauthenticated() from exc

    def _signer(self, jwt: Jwt, turn: Turn) -> ServiceAccount:
        now = turn.clock.judging()
        account = self.store.accounts.get(str(jwt.header["kid"]))
        key = account.key_at(now) if account and not account.revoked else None
        if account is None or key is None:
            raise BadToken("no such service account")
        jwt.verify(key)
        if jwt.claims.get("iss") != ISSUER or jwt.claims.get("sub") != account.mrn:
            raise BadToken("another issuer or subject")
        jwt.check_times(now)
        # Checked only if there: the guard of the RPC layer skips it where it is absent.
        if jwt.claims.get("chash", content_hash(turn.request.body)) != content_hash(turn.request.body):
            raise BadToken("another body")
        return account

    def _registration_token(self, jwt: Jwt, now: float) -> Token:
        jwt.verify(self.store.token_key.public_key())
        jwt.check_times(now, leeway_after=0)
        token = self.store.tokens.get(str(jwt.claims.get("jti")))
        if token is None or token.revoked or jwt.claims.get("iss") != ISSUER:
            raise BadToken("no such registration token")
        return token

    def _register(self, turn: Turn, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked.get("name") or (asked.get("agent_info") or {}).get("platform_hostname") or ""
        text = asked.get("token") or ""
        if turn.account is not None and not text:
            agent = self._made(turn, turn.account, name, asked)
            self.store.keep(agent)
            return {"agent_mrn": agent.mrn}
        if not text:
            raise Refusal(3, "registration token is missing")
        try:
            jwt = decode(text)
            token = self._registration_token(jwt, turn.clock.judging())
        except BadToken as exc:
            raise unauthenticated() from exc
        space = token.space if turn.fault.answer_space is None else turn.fault.answer_space
        if not space and turn.fault.answer_space is None:
            raise Refusal(7, "registration token has no space")
        token.uses += 1
        account, credential = self.store.add_account(space, name, valid_until(jwt.claims))
        agent = self._made(turn, account, name, asked)
        account.agent_mrn = agent.mrn
        credential["api_endpoint"] = turn.fault.answer_endpoint or jwt.claims.get("api_endpoint") or self.endpoint
        self.store.keep(token, account, agent)
        return {"agent_mrn": agent.mrn, "credential": credential}

    def _made(self, turn: Turn, account: ServiceAccount, name: str, asked: dict[str, Any]) -> Agent:
        agent = self.store.add_agent(account, name, asked.get("agent_info") or {}, turn.clock.now())
        turn.agent_mrn, turn.account, turn.acted = agent.mrn, account, True
        return agent

    def _unregister(self, turn: Turn, mrn: str) -> dict[str, Any]:
        agent = self.store.agents.get(mrn)
        if agent is None or agent.gone or turn.account is None:
            raise Refusal(5, "agent not found")
        if agent.service_account_mrn != turn.account.mrn:
            raise Refusal(7, "request permission denied")
        agent.gone = turn.acted = True
        turn.agent_mrn = mrn
        if turn.account.agent_mrn == mrn:
            # Made together by a token, gone together: a PingPong after that is refused with 401.
            turn.account.revoked = True
        self.store.keep(agent, turn.account)
        return {"mrn": mrn}


def _replaced(turn: Turn, result: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with the fields that a fault replaces."""
    changes = dict(turn.fault.answer)
    if isinstance(result.get("credential"), dict) and isinstance(changes.get("credential"), dict):
        changes["credential"] = {**result["credential"], **changes["credential"]}
    return {**result, **changes}


def valid_until(claims: Mapping[str, Any]) -> datetime.datetime:
    """Return until when the certificate of an account made with a token is valid."""
    text = str(claims.get("cert_valid_until") or "").replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text) if text else FOREVER


def space_of(claims: Mapping[str, Any]) -> str:
    """Return the id of the space that a token is for; "" for one of an organization."""
    return space_id(str(claims.get("space") or ""))
