# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is to own a file: names looked up on this host, and whether we may give it to them."""

import errno
import grp
import os
import pwd
from typing import NamedTuple, Optional

from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import HostProblem, Problem, from_errno


class OwnerIds(NamedTuple):
    """The ids of an owner and a group; -1, as for chown, where none was given."""

    uid: int = -1
    gid: int = -1


def find_ids(owner: Optional[str], group: Optional[str]) -> OwnerIds:
    """Return the ids for a user and a group, each a name, a number, or None. Raises HostProblem for unknown names."""
    uid = gid = -1
    if owner:
        try:
            uid = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
        except KeyError:
            raise HostProblem(Problem("no_such_owner", "no such user: %s" % owner)) from None
    if group:
        try:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError:
            raise HostProblem(Problem("no_such_group", "no such group: %s" % group)) from None
    return OwnerIds(uid, gid)


def own_problem(owner: Optional[str], group: Optional[str]) -> Optional[Problem]:
    """Return why a file of ours could not be given to them, None for nothing."""
    try:
        ids = find_ids(owner, group)
    except HostProblem as refused:
        return refused.problem
    if os.geteuid() == 0:
        return None
    groups = [-1, os.getegid()] + os.getgroups()
    return None if ids.uid in (-1, os.geteuid()) and ids.gid in groups else from_errno(errno.EPERM)
