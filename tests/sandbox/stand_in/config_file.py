# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mondoo.yml as cnspec finds, reads, overlays and rewrites it (viper's rules)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_in.arguments import Arguments
from sandbox.stand_in.go_words import os_error
from sandbox.stand_in.profiles import Profile

FROM_BASE64 = "$MONDOO_CONFIG_BASE64"


class BadBase64(ValueError):
    """MONDOO_CONFIG_BASE64 is not base64."""


@dataclass
class Config:
    """The configuration in force. `path` is where a login writes, even when nothing was loaded."""

    profile: Profile
    arguments: Arguments
    environment: Mapping[str, str]
    path: str = ""
    source: str = "default"
    loaded: bool = False
    problem: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)

    def bound(self) -> dict[str, str]:
        """Return the keys that flags of this command are bound to."""
        keys = dict(self.profile.bound_flags)
        if self.arguments.command == "login":
            keys |= {"api_endpoint": "api-endpoint", "name": "name"}
        return keys

    def get(self, key: str) -> Any:
        """Return a value: set by the command, flag, environment, file, the flag's default; None when nowhere."""
        if key in self.overrides:
            return self.overrides[key]
        flag = self.bound().get(key)
        if flag is not None and flag in self.arguments.given:
            return self.arguments.given[flag]
        from_environment = self.environment.get("MONDOO_" + key.upper().replace("-", "_").replace(".", "_"))
        if from_environment:
            return from_environment
        if key in self.values:
            return self.values[key]
        return self._flag_default(flag)

    def _flag_default(self, flag: str | None) -> Any:
        for item in self.profile.login_flags + self.profile.global_flags:
            if item.name == flag:
                return item.default
        return None

    def option(self, key: str) -> str:
        """Return a value as the commands' struct has it: the environment counts only for keys in file or flags."""
        if key not in self.values and key not in self.bound() and key not in self.overrides:
            return ""
        value = self.get(key)
        return "" if value is None else str(value)

    def everything(self) -> dict[str, Any]:
        """Return what a rewrite stores: file, flags and environment; empty maps of the file and nulls vanish."""
        stored = {}
        for key in {**self.values, **self.bound(), **self.overrides}:
            value = self.get(key)
            if key in self.overrides or (value is not None and value != {}):
                stored[key] = value
        return stored


def home(environment: Mapping[str, str]) -> str:
    """Return the home directory: $HOME, else that of the password database."""
    return environment.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir


def read(profile: Profile, arguments: Arguments, environment: Mapping[str, str], root: str) -> Config:
    """Find and read the configuration. A file that cannot be used leaves `problem`. Raises BadBase64."""
    config = Config(profile, arguments, environment)
    given = str(arguments.given.get("config", "")).strip()
    if environment.get("MONDOO_CONFIG_BASE64"):
        config.source = FROM_BASE64
        _read_base64(config, environment["MONDOO_CONFIG_BASE64"])
        return config
    if given:
        config.source, config.path = "--config", given
    elif environment.get("MONDOO_CONFIG_PATH"):
        config.source, config.path = "$MONDOO_CONFIG_PATH", environment["MONDOO_CONFIG_PATH"]
    else:
        config.path = _detect(environment, root)
    if os.path.exists(config.path):
        _read_file(config)
    return config


def _detect(environment: Mapping[str, str], root: str) -> str:
    in_home = os.path.join(home(environment), ".config", "mondoo", "mondoo.yml")
    for path in (in_home, f"{root}/etc/opt/mondoo/mondoo.yml"):
        try:
            with open(path, "rb"):
                return path
        except OSError:
            continue
    return in_home


def _read_base64(config: Config, text: str) -> None:
    from sandbox.stand_in import go_yaml

    try:
        plain = base64.b64decode("".join(text.splitlines()), validate=True)
    except binascii.Error as error:
        raise BadBase64("illegal base64 data at input byte 0") from error
    config.values = _lowered(go_yaml.read(plain.decode("utf-8", "replace")))


def _read_file(config: Config) -> None:
    from sandbox.stand_in import go_yaml

    try:
        with open(config.path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
        config.values = _lowered(go_yaml.read(text))
        config.loaded = True
    except IsADirectoryError as error:
        config.problem = os_error("read", config.path, error)
    except OSError as error:
        config.problem = os_error("open", config.path, error)
    except go_yaml.GoYamlError as error:
        config.problem = f"While parsing config: {error}"


def _lowered(values: dict[Any, Any]) -> dict[str, Any]:
    """Lower every key, at every depth, and drop empty maps, as viper does."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            value = _lowered(value)
            if not value:
                continue
        result[str(key).lower()] = value
    return result


class CannotStore(OSError):
    """The file could not be written; the text is Go's."""


def store(config: Config, *, announce: Any) -> None:
    """Write everything back: in place, not atomic, a new file 0644 in a new folder 0755. Raises CannotStore."""
    from sandbox.stand_in import go_yaml

    path = config.path
    announce.info("saving config", path=path)
    if not path or not os.path.exists(path):
        announce.info("config file does not exist, create a new one", path=path)
        with contextlib.suppress(OSError):  # the open that follows tells
            os.makedirs(os.path.dirname(path) or ".", 0o755, exist_ok=True)
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
        except OSError as error:
            raise CannotStore(f"failed to save mondoo config: {os_error('open', path, error)}") from None
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(go_yaml.write_viper(config.everything()))
    except OSError as error:
        raise CannotStore(os_error("open", path, error)) from None
