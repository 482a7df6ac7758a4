# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two servers on loopback, each a process of its own: the platform, and a proxy that wants a password."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from sandbox import Remote

SANDBOX = Path(__file__).resolve().parents[1] / "tests"


@dataclass(frozen=True)
class Proxy:
    """The proxy: where it is (with the password, which is never shown), and what it counted itself."""

    url: str
    url_with_password: str

    @property
    def address(self) -> str:
        """Its host and port."""
        return self.url.rpartition("/")[2]

    @property
    def password(self) -> str:
        """Its password."""
        return unquote(urlsplit(self.url_with_password).password or "")

    def count(self, outcome: str) -> int:
        """Return how many requests it passed on ("passed") or refused for want of the password ("unauthorized")."""
        with requests.Session() as session:
            session.trust_env = False
            asked = session.post(f"{self.url}/sandbox/requests", timeout=30)
        return sum(request["outcome"] == outcome for request in asked.json()["result"])


@contextlib.contextmanager
def platform() -> Iterator[Remote]:
    """Run the platform for as long as the block lasts."""
    with _server("sandbox") as said:
        yield Remote(said["url"])


@contextlib.contextmanager
def proxy() -> Iterator[Proxy]:
    """Run a proxy that wants a password made for this run."""
    with _server("sandbox.proxy", "--user", "fleet", "--password", secrets.token_urlsafe(12)) as said:
        yield Proxy(said["url"], said["url_with_password"])


@contextlib.contextmanager
def _server(*words: str) -> Iterator[dict[str, Any]]:
    """Run a module of the sandbox; give the line in which it says where it is."""
    env = {**os.environ, "PYTHONPATH": str(SANDBOX)}
    with subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"Cannot start {words[0]}: it ended at once. Look at what it says above.")
            yield json.loads(line)
        finally:
            process.terminate()
