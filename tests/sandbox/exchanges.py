# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded exchanges of HTTP, and whether the sandbox gives the recorded answers."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
from pathlib import Path
from typing import Any

from . import codec
from .recordings import TRANSCRIPTS
from .server import Platform
from .tokens import sign_call

ENDPOINT = "https://us.api.mondoo.com"
# The caller's clock when it was right; the recorded times of the others are 30 to 130 s away from it.
RECORDED_NOW = 1795224980
RECORDED_TOKEN = re.compile(r"T{100,}")
MASKS = (
    (re.compile(r"(/agents/|/serviceaccounts/)[0-9A-Za-z]{27}\b"), r"\1<id>"),
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL), r"<\1>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
)


def masked(text: str) -> str:
    """Take out of an answer what differs from one to the next."""
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


Answer = tuple[int, str, bytes]


class Replay:
    """Send the recorded requests again, with keys, tokens and agents of the sandbox's own."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.documents: dict[str, dict[str, Any]] = {}
        self.agents: dict[str, str] = {}

    def send(self, record: dict[str, Any]) -> Answer:
        """Return status, Content-Type and body of the answer to a recorded request."""
        request = record["request"]
        authorization = request["headers"].get("Authorization")
        token = self._token(record, authorization["jwt_claims"]) if authorization else ""
        body = self._body(request, token)
        headers = {name: value for name, value in request["headers"].items() if name != "Authorization"}
        if authorization and "kid" in authorization["jwt_header"]:
            headers["Authorization"] = self._signature(record, authorization, body)
        elif authorization:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(self.platform.url.removeprefix("http://"), timeout=10)
        connection.request(request["method"], request["path"], body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status == 200 and request["path"].endswith("/RegisterAgent"):
            self._learn(record["response"], content)
        return answer.status, answer.headers["Content-Type"], content

    def _token(self, record: dict[str, Any], claims: dict[str, Any]) -> str:
        if "space" not in claims:
            return ""
        token = self.platform.mint_token(lifetime=claims["exp"] - RECORDED_NOW)
        if "13.0.1 login, token refused" in record["what"]:
            self.platform.revoke_token(token)
        return token

    def _body(self, request: dict[str, Any], token: str) -> bytes:
        if "text" in request:
            text = RECORDED_TOKEN.sub(token, request["text"])
            for recorded, own in self.agents.items():
                text = text.replace(recorded, own)
            return text.encode()
        raw = bytes.fromhex(request["protobuf_hex"])
        if request["path"].endswith("/RegisterAgent") and token:
            asked = codec.decode(codec.PROTOBUF, codec.REGISTRATION, raw)
            return codec.encode(codec.PROTOBUF, codec.REGISTRATION, {**asked, "token": token})
        for recorded, own in self.agents.items():
            raw = raw.replace(recorded.encode(), own.encode())
        return raw

    def _signature(self, record: dict[str, Any], authorization: dict[str, Any], body: bytes) -> str:
        claims, kid = authorization["jwt_claims"], authorization["jwt_header"]["kid"]
        if claims["sub"] not in self.documents:
            self.documents[claims["sub"]] = self.platform.create_service_account()
        document = self.documents[claims["sub"]]
        if "service account revoked" in record["what"]:
            self.platform.revoke_service_account(document["mrn"])
        request = record["request"]
        recorded_body = request["text"].encode() if "text" in request else bytes.fromhex(request["protobuf_hex"])
        changes: dict[str, Any] = {"iss": claims["iss"]}
        if claims.get("chash") != hashlib.sha256(recorded_body).hexdigest():
            changes["chash"] = claims.get("chash")
        if kid != claims["sub"]:
            changes["kid"] = kid
        # The real client took a second or two from one call to the next; that is not a clock that is wrong.
        shift = claims["iat"] - RECORDED_NOW
        return sign_call(document, body, at=time.time() + (shift if abs(shift) > 5 else 0), **changes)

    def _learn(self, recorded: dict[str, Any], content: bytes) -> None:
        old, new = readable(recorded_body(recorded)), readable(content)
        self.agents[old["agent_mrn"]] = new["agent_mrn"]
        if "credential" in old:
            self.documents[old["credential"]["mrn"]] = new["credential"]


def recorded_body(response: dict[str, Any]) -> bytes:
    """Return the body of a recorded answer."""
    return response["text"].encode() if "text" in response else bytes.fromhex(response["protobuf_hex"])


def readable(content: bytes) -> dict[str, Any]:
    """Read the answer to a registration, in either language."""
    if content[:1] == b"{":
        # Masking the recorded keys turned the "\\n" between their lines into "\\A".
        return json.loads(content.replace(b"\\A", b"\\n"))
    return codec.decode(codec.PROTOBUF, codec.CONFIRMATION, content)


def exchanges(root: Path = TRANSCRIPTS) -> dict[str, dict[str, Any]]:
    """Return the recorded exchanges by their names, in the order in which they were made."""
    return {path.name: json.loads(path.read_text()) for path in sorted((root / "wire").glob("*.json"))}


def replay(records: dict[str, dict[str, Any]]) -> dict[str, Answer]:
    """Send all requests to one sandbox and return its answers."""
    with Platform(endpoint=ENDPOINT) as platform:
        caller = Replay(platform)
        return {name: caller.send(record) for name, record in records.items()}


def differences(record: dict[str, Any], answer: Answer) -> list[str]:
    """Return in what an answer differs from the recorded one; empty when it is the same."""
    recorded = record["response"]
    status, content_type, content = answer
    found = []
    if status != recorded["status"]:
        found.append(f"status: recorded {recorded['status']}, here {status}")
    if content_type != recorded["headers"]["Content-Type"]:
        found.append(f"Content-Type: recorded {recorded['headers']['Content-Type']}, here {content_type}")
    old = recorded_body(recorded)
    if content_type == codec.PROTOBUF and len(old) > 1000:
        # A certificate of another length moves the lengths around it: compared by field.
        old, content = (json.dumps(readable(body)).encode() for body in (old, content))
    # latin-1 keeps every byte of protobuf as one character, so that lengths and tags are compared too.
    left, right = masked(old.decode("latin-1")), masked(content.decode("latin-1"))
    if left != right:
        found.append(f"body: recorded {left!r}, here {right!r}")
    return found
