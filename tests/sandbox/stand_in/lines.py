# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log lines as cnspec writes them: for people (`→ text key=value`), coloured, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from sandbox.stand_in.go_words import compact_json, quoted, rfc3339

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
PREFIXES = {"trace": "TRC", "debug": "DBG", "info": "→", "warn": "!", "error": "x", "fatal": "FTL"}
COLOURS = {"trace": "", "debug": "", "info": "92", "warn": "94", "error": "91", "fatal": "91"}


def colour_wanted(environment: Mapping[str, str], stdout_is_tty: bool) -> bool:
    """Say whether termenv would colour: it looks at stdout although the lines go to stderr."""
    forced = environment.get("CLICOLOR_FORCE", "0") not in ("", "0")
    if environment.get("NO_COLOR") or (environment.get("CLICOLOR") == "0" and not forced):
        return False
    return forced or (stdout_is_tty and not environment.get("CI") and environment.get("TERM", "dumb") != "dumb")


class Log:
    """Write lines to a stream. `level` and `form` ("text" or "json") may be set on the way, as cnspec does."""

    def __init__(self, stream: IO[str], *, coloured: bool, now_ns: Any) -> None:
        self.stream, self.coloured, self.now_ns = stream, coloured, now_ns
        self.level = "info"
        self.form = "text"

    def write(self, level: str, message: str, *, error: str | None = None, **fields: Any) -> None:
        """Write one line unless the level hides it; `_` in a field's name stands for `-`."""
        if LEVELS.index(level) < LEVELS.index(self.level):
            return
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        self.stream.write(self.line(self.form, level, message, error=error, fields=named) + "\n")

    def line(self, form: str, level: str, message: str, *, error: str | None, fields: dict[str, Any]) -> str:
        """Return one line in the given form, without its end."""
        if form == "json":
            first = {"level": level} | ({"error": error} if error is not None else {}) | fields
            return compact_json({**first, "time": rfc3339(self.now_ns()), "message": message})
        parts = [self._painted(PREFIXES[level], COLOURS[level]), message]
        if error is not None:
            parts.append(f"{self._painted('error=', '91')}{quoted(error)}")
        for name in sorted(fields):
            value = fields[name]
            shown = quoted(value) if isinstance(value, str) else compact_json(value)
            parts.append(f"{self._painted(f'{name}=', '94')}{shown}")
        return " ".join(parts)

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and colour else text

    def success(self, message: str) -> str:
        """Return a message in the colour of success."""
        return self._painted(message, "92")

    def debug(self, message: str, **fields: Any) -> None:
        self.write("debug", message, **fields)

    def info(self, message: str, **fields: Any) -> None:
        self.write("info", message, **fields)

    def warn(self, message: str, **fields: Any) -> None:
        self.write("warn", message, **fields)

    def error(self, message: str, **fields: Any) -> None:
        self.write("error", message, **fields)
