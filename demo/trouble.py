# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in the fleet between two runs, done as it is done in life."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from demo.fleet import CNSPEC, Fleet
from demo.loopback import Proxy
from sandbox import Remote

REVOKED = ("web1", "db1")
WRONG_CLOCK, WRONG_PROXY, TRUNCATED, MOVED_AWAY = "web3", "edge2", "build1", "app1"
HOURS_OFF = 72
OTHER_SPACE = "lunalectric-lab"
# The discard service: nothing listens there.
NO_PROXY_HERE = "127.0.0.1:9"


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong: where, and what."""

    host: str
    what: str


def make(fleet: Fleet, platform: Remote, proxy: Proxy) -> Iterator[Trouble]:
    """Do the damage, and say of each piece what was done."""
    for name in REVOKED:
        platform.revoke_service_account(fleet.value(name, "mrn"))
        yield Trouble(name, "its service account was revoked in the console")
    fleet.set_clock(WRONG_CLOCK, HOURS_OFF * 3600)
    yield Trouble(WRONG_CLOCK, f"its clock is {HOURS_OFF} h ahead")
    _replace(fleet, WRONG_PROXY, proxy.address, NO_PROXY_HERE)
    yield Trouble(WRONG_PROXY, f"its mondoo.yml names a proxy that does not exist ({NO_PROXY_HERE})")
    size = _truncate(fleet, TRUNCATED)
    yield Trouble(TRUNCATED, f"its mondoo.yml ends after {size} bytes, in the middle of the private key")
    _log_in_elsewhere(fleet, platform, MOVED_AWAY)
    yield Trouble(MOVED_AWAY, f"somebody ran cnspec logout, and cnspec login with a token of {OTHER_SPACE}")


def _replace(fleet: Fleet, name: str, old: str, new: str) -> None:
    content = fleet.config(name).read_text()
    if old not in content:
        raise SystemExit(f"Cannot make trouble: the mondoo.yml of {name} does not have {old}.")
    fleet.config(name).write_text(content.replace(old, new))


def _truncate(fleet: Fleet, name: str) -> int:
    """Cut the file in the middle of its private key; return the number of bytes that are left."""
    content = fleet.config(name).read_bytes()
    begin, end = (content.index(b"-----%b PRIVATE KEY" % word) for word in (b"BEGIN", b"END"))
    left = (begin + end) // 2
    fleet.config(name).write_bytes(content[:left])
    return left


def _log_in_elsewhere(fleet: Fleet, platform: Remote, name: str) -> None:
    token = platform.mint_token(space=OTHER_SPACE)
    command, config = str(fleet.root(name) / CNSPEC), str(fleet.config(name))
    env = {"HOME": str(fleet.root(name)), "PATH": os.defpath}
    for words in (["logout", "--force"], ["login", "--token", token, "--name", name]):
        # Its exit code says little, so what it did is looked up in the file and on the platform.
        subprocess.run([command, *words, "--config", config], env=env, capture_output=True, timeout=60, check=False)
    there = {agent["mrn"] for agent in platform.agents() if agent["space"] == OTHER_SPACE}
    if fleet.value(name, "agent_mrn") not in there:
        raise SystemExit(f"Cannot make trouble: cnspec login on {name} did not register it in {OTHER_SPACE}.")
