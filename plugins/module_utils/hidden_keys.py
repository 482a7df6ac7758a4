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
_GAP = rb"[\s\\]+"
_BEGIN = rb"-----BEGIN" + _GAP + rb"(?:[A-Z0-9]+" + _GAP + rb")*PRIVATE" + _GAP + rb"KEY-----"
_END = rb"-----END" + _GAP + rb"(?:[A-Z0-9]+" + _GAP + rb")*PRIVATE" + _GAP + rb"KEY-----"
# A key cut off before its END line runs to the next marker, or to the end of the file.
_BODY = re.compile(rb"(" + _BEGIN + rb").*?(?=-----END|\Z)", re.DOTALL)
# The second half of a key: base64 (its line ends may be escaped, as in JSON) that runs into an END line.
_TAIL = re.compile(rb"(?:[A-Za-z0-9+/=\s]|\\[nr])+(?=" + _END + rb")")
_NAME = re.compile(rb"""["']?[\w.-]*private[_-]?key[\w.-]*["']?[ \t]*[:=][ \t]*""", re.IGNORECASE)
_QUOTED = re.compile(rb""""(?:\\.|[^"\\])*(?:"|\Z)|'(?:''|[^'])*(?:'|\Z)""", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]{40,}={0,2}")


def hide_private_keys(content: bytes) -> bytes:
    """Return `content` with `(hidden)` for every private key, be it whole, cut in half, escaped, or not PEM at all."""
    if b"\0" in content:
        # Not a text that cnspec could read (UTF-16, a device's garbage): nothing in it can be told from a key.
        return HIDDEN
    content = _BODY.sub(rb"\1" + HIDDEN, content)
    content = _TAIL.sub(HIDDEN, content)
    content = _BASE64.sub(_hide_encoded, content)
    return _hide_named(content)


def _hide_encoded(match: Match[bytes]) -> bytes:
    """Hide base64 of a text that has a private key in it, such as a whole credentials document."""
    text = b"".join(match.group().split()).rstrip(b"=")
    try:
        decoded = base64.b64decode(text[: len(text) // 4 * 4])
    except binascii.Error:
        return match.group()
    return b" " + HIDDEN + b"\n" if b"PRIVATE KEY" in decoded else match.group()


def _hide_named(content: bytes) -> bytes:
    """Hide what stands behind a name such as `private_key`, unless it is a PEM text whose body is hidden already."""
    parts = []
    done = 0
    for name in _NAME.finditer(content):
        if name.start() < done:
            continue
        end = _value_end(content, name)
        value = content[name.end() : end]
        if not value.strip() or b"-----BEGIN" in value or HIDDEN in value:
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
    line_start = content.rfind(b"\n", 0, name.start()) + 1
    before = content[line_start : name.start()]
    if before.strip(b" \t-"):
        flow = re.compile(rb"[^\n,}]*").match(content, name.end())
        return flow.end() if flow else name.end()
    # The value goes on while lines are blank, indented deeper than the name, or bare base64 (badly indented YAML).
    block = re.compile(rb"[^\n]*\n?(?:[ \t]*\n|[ ]{%d,}[ \t]*[^\n]*\n?|[A-Za-z0-9+/=]{20,}\n?)*" % (len(before) + 1))
    found = block.match(content, name.end())
    return found.end() if found else len(content)
