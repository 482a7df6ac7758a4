# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing the files that tell a host's package manager of the repository, and may hold a proxy's password."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from . import installation
from .arguments import Options
from .errors import FleetError
from .host import Host, LookRequest, WriteRequest
from .install_plan import Found, repository_files, unknown_system
from .package_files import FILES, File
from .seen import from_answer

Result = dict[str, t.Any]

PASSWORD = re.compile(r"(\bpassword[ \t]+|^proxy_password[ \t]*=[ \t]*|[?&]proxypass=)[^\s&]+", re.MULTILINE)
HIDDEN, HIDDEN_CHANGED = "(hidden)", "(hidden, changed)"


@dataclass(frozen=True)
class Change:
    """One file: what is in it (None: there is none), and what is to be."""

    file: File
    before: bytes | None

    @property
    def diff(self) -> dict[str, str]:
        """Return Ansible's form of a diff, without a password in it."""
        old, new = (self.before or b"").decode("utf-8", "replace"), self.file.text
        changed = PASSWORD.findall(old) and _passwords(old) != _passwords(new)
        return {
            "before_header": self.file.path,
            "after_header": self.file.path,
            "before": _masked(old, HIDDEN),
            "after": _masked(new, HIDDEN_CHANGED if changed else HIDDEN),
        }


def set_up(host: Host, options: Options, *, check_mode: bool) -> Result:
    """Write the files that differ from what the options ask for, and return the result. Raises FleetError."""
    wanted = installation.want_repository(options)
    answer = host.call(look=LookRequest(read_config="no", files=installation.PATHS))
    found = installation.find(answer, from_answer(answer))
    if found.family not in FILES:
        raise unknown_system(found, "set up the repository")
    changes = list(_changes(found, repository_files(found, wanted)))
    for change in () if check_mode else changes:
        _write(host, change)
    return {"changed": bool(changes), "diff": [change.diff for change in changes]}


def _changes(found: Found, files: t.Sequence[File]) -> t.Iterator[Change]:
    for file in files:
        if found.files[file.path].kind not in ("file", "missing"):
            raise _refused(file.path, "it cannot be read", "Run as root (become: true)")
        before = found.content(file.path)
        if (before or b"") != file.text.encode():
            yield Change(file, before)


def _write(host: Host, change: Change) -> None:
    request = WriteRequest(
        path=change.file.path,
        content=change.file.text.encode() or None,
        expect_digest="" if change.before is None else hashlib.sha256(change.before).hexdigest(),
        mode="0600" if change.file.secret else "0644",
    )
    written = host.call(write=request).written
    if written is not None and written.error is not None:
        remedy = "Run again" if written.error.code == "changed_meanwhile" else "Run as root (become: true)"
        raise _refused(change.file.path, written.error.cause, remedy)


def _refused(path: str, cause: str, remedy: str) -> FleetError:
    return FleetError(f"write {path}", cause, remedy, code="not_written")


def _passwords(text: str) -> list[str]:
    return [found.group() for found in PASSWORD.finditer(text)]


def _masked(text: str, word: str) -> str:
    return PASSWORD.sub(lambda found: found.group(1) + word, text)
