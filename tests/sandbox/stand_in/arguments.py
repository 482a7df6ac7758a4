# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line as cobra and pflag read it: flags, their errors, and the usage text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.stand_in.profiles import Profile

ALIASES = {"login": "register", "logout": "unregister"}


@dataclass(frozen=True)
class Flag:
    """One flag. `kind` is pflag's own word; `help` ends with the default where cobra shows one."""

    name: str
    kind: str
    help: str
    short: str = ""
    default: Any = ""
    hidden: bool = False


class UsageError(Exception):
    """A command line that pflag refuses."""


@dataclass
class Arguments:
    """What was given: the command, the flags that were set, and what is left over."""

    command: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def command_flags(profile: Profile, command: str) -> tuple[Flag, ...]:
    """Return the flags of one command without the global ones."""
    table = {"login": profile.login_flags, "status": profile.status_flags, "logout": profile.logout_flags}
    return table.get(command, (Flag("help", "bool", f"help for {command or 'cnspec'}", short="h", default=False),))


def find_command(profile: Profile, argv: Sequence[str]) -> str:
    """Return the name of the command, whatever global flags stand before it; "" when there is none."""
    takes_value = {f"--{flag.name}" for flag in profile.global_flags if flag.kind != "bool"}
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in takes_value:
            skip = True
        elif not word.startswith("-"):
            return next((name for name, alias in ALIASES.items() if word == alias), word)
    return ""


def parse(profile: Profile, argv: Sequence[str]) -> Arguments:
    """Read the command line. Raises UsageError in pflag's words."""
    arguments = Arguments(find_command(profile, argv))
    flags = command_flags(profile, arguments.command) + profile.global_flags
    words = _joined(list(argv)) if profile.joins_auto_update else list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            arguments.rest += words
            break
        if word.startswith("--"):
            _long(word, words, flags, arguments)
        elif word.startswith("-") and len(word) > 1:
            _shorts(word, words, flags, arguments)
        else:
            arguments.rest.append(word)
    arguments.rest = arguments.rest[1:]
    return arguments


def _joined(words: list[str]) -> list[str]:
    """Make one word of `--auto-update false`, which pflag alone would take for a flag and an argument."""
    for index, word in enumerate(words[:-1]):
        if word == "--auto-update" and words[index + 1] in ("true", "false"):
            return [*words[:index], f"{word}={words[index + 1]}", *words[index + 2 :]]
    return words


def _long(word: str, words: list[str], flags: tuple[Flag, ...], arguments: Arguments) -> None:
    name, equals, value = word[2:].partition("=")
    flag = next((flag for flag in flags if flag.name == name), None)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    if not equals:
        if flag.kind == "bool":
            value = "true"
        elif words:
            value = words.pop(0)
        else:
            raise UsageError(f"flag needs an argument: --{name}")
    _set(flag, value, f"--{name}" if not flag.short else f"-{flag.short}, --{name}", arguments)


def _shorts(word: str, words: list[str], flags: tuple[Flag, ...], arguments: Arguments) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: '{letter}' in {word}")
        if flag.kind == "bool":
            value = "true"
            if letters.startswith("="):
                value, letters = letters[1:], ""
        elif letters:
            value, letters = letters.removeprefix("="), ""
        elif words:
            value = words.pop(0)
        else:
            raise UsageError(f"flag needs an argument: '{letter}' in {word}")
        _set(flag, value, f"-{flag.short}, --{flag.name}", arguments)


def _set(flag: Flag, value: str, shown: str, arguments: Arguments) -> None:
    where = f'invalid argument "{value}" for "{shown}" flag: '
    if flag.kind == "bool":
        if value.lower() not in ("true", "t", "1", "false", "f", "0"):
            raise UsageError(f'{where}strconv.ParseBool: parsing "{value}": invalid syntax')
        arguments.given[flag.name] = value.lower() in ("true", "t", "1")
    elif flag.kind == "int":
        if not re.fullmatch(r"[+-]?[0-9]+", value):
            raise UsageError(f'{where}strconv.ParseInt: parsing "{value}": invalid syntax')
        arguments.given[flag.name] = int(value)
    elif flag.kind == "stringToString":
        pairs = arguments.given.setdefault(flag.name, {})
        for pair in value.split(",") if value else []:
            key, equals, text = pair.partition("=")
            if not equals:
                raise UsageError(f"{where}{pair} must be formatted as key=value")
            pairs[key] = text
    else:
        arguments.given[flag.name] = value


def usage(profile: Profile, command: str) -> str:
    """Return the usage text that cobra prints after an error."""
    lines = ["Usage:", f"  cnspec {command} [flags]" if command else "  cnspec [command]", ""]
    if command in ALIASES:
        lines += ["Aliases:", f"  {command}, {ALIASES[command]}", ""]
    lines += ["Flags:", *_table(command_flags(profile, command)), ""]
    lines += ["Global Flags:", *_table(profile.global_flags), ""]
    return "\n".join(lines) + "\n"


def _table(flags: tuple[Flag, ...]) -> list[str]:
    rows = []
    for flag in flags:
        if not flag.hidden:
            short = f"-{flag.short}, " if flag.short else "    "
            kind = "" if flag.kind == "bool" else f" {flag.kind}"
            rows.append((f"  {short}--{flag.name}{kind}", flag.help))
    width = max(len(left) for left, dummy in rows)
    return [f"{left.ljust(width)}   {text}" for left, text in rows]
