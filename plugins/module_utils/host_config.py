# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the config of this host, and tell what was seen of it."""

import base64
import grp
import os
import platform
import plistlib
import pwd
import stat
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.hidden_keys import hide_private_keys
from ansible_collections.mondoo.fleet.plugins.module_utils.host_access import replace_problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import FileView, read_settled
from ansible_collections.mondoo.fleet.plugins.module_utils.host_owner import own_problem


class Choice(NamedTuple):
    """The config's path and what chose it: `option`, `plist` or `default`."""

    path: str
    source: str


def choose_config(given: str, candidates: Mapping[str, Mapping[str, List[str]]]) -> Choice:
    """Return the config: what was given, else what this system's plist names, else the first path that exists.

    `candidates` is keyed by `platform.system()`; the key "" is for every other system. None exists: the first path.
    """
    if given:
        return Choice(expand(given), "option")
    here = candidates.get(platform.system()) or candidates.get("") or {}
    named = _named_by_plist(here.get("plists") or [])
    if named:
        return Choice(named, "plist")
    paths = [expand(path) for path in here.get("paths") or []]
    there = [path for path in paths if os.path.lexists(path)]
    return Choice((there + paths + [""])[0], "default")


def expand(path: str) -> str:
    """Expand `~` and variables, as the shell of the user that we run as would."""
    return os.path.expandvars(os.path.expanduser(path))


def _named_by_plist(plists: List[str]) -> Optional[str]:
    """Return the file behind `--config` in the first plist that can be read, if its path is absolute.

    launchd does not expand `~`: a relative path there names no file that we could know.
    """
    for path in plists:
        try:
            with open(path, "rb") as stream:
                content = plistlib.load(stream)
        except Exception:  # plistlib lets through whatever its XML and binary readers raise
            continue
        arguments = content.get("ProgramArguments") if isinstance(content, dict) else None
        return _config_argument([item for item in arguments or [] if isinstance(item, str)])
    return None


def _config_argument(arguments: List[str]) -> Optional[str]:
    for index, argument in enumerate(arguments):
        value = argument[len("--config=") :] if argument.startswith("--config=") else None
        if argument == "--config" and index + 1 < len(arguments):
            value = arguments[index + 1]
        if value is not None:
            return value if os.path.isabs(value) else None
    return None


def find_shadow(candidates: List[str], config: str) -> Optional[str]:
    """Return the first of `candidates` that exists and is not the config itself."""
    for path in map(expand, candidates):
        if os.path.isabs(path) and os.path.exists(path) and os.path.realpath(path) != os.path.realpath(config):
            return path
    return None


def look_at_config(choice: Choice, read: str, owner: str = "", group: str = "") -> Dict[str, Any]:
    """Return what is known of the config, as it stands in the module's result. `read`: all, without_keys or no.

    `owner` and `group`: whom a new file would belong to, where they are given.
    """
    view = read_settled(choice.path)
    problem = replace_problem(choice.path) or own_problem(owner, group)
    is_link = view.kind != "relative" and os.path.islink(choice.path)
    return dict(
        _status(view),
        path=choice.path,
        source=choice.source,
        exists=view.exists,
        kind=view.kind,
        symlink_to=os.path.realpath(choice.path) if is_link else None,
        content=_content(view, read),
        digest=view.digest,
        problem=view.problem,
        writable=problem is None,
        not_writable=problem.to_result() if problem else None,
    )


def _content(view: FileView, read: str) -> Optional[str]:
    if view.content is None or read == "no":
        return None
    content = view.content if read == "all" else hide_private_keys(view.content)
    return base64.b64encode(content).decode("ascii")


def _status(view: FileView) -> Dict[str, Any]:
    status = view.status
    if status is None:
        return dict.fromkeys(("size", "mode", "uid", "gid", "owner", "group", "mtime"))
    return {
        "size": status.st_size,
        "mode": "%04o" % stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "owner": _name(pwd.getpwuid, status.st_uid),
        "group": _name(grp.getgrgid, status.st_gid),
        "mtime": status.st_mtime,
    }


def _name(lookup: Any, number: int) -> str:
    """Return the name of a user or group; one that this host does not know keeps its number."""
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)
