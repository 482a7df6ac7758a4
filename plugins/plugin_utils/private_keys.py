# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find private keys in any text, so that they can be kept out of everything else."""

from __future__ import annotations

import re

# A key cut off without its END line runs to the end of the text.
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<body>.*?)(?:-----END|\Z)", re.DOTALL)
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/=]+")


def private_keys(text: str) -> list[str]:
    r"""Return the bodies of all PEM private keys in `text`, one line of base64 after another.

    The key may be indented as in YAML, or on one line with `\n` as in JSON.
    """
    bodies = (match["body"].replace("\\n", "\n").replace("\\r", "") for match in _PEM.finditer(text))
    keys = (
        "\n".join(line for line in map(str.strip, body.split("\n")) if _BASE64_LINE.fullmatch(line)) for body in bodies
    )
    return [key for key in keys if key]
