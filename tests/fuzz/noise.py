# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten mebibytes of each kind of noise that a parser may choke on, and how long this one takes for it."""

from __future__ import annotations

import time

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report, parse

SIZE = 10 * 1024 * 1024
NOISE = {
    "lines": "a line of noise\n",
    "short lines": "a\n",
    "spaces": " ",
    "arrows": "→ ",
    "dashes": "- ",
    "escapes": "\x1b[",
    "titles": "\x1b]",
    "objects": '{"client":',
    "arrays": '{"client":[',
    "digits": '{"client":1' + "9" * 1000,
    "quotes": 'error="',
    "fields": "a=b ",
    "labels": "API Status:\t",
    "yaml": "client:\n  a: [\n",
    "anchors": "client:\n  a: &a [*a]\n",
    "glyphs": "●",
    "rows": "  ● Client     registered   ✓ authenticated\n",
    "carriage returns": "\r",
}


def read_noise(kind: str, stderr: str = "") -> tuple[float, Report]:
    """Return how many seconds of the processor one kind of noise takes, and what is read from it."""
    text = NOISE[kind] * (SIZE // len(NOISE[kind]))
    begin = time.process_time()
    report = parse(text, stderr, 0)
    return time.process_time() - begin, report


def slowest() -> tuple[float, str]:
    """Return the longest time that a kind of noise takes, and which kind that is."""
    return max((read_noise(kind)[0], kind) for kind in NOISE)
