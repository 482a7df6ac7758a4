# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform's calls as cnspec makes them: JSON on the wire, signed ES384, errors worded as by its RPC layer."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from sandbox.stand_in.go_words import BadKey, asn1_error, duration, pem_bytes
from sandbox.stand_in.lines import Log
from sandbox.stand_in.network import CONTEXT_DONE, Answer, Network, WireError
from sandbox.stand_in.profiles import Profile
from sandbox.stand_in.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CODES = (
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
)
# ranger-rpc status/http.go: without a usable body only these are mapped, everything else is Unknown
CODE_OF_STATUS = {400: 3, 401: 16, 403: 7, 404: 5, 408: 1, 500: 13, 501: 12, 503: 14}
MESSAGES = {
    "AgentManager/PingPong": "Pong",
    "AgentManager/RegisterAgent": "AgentRegistrationConfirmation",
    "AgentManager/UnRegisterAgent": "Confirmation",
    "Health/Check": "HealthCheckResponse",
}
ISSUER = "mondoo/ams"
FEATURES = "BwkKCw4="


class CallError(Exception):
    """A call that failed, in the words of cnspec. `code` is the RPC code's name, "" when there was no answer."""

    def __init__(self, text: str, *, code: str = "", of_proxy: bool = False) -> None:
        super().__init__(text)
        self.code, self.of_proxy = code, of_proxy


@dataclass(frozen=True)
class Signer:
    """A service account that signs calls."""

    mrn: str
    key: EllipticCurvePrivateKey

    def token(self, body: bytes, now: int) -> str:
        """Return the JWT for one call."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA384

        claims = {
            "sub": self.mrn,
            "iss": ISSUER,
            "iat": now,
            "nbf": now,
            "exp": now + 60,
            "chash": hashlib.sha256(body).hexdigest(),
        }
        head = {"alg": "ES384", "kid": self.mrn, "typ": "JWT"}
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
        size = (self.key.key_size + 7) // 8
        r, s = decode_dss_signature(self.key.sign(signed, ECDSA(SHA384())))
        return (signed + b"." + _base64url(r.to_bytes(size, "big") + s.to_bytes(size, "big"))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def load_signer(mrn: str, private_key: str, log: Log) -> Signer:
    """Read a PKCS #8 key and announce the identity. Raises BadKey."""
    der = pem_bytes(private_key)
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError):
        raise BadKey(asn1_error(der)) from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise BadKey("AuthKey must be of type ecdsa.PrivateKey")
    log.debug("initialize client authentication", issuer=ISSUER, kid=mrn)
    return Signer(mrn, key)


@dataclass
class Health:
    """What the health check found; empty when there was no answer."""

    endpoint: str
    status: str = ""
    time: str = ""
    version: str = ""
    warnings: list[str] = field(default_factory=list)


class Api:
    """Calls to one endpoint. `introduces_itself`: login and logout send headers that status does not."""

    def __init__(self, profile: Profile, settings: Settings, network: Network, log: Log) -> None:
        self.profile, self.settings, self.network, self.log = profile, settings, network, log
        self.introduces_itself = False

    def call(
        self, endpoint: str, method: str, body: dict[str, Any], *, bearer: str | Signer | None = None
    ) -> dict[str, Any]:
        """Make one call and return its answer; an answer with an empty body counts as success. Raises CallError."""
        url = service_url(endpoint, method)
        payload = json.dumps(body).encode() if body else b"{}"
        if self.network.expired:
            raise CallError(f"aborted because context was done: {CONTEXT_DONE}")
        headers = self._headers(bearer, payload)
        if self.profile.vtproto:
            self.log.debug("using vtproto for input")
        self.log.write("trace", _curl(url, payload))
        try:
            answer = self.network.post(url, headers, payload)
        except WireError as error:
            raise CallError(f'failed to do request: Post "{url}": {error}', of_proxy=error.of_proxy) from None
        if answer.status != 200:
            return self._refused(answer)
        if answer.truncated:
            raise CallError("failed to read response body: unexpected EOF")
        if self.profile.vtproto:
            self.log.debug("using vtproto for output")
        return self._decoded(answer.body, MESSAGES[method])

    def _decoded(self, body: bytes, message: str) -> dict[str, Any]:
        if not body:
            return {}
        try:
            found = json.loads(body)
        except ValueError:
            # what protobuf says of a byte: "<" is the end of a group that never began
            end_of_group = self.profile.wire_format_error or f"proto: {message}: wiretype end group for non-group"
            reason = end_of_group if body[:1] == b"<" else "unexpected EOF"
            raise CallError(f"failed to unmarshal proto response: {reason}") from None
        return found if isinstance(found, dict) else {}

    def _headers(self, bearer: str | Signer | None, payload: bytes) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "Go-http-client/1.1"}
        if isinstance(bearer, Signer):
            bearer = bearer.token(payload, self.settings.now_ns() // 1_000_000_000)
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if self.introduces_itself:
            import uuid

            headers["User-Agent"] = f"PN/linux build/{self.settings.build} {self.profile.engine}/{self.profile.version}"
            headers["X-Request-ID"] = str(uuid.uuid4())
            headers["Mondoo-Features"] = FEATURES
        return headers

    def _refused(self, answer: Answer) -> dict[str, Any]:
        """Raise the refusal. A body without code and message was none up to ranger-rpc 0.8.0."""
        status, usable = answer.status, True
        code, message = 0, ""
        try:
            found = json.loads(answer.body) if answer.body else {}
            code, message = int(found.get("code", 0)), str(found.get("message", ""))
        except (ValueError, AttributeError, TypeError):
            usable = False
        if code or (usable and self.profile.empty_answer_is_success):
            self.log.debug("non-ok http request", body=message, status=status)
            if code:
                raise _rpc_error(code, message)
            return {}
        if not self.profile.empty_answer_is_success:
            message = answer.body.decode("utf-8", "replace") or f"{status} {answer.reason}"
            self.log.debug("non-ok http request with non-proto body", body=message, status=status)
        error = _rpc_error(CODE_OF_STATUS.get(status, 2), message)
        error.of_proxy = status == 407 and self.network.proxy is not None
        raise error

    def health(self, endpoint: str) -> tuple[Health, CallError | None]:
        """Check the platform's health and the two clocks."""
        health = Health(endpoint)
        started = self.settings.now_ns()
        try:
            answer = self.call(endpoint, "Health/Check", {})
        except CallError as error:
            return health, error
        finished = self.settings.now_ns()
        health.status = str(answer.get("status", "UNKNOWN"))
        health.time = str(answer.get("time", ""))
        health.version = str(answer.get("apiVersion", answer.get("api_version", "")))
        if finished - started > 5_000_000_000:
            health.warnings.append(f"detected very long round-trip times: {duration(finished - started)}")
        theirs = _nanoseconds(health.time)
        if theirs is None:
            health.warnings.append("cannot run clock skew check")
        elif abs(theirs - finished) > 30_000_000_000:
            health.warnings.append(f"possible clock skew detected: {duration(theirs - finished)}")
        return health, None


def _rpc_error(code: int, message: str) -> CallError:
    name = CODES[code] if 0 <= code < len(CODES) else f"Code({code})"
    return CallError(f"rpc error: code = {name} desc = {message}", code=name)


def service_url(endpoint: str, method: str) -> str:
    """Return the URL of a method: a missing scheme is https, a sub-path counts only when it ends in /."""
    if not endpoint:
        return f"https:///{method}"
    return urljoin(endpoint if "://" in endpoint else f"https://{endpoint}", method)


def _nanoseconds(text: str) -> int | None:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int(moment.timestamp() * 1_000_000) * 1_000 if moment.tzinfo else None


def _curl(url: str, payload: bytes) -> str:
    shown = payload.decode().replace("'", "'\\''")
    return (
        f"curl -X 'POST' -d '{shown}' -H 'Accept: application/json' -H 'Content-Length: {len(payload)}' "
        f"-H 'Content-Type: application/json' '{url}'"
    )
