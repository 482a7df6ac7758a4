# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON and protobuf carry the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Platform, codec, sign_call
from sandbox.refusal import Refusal

MESSAGES = [codec.REGISTRATION, codec.CONFIRMATION, codec.HEALTH, codec.STATUS, codec.AGENT_INFO, codec.MRN]


def values(message: codec.Message) -> st.SearchStrategy[dict[str, Any]]:
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": text,
        "int32": st.integers(1, 2**31 - 1),
        "map": st.dictionaries(text, text, min_size=1),
    }
    fields = {}
    for name, field in message.fields.items():
        if isinstance(field.kind, codec.Message):
            fields[name] = values(field.kind)
        else:
            fields[name] = st.sampled_from(field.names[1:]) if field.names else kinds[field.kind]
    return st.fixed_dictionaries({}, optional=fields)


@given(st.data())
def test_what_is_written_is_read_again_in_both_languages(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(MESSAGES))
    value = data.draw(values(message))
    for language in (codec.JSON, codec.PROTOBUF):
        assert codec.decode(language, message, codec.encode(language, message, value)) == value


@given(st.binary(max_size=60))
def test_broken_protobuf_is_refused_and_never_more(body: bytes) -> None:
    try:
        codec.decode(codec.PROTOBUF, codec.REGISTRATION, body)
    except Refusal as refusal:
        assert (refusal.status, refusal.code) == (500, 2)


@given(st.binary(max_size=60))
def test_broken_json_is_refused_and_never_more(body: bytes) -> None:
    try:
        codec.decode(codec.JSON, codec.REGISTRATION, body)
    except Refusal as refusal:
        assert (refusal.status, refusal.code) == (500, 2)


def test_fields_that_are_not_known_are_dropped() -> None:
    assert codec.decode(codec.JSON, codec.MRN, b'{"mrn": "a", "else": [1]}') == {"mrn": "a"}
    assert codec.decode(codec.PROTOBUF, codec.MRN, b"\x0a\x01a\x12\x01b\x18\x05") == {"mrn": "a"}


@pytest.mark.parametrize("kind", codec.PROTOBUF_TYPES)
def test_a_host_registers_in_protobuf(kind: str, platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    asked = {"name": "web1", "agent_info": {"platform_name": "debian", "labels": {"a": "b", "c": "d"}}}
    body = codec.encode(codec.PROTOBUF, codec.REGISTRATION, asked)
    headers = {"Content-Type": kind, "Accept": kind}
    answer = agent.call("RegisterAgent", body, sign_call(document, body), headers=headers)
    assert answer.headers["Content-Type"] == "application/protobuf"
    assert codec.decode(codec.PROTOBUF, codec.CONFIRMATION, answer.content) == {
        "agent_mrn": platform.agents()[0]["mrn"]
    }
    assert platform.agents()[0]["info"] == asked["agent_info"]


def test_a_refusal_in_protobuf_is_a_status(agent: Any) -> None:
    answer = agent.call("PingPong", b"", headers={"Accept": "application/protobuf"})
    status = codec.decode(codec.PROTOBUF, codec.STATUS, answer.content)
    assert status == {"code": 16, "message": "request permission unauthenticated"}
