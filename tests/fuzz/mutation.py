# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transcripts, and what may happen to them: cut, doubled, mixed, recoded, and with the words of others in them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TRANSCRIPTS = Path(__file__).resolve().parents[1] / "transcripts"


@dataclass(frozen=True)
class Sample:
    """What one run of `cnspec status` printed."""

    name: str
    stdout: str
    stderr: str
    rc: int | None


def samples() -> list[Sample]:
    """Return every recorded status, and the screen of newer versions as its source describes it."""
    return [*_recorded(), *_screens()]


def _recorded() -> Iterator[Sample]:
    for path in sorted(TRANSCRIPTS.glob("*/*/run.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        if "reads" in run:
            texts = {name: path.parent / name for name in ("stdout", "text", "stderr")}
            said = {name: file.read_text(encoding="utf-8") if file.exists() else "" for name, file in texts.items()}
            name = f"{path.parent.parent.name}/{path.parent.name}"
            yield Sample(name, said["stdout"] + said["text"], said["stderr"], run.get("exit"))


SCREEN = """
  ● Client     {client}
  ● Platform   {platform}
  ● Updates    up to date

  ── System ──────────────────────────────────────────────
  │  Host       web01 · 192.0.2.10

  ── mql ──────────────────────────────────────────────
  │  Version    13.27.1

  ── Mondoo Platform ──────────────────────────────────────────────
  │  Endpoint   https://us.api.mondoo.com
  │  Status     {status}   API v13 ✓ in sync
  │  Client     //agents.api.mondoo.app/spaces/test/agents/123

  {footer}
"""


def _screens() -> Iterator[Sample]:
    clients = {
        "registered   ✓ authenticated": "✓ all systems healthy",
        "registered   ✗ authentication failed": "✗ authentication failed · exit 1 · next steps:",
        "not registered   ✗ action needed": "✗ not registered · exit 1 · next steps:",
    }
    for client, footer in clients.items():
        for status, platform in (("SERVING", "reachable · SERVING   ✓ healthy"), ("", "unreachable   ✗ unreachable")):
            said = SCREEN.format(client=client, platform=platform, status=status, footer=footer)
            for repeat in range(20):  # as often as a recorded state comes in all its forms
                yield Sample(f"screen/{client[:14]}-{repeat}", said, "", 0 if "✓ a" in client else 1)


# Words that mean something to the parser, or once did to somebody's.
WORDS = (
    *("→ ", "x ", "! ", "- ", "WRN ", "ERR ", "FTL ", "DBG ", "panic: ", "Usage:", "Error: ", "\t", "\n", " ", "\r\n"),
    *(
        "client is registered",
        "client is not registered",
        "client authenticated successfully",
        "API Status:\t\tSERVING",
    ),
    *("SERVING", "API Status:\t", "registered", "not ", "authenticated", '"registered":true', '"registered":false,'),
    *('"pingPongError":{},', '{"client":{', '{"upstream":{"api":{"status":"SERVING"', "}}", "{", "}", "[", '"', "\\"),
    *("client:\n  registered: true\n", "upstream:\n  api:\n    status: SERVING\n", "  pingPongError: {}\n", "&a [*a]"),
    *('error="', 'error="rpc error: code = Unauthenticated desc = request permission unauthenticated"', "=", '" '),
    *('DBG non-ok http request body="request permission unauthenticated" status=401\n', "status=502", "desc = "),
    *(
        "possible clock skew detected: 72h0m6s",
        "possible clock skew detected: -",
        "9" * 40,
        "\x1b[32m",
        "\x1b]0;",
        "\x1b",
    ),
    *(
        "\x00",
        "\ufeff",
        "\u2028",
        "\x85",
        "\ufffd",
        "ΓåÆ ",
        "● Client     ",
        "registered   ✓ authenticated\n",
        "│  Status     ",
    ),
    *(
        "  ── Mondoo Platform ─────────────\n",
        '{"level":"info","message":"client is registered"}\n',
        "Owner:\t//",
        "Space: ",
    ),
)
PAGES = ("cp437", "cp850", "cp1252", "latin-1", "ascii", "utf-16-le")

Mutation = Callable[[str, str, random.Random], str]


def _span(text: str, chance: random.Random, longest: int = 80) -> tuple[int, int]:
    begin = int(chance.random() * (len(text) + 1))
    return begin, begin + int(chance.random() ** 3 * longest)


def cut(text: str, other: str, chance: random.Random) -> str:
    begin, end = _span(text, chance, 400)
    return text[:begin] + text[end:]


def double(text: str, other: str, chance: random.Random) -> str:
    begin, end = _span(text, chance, 400)
    return text[:end] + text[begin:]


def end_early(text: str, other: str, chance: random.Random) -> str:
    return text[: _span(text, chance)[0]]


def begin_late(text: str, other: str, chance: random.Random) -> str:
    return text[_span(text, chance)[0] :]


def say(text: str, other: str, chance: random.Random) -> str:
    begin, end = _span(text, chance, 12)
    return text[:begin] + chance.choice(WORDS) + text[end if chance.random() < 0.5 else begin :]


def change_character(text: str, other: str, chance: random.Random) -> str:
    begin = _span(text, chance)[0]
    return text[:begin] + chr(int(chance.random() ** 2 * 0x2600)) + text[begin + 1 :]


def splice(text: str, other: str, chance: random.Random) -> str:
    begin, start = _span(text, chance)[0], _span(other, chance)[0]
    return text[:begin] + other[start : start + int(chance.random() * 600)] + text[begin:]


def cross(text: str, other: str, chance: random.Random) -> str:
    return text[: _span(text, chance)[0]] + other[_span(other, chance)[0] :]


def shuffle_lines(text: str, other: str, chance: random.Random) -> str:
    lines = text.split("\n")
    chance.shuffle(lines)
    return "\n".join(lines)


def drop_line(text: str, other: str, chance: random.Random) -> str:
    lines = text.split("\n")
    del lines[int(chance.random() * len(lines))]
    return "\n".join(lines)


def join_lines(text: str, other: str, chance: random.Random) -> str:
    return text.replace("\n", chance.choice((" ", "", "\r", "\t")), int(chance.random() * 30) or -1)


def recode(text: str, other: str, chance: random.Random) -> str:
    return text.encode("utf-8", "replace").decode(chance.choice(PAGES), "replace")


def change_case(text: str, other: str, chance: random.Random) -> str:
    begin, end = _span(text, chance)
    return text[:begin] + text[begin:end].swapcase() + text[end:]


MUTATIONS: tuple[Mutation, ...] = (
    *(cut, double, end_early, begin_late, say, say, say, change_character, splice, splice, cross),
    *(shuffle_lines, drop_line, drop_line, join_lines, recode, change_case),
)
EXITS = (0, 0, 0, 1, 2, 78, None, None)


def mutate(pool: list[Sample], chance: random.Random) -> Sample:
    """Return a sample to which several things happened."""
    sample, other = chance.choice(pool), chance.choice(pool)
    texts = [sample.stdout, sample.stderr]
    for dummy in range(1 + int(chance.random() ** 2 * 8)):
        side = 0 if texts[0] and (not texts[1] or chance.random() < 0.5) else 1
        foreign = other.stdout if other.stdout and chance.random() < 0.5 else other.stderr
        texts[side] = chance.choice(MUTATIONS)(texts[side], foreign, chance)[:20000]
    if chance.random() < 0.1:
        texts = [texts[0] + texts[1], ""] if chance.random() < 0.5 else [texts[1], texts[0]]
    rc = sample.rc if chance.random() < 0.6 else chance.choice(EXITS)
    return Sample(sample.name, texts[0], texts[1], rc)
