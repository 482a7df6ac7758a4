# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `cnspec status` printed, of any version and in any form, as one value."""

from __future__ import annotations

from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_json import read_documents
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_lines import clean
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Evidence, Report
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_screen import read_screen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_text import read_text

__all__ = ["Report", "parse"]


def parse(stdout: str, stderr: str = "", rc: int | None = None, *, whole: bool = True) -> Report:
    """Read the output of `cnspec status`; both streams in one text work too.

    It goes by what the output has, never by a version, reads each character a bounded number of times, and never
    raises. Output of more than a megabyte or 20 000 lines is read to there, and then proves nothing; so does output
    that the caller knows not to be whole.
    """
    evidence = Evidence(whole=whole)
    rests = []
    for stream in (stdout, stderr):
        text, is_whole = clean(stream)
        evidence.whole = evidence.whole and is_whole
        if evidence.form is None:
            text = read_documents(text, evidence)
        rests.append(text)
    for text in rests:
        read_text(read_screen(text, evidence) if evidence.form in (None, "screen") else text, evidence)
    if not evidence.whole:
        evidence.unparsed.append("(the output is too long and was not read to its end)")
    return evidence.conclude(rc)
