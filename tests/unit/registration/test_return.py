# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task returns is what RETURN documents, on success, in check mode and for every failure; and the reverse."""

from __future__ import annotations

import ast
import re
import typing as t
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml

from ansible_collections.mondoo.fleet.plugins.module_utils.host_problem import Problem
from ansible_collections.mondoo.fleet.plugins.module_utils.host_swap import Swapped
from ansible_collections.mondoo.fleet.plugins.modules.mondoo_registration import RETURN
from ansible_collections.mondoo.fleet.plugins.plugin_utils import run_folder
from ansible_collections.mondoo.fleet.plugins.plugin_utils.interruption import Interrupted
from ansible_collections.mondoo.fleet.plugins.plugin_utils.platform import Platform as Client
from doubles import lab as doubles_lab
from doubles.lab import Lab, Result

OTHER = "another-space"
REFUSED = {"status": 401, "code": 16, "message": "request permission unauthenticated"}
# Ansible's own, of every task that fails.
OF_ANSIBLE = {"failed"}
DOCUMENTED: dict[str, dict[str, t.Any]] = yaml.safe_load(RETURN)
NOT_REMOVED = "where the new agent could not be removed again"
FAILURES_OF_CODE = re.compile(r" on failures of code ((?:\w+(?:, (?!and ))?)+)")


@dataclass(frozen=True)
class Returned:
    """What the `returned` of one key promises."""

    text: str

    @property
    def on_success(self) -> bool:
        return self.text.split(",")[0] in ("always", "success")

    @property
    def always_on_success(self) -> bool:
        return self.on_success and "when something changes" not in self.text

    @property
    def codes(self) -> set[str]:
        """The codes of the failures that have the key."""
        found = FAILURES_OF_CODE.search(self.text)
        return set(found[1].rstrip(", ").split(", ")) if found else set()

    def may_have(self, failure: Result) -> bool:
        """Tell whether a failure may have the key."""
        not_removed = NOT_REMOVED in self.text and "could not be removed again" in failure["msg"]
        return self.text in ("always", "failure") or failure["code"] in self.codes or not_removed


PROMISES = {key: Returned(" ".join(entry["returned"].split())) for key, entry in DOCUMENTED.items()}

# What fails by the options alone.
OPTIONS: dict[str, dict[str, t.Any]] = {
    "an_option_that_is_unknown": {"tokem": "x"},
    "an_option_that_is_invalid": {"retries": "x"},
    "a_proxy_that_is_no_url": {"api_proxy": "x"},
    "an_endpoint_that_is_no_url": {"api_endpoint": "ftp://x"},
    "credentials_that_are_malformed": {"credentials": "{"},
    "a_config_path_that_is_relative": {"config_path": "x"},
    "no_identity": {},
    "a_token_that_is_malformed": {"token": "x"},
}
# What fails by the claims of the token.
CLAIMS: dict[str, dict[str, t.Any]] = {
    "a_token_without_a_space": {"space": None},
    "a_token_of_an_organization": {"space": None, "organization": "lunalectric"},
    "a_token_that_has_expired": {"lifetime": -60},
}
# What fails by faults of the platform.
FAULTS: dict[str, tuple[dict[str, t.Any], ...]] = {
    "a_platform_that_forbids_it": ({"method": "RegisterAgent", "status": 403},),
    "a_platform_that_is_busy": ({"method": "RegisterAgent", "status": 429},),
    "a_registration_whose_answer_is_lost": ({"method": "RegisterAgent", "hangup": "after"},),
    "a_new_identity_that_is_refused": ({"method": "PingPong", **REFUSED},),
    "a_new_identity_that_is_refused_and_an_agent_that_stays": (
        {"method": "PingPong", **REFUSED},
        {"method": "UnRegisterAgent", "status": 503, "body": "html"},
    ),
    "an_answer_for_somewhere_else": ({"method": "RegisterAgent", "answer_space": OTHER},),
}


def with_claims(lab: Lab, **claims: t.Any) -> Result:
    return lab.register(token=lab.token(**claims))


def with_faults(lab: Lab, faults: tuple[dict[str, t.Any], ...]) -> Result:
    for fault in faults:
        lab.platform.fault(**fault)
    return lab.register(token=lab.token())


# Failures, each as what has to be done to a Lab; a registered host is in another space than its token.
FAILURES: dict[str, t.Callable[[Lab], Result]] = {
    **{name: partial(Lab.register, **given) for name, given in OPTIONS.items()},
    **{name: partial(with_claims, **claims) for name, claims in CLAIMS.items()},
    **{name: partial(with_faults, faults=faults) for name, faults in FAULTS.items()},
}


def failure(function: t.Callable[[Lab], Result]) -> t.Callable[[Lab], Result]:
    FAILURES[function.__name__] = function
    return function


def moved(lab: Lab, **given: t.Any) -> Result:
    """Move a host that is registered in another space."""
    return lab.register(token=lab.token(), move=True, **given)


@failure
def a_token_that_has_expired_in_check_mode(lab: Lab) -> Result:
    return lab.register(check=True, token=lab.token(lifetime=-60))


@failure
def a_host_in_another_space(lab: Lab) -> Result:
    lab.must(token=lab.token(space=OTHER))
    return lab.register(token=lab.token())


@failure
def a_host_at_another_endpoint(lab: Lab) -> Result:
    lab.must(token=lab.token())
    return lab.register(api_endpoint="https://eu.api.mondoo.com")


@failure
def credentials_that_were_revoked(lab: Lab) -> Result:
    document = lab.platform.create_service_account()
    lab.must(credentials=document, managed=False)
    lab.platform.revoke_service_account(document["mrn"])
    return lab.register(credentials=document, managed=False)


@failure
def too_many_that_are_rejected(lab: Lab) -> Result:
    lab.must(token=lab.token())
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    return lab.register(token=lab.token(), max_rejected=0)


@failure
def a_token_that_was_revoked(lab: Lab) -> Result:
    token = lab.token()
    lab.platform.revoke_token(token)
    return lab.register(token=token)


@failure
def a_platform_that_is_not_there(lab: Lab) -> Result:
    return lab.register(token=lab.platform.mint_token(api_endpoint="http://127.0.0.1:9"), retries=1)


@failure
def no_verdict_of_a_host_that_is_registered(lab: Lab) -> Result:
    lab.must(token=lab.token())
    lab.platform.fault(method="PingPong", status=503)
    return lab.register(verify="strict")


@failure
def no_verdict_of_a_new_identity(lab: Lab) -> Result:
    lab.must(token=lab.token(space=OTHER))
    lab.platform.fault(method="PingPong", status=503)
    return moved(lab, verify="strict")


@failure
def a_file_that_someone_changed_meanwhile(lab: Lab) -> Result:
    lab.write("custom: old\n")
    lab.host.before_write = lambda: lab.write("custom: new\n")
    return lab.register(token=lab.token())


@failure
def a_write_that_was_lost_and_an_agent_that_stays(lab: Lab) -> Result:
    lab.platform.fault(method="UnRegisterAgent", status=503, body="html")
    lab.host.lost = "before"
    return lab.register(token=lab.token())


@failure
def a_host_that_answers_nothing(lab: Lab) -> Result:
    lab.host.gone = True
    return lab.register(token=lab.token())


@failure
def a_write_that_nobody_can_tell_about(lab: Lab) -> Result:
    lab.must(token=lab.token(space=OTHER))
    lab.host.before_write = lambda: setattr(lab.host, "gone", True)
    lab.host.lost = "after"
    return moved(lab)


@failure
def a_setting_that_nobody_can_tell_about(lab: Lab) -> Result:
    lab.must(token=lab.token())
    lab.host.before_write = lambda: setattr(lab.host, "gone", True)
    lab.host.lost = "after"
    return lab.register(annotations={"owner": "me"})


@failure
def an_interruption(lab: Lab) -> Result:
    def stop() -> None:
        raise Interrupted("SIGTERM")

    lab.host.before_write = stop
    return lab.register(token=lab.token())


@failure
def an_interruption_while_the_platform_is_asked(lab: Lab) -> Result:
    def stop(*dummy: t.Any) -> None:
        raise Interrupted("SIGTERM")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "register", stop)
        return lab.register(token=lab.token())


@failure
def a_turn_that_never_comes(lab: Lab) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "TURN_SECONDS", 0.0)
        with run_folder.RunFolder(str(lab.run_folder)).turn(1):
            return lab.register(token=lab.token(), registration_limit=1)


@failure
def a_full_disk(lab: Lab) -> Result:
    full = Swapped(False, "", error=Problem("no_space", "No space left on device"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doubles_lab, "replace_file", lambda *dummy: full)
        return lab.register(token=lab.token())


@failure
def no_verdict_before_leaving(lab: Lab) -> Result:
    lab.must(token=lab.token())
    lab.platform.fault(method="PingPong", status=503)
    return lab.register(state="absent")


@failure
def a_file_that_someone_changed_while_leaving(lab: Lab) -> Result:
    lab.must(token=lab.token())
    lab.host.before_write = lambda: lab.write("custom: new\n")
    return lab.register(state="absent")


def succeed_register(lab: Lab) -> list[Result]:
    token = lab.token()
    return [lab.register(check, token=token) for check in (True, False, True, False)]


def succeed_configure(lab: Lab) -> list[Result]:
    lab.must(token=lab.token())
    return [lab.register(check, annotations={"owner": "me"}, backup=True) for check in (True, False, False)]


def succeed_adopt(lab: Lab) -> list[Result]:
    document = lab.platform.create_service_account()
    return [lab.register(check, credentials=document, managed=False) for check in (True, False, False)]


def succeed_without_a_verdict(lab: Lab) -> list[Result]:
    lab.must(token=lab.token())
    lab.platform.fault(method="PingPong", status=503)
    return [lab.must(), lab.register(token=lab.token(space=OTHER), move=True)]


def succeed_absent(lab: Lab) -> list[Result]:
    lab.must(token=lab.token())
    return [lab.register(check, state="absent") for check in (True, False, False)]


SUCCESSES = [succeed_register, succeed_configure, succeed_adopt, succeed_without_a_verdict, succeed_absent]


@pytest.mark.parametrize("succeed", SUCCESSES, ids=lambda function: function.__name__)
def test_a_success_has_every_key_that_is_documented_for_it_and_no_other(
    lab: Lab, succeed: t.Callable[[Lab], list[Result]]
) -> None:
    for result in succeed(lab):
        assert not result.get("failed"), result["msg"]
        expected = {key for key, promise in PROMISES.items() if promise.always_on_success}
        if result["changed"]:
            expected |= {key for key, promise in PROMISES.items() if promise.on_success}
        assert set(result) == expected


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_has_no_key_that_is_not_documented_for_its_code(lab: Lab, name: str) -> None:
    result = FAILURES[name](lab)
    assert result.get("failed"), "it succeeded"
    assert {"msg", "code", "changed"} <= set(result)
    for key in set(result) - OF_ANSIBLE:
        assert key in PROMISES, f"{key} is not documented"
        assert PROMISES[key].may_have(result), f"{key} is not documented for the code {result['code']}"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """Every failure."""
    results = []
    for fail in FAILURES.values():
        with doubles_lab.Platform() as platform:
            results.append(fail(Lab(platform, tmp_path_factory.mktemp("failed"))))
    return results


def test_every_code_that_is_documented_for_a_key_comes_with_it(failed: list[Result]) -> None:
    for key, promise in PROMISES.items():
        seen = {result["code"] for result in failed if key in result}
        assert promise.codes <= seen, f"{key} does not come with {promise.codes - seen}"
        if NOT_REMOVED in promise.text:
            stayed = [result for result in failed if "could not be removed again" in result["msg"]]
            assert len(stayed) > 1
            assert all(result[key] for result in stayed), key


def test_every_detail_that_an_error_of_the_registration_can_carry_is_seen_and_documented(failed: list[Result]) -> None:
    details = set().union(*(_details(path) for path in _modules("desired_state", "fleet_action", "platform")))
    assert details - OF_ANSIBLE <= set(DOCUMENTED)
    seen = {key for result in failed for key in result}
    # Only what the host's own cnspec was asked comes with warnings alone, and these hosts have none.
    assert details - {"warnings"} <= seen
    # A registration that was made and could not be proved says all that a success says.
    whole = set().union(*(set(result) for result in failed if result["code"] == "unverified"))
    assert seen == details | whole
    assert {key for key, promise in PROMISES.items() if promise.always_on_success} <= whole


PLUGIN_UTILS = Path(doubles_lab.arguments.__file__).parent


def _modules(*names: str) -> set[Path]:
    """Return the files of modules of the brain, and of all that they import from it."""
    found: set[Path] = set()
    todo = [PLUGIN_UTILS / f"{name}.py" for name in names]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            imported = re.findall(r"^\s*from \.(\w+) import", path.read_text(), re.MULTILINE)
            todo += [PLUGIN_UTILS / f"{name}.py" for name in imported]
    return found


def _details(path: Path) -> set[str]:
    """Return the keys that the errors of a module carry beside their message.

    They are keywords of a call that has `code` (but for parameters of an error's own `__init__`), what is set in
    `error.detail[...]`, and what stands beside `**error.detail`.
    """
    tree, keys = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not _is_own(node):
            names = {keyword.arg for keyword in node.keywords if keyword.arg}
            keys |= names - {"code"} if "code" in names else set()
        elif isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "detail":
            keys.add(ast.literal_eval(node.slice))
        elif isinstance(node, ast.Dict) and any(getattr(value, "attr", "") == "detail" for value in node.values):
            keys |= {ast.literal_eval(key) for key in node.keys if key is not None}
    return keys


def _is_own(call: ast.Call) -> bool:
    """Tell whether the keywords are parameters: RegistrationFailed makes `api_attempts` of its `attempts`."""
    return isinstance(call.func, ast.Name) and call.func.id == "RegistrationFailed"
