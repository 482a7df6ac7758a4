# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages of the platform as protobuf classes, made from the table in `codec.py` when first needed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

if TYPE_CHECKING:
    from .codec import Field, Message

__all__ = ["DecodeError", "from_bytes", "to_bytes"]

OF = descriptor_pb2.FieldDescriptorProto
PACKAGE = "sandbox"


def to_bytes(message: Message, value: Mapping[str, Any]) -> bytes:
    """Write a message; empty fields are left out."""
    made = _class_of(message)()
    _fill(made, message, value)
    return bytes(made.SerializeToString(deterministic=True))


def from_bytes(message: Message, body: bytes) -> dict[str, Any]:
    """Read a message; raise DecodeError for what is none. Unknown fields are dropped."""
    return _values(_class_of(message).FromString(body), message)


def _fill(made: Any, message: Message, value: Mapping[str, Any]) -> None:
    for name, field in message.fields.items():
        item = value.get(name)
        if item in (None, "", 0):
            continue
        if field.kind == "map":
            getattr(made, name).update(item)
        elif not isinstance(field.kind, str):
            getattr(made, name).SetInParent()
            _fill(getattr(made, name), field.kind, item or {})
        elif field.kind == "string":
            setattr(made, name, str(item))
        else:
            setattr(made, name, field.names.index(str(item)) if field.names else int(str(item)))


def _values(made: Any, message: Message) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for descriptor, item in made.ListFields():
        field = message.fields[descriptor.name]
        if field.kind == "map":
            result[descriptor.name] = dict(item)
        elif not isinstance(field.kind, str):
            result[descriptor.name] = _values(item, field.kind)
        else:
            result[descriptor.name] = field.names[item] if field.names else item
    return result


@functools.cache
def _class_of(message: Message) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="message.proto", package=PACKAGE, syntax="proto3")
    _define(file, "Message", message)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Message"))


def _define(file: descriptor_pb2.FileDescriptorProto, name: str, message: Message) -> None:
    defined = file.message_type.add(name=name)
    for field_name, field in message.fields.items():
        part = f"{name}_{field_name}"
        made = defined.field.add(name=field_name, number=field.number, label=OF.LABEL_OPTIONAL, type=OF.TYPE_STRING)
        if field.kind == "map":
            made.label, made.type = OF.LABEL_REPEATED, OF.TYPE_MESSAGE
            made.type_name = _define_map(defined, name, field_name)
        elif not isinstance(field.kind, str):
            made.type, made.type_name = OF.TYPE_MESSAGE, f".{PACKAGE}.{part}"
            _define(file, part, field.kind)
        elif field.kind == "enum":
            made.type, made.type_name = OF.TYPE_ENUM, f".{PACKAGE}.{part}"
            _define_enum(file, part, field)
        elif field.kind == "int32":
            made.type = OF.TYPE_INT32


def _define_map(defined: descriptor_pb2.DescriptorProto, name: str, field_name: str) -> str:
    # protoc names the entry of a map so, and the library insists on it.
    entry = "".join(part.capitalize() for part in field_name.split("_")) + "Entry"
    nested = defined.nested_type.add(name=entry, options=descriptor_pb2.MessageOptions(map_entry=True))
    for number, part in enumerate(("key", "value"), start=1):
        nested.field.add(name=part, number=number, label=OF.LABEL_OPTIONAL, type=OF.TYPE_STRING)
    return f".{PACKAGE}.{name}.{entry}"


def _define_enum(file: descriptor_pb2.FileDescriptorProto, name: str, field: Field) -> None:
    defined = file.enum_type.add(name=name)
    for number, value in enumerate(field.names):
        defined.value.add(name=f"{name}_{value}", number=number)
