# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that break before a request can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Platform


@pytest.fixture
def secure() -> Iterator[Platform]:
    with Platform(tls=True) as platform:
        yield platform


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", "Connection reset by peer"),
        ("handshake", "Connection reset by peer"),
        ("expired", "certificate verify failed: certificate has expired"),
        ("unknown", "certificate verify failed: unable to get local issuer certificate"),
    ],
)
def test_a_broken_connection_carries_no_call_and_the_next_one_is_fine(
    kind: str, error: str, secure: Platform, agent_at: Callable[..., Any]
) -> None:
    secure.break_connections(kind, times=1)
    agent = agent_at(secure.url, verify=secure.ca)
    with pytest.raises(requests.ConnectionError) as caught:
        agent.call("Health/Check")
    assert error in str(caught.value)
    assert secure.calls() == []
    assert agent.call("Health/Check").status_code == 200


def test_the_connections_before_can_be_spared(secure: Platform, agent_at: Callable[..., Any]) -> None:
    secure.break_connections("handshake", skip=1)
    agent = agent_at(secure.url, verify=secure.ca)
    assert agent.call("Health/Check").status_code == 200
    agent.session.close()
    with pytest.raises(requests.ConnectionError):
        agent.call("Health/Check")
    secure.clear_faults()
    assert secure.breaks() == []
    assert agent.call("Health/Check").status_code == 200


def test_what_is_left_of_the_breaks_is_listed(platform: Platform, agent: Any) -> None:
    platform.break_connections("reset", times=2)
    with pytest.raises(requests.ConnectionError):
        agent.call("Health/Check")
    assert platform.breaks() == [{"kind": "reset", "times": 1, "skip": 0}]


def test_a_kind_that_there_is_not_is_refused(platform: Platform) -> None:
    with pytest.raises(ValueError, match="kind must be one of reset, handshake, expired, unknown"):
        platform.break_connections("hangup")
