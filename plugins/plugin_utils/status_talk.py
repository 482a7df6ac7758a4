# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cnspec says around its report: the config it took, why it gave up, the release site, small talk."""

from __future__ import annotations

import re

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_lines import Line
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Evidence

LOADED = re.compile(r"loaded configuration from (?P<path>.+?) using source (?P<source>\S+)$")

# What says nothing about the registration. Matched at the start, without case.
SMALL_TALK = (
    "a newer version is available",
    "api versions do not match",
    "auto-update:",
    "can't find any paths for providers",
    "could not determine client platform information",
    "could not detect hostname",
    "could not get",
    "could not install",
    "could not run health check",
    "could not update",
    "failed to auto-update",
    "failed to get provider info",
    "failed to install",
    "failed to load",
    "failed to update",
    "checking status",
    "downloading",
    "installing provider",
    "installing",
    "installed",
    "new version of",
    "no configuration file provided",
    "no mondoo configuration file provided",
    "providers_url is deprecated",
    "successfully installed",
    "successfully updated",
    "updating",
    "using ssh authentication method",
    "using wif authentication method",
    "'cnquery' has been renamed",
)


def read_config(line: Line, evidence: Evidence) -> bool:
    loaded = LOADED.match(line.message)
    if loaded:
        evidence.note("config_path", loaded["path"])
        evidence.note("config_source", loaded["source"])
        evidence.note_line(line.text, 0)
        return True
    if line.message.startswith("loaded configuration from environment"):
        evidence.note("config_source", "$MONDOO_CONFIG_BASE64")
        return True
    if line.message.startswith("could not load configuration file"):
        evidence.config_problems.add("missing")
        evidence.note("config_path", line.message.partition("file")[2])
    elif line.message.startswith("could not read config file"):
        evidence.config_problems.add("unreadable" if "permission denied" in line.error else "malformed")
        evidence.note("config_path", line.fields.get("path"))
    else:
        return False
    evidence.note_line(line.text, 3)
    return True


def read_setup(line: Line, evidence: Evidence) -> bool:
    said = line.text.removeprefix("Error: ").lower()
    if said.startswith(("failed to set up mondoo api client", "could not parse proxy url")):
        evidence.note_error("setup", line.text, "proxy_invalid" if "parse" in said else None)
        evidence.note_line(line.text.removeprefix("Error: "), 4)
        return True
    if not said.startswith(
        (
            "invalid credentials",
            "invalid service account configuration",
            "could not initialize client authentication",
            "could not initialize certificate authentication",
            "could not parse base64",
        )
    ):
        return False
    evidence.config_problems.add("invalid")
    evidence.note_line(line.text.removeprefix("Error: "), 4)
    return True


def read_releases(line: Line, evidence: Evidence) -> bool:
    said = line.text.removeprefix("Error: ")
    if not said.lower().startswith("failed to get latest version"):
        return False
    evidence.note_error("releases", line.error or said)
    evidence.note_line(said, 2)
    return True


def read_end(line: Line, evidence: Evidence) -> bool:
    """Read what is printed when there is no report: the usage, or a stack trace."""
    if line.text.startswith("panic:"):
        evidence.panicked = True
        evidence.note_line(line.text, 4)
        return True
    if line.text.startswith(("goroutine ", "[signal ")):
        evidence.panicked = True
        return True
    return line.text.startswith("Usage:")


def read_small_talk(line: Line, evidence: Evidence) -> bool:
    if not line.message.lower().startswith(SMALL_TALK):
        return False
    if "onfiguration file provided" in line.message:
        evidence.note("config_source", "none")
    evidence.note_line(line.text, 0)
    return True
