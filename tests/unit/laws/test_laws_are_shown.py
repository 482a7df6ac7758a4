# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The laws that hold everywhere, and where each is shown; generated are states, wishes and faults.

1. A plan applied and planned again is empty (`force` apart). `absent` twice plans nothing the second time.
   tests/unit/plugin_utils/test_plan.py::test_a_plan_applied_and_planned_again_is_empty
   tests/unit/laws/test_again.py::test_absent_applied_and_planned_again_is_empty
   tests/unit/laws/test_foreseen.py::test_check_mode_says_what_is_then_done_and_again_there_is_nothing_to_do
2. Check mode reports what real mode then does, and writes nothing anywhere.
   tests/unit/laws/test_foreseen.py::test_check_mode_says_what_is_then_done_and_again_there_is_nothing_to_do
   tests/states/test_states.py::test_each_state_gets_what_the_table_says_once_and_then_nothing
3. Whatever fails, the host has either the whole old config or the whole new one, and the platform has no agent that no
   host uses, or the error names it.
   tests/unit/laws/test_faults.py::test_whatever_fails_nothing_is_lost_and_no_agent_is_left_unnamed
4. In one run at most one RegisterAgent succeeds for each host, whatever the network does.
   tests/unit/laws/test_faults.py::test_whatever_fails_nothing_is_lost_and_no_agent_is_left_unnamed
   tests/unit/plugin_utils/test_platform.py::test_whatever_the_network_does_at_most_one_agent_is_made_and_none_in_doubt_tried_again
5. A secret occurs in no result, diff or error; the canary looks everywhere else.
   tests/unit/laws/test_secrets_stay.py::test_no_secret_is_in_a_result_whatever_is_given_and_found
   tests/unit/plugin_utils/test_secrets.py::test_no_secret_survives_in_any_nesting
   tests/unit/plugin_utils/test_secrets.py::test_no_password_is_shown_whatever_stands_in_the_url
   tests/canary/test_canary.py::test_no_secret_turns_up_where_it_does_not_belong
6. Unknown is never rejected, rejected is never unknown.
   tests/unit/laws/test_verdicts.py::test_rejected_takes_the_platforms_own_word_twice_and_its_clock_in_between
   tests/unit/plugin_utils/test_platform.py::test_rejected_is_exactly_the_platforms_own_word
7. What nobody mentioned is preserved: every such node keeps text, tag and style.
   tests/unit/plugin_utils/test_config.py::test_every_node_that_nobody_mentioned_keeps_text_tag_and_style
   tests/unit/plugin_utils/test_config.py::test_whatever_the_yaml_an_edit_keeps_it
   tests/unit/laws/test_again.py::test_what_absent_leaves_keeps_text_tag_and_style
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHOWN = re.findall(r"^   (\S+)::(\w+)$", __doc__ or "", re.M)


def test_each_law_is_shown_by_tests_that_exist() -> None:
    assert len(SHOWN) >= 14
    for path, name in SHOWN:
        assert f"def {name}(" in (ROOT / path).read_text(), name


def test_no_law_is_without_a_test() -> None:
    dummy_title, *parts = re.split(r"^(?=\d\. )", __doc__ or "", flags=re.M)
    assert [part[0] for part in parts if "::test_" in part] == list("1234567")
