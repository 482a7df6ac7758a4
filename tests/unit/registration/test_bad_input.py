# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What bad input gets: one line that says what to do, nothing changed on host or platform, no secret in it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doubles.lab import Lab, Result

CANARY = "c4n4ry-s3cr3t-v4lu3"
CONSOLE = "Make a new registration token in the console (space, Integrations, or Settings > Registration Token)"
WHOLE_DOCUMENT = "Copy the whole service account JSON from the console"


def refused(lab: Lab, **given: t.Any) -> str:
    """Register, and return the message of the failure after checking that nothing came of it."""
    before, calls = lab.content, lab.registered()
    result: Result = lab.register(**given)
    assert result.get("failed"), "it was accepted"
    assert result["changed"] is False
    assert (lab.content, lab.registered(), lab.agents) == (before, calls, set())
    text = json.dumps(result)
    assert CANARY not in text
    assert "PRIVATE KEY" not in text
    assert "\n" not in result["msg"]
    return str(result["msg"])


def jwt(payload: bytes) -> str:
    return "eyJhbGciOiJFUzM4NCJ9." + base64.urlsafe_b64encode(payload).rstrip(b"=").decode() + ".c2lnbmF0dXJl"


def unusable(cause: str, remedy: str) -> str:
    return f"Cannot register the host (not_registered): the registration token cannot be used: {cause}. {remedy}."


TOKENS = {
    "of one part": (CANARY, "it has 1 part between dots, not 3", "Copy the whole token from the console"),
    "of two parts": (f"{CANARY}.b", "it has 2 parts between dots, not 3", "Copy the whole token from the console"),
    "that is not base64": (f"a.{CANARY}!.c", "its middle part is not base64", "Copy the whole token from the console"),
    "that is not JSON": (
        jwt(CANARY.encode()),
        "its middle part holds no JSON",
        "Copy the whole token from the console",
    ),
    "that is no JSON object": (
        jwt(b"[1]"),
        "its middle part holds no JSON object",
        "Copy the whole token from the console",
    ),
    "without a space": (jwt(b'{"exp": 4102444800}'), "it names no space", "Make a registration token of a space"),
    "of an organization": (
        jwt(b'{"scope": "//captain.api.mondoo.app/organizations/lunalectric"}'),
        "it belongs to an organization, not to a space",
        "Make a registration token of a space",
    ),
    "that has expired": (
        jwt(b'{"space": "//captain.api.mondoo.app/spaces/lunalectric-prod", "exp": 1700000000}'),
        "it expired at 2023-11-14 22:13:20 UTC",
        CONSOLE,
    ),
}


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_that_cannot_be_used(lab: Lab, kind: str) -> None:
    token, cause, remedy = TOKENS[kind]
    assert refused(lab, token=token) == unusable(cause, remedy)


def test_a_bad_token_is_only_a_warning_while_the_host_is_well_registered(lab: Lab) -> None:
    lab.must(token=lab.token())
    result = lab.must(token=CANARY)
    assert (result["changed"], result["warnings"]) == (
        False,
        ["The registration token was not needed, and is no good: it has 1 part between dots, not 3."],
    )


def spoiled(lab: Lab, **fields: str | None) -> dict[str, t.Any]:
    document = {**lab.platform.create_service_account(), **fields}
    return {name: value for name, value in document.items() if value is not None}


def pem(curve: ec.EllipticCurve) -> str:
    key = ec.generate_private_key(curve)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize("form", ["dict", "json", "base64"])
@pytest.mark.parametrize(
    "fields, cause",
    [
        ({"private_key": None}, "it has no private_key"),
        ({"mrn": None}, "it has no mrn"),
        ({"certificate": None}, "it has no certificate"),
        ({"private_key": pem(ec.SECP256R1())}, "its private_key is not a P-384 key in PEM"),
        ({"private_key": CANARY}, "its private_key is not a P-384 key in PEM"),
        ({"private_key": pem(ec.SECP384R1())}, "its certificate does not belong to its private_key"),
        ({"certificate": CANARY}, "its certificate cannot be read"),
    ],
    ids=["no key", "no mrn", "no certificate", "P-256", "no PEM", "another key", "no X.509"],
)
def test_a_credentials_document_that_cannot_be_used(lab: Lab, fields: dict[str, t.Any], cause: str, form: str) -> None:
    document = spoiled(lab, **fields)
    forms = {
        "dict": document,
        "json": json.dumps(document),
        "base64": base64.b64encode(json.dumps(document).encode()).decode(),
    }
    assert refused(lab, credentials=forms[form]) == f"Cannot read the credentials: {cause}. {WHOLE_DOCUMENT}."


def test_a_credentials_document_cut_in_half(lab: Lab) -> None:
    text = json.dumps(lab.platform.create_service_account())
    message = f"Cannot read the credentials: it is cut off or damaged. {WHOLE_DOCUMENT}."
    assert refused(lab, credentials=text[: len(text) // 2]) == message
    half = base64.b64encode(text.encode()).decode()[: len(text) // 2 // 4 * 4]
    assert refused(lab, credentials=half) == message


def test_both_identities(lab: Lab) -> None:
    message = refused(lab, token=CANARY, credentials={"private_key": CANARY})
    assert message == "Cannot use token and credentials: both were given. Give one of them."


@pytest.mark.parametrize("option", ["api_proxy", "controller_proxy"])
@pytest.mark.parametrize("value", [f"user:{CANARY}@proxy", f"http://user:{CANARY}@", "proxy.example.com", "http://a b"])
def test_a_proxy_that_is_not_a_url(lab: Lab, option: str, value: str) -> None:
    assert refused(lab, token=lab.token(), **{option: value}) == (
        f"Cannot use the option {option}: it is not the URL of a proxy. Give one like http://proxy.example.com:3128."
    )


def test_a_config_path_that_is_a_directory(lab: Lab) -> None:
    lab.path.mkdir(parents=True)
    result = lab.register(token=lab.token())
    assert result["msg"] == (
        f"Cannot use the config {lab.path}: it is a directory. Give the path of the file in config_path."
    )


def test_a_config_path_that_is_relative(lab: Lab) -> None:
    assert refused(lab, token=lab.token(), config_path="etc/mondoo.yml") == (
        "Cannot use config_path: it is not an absolute path. Give an absolute one."
    )


def test_an_unknown_option(lab: Lab) -> None:
    assert refused(lab, tokem=CANARY) == "Cannot use an option: there is no option 'tokem'. Write token instead."


@pytest.mark.parametrize(
    "given, message",
    [
        ({"token": {"a": CANARY}}, "Cannot use the option token: its value is not text. Give text."),
        ({"token": [CANARY]}, "Cannot use the option token: its value is not text. Give text."),
        ({"retries": CANARY}, "Cannot use the option retries: its value is not a whole number. Give a whole number."),
        ({"managed": CANARY}, "Cannot use the option managed: its value is not true or false. Give true or false."),
        (
            {"verify": CANARY},
            "Cannot use the option verify: its value is not one of true, false, strict. "
            "Give one of true, false, strict.",
        ),
        (
            {"annotations": CANARY},
            "Cannot use the option annotations: its value is not a dictionary. Give a dictionary.",
        ),
        (
            {"scan_interval": {"timer": CANARY}},
            "Cannot use the option scan_interval: its value is not a dictionary of timer (a whole number) and splay "
            "(a whole number). Give a dictionary of timer (a whole number) and splay (a whole number).",
        ),
        (
            {"credentials": [CANARY]},
            "Cannot read the credentials: it is neither a dictionary nor text. "
            "Copy the whole service account JSON from the console.",
        ),
        (
            {"mode": "0644"},
            "Cannot use the option mode: it would let others read a private key. Give one like '0600' or '0640'.",
        ),
        ({"mode": CANARY}, "Cannot use the option mode: it is not an octal file mode. Give one like '0600'."),
        ({"retries": 0}, "Cannot use the option retries: its value is less than 1. Give 1 or more."),
        (
            {"max_rejected": -1},
            "Cannot use the option max_rejected: its value is less than 0. Give 0 or more.",
        ),
        (
            {"controller_proxy": "socks5://proxy.example.com:1080"},
            "Cannot use the option controller_proxy: it is not the URL of a proxy. "
            "Give one like http://proxy.example.com:3128.",
        ),
        (
            {"annotations": {"": CANARY}},
            "Cannot use the option annotations: it has a key without text. Give each value a key.",
        ),
        ({"labels": {"": CANARY}}, "Cannot use the option labels: it has a key without text. Give each value a key."),
        (
            {"updates_url": f"user:{CANARY}@mirror.example.com"},
            "Cannot use the option updates_url: it is not an http or https URL. "
            "Give one like https://mirror.example.com.",
        ),
        (
            {"settings": {" ": CANARY}},
            "Cannot use the option settings: it has a key without text. Give each value a key.",
        ),
        (
            {"unset": ["private_key"]},
            "Cannot use the option unset: private_key belongs to the registration. Name a setting.",
        ),
        (
            {"settings": {"mrn": CANARY}},
            "Cannot use the option settings: mrn belongs to the registration. Use token or credentials.",
        ),
        (
            {"unset": ["name"], "name": "web1"},
            "Cannot use the option unset: name is also given a value. Do one or the other.",
        ),
        (
            {"api_endpoint": "http://api.example.com", "token": "a.b.c"},
            "Cannot use the API endpoint: it is plain http. Give one like https://eu.api.mondoo.com.",
        ),
        (
            {"api_endpoint": f"https://user:{CANARY}@api.example.com", "token": "a.b.c"},
            "Cannot use the API endpoint: it is not a URL. Give one like https://eu.api.mondoo.com.",
        ),
    ],
)
def test_a_value_that_an_option_cannot_take(lab: Lab, given: dict[str, t.Any], message: str) -> None:
    assert refused(lab, **{"token": CANARY, **given} if "credentials" not in given else given) == message


def test_neither_identity_on_a_host_that_is_not_registered(lab: Lab) -> None:
    assert refused(lab, annotations={"a": "b"}) == (
        "Cannot register the host (not_registered): neither token nor credentials were given. Give one of them."
    )


def test_a_revoked_token(lab: Lab) -> None:
    token = lab.token()
    lab.platform.revoke_token(token)
    assert refused(lab, token=token) == (
        "Cannot register the agent: the platform does not accept the registration token (expired, revoked, or of "
        "another platform). Make a new one in the console."
    )


def test_a_platform_that_is_not_there(lab: Lab) -> None:
    token = lab.platform.mint_token(api_endpoint="http://127.0.0.1:9")
    assert refused(lab, token=token, retries=2) == (
        "Cannot register the agent: the platform was not reached: the connection was refused. Nothing was made; check "
        "the way from the controller to the platform (api_endpoint, controller_proxy, ca_path)."
    )


def test_a_read_only_file_system(lab: Lab, request: pytest.FixtureRequest) -> None:
    folder = lab.path.parent
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "mondoo-fleet-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a read-only file system needs the right to mount one")
    request.addfinalizer(lambda: subprocess.run(["umount", str(folder)], check=True))
    assert refused(lab, token=lab.token()) == (
        f"Cannot write the config {lab.path}: Read-only file system. Mount it writable; nothing was changed."
    )


def test_a_folder_that_may_not_be_written(lab: Lab) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write into every folder")
    lab.path.parent.mkdir(parents=True)
    lab.path.parent.chmod(0o555)
    assert refused(lab, token=lab.token()) == (
        f"Cannot write the config {lab.path}: Permission denied. "
        "Use become: true, or a user who may write there; nothing was changed."
    )


def test_a_missing_requests_library_is_said_in_one_line() -> None:
    program = """
import sys
sys.modules["requests"] = None
from ansible_collections.mondoo.fleet.plugins.plugin_utils.transport import HttpTransport, Route
from ansible_collections.mondoo.fleet.plugins.action import mondoo_registration
try:
    HttpTransport(Route())
except Exception as error:
    sys.stdout.write(str(error))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == (
        f"Cannot talk to Mondoo Platform: the Python library requests is missing for {sys.executable} on the "
        f"controller. Run: {sys.executable} -m pip install requests."
    )
