# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys of OpenPGP as files hold them: armored or binary, one or several, each known by its fingerprint."""

import base64
import binascii
import hashlib
import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

# Packets, by their tags (RFC 9580, 5): a primary key begins a key, and what belongs to it follows.
_SECRET_KEYS = (5, 7)
_PRIMARY = 6
_PARTS = (2, 13, 14, 17)  # signature, user ID, subkey, user attribute

_ARMOR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(?:[A-Za-z]+:[^\n]*\n)*[ \t]*\r?\n(?P<body>.*?)"
    rb"-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_CHECKSUM = re.compile(rb"^=[A-Za-z0-9+/]{4}\s*$", re.MULTILINE)


class BadKey(ValueError):
    """Say why something is no public key; its text never quotes what it is."""


class PublicKey(NamedTuple):
    """One primary key and all that belongs to it. `fingerprint`: hexadecimal, in capitals."""

    fingerprint: str
    packets: bytes


def read_keys(content: bytes) -> List[PublicKey]:
    """Return the public keys in the content of a file, in its order. Raises BadKey."""
    keys = []  # type: List[PublicKey]
    for tag, body, packet in _packets(_binary(content)):
        if tag in _SECRET_KEYS:
            raise BadKey("it holds a secret key")
        if tag == _PRIMARY:
            keys.append(PublicKey(_fingerprint(body), packet))
        elif tag in _PARTS and keys:
            keys[-1] = keys[-1]._replace(packets=keys[-1].packets + packet)
    if not keys:
        raise BadKey("there is no OpenPGP public key in it")
    return keys


def holds_only(content: Optional[bytes], fingerprint: str, text: bool) -> bool:
    """Tell whether a file holds the key of this fingerprint and no other, armored (`text`) or binary."""
    if content is None or is_armored(content) != text:
        return False
    try:
        return {key.fingerprint for key in read_keys(content)} == {fingerprint}
    except BadKey:
        return False


def armored(packets: bytes) -> bytes:
    """Return packets as text, with the checksum that rpm wants (RFC 4880, 6)."""
    coded = base64.b64encode(packets)
    lines = [coded[start : start + 64] for start in range(0, len(coded), 64)]
    checksum = b"=" + base64.b64encode(_crc24(packets).to_bytes(3, "big"))
    begin, end = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----"
    return b"\n".join([begin, b""] + lines + [checksum, end, b""])


def is_armored(content: bytes) -> bool:
    """Tell whether a file's content is text."""
    return content.lstrip()[:5] == b"-----"


def _binary(content: bytes) -> bytes:
    if not is_armored(content):
        return content
    parts = []
    for block in _ARMOR.finditer(content):
        try:
            parts.append(base64.b64decode(b"".join(_CHECKSUM.sub(b"", block.group("body")).split()), validate=True))
        except (binascii.Error, ValueError):
            raise BadKey("its text is damaged") from None
    return b"".join(parts)


def _packets(content: bytes) -> Iterator[Tuple[int, bytes, bytes]]:
    """Yield each packet as its tag, its body and the whole of it (RFC 9580, 4.2)."""
    start = 0
    while start < len(content):
        first = content[start]
        if not first & 0x80:
            raise BadKey("there is no OpenPGP public key in it")
        tag, head, length = _new_head(content, start) if first & 0x40 else _old_head(content, start)
        body = content[start + head : start + head + length]
        if len(body) != length:
            raise BadKey("it is not complete")
        yield tag, body, content[start : start + head + length]
        start += head + length


def _old_head(content: bytes, start: int) -> Tuple[int, int, int]:
    size = {0: 1, 1: 2, 2: 4}.get(content[start] & 3)
    if size is None:
        raise BadKey("the length of a part of it is not given")
    return (content[start] >> 2) & 15, 1 + size, int.from_bytes(content[start + 1 : start + 1 + size], "big")


def _new_head(content: bytes, start: int) -> Tuple[int, int, int]:
    tag, octets = content[start] & 63, content[start + 1 : start + 6]
    if not octets:
        raise BadKey("it is not complete")
    if octets[0] < 192:
        return tag, 2, octets[0]
    if octets[0] < 224:
        return tag, 3, ((octets[0] - 192) << 8) + int.from_bytes(octets[1:2], "big") + 192
    if octets[0] == 255:
        return tag, 6, int.from_bytes(octets[1:5], "big")
    raise BadKey("the length of a part of it is not given")


def _fingerprint(body: bytes) -> str:
    """Return the fingerprint of a primary key (RFC 4880, 12.2; RFC 9580, 5.5.4)."""
    version = body[0] if body else 0
    if version == 4:
        digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body)
    elif version in (5, 6):
        digest = hashlib.sha256(bytes([0x95 + version]) + len(body).to_bytes(4, "big") + body)
    else:
        raise BadKey("its version (%d) is not known" % version)
    return digest.hexdigest().upper()


def _crc24(content: bytes) -> int:
    value = 0xB704CE
    for octet in bytearray(content):
        value ^= octet << 16
        for dummy in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value & 0xFFFFFF
