# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary: marked secrets go through every path, failures included, and must turn up nowhere."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mondoo.fleet.plugins.plugin_utils.private_keys import private_keys
from sandbox import Platform, Proxy
from sandbox.cnspec_stand_in import install
from sandbox.stand_in.settings import Settings

from .listeners import SystemLog, Watch, files_below

PASSWORD = "c4n4ry-pr0xy-p4ssw0rd"
ANSIBLE = Path(sys.executable).parent / "ansible-playbook"

# Stands in for ssh: the plugin's own code runs (it prints what the host answers at -vvv), but no daemon is needed.
SSH = """#!/bin/sh
for command in "$@"; do :; done
exec /bin/sh -c "$command"
"""


def play(steps: int) -> str:
    """Return a playbook that takes the options of each step from the variable `steps`, whatever becomes of it."""
    tasks: list[dict[str, t.Any]] = []
    for number in range(steps):
        options = f"{{{{ steps[{number}] }}}}"
        tasks += [
            {"mondoo.fleet.mondoo_registration": options, "register": "outcome", "ignore_errors": True},
            {"ansible.builtin.debug": {"var": "outcome"}},
        ]
    return yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}])


class Cage:
    """A controller and a host below one folder; `run` is one playbook run at -vvvv with --diff."""

    def __init__(self, folder: Path, platform: Platform, connection: str) -> None:
        self.folder, self.platform, self.connection = folder, platform, connection
        self.config = folder / "host/mondoo.yml"
        self.secrets: set[str] = {PASSWORD}
        self.output = ""
        self.argv: set[bytes] = set()
        self.readable: dict[t.Any, bytes] = {}  # what others could read while it ran
        self.cnspec: dict[str, str] = {}  # what every step says, beside its own
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        (folder / "ssh").write_text(SSH)
        (folder / "ssh").chmod(0o755)

    def run(self, *steps: dict[str, t.Any]) -> str:
        """Run the module with the options of each step; keep what was said and seen, return the output."""
        variables = self.folder / "vars.yml"
        variables.touch(mode=0o600)
        options = [{"config_path": str(self.config), **self.cnspec, **step} for step in steps]
        variables.write_text(yaml.safe_dump({"steps": options}, default_flow_style=False))
        project = self.folder / "runner/project"
        project.mkdir(parents=True, exist_ok=True)
        (project / "play.yml").write_text(play(len(steps)))
        with Watch(self.folder) as watch:
            ran = subprocess.run(
                self._command(variables),
                cwd=project,
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        assert watch.rounds > 20, "nothing was sampled"
        assert any(b"ansible-playbook" in line for line in watch.seen), "the sampler sees nothing"
        self.argv |= watch.seen
        self.readable |= watch.readable
        variables.unlink()
        text = ran.stdout + ran.stderr
        self.output += text
        for path in self.config.parent.glob("mondoo.yml*"):
            self.secrets.update(line for key in private_keys(path.read_text()) for line in key.splitlines())
        return text

    def _command(self, variables: Path) -> list[str]:
        options = ["-i", "canary,", "-vvvv", "--diff", "-e", f"@{variables}"]
        options += ["-c", "local" if self.connection == "runner" else self.connection]
        for name, path in (
            ("ansible_ssh_executable", self.folder / "ssh"),
            ("ansible_python_interpreter", sys.executable),
        ):
            options += ["-e", f"{name}={path}"]
        if self.connection != "runner":
            return [str(ANSIBLE), *options, "play.yml"]
        command = [sys.executable, "-m", "ansible_runner", "run", str(self.folder / "runner"), "-p", "play.yml"]
        return [*command, f"--cmdline={shlex.join(options)}"]

    def _environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "PATH": f"{ANSIBLE.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(path for path in sys.path if path.endswith("collections")),
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
        }

    def events(self) -> list[dict[str, t.Any]]:
        """Return what ansible-runner kept of its runs, as AWX stores it."""
        return [json.loads(path.read_text()) for path in self.folder.glob("runner/artifacts/*/job_events/*.json")]

    def shown_to_others(self) -> list[str]:
        """Return the files below the folder that held a secret while others could read them."""
        return [str(path) for (path, *dummy), content in self.readable.items() if self.find(content)]

    def find(self, text: bytes | str) -> list[str]:
        """Return the secrets that stand in a text."""
        raw = text.encode() if isinstance(text, str) else text
        return [secret for secret in self.secrets if secret.encode() in raw]


@pytest.fixture
def system_log() -> t.Iterator[t.Any]:
    with SystemLog() if SystemLog.possible() else contextlib.nullcontext() as log:
        yield log


@pytest.mark.parametrize("connection", ["local", "ssh", "runner"])
def test_no_secret_turns_up_where_it_does_not_belong(tmp_path: Path, connection: str, system_log: t.Any) -> None:
    with Platform() as platform, Proxy("fleet", PASSWORD) as proxy:
        cage = Cage(tmp_path, platform, connection)
        document = platform.create_service_account()
        token, other, expired = (
            platform.mint_token(),
            platform.mint_token(space="another-space"),
            platform.mint_token(lifetime=-60),
        )
        cage.secrets |= {token, other, expired, *private_keys(document["private_key"])[0].splitlines()}
        url = proxy.url_with_password

        output = cage.run(
            {"token": token, "api_proxy": url, "controller_proxy": url},
            {"token": token, "api_proxy": url.replace(PASSWORD, f"{PASSWORD}2"), "backup": True},
            {"token": other},
            {"token": other, "move": True, "settings": {"private_setting": PASSWORD}},
            {"credentials": document, "move": True, "unset": ["api_proxy"]},
            {"token": token, "force": True},
            {"credentials": document},
        )
        for word in ("not_registered", "wrong_space", "other_service_account", "forced", "(hidden, changed)"):
            assert word in output, word
        platform.revoke_service_account(document["mrn"])
        platform.fault(method="RegisterAgent", times=1, status=500, body="html")
        platform.fault(method="RegisterAgent", times=1, answer_space="yet-another-space")
        output = cage.run(
            {"token": expired},
            {"credentials": document},
            {"token": token, "force": True},
            {"token": token, "force": True},
            {"tokem": token, "api_proxy": url},
            {"token": {"value": token}, "credentials": [document]},
            {"token": f"{token}.{token}", "api_proxy": f"fleet:{PASSWORD}@proxy"},
            {"token": token, "controller_proxy": url.replace(PASSWORD, f"{PASSWORD}-wrong"), "force": True},
        )
        for code in ("token_expired", "credentials_revoked", "maybe_registered", "answer_differs", "option_unknown"):
            assert code in output, code
        cage.config.write_text(f"private_key: {PASSWORD} [")
        platform.fault(method="UnRegisterAgent", times=3, status=503, body="empty")
        output = cage.run(
            {"token": token, "api_proxy": url},
            {"state": "absent", "api_endpoint": f"fleet:{PASSWORD}@nowhere"},
            {"state": "absent"},
            {"state": "absent", "backup": True},
            {"token": token, "api_proxy": url, "state": "absent"},
        )
        for word in ("config_invalid", "not_unregistered", "unregister"):
            assert word in output, word

    assert len(cage.secrets) >= 12, "the keys that were made were not seen"
    assert cage.find(cage.output) == [], "in the output"
    assert [line for line in cage.argv if cage.find(line)] == [], "in the arguments of a process"
    assert cage.readable, "no file that others may read was seen, not even the play"
    assert cage.shown_to_others() == [], "in a file that others could read"
    if system_log is not None:
        assert b"cnspec_host" in system_log.text, "the log heard nothing"
        assert cage.find(system_log.text) == [], "in the system's log"
    holders = [path for path in files_below(tmp_path) if path.is_file() and cage.find(path.read_bytes())]
    expected = [path for path in cage.config.parent.iterdir() if path.name.startswith("mondoo.yml")]
    assert sorted(holders) == sorted(path for path in expected if path in holders), "in a file that outlives the task"
    assert len(expected) == 3, "the configuration and the backups that were asked for"
    if connection == "runner":
        kept = cage.events()
        assert {"runner_on_ok", "runner_on_failed"} <= {event["event"] for event in kept}
        assert cage.find(json.dumps(kept)) == [], "in a job event"
    for path in expected:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("connection", ["local", "ssh"])
def test_with_the_hosts_own_cnspec_a_token_shows_to_its_login_alone_and_nothing_else_anywhere(
    tmp_path: Path, connection: str, system_log: t.Any
) -> None:
    with Platform() as platform, Proxy("fleet", PASSWORD) as proxy:
        cage = Cage(tmp_path, platform, connection)
        cage.cnspec = {"method": "cnspec", "cnspec_path": str(tmp_path / "bin/cnspec")}
        install(str(tmp_path / "bin/cnspec"), Settings(version="13.0.1"))
        document, token = platform.create_service_account(), platform.mint_token()
        cage.secrets |= {token, *private_keys(document["private_key"])[0].splitlines()}
        output = cage.run(
            {"credentials": document, "api_proxy": proxy.url_with_password},
            {"credentials": document, "managed": False, "force": True},
            {"state": "absent", "backup": True},
            {"credentials": document},
            {"state": "absent", "backup": True},
        )
        assert "fleet-tmp" in str(cage.argv), "the copy was never seen"
        assert [line for line in cage.argv if cage.find(line)] == [], "a document in the arguments of a process"
        output = cage.run(
            {"token": token, "api_proxy": proxy.url_with_password, "backup": True},
            {"token": token, "force": True},
            {"token": platform.mint_token(space="another-space")},
        )
        assert "stood in the host's process list" in output
    assert cage.find(cage.output) == [], "in the output"
    assert cage.shown_to_others() == [], "in a file that others could read"
    assert system_log is None or cage.find(system_log.text) == [], "in the system's log"
    showing = [line for line in cage.argv if cage.find(line)]
    assert showing, "the token was not seen where it has to be"
    for line in showing:
        assert b"\0login\0" in line
        assert cage.find(line) == [token]
    expected = [path for path in cage.config.parent.iterdir() if path.name.startswith("mondoo.yml")]
    holders = [path for path in files_below(tmp_path) if path.is_file() and cage.find(path.read_bytes())]
    assert sorted(holders) == sorted(path for path in expected if path in holders), "in a file that outlives the task"
