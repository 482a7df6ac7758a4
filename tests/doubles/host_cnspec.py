# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cnspec on the host of a lab, of any version, that writes down how it was called."""

from __future__ import annotations

import dataclasses
import typing as t

from doubles.lab import Lab, Result
from sandbox.cnspec_stand_in import install
from sandbox.stand_in import settings as settings_file
from sandbox.stand_in.settings import Settings

VERSIONS = ("7.12.1", "9.14.0", "11.69.1", "12.11.0", "13.0.1", "13.35.2")

# Each call is a file of its own: its arguments and its environment, as the system handed them over.
WRAPPER = """\
#!/bin/sh
call=$(mktemp "{calls}/XXXXXX")
{{ tr '\\0' '\\n' </proc/$$/cmdline; echo; echo --; tr '\\0' '\\n' </proc/$$/environ; }} >"$call"
ls -ld "$(dirname "$(echo "$@" | sed 's/.*--config \\([^ ]*\\).*/\\1/')")" >>"$call.place" 2>&1
exec "{real}" "$@"
"""


class HostCnspec:
    """The command, and the lab's registrations by way of it."""

    def __init__(self, lab: Lab, version: str, **given: t.Any) -> None:
        folder = lab.path.parents[1] / "opt"
        self.lab, self.version = lab, version
        self.path, self._real, self._calls = folder / "cnspec", folder / "real", folder / "calls"
        self._calls.mkdir(parents=True)
        defaults = {"version": version, "hostname": lab.host_name, "default_endpoint": lab.platform.url}
        install(str(self._real), Settings(**{**defaults, **given}))
        self.path.write_text(WRAPPER.format(calls=self._calls, real=self._real))
        self.path.chmod(0o755)

    def settings(self, **changes: t.Any) -> None:
        """Change what the stand-in is told of its host."""
        path = f"{self._real}.json"
        settings_file.dump(dataclasses.replace(settings_file.load(path), **changes), path)

    def replace(self, script: str) -> None:
        """Put a shell script in the command's place; `$real` is the command."""
        self.path.write_text(f"#!/bin/sh\nreal={self._real}\n{script}\n")

    def register(self, check: bool = False, **given: t.Any) -> Result:
        return self.lab.register(check, method="cnspec", cnspec_path=str(self.path), **given)

    def must(self, **given: t.Any) -> Result:
        return self.lab.must(method="cnspec", cnspec_path=str(self.path), **given)

    def _said(self) -> list[tuple[str, str]]:
        """Return arguments and environment of each call, in their order."""
        calls = [path for path in self._calls.iterdir() if path.suffix != ".place"]
        texts = [
            path.read_text().split("\n--\n", 1) for path in sorted(calls, key=lambda path: path.stat().st_mtime_ns)
        ]
        return [(text[0], text[1]) for text in texts]

    @property
    def commands(self) -> list[str]:
        """The commands that were run: login, status or logout."""
        return [argv.split("\n")[2] for argv, dummy in self._said()]

    @property
    def argv(self) -> str:
        """All arguments of all calls."""
        return "\n".join(argv for argv, dummy in self._said())

    @property
    def environments(self) -> list[dict[str, str]]:
        """The environment of each call."""
        return [dict(line.split("=", 1) for line in text.split("\n") if "=" in line) for dummy, text in self._said()]

    @property
    def places(self) -> list[str]:
        """How `ls` shows the directory of the config that each call was given."""
        return [path.read_text() for path in self._calls.glob("*.place")]
