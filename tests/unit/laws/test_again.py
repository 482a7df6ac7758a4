# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Laws 1 and 7 for `state: absent`: planned again there is nothing to do, and what stays is as it was."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import IDENTITY_KEYS, key_text, parse
from ansible_collections.mondoo.fleet.plugins.plugin_utils.plan import plan_departure
from doubles.configs import CONFIG_TEXTS
from doubles.identities import registered
from doubles.nodes import shape

FOUND = st.sampled_from(["", registered(0), registered(0, agent_mrn=""), "mrn: x\n", "agent_mrn: y\n", "a: [cut\n"])


def texts(found: str, extra: str) -> bytes:
    """Return a config with more at its end; JSON stands alone."""
    return (extra if extra.startswith("{") else found + extra).encode()


@given(FOUND, CONFIG_TEXTS, st.booleans())
@settings(deadline=None, max_examples=200)
def test_absent_applied_and_planned_again_is_empty(found: str, extra: str, keep_settings: bool) -> None:
    before = parse(texts(found, extra))
    # Settings that cannot be read cannot be kept, which is an error.
    assume(before.problem is None or not keep_settings)
    plan = plan_departure(before, keep_settings=keep_settings)
    left = plan.settled
    assert left.problem is None
    assert not any(left.node(key) for key in IDENTITY_KEYS)
    again = plan_departure(parse(left.content), keep_settings=keep_settings)
    assert (again.action, again.settled.content) == ("none", left.content)


@given(FOUND, CONFIG_TEXTS)
@settings(deadline=None, max_examples=200)
def test_what_absent_leaves_keeps_text_tag_and_style(found: str, extra: str) -> None:
    before = parse(texts(found, extra))
    assume(before.problem is None)
    after = plan_departure(before, keep_settings=True).settled
    pairs = before.root.value if before.root is not None else []
    kept = [(shape(name), shape(node)) for name, node in pairs if key_text(name) not in IDENTITY_KEYS]
    left = [(shape(name), shape(node)) for name, node in (after.root.value if after.root is not None else [])]
    assert left == kept
