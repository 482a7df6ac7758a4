# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page on troubleshooting says what the diagnosis and mondoo_registration say, word for word."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils import problems, run_folder
from ansible_collections.mondoo.fleet.plugins.plugin_utils.run_folder import RunFolder
from doubles.lab import Lab
from sandbox import Platform
from tooling.problem_table import PAGE, split, table

REFUSED: dict[str, t.Any] = {"status": 401, "code": 16, "message": "request permission unauthenticated"}
QUOTED = re.compile(r"docsite\.troubleshooting\.registration_(\w+):\n\n\1\n\^+\n\n``(.+)``\n")
PLACEHOLDER = re.compile(r"\b(?:REASON|TIME|SPACE|OTHER_SPACE|ENDPOINT|OTHER_ENDPOINT|NUMBER|CAUSE|ANSWER|ID|PATH)\b")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Platform() as platform:
        yield Lab(platform, tmp_path)


def test_the_problems_on_the_page_are_those_of_the_diagnosis() -> None:
    dummy, written, dummy = split(PAGE.read_text(encoding="utf-8"))
    assert written.strip() == table().strip(), "python -m tooling.problem_table writes them anew"


def test_every_problem_has_an_anchor_and_at_least_one_fix() -> None:
    written = table()
    for problem in problems.table():
        assert f"docsite.troubleshooting.{problem['code']}:\n" in written
        for fix in problem["fixes"].values():
            assert f": ``{fix}``\n" in written


def quoted() -> dict[str, str]:
    """Return the messages that the page quotes, by code."""
    return dict(QUOTED.findall(PAGE.read_text(encoding="utf-8")))


def revoked(lab: Lab, **given: t.Any) -> dict[str, t.Any]:
    """Register a host whose service account was revoked."""
    lab.must(**given)
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    return lab.register(**given)


def elsewhere(lab: Lab) -> dict[str, t.Any]:
    """Register a host that is well registered in another space."""
    lab.must(token=lab.token(space="another-space"))
    return lab.register(token=lab.token())


def other_endpoint(lab: Lab) -> dict[str, t.Any]:
    lab.must(token=lab.token())
    return lab.register(token=lab.token(), api_endpoint="https://eu.api.mondoo.com")


def token_revoked(lab: Lab) -> dict[str, t.Any]:
    token = lab.token()
    lab.platform.revoke_token(token)
    return lab.register(token=token)


def broken(lab: Lab, method: str, given: dict[str, t.Any] | None = None, **fault: t.Any) -> dict[str, t.Any]:
    """Register while calls of `method` fail."""
    lab.platform.fault(method=method, **fault)
    return lab.register(token=lab.token(), **(given or {}))


def without_a_turn(lab: Lab) -> dict[str, t.Any]:
    with pytest.MonkeyPatch.context() as patch, RunFolder(str(lab.run_folder)).turn(1):
        patch.setattr(run_folder, "TURN_SECONDS", 0.0)
        return lab.register(token=lab.token(), registration_limit=1)


def unreadable(lab: Lab) -> dict[str, t.Any]:
    """Let the hands say of the file what they say to an ordinary user; root reads every file."""
    lab.must(token=lab.token())
    call = lab.host.call

    def denied(**given: t.Any) -> t.Any:
        answer = call(**given)
        assert answer.look is not None
        return _with_config(answer, kind="unreadable", problem="Permission denied", content=None)

    lab.host.call = denied  # type: ignore[method-assign]
    return lab.register(token=lab.token())


def _with_config(answer: t.Any, **changes: t.Any) -> t.Any:
    return replace(answer, look=replace(answer.look, config=replace(answer.look.config, **changes)))


def changed_meanwhile(lab: Lab) -> dict[str, t.Any]:
    lab.write("custom: old\n")
    lab.host.before_write = lambda: lab.write("custom: new\n")
    return lab.register(token=lab.token())


# What leads to each error that the page explains.
SCENES: dict[str, t.Callable[[Lab], dict[str, t.Any]]] = {
    "identity_missing": lambda lab: lab.register(),
    "token_expired": lambda lab: lab.register(token=lab.token(lifetime=-60)),
    "token_malformed": lambda lab: lab.register(token="one"),
    "token_of_organization": lambda lab: lab.register(token=lab.token(space=None, organization="lunalectric")),
    "identity_refused": token_revoked,
    "credentials_revoked": lambda lab: revoked(lab, credentials=lab.platform.create_service_account()),
    "wrong_space": elsewhere,
    "wrong_endpoint": other_endpoint,
    "too_many_rejected": lambda lab: revoked(lab, token=lab.token(), max_rejected=0),
    "new_identity_refused": lambda lab: broken(lab, "PingPong", **REFUSED),
    "unreachable": lambda lab: lab.register(token=lab.token(api_endpoint="http://127.0.0.1:9"), retries=1),
    "busy": lambda lab: broken(lab, "RegisterAgent", status=429),
    "refused": lambda lab: broken(lab, "RegisterAgent", status=403, code=7),
    "maybe_registered": lambda lab: broken(lab, "RegisterAgent", hangup="after"),
    "no_turn": without_a_turn,
    "config_unreadable": unreadable,
    "changed_meanwhile": changed_meanwhile,
    "proxy_invalid": lambda lab: lab.register(token=lab.token(), api_proxy="http://user:p/w@proxy.example.com:3128"),
    "option_invalid": lambda lab: lab.register(token=lab.token(), mode="0644"),
    "unverified": lambda lab: broken(lab, "PingPong", {"verify": "strict"}, status=503, body="html"),
}


def test_the_page_explains_exactly_the_errors_that_are_tried() -> None:
    assert set(quoted()) == set(SCENES)


@pytest.mark.parametrize("code", SCENES)
def test_an_error_on_the_page_is_what_mondoo_registration_says(lab: Lab, code: str) -> None:
    result = SCENES[code](lab)
    assert result.get("failed"), json.dumps(result)
    assert result["code"] == code
    words = [re.escape(part) for part in PLACEHOLDER.split(quoted()[code])]
    assert re.fullmatch(".+".join(words), result["msg"]), result["msg"]
