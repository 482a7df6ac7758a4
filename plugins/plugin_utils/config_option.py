# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option config_path, as far as it can be wrong whatever the host is."""

from __future__ import annotations

from .errors import FleetError
from .host_records import ConfigFile


def refuse_relative(path: str) -> None:
    """Raise FleetError for a path that is relative on every host; `~` and variables are expanded there."""
    if path and not path.startswith(("/", "~", "$")):
        raise _relative()


def refuse_wrong(file: ConfigFile) -> None:
    """Raise FleetError for a path, as expanded on the host, that names no file or a directory."""
    if file.kind == "relative":
        raise _relative()
    if file.kind == "directory":
        what, remedy = f"use the config {file.path}", "Give the path of the file in config_path"
        raise FleetError(what, "it is a directory", remedy, code="config_path")


def _relative() -> FleetError:
    return FleetError("use config_path", "it is not an absolute path", "Give an absolute one", code="config_path")
