# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in a folder, as one recording needs it, and one run of the stand-in on it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import Platform
from .cnspec_stand_in import install, run
from .recordings import Outcome, Recording
from .stand_in.profiles import Profile
from .stand_in.settings import Settings
from .stand_in.versions import profile_of

SPACE = "lunalectric-prod"
AGENT_ID = "A" * 27
# The host of the recordings, so that a report is compared in full.
RECORDED_HOST = {
    "hostname": "web01",
    "ip": "192.0.2.2",
    "platform": {
        "name": "debian",
        "arch": "x86_64",
        "title": "Debian GNU/Linux 12 (bookworm)",
        "family": ["debian", "linux", "unix", "os"],
        "version": "12.11",
    },
}
RECORDED_PROXY = "http://fleet:s3cret@127.0.0.1:3128"
NOBODY = 65534
# The states in which the installed command itself is run; for the others, what it runs is run in this process.
AS_PROCESS = ("version", "login", "logout", "status-ok.text")


class NotHere(Exception):
    """A state that cannot be arranged on this machine; the text is the reason."""


class Host:
    """A host for one recording. `names` are its own words for what the recordings call otherwise."""

    def __init__(self, recording: Recording, platform: Platform, proxy_url: str) -> None:
        self.recording, self.platform, self.proxy_url = recording, platform, proxy_url
        self.root = Path(tempfile.mkdtemp(prefix="host-"))
        self.root.chmod(0o755)
        self.account: dict[str, Any] = platform.create_service_account(space=SPACE)
        self.token = ""
        self.endpoint = platform.url
        self.environment: dict[str, str] = dict(recording.run["env"])
        wrong = proxy_url.replace("s3cret", "wrong")
        self.names = {proxy_url: "<proxy>", wrong: "<proxy>", str(self.root): "", platform.url: "<endpoint>"}
        self.settings: dict[str, Any] = {
            "version": recording.version,
            "root": str(self.root),
            "default_endpoint": platform.url,
            **RECORDED_HOST,
        }

    @property
    def state(self) -> str:
        return self.recording.state

    @property
    def profile(self) -> Profile:
        return profile_of(self.recording.version)

    @property
    def config(self) -> Path:
        return self.root / "etc/opt/mondoo/mondoo.yml"

    @property
    def home_config(self) -> Path:
        return self.root / "root/.config/mondoo/mondoo.yml"

    def remove(self) -> None:
        """Take the host away."""
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, path: Path, text: str, mode: int) -> None:
        """Write a configuration with this host's identity and world in the place of the recordings' masks."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._real(text), encoding="utf-8")
        path.chmod(mode)

    def _real(self, text: str) -> str:
        text = text.replace("https://us.api.mondoo.com", self.endpoint)
        for word in ("s3cret", "wrong"):
            recorded = RECORDED_PROXY.replace("s3cret", word)
            text = text.replace(recorded, self.proxy_url.replace("s3cret", word))
        text = re.sub(r"(?<=agents/)[0-9A-Za-z]{27}", AGENT_ID, text)
        text = re.sub(rf"//\S+/spaces/{SPACE}/serviceaccounts/[0-9A-Za-z]{{27}}", self.account["mrn"], text)
        for kind, key in (("CERTIFICATE", "certificate"), ("PRIVATE KEY", "private_key")):
            lines = self.account[key].strip().splitlines()
            block = "\\n".join(lines) if text.startswith("{") else "\n    ".join(lines)
            text = text.replace(f"-----BEGIN {kind}-----(masked)-----END {kind}-----", block)
        return text

    def run(self, *before: Sequence[str]) -> Outcome:
        """Run the stand-in as the recording was run, after other commands if need be. Raises NotHere."""
        command = str(self.root / "usr/bin/cnspec")
        settings = Settings(**self.settings, as_root=self.state != "status-unreadable-as-nobody")
        install(command, settings)
        for words in before:
            code, dummy, stderr = run_here(words, settings, self._environment())
            if code:
                raise AssertionError(f"{words[0]} failed: {stderr}")
        words = [self._argument(word) for word in self.recording.run["args"]]
        if self.state == "status-ok.tty":
            code, stdout, stderr = _run_on_terminal([command, *words], self._environment())
        elif self.state == "status-unreadable-as-nobody":
            code, stdout, stderr = self._run_as_nobody([command, *words])
        elif self.recording.name in AS_PROCESS:
            code, stdout, stderr = _run_as_process([command, *words], self._environment())
        else:
            code, stdout, stderr = run_here(words, settings, self._environment())
        mode = f"{self.config.stat().st_mode & 0o7777:04o}" if self.config.exists() else None
        return Outcome(code, mode, {"stdout": stdout, "stderr": stderr, **self._configurations()})

    def _configurations(self) -> dict[str, str]:
        """Return the files after the run, under the names that the recordings have for them."""
        paths = {"mondoo.yml": self.config, "home-mondoo.yml": self.home_config}
        # Recorded so: of two files the system's only, of one that nobody may read none.
        if self.state == "status-home-shadows-system":
            del paths["home-mondoo.yml"]
        elif self.state == "status-unreadable-as-nobody":
            return {}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}

    def _argument(self, word: str) -> str:
        own = {"/etc/opt/mondoo/mondoo.yml": str(self.config), RECORDED_PROXY: self.proxy_url, "<token>": self.token}
        return own.get(word, word)

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "root"), "TZ": "UTC", **self.environment}

    def _run_as_nobody(self, argv: list[str]) -> tuple[int, str, str]:
        """Run as a user who may not read the configuration: nobody, or oneself without the right."""
        environment = {**self._environment(), "HOME": "/nonexistent"}
        user: dict[str, Any] = {}
        if os.geteuid():
            self.config.chmod(0)
        else:
            found = next((path for path in (sys.executable, "/usr/bin/python3") if _nobody_runs(path)), None)
            if found is None:
                raise NotHere("nobody may run no Python >= 3.10 of this machine")
            argv, user = [found, "-I", *argv], {"user": NOBODY}
        return _run_as_process(argv, environment, cwd="/", **user)


def _run_as_process(argv: list[str], environment: dict[str, str], **options: Any) -> tuple[int, str, str]:
    done = subprocess.run(argv, env=environment, capture_output=True, check=False, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def run_here(argv: Sequence[str], settings: Settings, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run the stand-in in this process, which is ten times as fast; return exit code, stdout and stderr."""
    own, said, logged = dict(os.environ), io.StringIO(), io.StringIO()
    try:
        _set_environment(environment)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(logged):
            code = run(list(argv), settings)
    finally:
        _set_environment(own)
    return code, said.getvalue(), logged.getvalue()


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _nobody_runs(python: str) -> bool:
    check = [python, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]
    try:
        return subprocess.run(check, user=NOBODY, capture_output=True, cwd="/", check=False).returncode == 0
    except OSError:
        return False


def _run_on_terminal(argv: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
    """Run with a terminal as stdin, stdout and stderr, as the recording was made."""
    import pty

    near, far = pty.openpty()
    with subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, env=environment) as process:
        os.close(far)
        shown = b""
        while True:
            try:
                read = os.read(near, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not read:
                break
            shown += read
    os.close(near)
    return process.returncode, shown.decode(), ""
