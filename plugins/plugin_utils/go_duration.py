# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as Go prints them, such as `72h0m6.277868s`."""

from __future__ import annotations

import re

# Go's time.Duration.String: hours, minutes and seconds, or one smaller unit alone. Lengths are bounded, so that
# nothing overflows: a Go duration is at most 292 years.
DURATION = re.compile(
    r"(?P<sign>[+-]?)(?=[0-9.])"
    r"(?:(?P<h>[0-9]{1,9}(?:\.[0-9]{1,12})?)h)?"
    r"(?:(?P<m>[0-9]{1,12}(?:\.[0-9]{1,12})?)m(?!s))?"
    r"(?:(?P<s>[0-9]{1,12}(?:\.[0-9]{0,12})?)s)?"
    r"(?:(?P<small>[0-9]{1,18}(?:\.[0-9]{0,12})?)(?P<unit>ms|µs|μs|us|ns))?"
)
SECONDS = {"ms": 1e-3, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ns": 1e-9}


def seconds(text: str) -> float | None:
    """Return a duration in seconds; None when `text` is no duration."""
    text = text.strip()
    if text in ("0", "+0", "-0"):
        return 0.0
    match = DURATION.fullmatch(text)
    if match is None or not any(match[name] for name in ("h", "m", "s", "small")):
        return None
    total = float(match["h"] or 0) * 3600 + float(match["m"] or 0) * 60 + float(match["s"] or 0)
    total += float(match["small"] or 0) * SECONDS.get(match["unit"] or "", 0.0)
    return -total if match["sign"] == "-" else total
