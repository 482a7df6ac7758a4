# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox answers to the recorded exchanges is what was recorded."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox import Platform, codec, sign_call

WIRE = Path(__file__).parents[2] / "transcripts" / "wire"
RECORDS = {path.name: json.loads(path.read_text()) for path in sorted(WIRE.glob("*.json"))}
# The caller's clock when it was right; the recorded times of the others are 30 to 130 s away from it.
RECORDED_NOW = 1795224980
RECORDED_TOKEN = re.compile(r"T{100,}")
MASKS = (
    (re.compile(r"(/agents/|/serviceaccounts/)[0-9A-Za-z]{27}\b"), r"\1<id>"),
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL), r"<\1>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
)


def masked(text: str) -> str:
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


class Replay:
    """Send the recorded requests again, with keys, tokens and agents of the sandbox's own."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.documents: dict[str, dict[str, Any]] = {}
        self.agents: dict[str, str] = {}

    def send(self, record: dict[str, Any]) -> tuple[int, str, bytes]:
        request = record["request"]
        authorization = request["headers"].get("Authorization")
        token = self.token(record, authorization["jwt_claims"]) if authorization else ""
        body = self.body(request, token)
        headers = {name: value for name, value in request["headers"].items() if name != "Authorization"}
        if authorization and "kid" in authorization["jwt_header"]:
            headers["Authorization"] = self.signature(record, authorization, body)
        elif authorization:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(self.platform.url.removeprefix("http://"), timeout=10)
        connection.request(request["method"], request["path"], body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status == 200 and request["path"].endswith("/RegisterAgent"):
            self.learn(record["response"], content)
        return answer.status, answer.headers["Content-Type"], content

    def token(self, record: dict[str, Any], claims: dict[str, Any]) -> str:
        if "space" not in claims:
            return ""
        token = self.platform.mint_token(lifetime=claims["exp"] - RECORDED_NOW)
        if "13.0.1 login, token refused" in record["what"]:
            self.platform.revoke_token(token)
        return token

    def body(self, request: dict[str, Any], token: str) -> bytes:
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

    def signature(self, record: dict[str, Any], authorization: dict[str, Any], body: bytes) -> str:
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

    def learn(self, recorded: dict[str, Any], content: bytes) -> None:
        old, new = readable(recorded_body(recorded)), readable(content)
        self.agents[old["agent_mrn"]] = new["agent_mrn"]
        if "credential" in old:
            self.documents[old["credential"]["mrn"]] = new["credential"]


def recorded_body(response: dict[str, Any]) -> bytes:
    return response["text"].encode() if "text" in response else bytes.fromhex(response["protobuf_hex"])


def readable(content: bytes) -> dict[str, Any]:
    if content[:1] == b"{":
        # Masking the recorded keys turned the "\\n" between their lines into "\\A".
        return json.loads(content.replace(b"\\A", b"\\n"))
    return codec.decode(codec.PROTOBUF, codec.CONFIRMATION, content)


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str, bytes]]:
    with Platform(endpoint="https://us.api.mondoo.com") as platform:
        replay = Replay(platform)
        return {name: replay.send(record) for name, record in RECORDS.items()}


def test_all_recorded_exchanges_are_there() -> None:
    assert len(RECORDS) == 46


@pytest.mark.parametrize("name", RECORDS)
def test_the_answer_is_what_was_recorded(name: str, answers: dict[str, tuple[int, str, bytes]]) -> None:
    recorded = RECORDS[name]["response"]
    status, content_type, content = answers[name]
    assert (status, content_type) == (recorded["status"], recorded["headers"]["Content-Type"])
    old = recorded_body(recorded)
    if content_type == codec.PROTOBUF and len(old) > 1000:
        # A certificate of another length moves the lengths around it: compared by field.
        old, content = (json.dumps(readable(body)).encode() for body in (old, content))
    # latin-1 keeps every byte of protobuf as one character, so that lengths and tags are compared too.
    assert masked(content.decode("latin-1")) == masked(old.decode("latin-1"))


@pytest.mark.parametrize("name", [name for name in RECORDS if re.search("(by|login)-token-.*registeragent", name)])
def test_private_keys_are_as_long_as_the_recorded_ones(name: str, answers: dict[str, tuple[int, str, bytes]]) -> None:
    recorded = RECORDS[name]["response"]
    if recorded["status"] == 200:
        old, new = readable(recorded_body(recorded)), readable(answers[name][2])
        assert len(new["credential"]["private_key"]) == len(old["credential"]["private_key"])
