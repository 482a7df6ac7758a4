# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real servers of a lab: chronyd for the time, squid as proxy, http for packages; all in one container."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from hosts.host import Host
from hosts.image import FAMILIES, made
from hosts.podman import Podman

REPOSITORIES = "/srv/repositories"
# Where the container has this folder, with the scripts that build and publish packages.
PACKAGE = "/opt/hosts"
START_SECONDS = 15.0
# Serves its own clock, which is this machine's, and never sets it.
CHRONY = """\
bindaddress {address}
allow
local stratum 8
cmdport 0
pidfile /run/{unit}.pid
"""
SQUID = """\
http_port {address}:{port}
visible_hostname proxy.lab
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/{unit}.users
auth_param basic credentialsttl 1 second
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
access_log stdio:/var/log/squid/{unit}.log
cache_log /var/log/squid/{unit}.cache.log
cache deny all
pid_filename /run/{unit}.pid
pinger_enable off
shutdown_lifetime 0 seconds
"""


@dataclass
class Server:
    """A server that a test starts and stops; `log_command` prints its log of requests, `answers` says that it is up."""

    host: Host
    unit: str
    command: str
    address: str
    port: int
    log_command: str
    answers: Callable[[str, int], bool]

    def start(self) -> None:
        """Start it and wait until it answers. Raises AssertionError when it does not."""
        self.host.run(f"systemd-run --quiet --collect --unit={self.unit} {self.command}")
        deadline = time.monotonic() + START_SECONDS
        while not self.answers(self.address, self.port):
            said = f"journalctl --no-pager --output=cat --unit={self.unit}"
            assert time.monotonic() < deadline, f"{self.unit} does not answer: {self.host.run(said)}"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it: whoever connects is refused."""
        self.host.run(f"systemctl stop {self.unit}")

    def log(self) -> str:
        """Return its log of requests so far."""
        return self.host.run(self.log_command)

    @property
    def url(self) -> str:
        """Return its URL, without a slash at the end."""
        return f"http://{self.address}" + (f":{self.port}" if self.port != 80 else "")


@dataclass
class Proxy(Server):
    """A proxy that lets through who gives this user and password."""

    user: str = ""
    password: str = field(default="", repr=False)

    def url_for(self, user: str = "", password: str = "") -> str:
        """Return the URL with a user and password: the right ones, or others."""
        login = f"{quote(user or self.user, safe='')}:{quote(password or self.password, safe='')}"
        return f"http://{login}@{self.address}:{self.port}"


class Services:
    """The container of the servers; as a context manager it is gone afterwards, and its servers with it."""

    def __init__(self, podman: Podman) -> None:
        here = ("--volume", f"{Path(__file__).parent}:{PACKAGE}:ro")
        self.host = Host(podman, made(podman, FAMILIES["services"]), "services", here)

    def __enter__(self) -> Services:
        try:
            self.host.booted()
        except BaseException:
            self.host.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.host.__exit__()

    def ntp(self, address: str = "127.0.0.123") -> Server:
        """Start chronyd as an NTP server at an address, which must exist."""
        unit = f"ntp-{address}"
        self.host.write(f"/etc/chrony/{unit}.conf", CHRONY.format(address=address, unit=unit))
        command = f"/usr/sbin/chronyd -x -d -u root -f /etc/chrony/{unit}.conf"
        server = Server(self.host, unit, command, address, 123, _journal(unit), _tells_the_time)
        server.start()
        return server

    def proxy(self, address: str = "127.0.0.1", port: int = 3128, user: str = "fleet", password: str = "") -> Proxy:
        """Start squid, which wants this user and password (made up when not given)."""
        unit, password = f"proxy-{port}", password or f"p@ss:{secrets.token_hex(8)}"
        settings = SQUID.format(address=address, port=port, unit=unit)
        self.host.write(f"/etc/squid/{unit}.conf", settings)
        hashed = self._given(password, "openssl passwd -apr1 -stdin").strip()
        self.host.write(f"/etc/squid/{unit}.users", f"{user}:{hashed}\n")
        command, log = f"/usr/sbin/squid -N -f /etc/squid/{unit}.conf", f"cat /var/log/squid/{unit}.log"
        server = Proxy(self.host, unit, command, address, port, log, _listens, user, password)
        server.start()
        return server

    def http(self, address: str = "127.0.0.80", port: int = 80, folder: str = REPOSITORIES) -> Server:
        """Start an http server for the files of a folder of the container."""
        unit = f"http-{address}-{port}"
        self.host.run(f"mkdir -p {folder}")
        command = f"python3 -m http.server --bind {address} --directory {folder} {port}"
        server = Server(self.host, unit, command, address, port, _journal(unit), _listens)
        server.start()
        return server

    def _given(self, text: str, command: str) -> str:
        return self.host.podman.run("exec", "-i", self.host.name, "/bin/sh", "-c", command, given=text)


def _journal(unit: str) -> str:
    return f"journalctl --no-pager --output=cat --unit={unit}"


def _listens(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


def _tells_the_time(address: str, port: int) -> bool:
    """Ask as an NTP client does (RFC 5905: version 4, mode 3); the answer has mode 4."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, suppress(OSError):
        client.settimeout(0.2)
        client.connect((address, port))
        client.send(bytes([0b00_100_011]) + bytes(47))
        return client.recv(48)[0] & 0b111 == 4
    return False
