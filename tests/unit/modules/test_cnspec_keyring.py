# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module puts a key in place only if it is the wanted one, and fetches nothing that is there already."""

from __future__ import annotations

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.module_utils.openpgp_key import read_keys
from unit.hands.test_openpgp_key import OTHER, OTHER_FINGERPRINT, WANTED, WANTED_FINGERPRINT

RUN = """
import json, sys, syslog
from ansible.module_utils import basic
logged = open(sys.argv[1], "w")
syslog.syslog = lambda *arguments: logged.write(repr(arguments))
basic.has_journal = False
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)}).encode()
basic._ANSIBLE_PROFILE = "legacy"
from ansible_collections.mondoo.fleet.plugins.modules import cnspec_keyring
cnspec_keyring.main()
"""
COLLECTIONS = Path(__file__).parents[3] / ".build/collections"
PASSWORD = "canary@of:the/proxy"
BINARY = read_keys(WANTED)[0].packets


class Server(http.server.ThreadingHTTPServer):
    """A web server, and a proxy for whoever gives the password. `asked`: what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        given = self.headers.get("Proxy-Authorization", "")
        right = "Basic " + base64.b64encode(f"fleet:{PASSWORD}".encode()).decode()
        content = self.server.files.get(self.path.rpartition("/")[2])
        code = 407 if self.path.startswith("http://") and given != right else 200 if content is not None else 404
        self.send_response(code)
        self.end_headers()
        if code == 200:
            self.wfile.write(content or b"")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Module:
    """The module as a process of its own."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.path, self.log, self.server = folder / "keyrings/key.gpg", folder / "syslog", server

    def __call__(self, name: str = "key", check: bool = False, **given: t.Any) -> dict[str, t.Any]:
        arguments = {
            "path": str(self.path),
            "url": f"http://{self.server.place}/{name}",
            "fingerprint": WANTED_FINGERPRINT,
            "_ansible_check_mode": check,
            **given,
        }
        paths = [str(COLLECTIONS), *(path for path in sys.path if path)]
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        ran = subprocess.run(
            [sys.executable, "-c", RUN, str(self.log)],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            env={**kept, "PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
        assert ran.stderr == ""
        assert PASSWORD not in ran.stdout + self.log.read_text()
        return t.cast("dict[str, t.Any]", json.loads(ran.stdout))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.files = {"key": WANTED, "binary": BINARY, "both": OTHER + WANTED, "other": OTHER, "page": b"<html>"}
        yield server
        server.shutdown()


@pytest.fixture
def module(tmp_path: Path, server: Server) -> Module:
    return Module(tmp_path, server)


@pytest.mark.parametrize("name", ["key", "binary", "both"])
@pytest.mark.parametrize("armored", [False, True])
def test_the_wanted_key_is_written_and_no_other_in_the_form_that_is_asked_for(
    module: Module, name: str, armored: bool
) -> None:
    result = module(name, armored=armored)
    assert (result["changed"], result["fingerprint"]) == (True, WANTED_FINGERPRINT)
    assert module.path.read_bytes() == (WANTED if armored else BINARY)
    assert (module.path.stat().st_mode & 0o7777, module.path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert [path.name for path in module.path.parent.iterdir()] == [module.path.name]


def test_a_key_that_is_there_is_not_fetched_again_and_only_its_mode_is_made_right(module: Module) -> None:
    module()
    module.server.asked.clear()
    assert module()["changed"] is False
    module.path.chmod(0o600)
    assert module(fingerprint=" ".join(WANTED_FINGERPRINT.lower()))["changed"] is True
    assert (module.path.stat().st_mode & 0o777, module.server.asked) == (0o644, [])


def test_check_mode_says_so_without_fetching_or_writing(module: Module) -> None:
    assert module(check=True)["changed"] is True
    assert not module.path.parent.exists()
    module()
    assert module(check=True)["changed"] is False
    assert len(module.server.asked) == 1


def test_another_fingerprint_is_refused_and_the_old_file_stays(module: Module) -> None:
    module.path.parent.mkdir()
    module.path.write_bytes(b"old")
    result = module("other")
    assert result["msg"] == (
        f"Cannot install the key http://{module.server.place}/other: its fingerprint is {OTHER_FINGERPRINT}, "
        f"not {WANTED_FINGERPRINT}. Ask whoever runs the repository, and set cnspec_package_key_fingerprint only if "
        "that is its new key."
    )
    assert module.path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("page", "there is no OpenPGP public key in it", "Check cnspec_package_key_url"),
        (
            "nothing",
            "it cannot be fetched (the answer is 404 Not Found)",
            "Check that the host can reach it, or set cnspec_package_proxy",
        ),
    ],
)
def test_what_is_no_key_is_refused(module: Module, name: str, cause: str, remedy: str) -> None:
    assert module(name)["msg"] == f"Cannot install the key http://{module.server.place}/{name}: {cause}. {remedy}."
    assert not module.path.exists()


def test_a_proxy_is_used_with_its_password_decoded_and_not_used_where_it_is_not_to_be(module: Module) -> None:
    proxy = f"http://fleet:canary%40of%3Athe%2Fproxy@{module.server.place}"
    assert module(proxy=proxy, url="http://nowhere.invalid/key")["changed"] is True
    assert module.server.asked == ["http://nowhere.invalid/key"]
    module.path.unlink()
    assert module(proxy=proxy, use_proxy=False)["changed"] is True
    assert module.server.asked[1:] == ["/key"]


def test_a_proxy_that_refuses_is_named_without_its_user_and_password(module: Module) -> None:
    result = module(proxy=f"http://fleet:wrong-canary@{module.server.place}", url="http://nowhere.invalid/key")
    assert result["msg"] == (
        "Cannot install the key http://nowhere.invalid/key: it cannot be fetched by way of the proxy "
        f"{module.server.place} (the answer is 407 Proxy Authentication Required). "
        "Check that the host can reach it, or set cnspec_package_proxy."
    )
    assert "wrong-canary" not in repr(result)


def test_a_repository_is_reached_when_its_server_answers_whatever_it_says(module: Module) -> None:
    for name in ("key", "nothing"):
        result = module(name, reach=True)
        assert (result["changed"], result.get("msg")) == (False, None)
    assert not module.path.exists()


def test_a_repository_is_not_reached_when_the_proxy_refuses_or_nobody_answers(module: Module) -> None:
    refused = module(proxy=f"http://{module.server.place}", url="http://nowhere.invalid/key", reach=True)
    assert refused["msg"] == (
        f"Cannot reach the package repository by way of the proxy {module.server.place}: http://nowhere.invalid/key "
        "gives nothing (the answer is 407 Proxy Authentication Required). "
        "Check cnspec_package_proxy and cnspec_package_no_proxy."
    )
    gone = module(url="http://127.0.0.1:9/key", reach=True)
    assert gone["msg"] == (
        "Cannot reach the package repository: http://127.0.0.1:9/key gives nothing ([Errno 111] Connection refused). "
        "Check cnspec_package_proxy and cnspec_package_no_proxy."
    )
