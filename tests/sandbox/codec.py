# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two languages of the platform, JSON and protobuf, from one table of messages.

Field names and numbers are those of upstream.proto and health.proto in mql v13.0.1. As the platform does, a request
in JSON may say snake_case or camelCase, unknown fields are dropped, and an answer is snake_case without empty fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .refusal import Refusal

JSON = "application/json"
PROTOBUF = "application/protobuf"
PROTOBUF_TYPES = (PROTOBUF, "application/octet-stream", "application/grpc+proto")


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a message: its kind is string, int32, map (of strings), enum (with `names`) or a message."""

    number: int
    kind: str | Message = "string"
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Message:
    """A message: its fields by name."""

    fields: Mapping[str, Field]


EMPTY = Message({})
MRN = Message({"mrn": Field(1)})
STATUS = Message({"code": Field(1, "int32"), "message": Field(2)})
AGENT_INFO = Message(
    {
        "mrn": Field(1),
        "version": Field(2),
        "build": Field(3),
        "platform_name": Field(4),
        "platform_release": Field(5),
        "platform_arch": Field(6),
        "platform_ip": Field(7),
        "platform_hostname": Field(8),
        "labels": Field(18, "map"),
        "platform_id": Field(20),
    }
)
REGISTRATION = Message({"token": Field(1), "name": Field(2), "agent_info": Field(3, AGENT_INFO)})
CREDENTIAL = Message(
    {
        "mrn": Field(1),
        "parent_mrn": Field(2),
        "private_key": Field(3),
        "certificate": Field(4),
        "api_endpoint": Field(5),
        "scope_mrn": Field(6),
        "token": Field(7),
    }
)
CONFIRMATION = Message({"agent_mrn": Field(1), "credential": Field(2, CREDENTIAL)})
HEALTH_REQUEST = Message({"service": Field(1)})
HEALTH = Message(
    {
        "status": Field(1, "enum", ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")),
        "time": Field(2),
        "apiVersion": Field(3),
        "build": Field(4),
    }
)


def content_type(header: str | None) -> str:
    """Return which of the two languages a request's Content-Type names; refuse any other."""
    kind = (header or "").split(";")[0].strip().lower()
    if kind == JSON:
        return JSON
    if kind in PROTOBUF_TYPES:
        return PROTOBUF
    raise Refusal(3, f'unexpected content-type: "{header or ""}"')


def answer_type(accept: str | None) -> str:
    """Return the language of the answer: JSON, unless protobuf was asked for."""
    asked = [part.split(";")[0].strip().lower() for part in (accept or "").split(",")]
    return PROTOBUF if any(part in PROTOBUF_TYPES for part in asked) else JSON


def decode(language: str, message: Message, body: bytes) -> dict[str, Any]:
    """Read a request; refuse with code 2, as the platform does, what cannot be read."""
    if language == JSON:
        return _from_json(message, _parse(body))
    from . import protobuf  # only who speaks it pays for the library

    try:
        return protobuf.from_bytes(message, body)
    except protobuf.DecodeError as exc:
        raise Refusal(2, "proto: cannot parse invalid wire-format data") from exc


def encode(language: str, message: Message, value: Mapping[str, Any]) -> bytes:
    """Write an answer; empty fields are left out in both languages."""
    if language == PROTOBUF:
        from . import protobuf

        return protobuf.to_bytes(message, value)
    return json.dumps(_in_order(message, value), separators=(",", ":"), ensure_ascii=False).encode()


def _in_order(message: Message, value: Mapping[str, Any]) -> dict[str, Any]:
    # As the platform writes it: in the order of the message. What a fault added to an answer comes last.
    result = {}
    for name in (*message.fields, *(name for name in value if name not in message.fields)):
        item, field = value.get(name), message.fields.get(name, Field(0))
        if item not in (None, "", 0):
            if isinstance(field.kind, Message) and isinstance(item, Mapping):
                item = _in_order(field.kind, item)
            result[name] = item
    return result


def _parse(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        cut = text.strip() and (exc.pos >= len(text.rstrip()) or exc.msg.startswith("Unterminated"))
        if cut:
            raise Refusal(2, "proto: unexpected EOF") from exc
        where = f"line {exc.lineno}:{exc.colno}"
        raise Refusal(2, f"proto: syntax error ({where}): unexpected token {text[exc.pos : exc.pos + 1]}") from exc


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _from_json(message: Message, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(2, f"proto: syntax error (line 1:1): unexpected token {json.dumps(value)[:40]}")
    result: dict[str, Any] = {}
    for name, field in message.fields.items():
        item = value.get(name, value.get(_camel(name)))
        if item is not None:
            result[name] = _checked(name, field, item)
    return result


def _checked(name: str, field: Field, item: Any) -> Any:
    if isinstance(field.kind, Message):
        return _from_json(field.kind, item)
    if field.kind == "map":
        if not isinstance(item, dict) or not all(isinstance(text, str) for text in item.values()):
            raise Refusal(2, f"proto: invalid value for map field {name}")
        return item
    if field.kind == "string" and not isinstance(item, str):
        raise Refusal(2, f"proto: invalid value for string field {name}: {json.dumps(item)[:40]}")
    return item
