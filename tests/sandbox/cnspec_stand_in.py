# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the cnspec command, for hosts that do not have it: behaves as a given version does.

    python -m sandbox.cnspec_stand_in --install /root/of/host/usr/bin/cnspec --version 12.11.0

writes an executable file there and its settings beside it (`cnspec.json`, see stand_in/settings.py); both may be moved
together, and the settings may be edited at any time. When CNSPEC names a real cnspec at that moment, the file runs that
instead, with the same arguments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.stand_in.lines import Log
    from sandbox.stand_in.session import Session
    from sandbox.stand_in.settings import Settings

# The package around this module starts a whole platform when imported; the command needs a few modules of it only.
WRAPPER = """\
#!{python} -I
import os, sys, types
package = types.ModuleType("sandbox")
package.__path__ = [{folder!r}]
sys.modules["sandbox"] = package
from sandbox.cnspec_stand_in import main
sys.exit(main(sys.argv[1:], os.path.abspath(__file__) + ".json"))
"""


def main(argv: Sequence[str], settings_path: str) -> int:
    """Run the command line under the given settings. Returns the exit code."""
    from sandbox.stand_in import settings as settings_file

    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    return run(list(argv), settings_file.load(settings_path))


def run(argv: list[str], settings: Settings) -> int:
    """Run one command from its arguments to its exit code."""
    from sandbox.stand_in import arguments as command_line
    from sandbox.stand_in import lines
    from sandbox.stand_in.versions import profile_of

    profile = profile_of(settings.version)
    coloured = lines.colour_wanted(os.environ, sys.stdout.isatty())
    log = lines.Log(sys.stderr, coloured=coloured, now_ns=settings.now_ns)
    if profile.asks_terminal:
        _ask_terminal(settings)
    _warn_of_providers(profile.providers_warning, settings, log)
    try:
        arguments = command_line.parse(profile, argv)
    except command_line.UsageError as error:
        command = command_line.find_command(profile, argv)
        usage = command_line.usage(profile, command)
        return _end_with_usage(str(error), 1, usage, log, plain=profile.fatal_errors)
    if arguments.given.get("help") or not arguments.command:
        sys.stdout.write(command_line.usage(profile, arguments.command))
        return 0
    if arguments.command == "version":
        sys.stdout.write(f"cnspec {profile.version} ({profile.version_build or settings.build}, unknown)\n")
        return 0
    if arguments.command not in ("login", "status", "logout", "serve"):
        text = f'unknown command "{arguments.command}" for "cnspec"'
        return _end_with_usage(text, 1, "Run 'cnspec --help' for usage.\n", log)
    return _run_command(arguments, settings, log)


def _run_command(arguments: object, settings: Settings, log: Log) -> int:
    from sandbox.stand_in import arguments as command_line
    from sandbox.stand_in import config_file
    from sandbox.stand_in.session import CommandError, Crash, Fatal, Session
    from sandbox.stand_in.versions import profile_of

    assert isinstance(arguments, command_line.Arguments)
    profile = profile_of(settings.version)
    try:
        config = config_file.read(profile, arguments, os.environ, settings.root)
    except config_file.BadBase64 as error:
        log.write("fatal", "could not parse base64 ", error=str(error))
        return 1
    log.level = _level(config)
    if config.problem:
        unreadable = config.problem.startswith("open ") and profile.unreadable_reads
        for dummy in range(unreadable or profile.config_reads):
            log.error("could not read config file", error=config.problem, path=config.path)
    if str(config.get("log.format") or _nested(config.values, "log", "format")) == "json":
        log.form = "json"
    session = Session(profile, settings, arguments, os.environ, config, log)
    try:
        return _command(session)
    except CommandError as error:
        return _end_with_usage(str(error), error.code, command_line.usage(profile, arguments.command), log)
    except Fatal as error:
        log.write("fatal", str(error), error=error.error)
        return 1
    except Crash as crash:
        sys.stderr.write(str(crash))
        return 2


def _command(session: Session) -> int:
    if session.arguments.command == "status":
        from sandbox.stand_in import status

        return status.run(session)
    if session.arguments.command == "login":
        from sandbox.stand_in import login

        return login.run(session)
    if session.arguments.command == "serve":
        from sandbox.stand_in import serve

        return serve.run(session)
    from sandbox.stand_in import logout

    return logout.run(session)


def _nested(values: dict[str, object], *keys: str) -> object:
    found: object = values
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _level(config: object) -> str:
    """Return the log level: TRACE and DEBUG, then -v, then the level set by flag, environment or file."""
    from sandbox.stand_in.config_file import Config
    from sandbox.stand_in.lines import LEVELS

    assert isinstance(config, Config)
    for name in ("TRACE", "DEBUG"):
        if config.environment.get(name) in ("1", "true"):
            return name.lower()
    level = str(config.get("log-level") or "info").lower()
    if str(config.get("verbose")).lower() in ("true", "1") and level != "trace":
        return "debug"
    return level if level in LEVELS else "info"


def _warn_of_providers(form: str, settings: Settings, log: Log) -> None:
    """Warn where no folder for providers exists; root looks only into the system's."""
    system_path = "/opt/mondoo/providers"
    from sandbox.stand_in.config_file import home

    as_root = os.geteuid() == 0 if settings.as_root is None else settings.as_root
    home_path = "" if as_root else os.path.join(home(os.environ), ".config", "mondoo", "providers")
    if not form or os.path.isdir(f"{settings.root}{system_path}") or (home_path and os.path.isdir(home_path)):
        return
    fields = {"system-path": system_path} | ({"home-path": home_path} if home_path else {})
    text = "can't find any paths for providers, none are configured"
    sys.stderr.write(log.line(form, "warn", text, error=None, fields=fields) + "\n")


def _ask_terminal(settings: Settings) -> None:
    """Ask a terminal for its background as termenv does, and wait up to 5 s for the answer that a pty never gives."""
    if not sys.stdout.isatty():
        return
    sys.stdout.write("\x1b]11;?\x1b\\\x1b[6n")
    sys.stdout.flush()
    if settings.time_scale:
        import select

        select.select([sys.stdin], [], [], 5 * settings.time_scale)


def _end_with_usage(text: str, code: int, usage: str, log: Log, *, plain: bool = False) -> int:
    """End as cobra does: the error, the usage, then the error again: as a log line, or plain on stdout."""
    sys.stderr.write(f"Error: {text}\n{usage}")
    if plain:
        sys.stdout.write(f"{text}\n")
    elif text:
        log.error(text)
    return code


def install(path: str, settings: Settings, *, real: str = "") -> None:
    """Write the command and its settings; `real` is the path of a real cnspec to run instead."""
    from sandbox.stand_in import settings as settings_file

    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    if real:
        import shlex

        text = f'#!/bin/sh\nexec {shlex.quote(os.path.abspath(real))} "$@"\n'
    else:
        text = WRAPPER.format(python=sys.executable, folder=os.path.dirname(os.path.abspath(__file__)))
        settings_file.dump(settings, f"{os.path.abspath(path)}.json")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, 0o755)


def _command_line(argv: Sequence[str]) -> None:
    import argparse

    from sandbox.stand_in.profiles import RECORDED
    from sandbox.stand_in.settings import Settings
    from sandbox.stand_in.versions import PROFILES

    parser = argparse.ArgumentParser(prog="python -m sandbox.cnspec_stand_in", description=__doc__)
    parser.add_argument("--install", metavar="PATH", required=True, help="where the command goes")
    told = [f"{name}: after {profile.source}" for name, profile in PROFILES.items() if profile.source != RECORDED]
    words = f"which cnspec to behave as ({', '.join(told)})"
    parser.add_argument("--version", default="12.11.0", choices=list(PROFILES), help=words)
    parser.add_argument("--root", help="the folder that plays the host's / (default: what stands before /usr/bin/)")
    parser.add_argument("--clock-offset", type=float, default=0.0, metavar="SECONDS", help="how wrong its clock is")
    parser.add_argument("--latest-version", default="13.35.2", help="the newest release it is told of")
    parser.add_argument("--releases-unreachable", action="store_true", help="the release site refuses connections")
    parser.add_argument("--default-endpoint", default="https://us.api.mondoo.com", help="its built-in platform")
    parser.add_argument("--hostname", default="", help="its host's name")
    parser.add_argument("--ip", default="", help="its host's address")
    given = vars(parser.parse_args(argv))
    path = os.path.abspath(given.pop("install"))
    if given["root"] is None:
        given["root"] = path.partition("/usr/bin/")[0] if "/usr/bin/" in path else ""
    install(path, Settings(**given), real=os.environ.get("CNSPEC", ""))


if __name__ == "__main__":
    _command_line(sys.argv[1:])
