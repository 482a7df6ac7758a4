# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing the config of a host, and finding out whether a write without an answer was done."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass

from ansible.errors import AnsibleError

from .arguments import Options
from .errors import FleetError
from .host import ConfigFile, Host, HostLost, LookRequest, WriteRequest, Written

# The hands may still be at work when the connection to them is lost.
LATE_WRITE_SECONDS = 2.0


class WriteUnknown(FleetError):
    """The write was asked for and nobody can tell whether it was done."""


@dataclass
class ConfigWriter:
    """Write the file that was looked at, if nobody changed it since. `begun`: a write was asked for."""

    host: Host
    file: ConfigFile
    options: Options
    mode: str
    sleep: t.Callable[[float], None]
    begun: bool = False

    def write(self, content: bytes | None) -> str | None:
        """Replace the file (None: remove it); return the path of the backup. Raises FleetError; it is as it was then.

        Raises WriteUnknown when no answer came and the host cannot be asked either.
        """
        request = WriteRequest(
            path=self.file.path,
            content=content,
            expect_digest=self.file.digest,
            mode=self.mode,
            owner=self.options.get("owner"),
            group=self.options.get("group"),
            backup=self.options["backup"],
        )
        self.begun = True
        try:
            # Host refuses an answer without it.
            written = t.cast(Written, self.host.call(write=request).written)
        except HostLost as error:
            if self.holds(content, error.cause):
                return None
            raise self._failed(error.cause, "The file is as it was; run again", "host_lost") from None
        if written.error is None:
            return written.backup_file
        if written.error.code == "changed_meanwhile":
            raise self._failed("it was changed by someone else meanwhile", "Run again", written.error.code)
        remedy = "Mend that and run again; the host is as it was"
        raise self._failed(written.error.cause, remedy, written.error.code)

    def holds(self, content: bytes | None, cause: str) -> bool:
        """Tell whether the host has `content` after a write without an answer; `cause` says why there is none.

        Raises WriteUnknown when the host cannot be asked.
        """
        wanted = "" if content is None else hashlib.sha256(content).hexdigest()
        digest = self._digest(cause)
        if digest == self.file.digest != wanted:
            self.sleep(LATE_WRITE_SECONDS)
            digest = self._digest(cause)
        if digest not in (wanted, self.file.digest):
            raise self._failed("it was changed by someone else meanwhile", "Run again", "changed_meanwhile")
        return digest == wanted

    def _digest(self, cause: str) -> str:
        path = self.file.path
        try:
            look = self.host.call(look=LookRequest(config_path=path, read_config="without_keys")).look
        except (FleetError, AnsibleError):
            look = None
        if look is not None:
            return look.config.digest
        remedy = "Look at the host and run again"
        what = f"tell whether the config {path} was written"
        raise WriteUnknown(what, cause, remedy, code="write_unknown", verified=None) from None

    def _failed(self, cause: str, remedy: str, code: str) -> FleetError:
        return FleetError(f"write the config {self.file.path}", cause, remedy, code=code)
