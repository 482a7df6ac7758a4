# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts of a scenario find in their lab, real servers and the platform; and the file that tells of them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import typing as t
from pathlib import Path

from hosts.packages import Packages
from hosts.podman import Podman
from hosts.services import Services
from sandbox import Platform
from tooling.paths import BUILD, ROOT

STAGES = BUILD / "molecule"
# A run takes minutes.
TOKEN_SECONDS = 7200
VERSION = "13.0.1"


class Stage:
    """The platform, the servers and a folder of this process; as a context manager they are gone afterwards.

    `facts` is the file that playbooks know as the variable `stage`; it holds secrets of this lab.
    """

    def __init__(self) -> None:
        self.folder = STAGES / str(os.getpid())
        self.facts = self.folder / "stage.json"
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Stage:
        with contextlib.ExitStack() as opened:
            _remove_abandoned()
            self.folder.mkdir(parents=True)
            opened.callback(shutil.rmtree, self.folder)
            platform, secure = opened.enter_context(Platform()), opened.enter_context(Platform(tls=True))
            services = opened.enter_context(Services(Podman()))
            places = {"folder": str(self.folder), "tests": str(ROOT / "tests")}
            platforms = {"platform": _of_platform(platform), "secure": _of_platform(secure)}
            self._write({**places, **platforms, **_of_servers(services, self.folder)})
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def _write(self, told: dict[str, t.Any]) -> None:
        self.facts.touch(mode=0o600)
        self.facts.write_text(json.dumps({"stage": told}, indent=1))


def _remove_abandoned() -> None:
    """Remove what was left by processes that were killed before they could."""
    for folder in STAGES.glob("*"):
        if not Path("/proc", folder.name).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _of_platform(platform: Platform) -> dict[str, t.Any]:
    """Tell where a platform is, and what its console would give to a user: tokens of two spaces, and credentials."""
    return {
        "url": platform.url,
        "ca": platform.ca,
        "token": platform.mint_token(lifetime=TOKEN_SECONDS),
        "token_elsewhere": platform.mint_token(space="elsewhere", lifetime=TOKEN_SECONDS),
        "credentials": platform.create_service_account(name="fleet"),
    }


def _of_servers(services: Services, folder: Path) -> dict[str, t.Any]:
    """Tell where the servers are: time, two proxies, and packages, from the vendor and from a mirror with its own key.

    Playbooks reach their container as the host `services`.
    """
    services.host.ssh(folder).rename(folder / "services")
    packages = Packages(services, services.http())
    vendor, mirror = packages.publish(), packages.publish(name="mirror", key="mirror")
    return {
        "ntp": services.ntp().address,
        "proxy": services.proxy().url_for(),
        "other_proxy": services.proxy(port=3129, user="other").url_for(),
        "repository": {"url": vendor.url, "fingerprint": vendor.fingerprint},
        "mirror": {"url": mirror.url, "fingerprint": mirror.fingerprint},
        "package": {kind: str(packages.file(vendor, kind, VERSION, folder)) for kind in ("deb", "rpm")},
    }
