# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print what is on this host, as JSON, so that two looks can be compared; standard library only.

`files` has a line for each file that the role, or what it starts, might touch: its path, then what tells whether it was
written or changed owner. `processes` has those that systemd started, by number and command line.
"""

import json
import os
import stat

ROOTS = ("/etc", "/home", "/opt", "/root", "/srv", "/usr/bin", "/usr/lib/systemd", "/usr/local", "/usr/sbin")
# What Ansible and Python leave behind wherever they run.
LEFT_OUT = ("__pycache__", ".ansible")


def line(path):
    """Describe a file: kind, mode and owner, then size and time of a regular one, the target of a link."""
    seen = os.lstat(path)
    words = [path, stat.filemode(seen.st_mode), f"{seen.st_uid}:{seen.st_gid}"]
    if stat.S_ISREG(seen.st_mode):
        words += [str(seen.st_size), str(seen.st_mtime_ns)]
    elif stat.S_ISLNK(seen.st_mode):
        words.append(os.readlink(path))
    return "\t".join(words)


def files():
    """Return a line for each file below ROOTS that lies on the same file system."""
    lines = []
    device = os.lstat("/").st_dev
    for root in ROOTS:
        for folder, folders, names in os.walk(root):
            folders[:] = [
                name
                for name in folders
                if name not in LEFT_OUT and os.lstat(os.path.join(folder, name)).st_dev == device
            ]
            lines += [line(os.path.join(folder, name)) for name in folders + names]
    return sorted(lines)


def processes():
    """Return number and command line of each process that has PID 1 among its ancestors."""
    parents, commands = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as handle:
                parents[name] = handle.read().rpartition(")")[2].split()[1]
            with open(f"/proc/{name}/cmdline") as handle:
                commands[name] = " ".join(handle.read().split("\0")).strip()
        except OSError:
            continue

    def started(name):
        while name not in ("0", "1"):
            name = parents.get(name, "0")
        return name == "1"

    return sorted(f"{name} {commands[name]}" for name in commands if started(name))


print(json.dumps({"files": files(), "processes": processes()}))
