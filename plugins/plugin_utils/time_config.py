# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where time servers are added to the configuration of a time service: a marked block in a file, mostly of its own."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from .errors import FleetError
from .host_records import FileSeen

# As ansible.builtin.blockinfile writes it, `{mark}` being BEGIN or END.
MARKER = "# {mark} mondoo.fleet: time servers"
OWN = "mondoo-fleet"  # the name of a file that is ours alone
TIMESYNCD = "/etc/systemd/timesyncd.conf.d"

# Debian (and Alpine) have a folder for chrony; Red Hat, Suse and Arch do not.
CHRONY = {"/etc/chrony.conf": "/etc/chrony.d", "/etc/chrony/chrony.conf": "/etc/chrony/conf.d"}
READING = ("Debian", "Suse")  # whose package has a chrony.conf that reads that folder
CHRONY_FOLDERS = (*CHRONY.values(), "/etc/chrony/sources.d")
NTPD = ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf")
OPENNTPD = ("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf")

# What a look has to read where time servers are given. Of folders it tells whether they are there.
FILES = (
    *("/etc/systemd/timesyncd.conf", TIMESYNCD, f"{TIMESYNCD}/{OWN}.conf"),
    *(
        *CHRONY,
        *CHRONY_FOLDERS,
        *(f"{folder}/{OWN}{end}" for folder in CHRONY_FOLDERS for end in (".conf", ".sources")),
    ),
    *(*NTPD, *OPENNTPD),
)

# Emptied at each boot, or the package's own.
NOT_OURS = ("/run", "/var/run", "/usr", "/lib", "/tmp")

HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")

Files = t.Mapping[str, FileSeen]


@dataclass(frozen=True)
class Block:
    """Lines to have in a file, between two marks. `own`: the file has nothing else in it."""

    path: str
    lines: tuple[str, ...]
    own: bool

    def is_in(self, seen: FileSeen | None) -> bool:
        """Tell whether a file has exactly these lines; a file that nobody read counts as without."""
        if seen is None or seen.content is None:
            return False
        lines = seen.content.decode("utf-8", "replace").splitlines()
        begin, end = (MARKER.format(mark=mark) for mark in ("BEGIN", "END"))
        if begin not in lines or end not in lines[lines.index(begin) :]:
            return False
        start = lines.index(begin)
        return tuple(lines[start + 1 : lines.index(end, start)]) == self.lines


def read_servers(names: t.Sequence[str]) -> tuple[str, ...]:
    """Return time servers without doubles. Raises FleetError for what is neither a host name nor an address."""
    for number, name in enumerate(names, 1):
        if not HOST_NAME.fullmatch(name) and not _is_address(name):
            cause = f"item {number} is neither the name of a host nor an address"
            raise FleetError(
                "use cnspec_ntp_servers", cause, "Give names or addresses: [time.example.com]", code="option_invalid"
            )
    return tuple(dict.fromkeys(names))


def _is_address(text: str) -> bool:
    try:
        return bool(ADDRESS.fullmatch(text) and ipaddress.ip_address(text))
    except ValueError:
        return False


def blocks(kind: str, servers: t.Sequence[str], files: Files, family: str) -> tuple[Block, ...] | None:
    """Return what makes a time service ask these servers, too; None where nobody knows how to tell it.

    `files` are those of FILES. A file of the service that is not there is the one that its package will bring.
    """
    if kind == "systemd-timesyncd":
        # timesyncd.conf(5): the servers of all files together.
        return (Block(f"{TIMESYNCD}/{OWN}.conf", ("[Time]", f"NTP={' '.join(servers)}"), own=True),)
    if kind == "chrony":
        return _of_chrony(servers, files, family)
    if kind in ("ntpd", "openntpd"):
        # A unit called ntpd is one or the other: the file tells.
        candidates = (*NTPD, *OPENNTPD) if kind == "ntpd" else OPENNTPD
        path = next((path for path in candidates if _is_file(files, path)), None)
        if path is None:
            return None
        burst = "" if path in OPENNTPD else " iburst"
        return (Block(path, tuple(f"server {name}{burst}" for name in servers), own=False),)
    return None


def installed(files: Files) -> str | None:
    """Return the kind of a service whose package has left its configuration; for hosts without systemd."""
    left = {"chrony": CHRONY, "ntpd": NTPD, "openntpd": OPENNTPD, "systemd-timesyncd": FILES[:1]}
    return next((kind for kind, paths in left.items() if any(_is_file(files, path) for path in paths)), None)


def _of_chrony(servers: t.Sequence[str], files: Files, family: str) -> tuple[Block, ...]:
    mains = sorted(CHRONY, key=lambda path: (not _is_file(files, path), (family == "Debian") != ("chrony/" in path)))
    main = mains[0]
    content = files[main].content if _is_file(files, main) else None
    lines = tuple(f"server {name} iburst" for name in servers)
    place = read_place((content or b"").decode("utf-8", "replace"))
    if place is not None:
        return (Block(place, lines, own=True),)
    # include, because chrony before 4.0 (Red Hat 8.4 and older) ends at a line with confdir.
    folder = CHRONY[main]
    include = Block(main, (f"include {folder}/*.conf",), own=False)
    drop_in = Block(f"{folder}/{OWN}.conf", lines, own=True)
    packaged = content is None and family in READING
    return (drop_in,) if packaged else (include, drop_in)


def read_place(text: str) -> str | None:
    """Return a file that chronyd would read by what its chrony.conf says; None where that names no folder of /etc."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        directive = words[0].lower() if words else ""  # of a comment, none that is looked for
        for word in words[1:]:
            folder = _folder(directive, word)
            if folder is not None:
                found.setdefault(directive, folder)
    return next((found[name] for name in ("confdir", "include", "sourcedir") if name in found), None)


def _folder(directive: str, word: str) -> str | None:
    if not word.startswith("/") or word.startswith(tuple(f"{path}/" for path in NOT_OURS)):
        return None
    if directive == "include":
        return f"{word[: -len('/*.conf')]}/{OWN}.conf" if word.endswith("/*.conf") else None
    end = {"confdir": ".conf", "sourcedir": ".sources"}.get(directive)
    return None if end is None else f"{word.rstrip('/')}/{OWN}{end}"


def _is_file(files: Files, path: str) -> bool:
    return path in files and files[path].kind == "file"
