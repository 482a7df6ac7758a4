# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of the recordings, arranged again: what host, platform, proxy and release site do in each of them."""

from __future__ import annotations

import base64
import json
import re
import socket
from typing import Any

from . import Platform, Proxy
from .recorded_host import SPACE, Host
from .recordings import Recording, differences

MESSAGES = {403: "permission denied", 404: "agent not found", 429: "too many requests", 500: "internal"}


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
        # Only through a tunnel does a proxy's refusal reach cnspec as such.
        platform = self.secure if recording.state == "status-proxy-407" else self.platform
        platform.clear_faults()
        platform.clock_offset = 0
        platform.judge_signatures_by_offset = True
        host = Host(recording, platform, self.proxy.url_with_password)
        try:
            _set_faults(host)
            _set_network(host)
            _write_configuration(host)
            _mint_token(host)
            _damage(host)
            outcome = host.run(*_before(host))
            return differences(recording, outcome, host.names)
        finally:
            host.remove()


def _version_told(host: Host) -> dict[str, str]:
    """Return the answer of a platform that was as old as the client, but for one recording."""
    return {"apiVersion": "99" if host.state == "status-api-mismatch" else host.profile.api_version}


def _set_faults(host: Host) -> None:
    _spoil(host)
    # The first fault that fits a call is the one: this is for those that none of the others spoils.
    host.platform.fault(method="Check", answer=_version_told(host))


def _spoil(host: Host) -> None:
    state, fault = host.state, host.platform.fault
    spoiled = re.fullmatch(r"status-(\d+)-(html|empty)|status-(407)", state)
    refused = re.fullmatch(r"status-ping-(\d+)|login-(403|429)", state)
    register = re.fullmatch(r"login-(\d+)-(html|empty)", state)
    if spoiled:
        for method in ("Check", "PingPong"):
            fault(method=method, status=int(spoiled[1] or spoiled[3]), body=spoiled[2] or "html")
    elif register:
        fault(method="RegisterAgent", status=int(register[1]), body=register[2])
    elif refused:
        status = int(refused[1] or refused[2])
        fault(method="PingPong" if refused[1] else "RegisterAgent", status=status, message=MESSAGES[status])
    elif state.startswith("status-slow-"):
        _answer_late(host)
    elif state == "status-health-503-empty-ping-ok":
        fault(method="Check", status=503, body="empty")
    elif state == "login-no-space-token":
        # The recorded platform took a token without a space, and made an agent of no space.
        fault(method="RegisterAgent", answer_space="", answer={"credential": {"scope_mrn": None, "parent_mrn": None}})
    elif state == "login-aborted-once":
        fault(method="RegisterAgent", status=409, code=10, message="aborted", times=1)
    elif state == "login-dropped-after-acting":
        fault(method="RegisterAgent", hangup="after")
    elif "revoked" in state or "after-logout" in state:
        host.platform.revoke_service_account(host.account["mrn"])


def _answer_late(host: Host) -> None:
    """Answer late, without anybody having to wait: the host's clock is fast, and its limit of 30 s lowered."""
    check = "check" in host.state
    answer = _version_told(host) if check else {}
    delay = 0.3
    if host.state.endswith("-100s"):
        host.settings["http_timeout"], delay = 0.7, 1.0
    elif check:
        host.settings["clock_rate"] = 18.0  # cnspec warns from 5 s on
    host.platform.fault(method="Check" if check else "PingPong", delay=delay, answer=answer)


def _set_network(host: Host) -> None:
    state = host.state
    if state in ("status-refused", "login-unreachable", "logout-unreachable"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        host.endpoint = f"http://{address}"
        host.names = {**host.names, host.endpoint: "<endpoint>", address: "<refusing>"}
    elif state == "status-no-dns":
        host.endpoint, host.settings["releases_unreachable"] = "https://us.api.mondoo.com", "dns"
        host.names["https://us.api.mondoo.com"] = "<endpoint>"
    elif state == "status-releases-unreachable":
        host.settings["releases_unreachable"] = True
        host.names["127.0.0.9:443"] = "<refusing>"
    elif state == "status-provider-outdated":
        host.settings["outdated_providers"] = ["core"]
    elif state == "status-proxy-407":
        host.environment["SSL_CERT_FILE"] = str(host.platform.ca)


def _registered(host: Host) -> str:
    """Return a masked configuration of a registered host."""
    return (host.recording.folder.parent / "login" / "mondoo.yml").read_text(encoding="utf-8")


def _write_configuration(host: Host) -> None:
    """Write the configuration that the state began with."""
    state = host.state
    if state.startswith("login"):
        text = _before_login(host)
    elif state in ("logout-revoked", "logout-unreachable", "status-unreadable-as-nobody"):
        text = _registered(host)
    else:
        text = host.recording.template() if state != "logout" else None
    if state == "status-home-shadows-system":
        host.write(host.home_config, _registered(host), 0o644)
    if text is not None:
        private = "0600" if state == "status-unreadable-as-nobody" else "0644"
        host.write(host.config, text, int(host.recording.run.get("config_mode") or private, 8))


def _before_login(host: Host) -> str | None:
    """Return what was there before a login, masked; nothing for most."""
    state, registered = host.state, _registered(host)
    if host.recording.run["exit"]:
        return host.recording.template()  # a login that fails leaves what was there
    if state == "login-managed":
        return json.dumps({**host.account, "api_endpoint": host.platform.url})
    if state in ("login-again-plain", "login-no-token-when-registered"):
        named = re.search(r"^name: .*$", host.recording.template() or "", re.MULTILINE)
        return registered.replace('name: ""', named[0] if named else "")
    if state == "login-over-malformed-config":
        return "mrn: [\n"
    if state == "login-over-settings":
        kept = "custom_key: keep me\nauto_update: true\nscan_interval:\n    timer: 15\n    splay: 5\n"
        return f"# a comment\nAPI_Endpoint: https://us.api.mondoo.com\n{kept}annotations:\n    owner: someone\n"
    return registered if state == "login-again" else None


def _mint_token(host: Host) -> None:
    """Mint the token, then move the platform's clock: the host believed in the token."""
    state = host.state
    claims: dict[str, Any] = {"desc": None if state == "login-revoked-token" else "lab token"}
    if state == "login-unreachable":
        claims["api_endpoint"] = host.endpoint
    space = None if state == "login-no-space-token" else SPACE
    lifetime = -60 if state == "login-expired-token" else 600
    host.token = host.platform.mint_token(space=space, lifetime=lifetime, **claims)
    if state == "login-revoked-token":
        host.platform.revoke_token(host.token)
    moved = re.search(r"(clock-off|skew)-(minus-)?(\d+)(s|h)$", state)
    if moved:
        seconds = int(moved[3]) * (3600 if moved[4] == "h" else 1)
        behind = moved[2] or state == "status-clock-off-40s"
        host.platform.clock_offset = -seconds if behind else seconds
        host.platform.judge_signatures_by_offset = moved[1] == "clock-off"
    if "MONDOO_CONFIG_BASE64" in host.environment:
        document = json.dumps({**host.account, "api_endpoint": host.platform.url})
        host.environment["MONDOO_CONFIG_BASE64"] = base64.b64encode(document.encode()).decode()


def _damage(host: Host) -> None:
    """Damage the configuration where the state is a damaged one."""
    if host.state not in ("status-bad-pem", "status-broken-key"):
        return
    text = host.config.read_text(encoding="utf-8")
    if host.state == "status-bad-pem":
        not_a_key = base64.b64encode(b"not a key").decode()
        pattern = r"(-----BEGIN PRIVATE KEY-----\n).*?(\n    -----END PRIVATE KEY)"
        text = re.sub(pattern, rf"\1    {not_a_key}\2", text, flags=re.DOTALL)
    else:
        text = text.replace("    -----END PRIVATE KEY", "  -----END PRIVATE KEY")
    host.config.write_text(text, encoding="utf-8")


def _before(host: Host) -> list[list[str]]:
    """Return the commands that come before the recorded one: a login with an interval, a login to log out from."""
    if host.state not in ("login-timer", "logout"):
        return []
    known = host.state == "login-timer" and any(flag.name == "timer" for flag in host.profile.login_flags)
    interval = ["--timer", "30", "--splay", "10"] if known else []
    return [["login", "--token", host.token, "--config", str(host.config), *interval]]
