# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform that runs in another process, with the same methods."""

from __future__ import annotations

import threading
from typing import Any

import requests

from .controls import Controls


class ControlFailed(RuntimeError):
    """Say why the platform did not run a control."""


class Remote(Controls):
    """Control a platform by its URL: `Remote("http://127.0.0.1:8080").mint_token()`. `ca`: a file, for https."""

    def __init__(self, url: str, ca: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.ca = ca
        self._lock = threading.Lock()
        self._session = requests.Session()
        # Neither the proxy nor the netrc of whoever runs the tests.
        self._session.trust_env = False

    def control(self, which: str, /, **arguments: Any) -> Any:
        """Run a control over HTTP."""
        with self._lock:
            answer = self._session.post(
                f"{self.url}/sandbox/{which}", json=arguments, verify=self.ca or True, timeout=30
            )
        if answer.status_code != 200:
            raise ControlFailed(f"Cannot run {which}: {answer.json()['error']}.")
        return answer.json()["result"]
