# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that lie on the controller: which one a .deb or .rpm holds, read from the file itself."""

from __future__ import annotations

import email.parser
import io
import struct
import tarfile
import typing as t
from pathlib import Path

from .errors import FleetError
from .install_plan import Archive
from .packages import plain_version

OPTION = "use the option package_file"
AR = b"!<arch>\n"
RPM_LEAD = b"\xed\xab\xee\xdb"
RPM_HEADER = b"\x8e\xad\xe8\x01"
# Tags of an rpm's header, and the type of a text (rpm-tags.7).
NAME, VERSION, STRING = 1000, 1001, 6
# A header has some KiB; the program behind it is not read.
SIZE_LIMIT = 64 * 1024 * 1024


def read(path: str) -> Archive:
    """Return what is in a .deb or .rpm. Raises FleetError for a file that is neither or cannot be read."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(len(AR))
            stream.seek(0)
            if start == AR:
                return Archive(path, "deb", *_deb(stream))
            if start.startswith(RPM_LEAD):
                return Archive(path, "rpm", *_rpm(stream))
    except OSError as error:
        cause = f"{path} cannot be read on the controller ({error.strerror})"
        raise FleetError(OPTION, cause, "Check the path", code="option_invalid") from None
    except (ValueError, LookupError, struct.error, tarfile.TarError, EOFError):
        raise FleetError(OPTION, f"{path} is damaged", "Fetch it again", code="option_invalid") from None
    raise FleetError(OPTION, f"{path} is no .deb and no .rpm", "Name a package", code="option_invalid")


def _deb(stream: t.BinaryIO) -> tuple[str | None, str | None]:
    """Return name and version from the member control.tar of an ar archive (deb(5))."""
    stream.seek(len(AR))
    while head := stream.read(60):
        member, size = head[:16].decode("ascii").strip().rstrip("/"), int(head[48:58])
        if member.startswith("control.tar"):
            return _control(stream.read(min(size, SIZE_LIMIT)))
        stream.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError


def _control(archive: bytes) -> tuple[str | None, str | None]:
    if archive.startswith(b"\x28\xb5\x2f\xfd"):
        return None, None  # zstd: Python can read it from 3.14 on
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if Path(member.name).name == "control":
                content = tar.extractfile(member)
                text = content.read().decode("utf-8", "replace") if content else ""
                fields = email.parser.HeaderParser().parsestr(text)
                return fields["Package"], plain_version(fields["Version"] or "")
    raise ValueError


def _rpm(stream: t.BinaryIO) -> tuple[str | None, str | None]:
    """Return name and version from the header behind the lead and the signature (rpm-package(5))."""
    stream.seek(96)
    index, dummy_store = _header(stream)
    stream.seek(-stream.tell() % 8, io.SEEK_CUR)
    index, store = _header(stream)
    texts = {tag: _text(store, offset) for tag, kind, offset in index if kind == STRING}
    return texts[NAME], plain_version(texts[VERSION])


def _header(stream: t.BinaryIO) -> tuple[list[tuple[int, int, int]], bytes]:
    magic, count, size = struct.unpack(">4s4xII", stream.read(16))
    if magic != RPM_HEADER or max(count * 16, size) > SIZE_LIMIT:
        raise ValueError
    entries = [struct.unpack(">IIII", stream.read(16)) for dummy in range(count)]
    return [(tag, kind, offset) for tag, kind, offset, dummy in entries], stream.read(size)


def _text(store: bytes, offset: int) -> str:
    return store[offset : store.index(b"\0", offset)].decode("utf-8", "replace")
