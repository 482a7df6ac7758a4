# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes of protobuf: numbers, and fields with a length (protobuf.dev, "Encoding")."""

from __future__ import annotations

from collections.abc import Iterator

# What reading broken bytes raises: a number out of range, a text that is not UTF-8 or too short.
PROTOBUF_ERRORS = (ValueError, IndexError)
NUMBER, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def _varint(value: int) -> bytes:
    result = b""
    while value > 0x7F:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def number_field(number: int, value: int) -> bytes:
    """Write a field with a number."""
    return _varint(number << 3 | NUMBER) + _varint(value)


def text_field(number: int, value: bytes) -> bytes:
    """Write a field with a text or a message."""
    return _varint(number << 3 | LENGTH) + _varint(len(value)) + value


def _read_varint(body: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = body[position]
        result |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return result, position
        if shift > 63:
            raise ValueError("number too long")


def fields_of(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read a message: the number of each field, and what it holds; raise ValueError or IndexError."""
    position = 0
    while position < len(body):
        tag, position = _read_varint(body, position)
        kind = tag & 7
        if kind == NUMBER:
            value, position = _read_varint(body, position)
            yield tag >> 3, value
            continue
        if kind == LENGTH:
            length, position = _read_varint(body, position)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError("unknown wire type")
        if position + length > len(body):
            raise ValueError("cut off")
        yield tag >> 3, body[position : position + length]
        position += length
