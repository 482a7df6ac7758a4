# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take private keys out of a config before it leaves the host."""

import base64
import binascii
import re
from typing import Match

HIDDEN = b"(hidden)"

# YAML may fold a quoted scalar at any space, so the words of the marker may stand on two lines.
_GAP = rb"[\s\\]{1,80}"
_WORDS = _GAP + rb"(?:[A-Z0-9]{1,20}" + _GAP + rb"){0,3}PRIVATE" + _GAP + rb"KEY-----"
_END = rb"-----END" + _WORDS
# A key cut off before its END line runs to the next marker, or to the end of the file.
_BODY = re.compile(rb"(-----BEGIN" + _WORDS + rb").*?(?=-----END|\Z)", re.DOTALL)
_FRAME = re.compile(rb"-----BEGIN" + _WORDS + re.escape(HIDDEN) + rb"(?:" + _END + rb")?")
# What a key's body is made of: base64, white space, and the backslash that escapes line ends in JSON and YAML.
_BODY_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n\\"
# Base64 on one line or on several; the next line may be a name and not base64, which what follows it tells.
_ENCODED = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}(?:\s+[A-Za-z0-9+/]+={0,2}(?![\w:.=+/-]))*")
# All repetitions are bounded or can match in one way only: a file of a mebibyte of anything takes no time.
_NAME = re.compile(rb"""private[_-]?key[\w.-]{0,40}["']?[ \t]{0,40}[:=][ \t]{0,40}""", re.IGNORECASE)
_LINE_START = re.compile(rb"""(?:\A|\n)([ \t]*(?:-[ \t]+)*)["']?[\w.-]*\Z""")
_QUOTED = re.compile(rb""""(?:\\(?:.|\Z)|[^"\\])*(?:"|\Z)|'(?:''|[^'])*(?:'|\Z)""", re.DOTALL)
_IN_FLOW = re.compile(rb"[^\n,}]*")


def hide_private_keys(content: bytes) -> bytes:
    """Return `content` with `(hidden)` for every private key, be it whole, cut in half, escaped, or not PEM at all."""
    if b"\0" in content:
        # Not a text that cnspec could read (UTF-16, a device's garbage): nothing in it can be told from a key.
        return HIDDEN
    content = _BODY.sub(rb"\1" + HIDDEN, content)
    content = _hide_second_halves(content)
    content = _ENCODED.sub(_hide_encoded, content)
    return _hide_named(content)


def _hide_second_halves(content: bytes) -> bytes:
    """Hide what runs into an END line without having begun."""
    parts = []
    done = 0
    for end in re.finditer(_END, content):
        before = content[done : end.start()]
        kept = before.rstrip(_BODY_BYTES)
        parts += [kept, HIDDEN if len(kept) < len(before) else b"", end.group()]
        done = end.end()
    return b"".join(parts + [content[done:]])


def _hide_encoded(match: Match[bytes]) -> bytes:
    """Hide base64 of a text that has a private key in it, such as a whole credentials document."""
    text = b"".join(match.group().split()).rstrip(b"=")
    # Characters before it, or a start that is cut off, may have shifted the groups of four.
    for shift in range(4):
        shifted = text[shift:]
        try:
            decoded = base64.b64decode(shifted[: len(shifted) // 4 * 4])
        except binascii.Error:
            continue
        if b"PRIVATE KEY" in decoded:
            return HIDDEN
    return match.group()


def _hide_named(content: bytes) -> bytes:
    """Hide what stands behind a name such as `private_key`, unless it is a PEM text whose body is hidden already."""
    parts = []
    done = 0
    for name in _NAME.finditer(content):
        if name.start() < done:
            continue
        end = _value_end(content, name)
        value = content[name.end() : end]
        framed = _FRAME.sub(b"", value)
        if value.strip() in (b"", HIDDEN) or (framed != value and not re.search(rb"[A-Za-z0-9+/]{16}", framed)):
            continue
        quote = value[:1] if value[:1] in (b'"', b"'") else b""
        parts += [content[done : name.end()], quote, HIDDEN, quote, b"\n" if value.endswith(b"\n") else b""]
        done = end
    return b"".join(parts + [content[done:]])


def _value_end(content: bytes, name: Match[bytes]) -> int:
    """Return where the value behind `name` ends: with its quote, its flow mapping, or its block of indented lines."""
    quoted = _QUOTED.match(content, name.end())
    if quoted:
        return quoted.end()
    line_start = _LINE_START.search(content[max(0, name.start() - 200) : name.start()])
    if line_start is None:
        flow = _IN_FLOW.match(content, name.end())
        return flow.end() if flow else name.end()
    return _block_end(content, name.end(), len(line_start.group(1)))


def _block_end(content: bytes, start: int, indent: int) -> int:
    """Return the end of the value's own line and of all lines that are blank, indented deeper, or bare base64."""
    end = (content.find(b"\n", start) + 1) or len(content)
    while end < len(content):
        line = content[end : (content.find(b"\n", end) + 1) or len(content)]
        deep = len(line) - len(line.lstrip(b" \t")) > indent
        if line.strip() and not deep and not re.match(rb"[A-Za-z0-9+/=]{20,}\s*\Z", line):
            break
        end += len(line)
    return end
