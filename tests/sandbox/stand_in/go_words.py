# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Go words things: durations, quoted strings, system errors, URLs that are none, keys that are none."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import time
from urllib.parse import SplitResult, urlsplit


def duration(nanoseconds: int) -> str:
    """Write a duration as Go's time.Duration does: 71h59m59.11746852s, -40.6s, 20.0124403s."""
    sign, rest = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    if rest < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
        return "0s"
    minutes, rest = divmod(rest, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, size: int) -> str:
    whole, fraction = divmod(value, size)
    digits = str(fraction).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits and size > 1 else str(whole)


def quoted(text: str) -> str:
    """Quote a string where a log field needs it (blank, quote, backslash or not ASCII), else leave it."""
    if all(" " < letter <= "~" and letter not in '\\"' for letter in text):
        return text
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in shown)


def compact_json(value: object) -> str:
    """Marshal as encoding/json does: compact, with <, > and & escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def os_error(verb: str, path: str, error: OSError) -> str:
    """Word a failed file operation: `open /path: permission denied`."""
    reason = os.strerror(error.errno or 0)
    return f"{verb} {path}: {reason[:1].lower()}{reason[1:]}"


def rfc3339(nanoseconds: int) -> str:
    """Write a time in the local zone as Go's time.RFC3339."""
    moment = time.localtime(nanoseconds // 1_000_000_000)
    zone = "Z" if moment.tm_gmtoff == 0 else time.strftime("%z", moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", moment) + (zone if zone == "Z" else f"{zone[:3]}:{zone[3:]}")


def rfc1123(seconds: float) -> str:
    """Write a time in the local zone as Go's time.RFC1123: Sat, 21 Nov 2026 02:09:47 UTC."""
    moment = time.localtime(seconds)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    month = months[moment.tm_mon - 1]
    return f"{days[moment.tm_wday]}, {moment.tm_mday:02} {month} {moment.tm_year} {clock} {moment.tm_zone}"


class NotAUrl(ValueError):
    """A URL that net/url refuses, in its words."""


def parse_url(text: str) -> SplitResult:
    """Split a URL. Raises NotAUrl as net/url words it."""
    scheme, colon, dummy = text.partition(":")
    if colon and not scheme:
        raise NotAUrl(f'parse "{text}": missing protocol scheme')
    if colon and "/" not in scheme and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise NotAUrl(f'parse "{text}": first path segment in URL cannot contain colon')
    if any(letter < " " for letter in text):
        raise NotAUrl(f"parse {json.dumps(text)}: net/url: invalid control character in URL")
    parts = urlsplit(text)
    try:
        dummy_port = parts.port
    except ValueError:
        raise NotAUrl(f'parse "{text}": invalid port ":{parts.netloc.rpartition(":")[2]}" after host') from None
    del dummy_port
    return parts


class BadKey(ValueError):
    """A private key that cannot be used, in the words of cnspec."""


def pem_bytes(text: str) -> bytes:
    """Return the DER bytes of the first PEM block. Raises BadKey."""
    block = re.search(r"-----BEGIN ([^-\n]*)-----\s*\n(.*?)\n?-----END \1-----", text, re.DOTALL)
    if block:
        try:
            return base64.b64decode("".join(block.group(2).split()), validate=True)
        except binascii.Error:
            pass
    raise BadKey("AuthKey must be a valid .p8 PEM file")


def asn1_error(der: bytes) -> str:
    """Word what encoding/asn1 says of bytes that are not a PKCS #8 sequence."""
    if len(der) < 2:
        return "asn1: syntax error: truncated tag or length"
    first, length = der[0], der[1]
    if length & 0x80:
        width = length & 0x7F
        length = int.from_bytes(der[2 : 2 + width], "big")
    if first == 0x30:
        return (
            "asn1: syntax error: data truncated"
            if len(der) < length + 2
            else "asn1: structure error: sequence tag mismatch"
        )
    found = f"class:{first >> 6} tag:{first & 0x1F} length:{length} isCompound:{'true' if first & 0x20 else 'false'}"
    options = "optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0"
    return (
        f"asn1: structure error: tags don't match (16 vs {{{found}}}) "
        f"{{{options} timeType:0 set:false omitEmpty:false}} pkcs8 @2"
    )
