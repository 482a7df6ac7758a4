# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log lines of cnspec: any prefix, any colour, as JSON or not, made into one kind of record."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

# A report has about 25 lines, with `-v` about 100. What is longer is not read to its end, and then proves nothing.
MOST_CHARACTERS = 1048576
MOST_LINES = 20000

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: a terminal is asked for its colours
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]?"
    # What the recording of a terminal leaves of the first two when it eats the escape character.
    r"|\]11;\?\\\[6n"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
NEWLINES = re.compile(r"\r\n|\r|\u2028|\u2029|\x85")

# The console writer's prefixes, cnspec 7 to 13: logger/cliwriter.go. Windows has words from 9.0 on, and what a
# Unicode glyph becomes under a Windows code page is some other non-ASCII text.
PREFIX = re.compile(
    r"(?P<word>->|[-!x*]|\?{1,3}|INF|WRN|ERR|FTL|PNC|DBG|TRC|UNK)[ \t]+|(?P<glyph>[^\x00-\x7f]{1,12})[ \t]+"
)
LEVELS = {
    "!": "warn",
    "x": "error",
    "WRN": "warn",
    "ERR": "error",
    "FTL": "error",
    "PNC": "error",
    "DBG": "debug",
    "TRC": "debug",
}
JSON_LEVELS = {"warn": "warn", "error": "error", "fatal": "error", "panic": "error", "debug": "debug", "trace": "debug"}

FIELD = re.compile(r'(?<!\S)(?P<name>[a-z][a-z_-]*)=(?P<value>"(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class Line:
    """One log line. `text`: without prefix; `message`: without fields too; `level`: info, warn, error or debug."""

    text: str
    level: str
    message: str
    fields: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """The field `error`, or an empty text."""
        return self.fields.get("error", "")


def clean(text: str) -> tuple[str, bool]:
    """Return `text` without colours, control characters and foreign line ends; and whether it is whole."""
    whole = len(text) <= MOST_CHARACTERS
    text = NEWLINES.sub("\n", ESCAPES.sub("", text[:MOST_CHARACTERS]))
    lines = CONTROLS.sub("", text).split("\n", MOST_LINES)
    return "\n".join(lines[:MOST_LINES]), whole and len(lines) <= MOST_LINES


def read_line(raw: str) -> Line:
    """Read one line of a cleaned text."""
    text = raw.strip()
    if text.startswith('{"'):
        line = _read_json(text)
        if line is not None:
            return line
    match = PREFIX.match(text)
    rest = text[match.end() :] if match else text
    found = list(FIELD.finditer(rest)) if "=" in rest else []
    message = rest[: found[0].start()] if found else rest
    return Line(
        text=rest,
        level=LEVELS.get(match["word"] or "", "info") if match else "info",
        message=message.strip(),
        fields={item["name"]: _unquote(item["value"]) for item in found},
    )


def load_json(text: str) -> t.Any:
    """Parse JSON without turning digits into numbers (their length has no limit); None when it is not JSON."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _read_json(text: str) -> Line | None:
    """Read a line that `log.format: json` made (v13 writes some lines so before it knows the format)."""
    values = load_json(text)
    if not isinstance(values, dict) or not isinstance(values.get("message"), str) or "level" not in values:
        return None
    fields = {key: value for key, value in values.items() if isinstance(value, str)}
    level = JSON_LEVELS.get(fields.get("level", ""), "info")
    message = values["message"].strip()
    text = f'{message} error="{fields["error"]}"' if "error" in fields else message
    return Line(text=text, level=level, message=message, fields=fields)


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    text = load_json(value)
    return text if isinstance(text, str) else value.strip('"').replace('\\"', '"')
