# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a host: the columns of the table, and some questions more, each as the options of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from states.ground import Place

Options = dict[str, Any]
# Every spelling that some version of cnspec reads is among what these two mention.
SETTINGS: Options = {
    "api_proxy": "http://other.example.com:8080",
    "annotations": {"Owner": "platform-team", "env": "on"},
    "scan_interval": {"timer": 60},
    "auto_update": False,
}
UNSET = ["api_proxy", "scan_interval", "auto_update"]


@dataclass(frozen=True)
class Question:
    """What is asked. `title` is how it is written in a playbook; `options` makes the task's options for a host."""

    title: str
    options: Callable[[Place], Options]
    settings: bool = False
    unset: bool = False
    force: bool = False
    keeps_settings: bool = True


def _registering(place: Place, **options: Any) -> Options:
    # The name is that of the agent, so that the ledger tells the hosts apart; what is found has it already.
    endpoint = {"api_endpoint": place.ground.here.url} if place.endpoint else {}
    return {"name": place.name, **endpoint, **options}


def _token(place: Place, **options: Any) -> Options:
    return _registering(place, token=place.ground.token, **options)


def _credentials(place: Place, **options: Any) -> Options:
    return _registering(place, credentials=dict(place.document), **options)


COLUMNS = {
    "token": Question("`token`", _token),
    "credentials": Question("`credentials`", _credentials),
    "credentials not managed": Question("`credentials`, `managed: false`", lambda p: _credentials(p, managed=False)),
    "settings": Question("settings only", lambda place: dict(SETTINGS), settings=True),
    "unset": Question("`unset`", lambda place: {"unset": UNSET}, unset=True),
    "absent": Question("`state: absent`", lambda place: {"state": "absent"}),
    "force": Question("`token`, `force: true`", lambda place: _token(place, force=True), force=True),
    "move": Question("`token`, `move: true`", lambda place: _token(place, move=True)),
}

FURTHER = {
    "expired token": Question("an expired `token`", lambda p: {"name": p.name, "token": p.ground.expired_token}),
    "endpoint": Question(
        "`token`, `api_endpoint` of another platform", lambda p: _token(p, api_endpoint=p.ground.there.url)
    ),
    "no endpoint": Question("`token`, no `api_endpoint`", lambda p: {"name": p.name, "token": p.ground.token}),
    "absent with credentials": Question(
        "`state: absent`, `credentials`", lambda p: {"state": "absent", "credentials": dict(p.document)}
    ),
    "absent without settings": Question(
        "`state: absent`, `keep_settings: false`",
        lambda p: {"state": "absent", "keep_settings": False},
        keeps_settings=False,
    ),
    "absent, agent kept": Question(
        "`state: absent`, `unregister_previous: false`", lambda p: {"state": "absent", "unregister_previous": False}
    ),
    "force, agent kept": Question(
        "`token`, `force: true`, `unregister_previous: false`",
        lambda p: _token(p, force=True, unregister_previous=False),
        force=True,
    ),
}
QUESTIONS = {**COLUMNS, **FURTHER}


def options(question: str, place: Place) -> Options:
    """Return the options of the task for a host; the limit of rejected identities is for fleets, not for this."""
    return {"config_path": str(place.config), "max_rejected": 10000, **QUESTIONS[question].options(place)}
