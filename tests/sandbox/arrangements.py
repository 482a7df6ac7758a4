# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of the recordings, arranged again: a host in a folder, the stand-in on it, the sandbox platform around it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import Platform, Proxy, agent_manager
from .cnspec_stand_in import install
from .recordings import Outcome, Recording, differences
from .stand_in.profiles import PROFILES, Profile
from .stand_in.settings import Settings

SPACE = "lunalectric-prod"
CONFIG = "etc/opt/mondoo/mondoo.yml"
DEBIAN = {
    "name": "debian",
    "arch": "x86_64",
    "title": "Debian GNU/Linux 12 (bookworm)",
    "family": ["debian", "linux", "unix", "os"],
    "version": "12.11",
}
MESSAGES = {403: "permission denied", 404: "agent not found", 429: "too many requests", 500: "internal"}
NOBODY = 65534


class NotHere(Exception):
    """A state that cannot be arranged on this machine; the text is the reason."""


class Lab:
    """One platform, one proxy, and a new host for each recording."""

    def __init__(self) -> None:
        self.platform, self.secure = Platform(), Platform(tls=True)
        self.proxy = Proxy(user="fleet", password="s3cret")

    def __enter__(self) -> Lab:
        for server in (self.platform, self.secure, self.proxy):
            server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        for server in (self.platform, self.secure, self.proxy):
            server.__exit__(None, None, None)

    def compare(self, recording: Recording) -> list[str]:
        """Arrange the state, run the stand-in, and return the differences. Raises NotHere."""
        for platform in (self.platform, self.secure):
            platform.clear_faults()
            platform.clock_offset = 0
            platform.judge_signatures_by_offset = True
        host = Host(self, recording)
        usual = agent_manager.API_VERSION
        try:
            host.arrange()
            outcome = host.run()
            return differences(recording, outcome, host.names)
        finally:
            agent_manager.API_VERSION = usual
            host.remove()


class Host:
    """A host for one recording. `names` are its own words for what the recordings call otherwise."""

    def __init__(self, lab: Lab, recording: Recording) -> None:
        self.lab, self.recording = lab, recording
        self.platform = lab.secure if recording.state == "status-proxy-407" else lab.platform
        self.root = Path(tempfile.mkdtemp(prefix="host-"))
        self.root.chmod(0o755)
        self.account: dict[str, Any] = {}
        self.agent_mrn = ""
        self.token = ""
        self.environment: dict[str, str] = dict(recording.run["env"])
        self.endpoint = self.platform.url
        self.names = {str(self.root): "", self.platform.url: "<endpoint>"}
        self.settings: dict[str, Any] = {
            "version": recording.version,
            "root": str(self.root),
            "hostname": "web01",
            "ip": "192.0.2.2",
            "platform": DEBIAN,
            "default_endpoint": self.platform.url,
        }

    def remove(self) -> None:
        """Take the host away."""
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def profile(self) -> Profile:
        return PROFILES[self.recording.version]

    @property
    def config(self) -> Path:
        return self.root / CONFIG

    @property
    def home_config(self) -> Path:
        return self.root / "root/.config/mondoo/mondoo.yml"

    def arrange(self) -> None:
        """Bring host and platform into the state of the recording. Raises NotHere."""
        if self.recording.state == "login-no-space-token" and not self.profile.judges_token:
            raise NotHere("the recorded platform registered a token without a space, the sandbox refuses it")
        self._register()
        self._world()
        mismatch = self.recording.state == "status-api-mismatch"
        agent_manager.API_VERSION = "99" if mismatch else self.profile.api_version
        self._configuration()
        self._token()
        self._tamper()

    def _register(self) -> None:
        """Make the service account and the agent that the configuration will name."""
        self.account = self.platform.create_service_account(space=SPACE)
        self.agent_mrn = f"//agents.api.mondoo.app/spaces/{SPACE}/agents/{'A' * 27}"

    def _world(self) -> None:
        """Set what the platform, the network and the release site do in this state."""
        state, fault = self.recording.state, self.platform.fault
        html = re.fullmatch(r"status-(\d+)-(html|empty)|status-(407)", state)
        refused = re.fullmatch(r"status-ping-(\d+)|login-(403|429)", state)
        register = re.fullmatch(r"login-(\d+)-(html|empty)", state)
        slow = re.fullmatch(r"status-slow-(check|ping)-(\d+)s", state)
        if html:
            for method in ("Check", "PingPong"):
                fault(method=method, status=int(html[1] or html[3]), body=html[2] or "html")
        elif register:
            fault(method="RegisterAgent", status=int(register[1]), body=register[2])
        elif refused:
            status = int(refused[1] or refused[2])
            fault(method="PingPong" if refused[1] else "RegisterAgent", status=status, message=MESSAGES[status])
        elif slow:
            self._slow(slow[1], int(slow[2]))
        elif state == "status-health-503-empty-ping-ok":
            fault(method="Check", status=503, body="empty")
        elif state == "login-aborted-once":
            fault(method="RegisterAgent", status=409, code=10, message="aborted", times=1)
        elif state == "login-dropped-after-acting":
            fault(method="RegisterAgent", hangup="after")
        elif state in ("status-refused", "login-unreachable", "logout-unreachable"):
            self._nothing_listens()
        elif state == "status-no-dns":
            self.endpoint, self.settings["releases_unreachable"] = "https://us.api.mondoo.com", "dns"
            self.names["https://us.api.mondoo.com"] = "<endpoint>"
        elif state == "status-releases-unreachable":
            self.settings["releases_unreachable"] = True
            self.names["127.0.0.9:443"] = "<refusing>"
        elif state in ("status-revoked", "status-revoked.debug", "logout-revoked", "status-after-logout"):
            self.platform.revoke_service_account(self.account["mrn"])
        elif state == "login-after-logout-no-token":
            self.platform.revoke_service_account(self.account["mrn"])
        elif state == "status-provider-outdated":
            self.settings["outdated_providers"] = ["core"]
        elif state == "status-proxy-407":
            self.environment["SSL_CERT_FILE"] = str(self.platform.ca)

    def _slow(self, method: str, seconds: int) -> None:
        """Answer late. cnspec warns from 5 s on; its limit of 30 s is lowered so that the test need not wait."""
        delay = 5.2 if method == "check" and seconds == 20 else 1.5
        if seconds == 100:
            self.settings["http_timeout"] = 0.7
        self.platform.fault(method="Check" if method == "check" else "PingPong", delay=delay)

    def _nothing_listens(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.endpoint = f"http://{address}"
        self.names = {**self.names, self.endpoint: "<endpoint>", address: "<refusing>"}

    def _configuration(self) -> None:
        """Write the configuration that the state began with."""
        state = self.recording.state
        if state.startswith("login"):
            text = self._before_login()
        elif state in ("logout-revoked", "logout-unreachable"):
            text = self._registered()
        else:
            text = self.recording.template() if state != "logout" else None
        if text is None:
            return
        path = self.config
        if state == "status-home-shadows-system":
            path = self.home_config
            self._write(self.config, self._real(self._registered()), 0o644)
        self._write(path, self._real(text), int(str(self.recording.run.get("config_mode") or "0644"), 8))

    def _registered(self) -> str:
        """Return a masked configuration of a registered host."""
        text = (self.recording.folder.parent / "login" / "mondoo.yml").read_text(encoding="utf-8")
        return text

    def _before_login(self) -> str | None:
        """Return what was there before a login, masked; nothing for most."""
        state, registered = self.recording.state, self._registered()
        if self.recording.run["exit"]:
            return self.recording.template()  # a login that fails leaves what was there
        if state == "login-managed":
            return json.dumps({**self.account, "api_endpoint": self.platform.url})
        if state in ("login-again-plain", "login-no-token-when-registered"):
            named = re.search(r"^name: .*$", self.recording.template() or "", re.MULTILINE)
            return registered.replace('name: ""', named[0] if named else "")
        if state == "login-over-malformed-config":
            return "mrn: [\n"
        if state == "login-over-settings":
            extra = "custom_key: keep me\nauto_update: true\nscan_interval:\n    timer: 15\n    splay: 5\nannotations:\n    owner: someone\n"
            return "# a comment that goes\nAPI_Endpoint: https://us.api.mondoo.com\n" + extra
        return registered if state == "login-again" else None

    def _write(self, path: Path, text: str, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def _real(self, text: str) -> str:
        """Put this host's identity and world in the place of the masks."""
        text = text.replace("https://us.api.mondoo.com", self.endpoint)
        text = text.replace("http://fleet:s3cret@127.0.0.1:3128", self.lab.proxy.url_with_password)
        wrong = self.lab.proxy.url_with_password.replace("s3cret", "wrong")
        text = text.replace("http://fleet:wrong@127.0.0.1:3128", wrong)
        self.names |= {self.lab.proxy.url_with_password: "<proxy>", wrong: "<proxy>"}
        text = re.sub(r"(?<=agents/)[0-9A-Za-z]{27}", "A" * 27, text)
        text = re.sub(rf"//\S+/spaces/{SPACE}/serviceaccounts/[0-9A-Za-z]{{27}}", self.account["mrn"], text)
        in_json = text.startswith("{")
        for kind, key in (("CERTIFICATE", "certificate"), ("PRIVATE KEY", "private_key")):
            lines = self.account[key].strip().splitlines()
            block = "\\n".join(lines) if in_json else "\n    ".join(lines)
            text = text.replace(f"-----BEGIN {kind}-----(masked)-----END {kind}-----", block)
        return text

    def _token(self) -> None:
        """Mint the token, then move the clock: the host believed in the token."""
        state = self.recording.state
        lifetime = -60 if state == "login-expired-token" else 600
        claims: dict[str, Any] = {"desc": None if state == "login-revoked-token" else "lab token"}
        if state == "login-unreachable":
            claims["api_endpoint"] = self.endpoint
        space = None if state == "login-no-space-token" else SPACE
        self.token = self.platform.mint_token(space=space, lifetime=lifetime, **claims)
        if state == "login-revoked-token":
            self.platform.revoke_token(self.token)
        moved = re.search(r"(clock-off|skew)-(minus-)?(\d+)(s|h)$", state)
        if moved:
            seconds = int(moved[3]) * (3600 if moved[4] == "h" else 1)
            behind = moved[2] or state == "status-clock-off-40s"
            self.platform.clock_offset = -seconds if behind else seconds
            self.platform.judge_signatures_by_offset = moved[1] == "clock-off"
        if "MONDOO_CONFIG_BASE64" in self.environment:
            document = json.dumps({**self.account, "api_endpoint": self.platform.url})
            self.environment["MONDOO_CONFIG_BASE64"] = base64.b64encode(document.encode()).decode()

    def _tamper(self) -> None:
        """Damage the configuration where the state is a damaged one."""
        state = self.recording.state
        if state == "status-bad-pem":
            text, not_a_key = self.config.read_text(), base64.b64encode(b"not a key").decode()
            pattern = r"(-----BEGIN PRIVATE KEY-----\n).*?(\n    -----END PRIVATE KEY)"
            self.config.write_text(re.sub(pattern, rf"\1    {not_a_key}\2", text, flags=re.DOTALL))
        elif state == "status-broken-key":
            head, mark, tail = self.config.read_text().rpartition("    -----END PRIVATE KEY")
            self.config.write_text(f"{head}  {mark.strip()}{tail}")
        elif state == "status-unreadable-as-nobody":
            self._write(self.config, self._real(self._registered()), 0o600)

    def run(self) -> Outcome:
        """Run the stand-in as the recording was run."""
        command = self.root / "usr/bin/cnspec"
        install(str(command), Settings(**self.settings))
        if self.recording.name in ("login-timer", "logout"):
            first = ["login", "--token", self.token, "--config", str(self.config), *self._interval()]
            subprocess.run([command, *first], env=self._environment(), check=True, capture_output=True)
        argv = [str(command), *(self._argument(word) for word in self.recording.run["args"])]
        if self.recording.name == "status-ok.tty":
            code, stdout, stderr = _run_on_terminal(argv, self._environment())
        elif self.recording.name == "status-unreadable-as-nobody":
            code, stdout, stderr = self._run_as_nobody(argv)
        else:
            done = subprocess.run(argv, env=self._environment(), capture_output=True, cwd=self.root, check=False)
            code, stdout, stderr = done.returncode, done.stdout, done.stderr
        files = {"stdout": stdout.decode(), "stderr": stderr.decode()}
        return Outcome(code, _mode(self.config), {**files, **self._configurations()})

    def _interval(self) -> list[str]:
        """Return the flags that the state login-timer was recorded after; older versions do not have them."""
        known = any(flag.name == "timer" for flag in self.profile.login_flags)
        return ["--timer", "30", "--splay", "10"] if self.recording.name == "login-timer" and known else []

    def _configurations(self) -> dict[str, str]:
        """Return the files after the run, under the names that the recordings have for them."""
        state, found = self.recording.state, {}
        if state == "status-home-shadows-system" or state == "status-unreadable-as-nobody":
            return {"mondoo.yml": self.config.read_text()} if state == "status-home-shadows-system" else {}
        if self.config.exists():
            found["mondoo.yml"] = self.config.read_text()
        if self.home_config.exists():
            found["home-mondoo.yml"] = self.home_config.read_text()
        return found

    def _argument(self, word: str) -> str:
        if word == "/etc/opt/mondoo/mondoo.yml":
            return str(self.config)
        if word == "http://fleet:s3cret@127.0.0.1:3128":
            self.names[self.lab.proxy.url_with_password] = "<proxy>"
            return self.lab.proxy.url_with_password
        return self.token if word == "<token>" else word

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "root"), "TZ": "UTC", **self.environment}

    def _run_as_nobody(self, argv: list[str]) -> tuple[int, bytes, bytes]:
        """Run as a user who may not read the configuration: nobody, or oneself without the right."""
        environment = {**self._environment(), "HOME": "/nonexistent"}
        if os.geteuid():
            self.config.chmod(0)
            done = subprocess.run(argv, env=environment, capture_output=True, check=False)
            return done.returncode, done.stdout, done.stderr
        found = next((path for path in (sys.executable, "/usr/bin/python3") if _nobody_runs(path)), None)
        if found is None:
            raise NotHere("nobody may run no Python >= 3.10 of this machine")
        done = subprocess.run([found, "-I", *argv], env=environment, user=NOBODY, capture_output=True, cwd="/", check=False)
        return done.returncode, done.stdout, done.stderr


def _nobody_runs(python: str) -> bool:
    try:
        check = [python, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]
        return subprocess.run(check, user=NOBODY, capture_output=True, cwd="/", check=False).returncode == 0
    except OSError:
        return False


def _mode(path: Path) -> str | None:
    return f"{path.stat().st_mode & 0o7777:04o}" if path.exists() else None


def _run_on_terminal(argv: list[str], environment: dict[str, str]) -> tuple[int, bytes, bytes]:
    """Run with a terminal as stdin, stdout and stderr, as the recording was made."""
    import pty

    near, far = pty.openpty()
    with subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, env=environment) as process:
        os.close(far)
        shown = b""
        while True:
            try:
                read = os.read(near, 4096)
            except OSError:
                break
            if not read:
                break
            shown += read
    os.close(near)
    return process.returncode, shown, b""
