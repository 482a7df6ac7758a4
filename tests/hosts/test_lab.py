# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab is what other tests take it for: package managers that verify, servers that really serve, nothing left over."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import typing as t
import urllib.error
import urllib.request

import pytest

from hosts.host import Host
from hosts.packages import Packages, Repository
from hosts.podman import Podman
from hosts.services import Services

# Left out of make test; make hosts runs it.
pytestmark = pytest.mark.slow

Boot = t.Callable[..., Host]

YUM = """\
[mondoo]
name=Mondoo
baseurl={url}/rpm/$basearch
gpgkey={url}/rpm/pubkey.gpg
gpgcheck={packages}
repo_gpgcheck={metadata}
"""


class Manager(t.NamedTuple):
    """How one package manager is told of a repository, and installs."""

    family: str
    install: str
    upgrade: str
    version: str
    refusal: str


APT = Manager(
    "debian-bookworm",
    "apt-get update -q --error-on=any && apt-get install -q -y cnspec={0} mondoo={0}",
    "apt-get install -q -y cnspec mondoo",
    "dpkg-query --showformat='${Version}' --show cnspec",
    "The following signatures couldn't be verified because the public key is not available",
)
APTS = [APT._replace(family=family) for family in ("debian-bullseye", "debian-bookworm")]
# From there on apt asks sqv instead of gpgv.
APTS.append(APT._replace(family="debian-trixie", refusal="Missing key"))
DNF = Manager(
    "redhat",
    "dnf install -q -y cnspec-{0} mondoo-{0}",
    "dnf upgrade -q -y",
    "rpm --query --queryformat '%{VERSION}' cnspec",
    "GPG signature verification error: Bad GPG signature",
)
ZYPPER = Manager(
    "suse",
    "zypper --non-interactive --gpg-auto-import-keys install cnspec={0} mondoo={0}",
    "zypper --non-interactive update",
    "rpm --query --queryformat '%{VERSION}' cnspec",
    "Signature verification failed",
)


def add(host: Host, manager: Manager, repository: Repository, *, metadata: bool = True) -> None:
    """Tell a host of a repository; its package manager verifies the packages, and the metadata, too."""
    if manager in APTS:
        key = "/usr/share/keyrings/mondoo.asc"
        fetch = "from urllib.request import urlopen as get; print(get('{}/debian/pubkey.gpg').read().decode())"
        host.run(f'python3 -c "{fetch.format(repository.url)}" > {key}')
        line = f"deb [signed-by={key}] {repository.url}/debian/ stable main\n"
        host.write("/etc/apt/sources.list.d/mondoo.list", line)
        return
    folder = "/etc/yum.repos.d" if manager is DNF else "/etc/zypp/repos.d"
    text = YUM.format(url=repository.url, packages=1, metadata=int(metadata))
    host.write(f"{folder}/mondoo.repo", text)


@pytest.mark.parametrize("manager", [*APTS, DNF, ZYPPER], ids=lambda manager: manager.family)
def test_the_agent_is_installed_at_a_version_and_upgraded(boot: Boot, vendor: Repository, manager: Manager) -> None:
    host = boot(manager.family)
    add(host, manager, vendor)
    host.run(manager.install.format("12.11.0"))
    assert host.run(manager.version) == "12.11.0"
    assert host.run("cnspec version").startswith("cnspec 12.11.0 ")
    assert host.try_to("systemctl is-enabled cnspec; systemctl is-active cnspec").stdout == "disabled\ninactive\n"
    host.write("/etc/opt/mondoo/mondoo.yml", "{}\n", mode="600")
    host.run("systemctl start cnspec")
    before = host.run("systemctl show --property=MainPID cnspec")
    host.run(manager.upgrade)
    assert host.run("cnspec version").startswith("cnspec 13.0.1 ")
    assert host.run("systemctl is-active cnspec") == "active\n"
    assert host.run("systemctl show --property=MainPID cnspec") != before, "it was not restarted"


@pytest.mark.parametrize("manager", [*APTS, DNF, ZYPPER], ids=lambda manager: manager.family)
def test_a_repository_signed_by_somebody_else_is_refused(boot: Boot, packages: Packages, manager: Manager) -> None:
    host = boot(manager.family)
    add(host, manager, packages.forged())
    refused = host.try_to(manager.install.format("13.0.1"))
    assert refused.returncode != 0
    assert manager.refusal in refused.stdout + refused.stderr
    assert host.try_to("cnspec version").returncode == 127


def test_a_package_signed_by_somebody_else_is_refused(boot: Boot, packages: Packages) -> None:
    host = boot("redhat")
    # apt verifies the metadata only, and so does zypper, which does that whatever repo_gpgcheck says.
    add(host, DNF, packages.forged(), metadata=False)
    refused = host.try_to(DNF.install.format("13.0.1"))
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, "Error: GPG check FAILED")
    assert host.try_to("cnspec version").returncode == 127


@pytest.mark.parametrize(
    ("family", "install", "unit"),
    [
        *[(apt.family, "apt-get update -q && apt-get install -q -y {}", "chrony") for apt in APTS],
        *[(apt.family, "apt-get update -q && apt-get install -q -y {}", "systemd-timesyncd") for apt in APTS],
        ("redhat", "dnf install -q -y {}", "chronyd"),
        ("suse", "zypper --non-interactive install {}", "chronyd"),
    ],
)
def test_a_time_service_is_not_there_and_is_installed_without_the_internet(
    boot: Boot, family: str, install: str, unit: str
) -> None:
    host = boot(family)
    assert host.try_to(f"systemctl cat {unit}").returncode != 0
    host.run(install.format(unit.replace("chronyd", "chrony")))
    # Started it would not run: a container may not set the clock.
    assert f"/{unit}.service\n" in host.run(f"systemctl cat {unit}")


def test_the_time_server_tells_the_time(boot: Boot, services: Services) -> None:
    server = services.ntp()
    host = boot("debian-bookworm")
    host.run("apt-get update -q && apt-get install -q -y chrony")
    ask = "chronyd -x -Q -t 9 'server 127.0.0.123 iburst' 2>&1"
    said = re.search(r"System clock wrong by (\S+) seconds", host.run(ask))
    assert said is not None and abs(float(said[1])) < 1
    server.stop()
    assert "Timeout reached" in host.try_to(ask.replace("-t 9", "-t 1")).stdout


def through(proxy: str, url: str) -> int:
    """Return the status of a request that goes through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
    try:
        with opener.open(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_proxy_lets_through_who_knows_the_password_until_it_is_gone(services: Services, vendor: Repository) -> None:
    proxy, url = services.proxy(), f"{vendor.url}/rpm/pubkey.gpg"
    assert through(proxy.url_for(), url) == 200
    assert through(proxy.url_for(password="guess"), url) == 407
    assert through(proxy.url, url) == 407
    requests = [line.split()[3:8] for line in proxy.log().splitlines() if url in line]
    assert requests == [
        ["TCP_MISS/200", requests[0][1], "GET", url, "fleet"],
        ["TCP_DENIED/407", requests[1][1], "GET", url, "fleet"],
        ["TCP_DENIED/407", requests[2][1], "GET", url, "-"],
    ]
    proxy.stop()
    with pytest.raises(urllib.error.URLError, match="Connection refused"):
        through(proxy.url_for(), url)


LEAVE = """\
from hosts.host import Host
from hosts.image import FAMILIES, made
from hosts.podman import Podman
podman = Podman()
print(Host(podman, made(podman, FAMILIES["debian-bookworm"])).name)
"""


def test_a_lab_reaches_nothing_else_and_leaves_nothing(lab: Podman) -> None:
    inside = f'test "$(ip -brief link | cut -d \' \' -f 1)" = lo && exec {shlex.quote(sys.executable)} -c "$0"'
    command = [sys.executable, "-m", "hosts.lab", "--images", "debian-bookworm", "sh", "-c", inside, LEAVE]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    name = ran.stdout.strip()
    assert name.startswith("fleet-")
    assert name not in lab.run("ps", "--all", "--format", "{{.Names}}").splitlines()
