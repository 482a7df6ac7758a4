# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of laws names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from . import __doc__ as laws

ROOT = Path(__file__).resolve().parents[3]
SHOWN = re.findall(r"^   (\S+)::(\w+)$", laws or "", re.M)


def test_each_law_is_shown_by_tests_that_exist() -> None:
    assert len(SHOWN) >= 14
    for path, name in SHOWN:
        assert f"def {name}(" in (ROOT / path).read_text(), name


def test_no_law_is_without_a_test() -> None:
    dummy_title, *parts = re.split(r"^(?=\d\. )", laws or "", flags=re.M)
    assert [part[0] for part in parts if "::test_" in part] == list("1234567")
