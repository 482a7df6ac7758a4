# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform for each test, and a caller that speaks JSON to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Platform, sign_call


class Agent:
    """Call the platform as an agent does. `document`: the credentials to sign with."""

    def __init__(self, url: str, **session: Any) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        for name, value in session.items():
            setattr(self.session, name, value)

    def call(self, method: str, body: Any = None, authorization: str = "", **options: Any) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        if authorization:
            headers["Authorization"] = authorization
        path = method if "/" in method else f"AgentManager/{method}"
        return self.session.post(
            f"{self.url}/{path}", data, headers=headers, timeout=10, allow_redirects=False, **options
        )

    def register(self, token: str, name: str = "web1") -> requests.Response:
        return self.call("RegisterAgent", {"token": token, "name": name}, f"Bearer {token}")

    def signed(self, method: str, document: dict[str, Any], body: Any = None, **changes: Any) -> requests.Response:
        data = json.dumps(body or {}).encode()
        return self.call(method, data, sign_call(document, data, **changes))


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform() as platform:
        yield platform


@pytest.fixture
def agent(platform: Platform) -> Agent:
    return Agent(platform.url)


@pytest.fixture
def agent_at() -> Callable[..., Agent]:
    return Agent
