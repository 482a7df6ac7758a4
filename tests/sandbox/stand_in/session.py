# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the command: everything that its parts share, and the ways it can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.stand_in import config_file
from sandbox.stand_in.api import Api
from sandbox.stand_in.arguments import Arguments
from sandbox.stand_in.config_file import Config
from sandbox.stand_in.go_words import NotAUrl
from sandbox.stand_in.lines import Log
from sandbox.stand_in.network import Network
from sandbox.stand_in.profiles import Profile
from sandbox.stand_in.settings import Settings

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"


class CommandError(Exception):
    """An error returned by a command: printed with the usage, then logged; without text only the usage."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Fatal(Exception):
    """The end by log.Fatal: one FTL line and exit code 1."""

    def __init__(self, text: str, error: str | None = None) -> None:
        super().__init__(text)
        self.error = error


class Crash(Exception):
    """The end by a Go panic: exit code 2. The dump is the one recorded in the named state, of the nearest version."""

    def __init__(self, profile: Profile, state: str) -> None:
        version = profile.panics_as or profile.version
        recorded = (TRANSCRIPTS / version / state / "stderr").read_text(encoding="utf-8").splitlines(keepends=True)
        starts = (number for number, line in enumerate(recorded) if line.startswith(("panic:", "x no service account")))
        super().__init__("".join(recorded[next(starts) :]))


@dataclass(frozen=True)
class Session:
    """What one run works with."""

    profile: Profile
    settings: Settings
    arguments: Arguments
    environment: Mapping[str, str]
    config: Config
    log: Log

    def api(self) -> Api:
        """Return the way to the platform. Raises NotAUrl for a proxy that is none."""
        api_proxy = self.config.option("api_proxy")
        network = Network(self.profile, self.settings, self.environment, api_proxy)
        return Api(self.profile, self.settings, network, self.log)

    def api_or_error(self, what: str) -> Api:
        """Return the way to the platform, or fail as `what: parse "...": ...`."""
        try:
            return self.api()
        except NotAUrl as error:
            raise self.failure(what, str(error)) from None

    def failure(self, what: str, error: str) -> CommandError | Fatal:
        """Return the exception that ends a command in this version's manner."""
        if self.profile.fatal_errors:
            return Fatal(what, error)
        return CommandError(f"{what}: {error}")

    def announce_config(self) -> None:
        """Say which configuration is in force."""
        config, given = self.config, str(self.arguments.given.get("config", ""))
        if config.loaded:
            self.log.info(f"loaded configuration from {config.path} using source {config.source}")
        elif given:
            self.log.warn(f"could not load configuration file {given}")
        elif config.source == config_file.FROM_BASE64:
            self.log.info(f"loaded configuration from environment using source {config.source}")
        else:
            self.log.info(self.profile.no_config)

    def config_file(self) -> str:
        """Return the path of the configuration file that was loaded, or ""."""
        return self.config.path if self.config.loaded else ""

    def endpoint(self) -> str:
        """Return the platform's address: the configured one, else the built-in one."""
        return self.config.option("api_endpoint") or self.settings.default_endpoint

    def scope(self) -> str:
        """Return the space of the configuration; which key wins changed in v10.7."""
        keys = ("scope_mrn", "space_mrn", "parent_mrn") if self.profile.prefers_scope else ("parent_mrn", "space_mrn")
        return next((self.config.option(key) for key in keys if self.config.option(key)), "")

    def has_credentials(self) -> bool:
        """Say whether the configuration holds any part of a service account."""
        return any(self.config.option(key) for key in ("mrn", "private_key", "certificate"))
