# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remedy for each problem, with the command for this family of systems."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

# `*` is every family that has no line of its own. The remedies of the first lines are those of the product
# documentation: https://mondoo.com/docs/cnspec/cnspec-adv-install/registration/
LOGIN = "cnspec login --token TOKEN --config {config}"
REGISTER = {
    "Windows": f"Register it with mondoo.fleet.mondoo_registration, or run there: {LOGIN}",
    "*": f"Register it with mondoo.fleet.mondoo_registration, or run there: sudo {LOGIN}",
}
REGISTER_AGAIN = {
    "Windows": f"Register it again with a new token: mondoo.fleet.mondoo_registration, or run there: {LOGIN}",
    "*": f"Register it again with a new token: mondoo.fleet.mondoo_registration, or run there: sudo {LOGIN}",
}
# Other words for the same refusal do not exist: an identity of another region is refused like one that was revoked.
REFUSED = "Register it again with a new token (or correct api_endpoint, if its space is not at {endpoint}): "
REFUSED_HERE = {
    "Windows": f"{REFUSED}mondoo.fleet.mondoo_registration, or run there: {LOGIN}",
    "*": f"{REFUSED}mondoo.fleet.mondoo_registration, or run there: sudo {LOGIN}",
}
LOOK = {
    "Windows": "Run there: cnspec status -o json -v --config {config}",
    "*": "Run there: sudo cnspec status -o json -v --config {config}",
}
HEALTH = "curl -sS {through}-X POST -H 'Content-Type: application/json' -d '{{}}' {endpoint}/Health/Check"
HEALTH_WINDOWS = (
    "Invoke-RestMethod {through}-Method Post -ContentType application/json -Body '{{}}' -Uri {endpoint}/Health/Check"
)
ASK_PLATFORM = {"Windows": f"Run there: {HEALTH_WINDOWS}", "*": f"Run there: {HEALTH}"}
TRUST = "If a proxy replaces certificates, let the host trust its CA"
SYNCHRONISE = "Synchronise its clock with a time server (NTP); run there"
CHRONY = "sudo systemctl enable --now chronyd && sudo chronyc makestep"

FIXES: dict[str, dict[str, str]] = {
    "cnspec_missing": {
        "Debian": "Add Mondoo's package repository and run there: sudo apt-get install cnspec",
        "RedHat": "Add Mondoo's package repository and run there: sudo dnf install cnspec",
        "Suse": "Add Mondoo's package repository and run there: sudo zypper install cnspec",
        "Darwin": "Run there: brew install mondoohq/mondoo/cnspec",
        "Windows": "Run there: choco install cnspec",
        "*": "Install cnspec: https://mondoo.com/docs/cnspec/ or set cnspec_path",
    },
    "cnspec_path": {"*": "Correct cnspec_path, or leave it out"},
    "cnspec_not_executable": {
        "Windows": "Install cnspec again, or set cnspec_path",
        "*": "Run there: sudo chmod 755 {cnspec}, or set cnspec_path",
    },
    "status_timed_out": ASK_PLATFORM,
    "cnspec_crashed": LOOK,
    "config_not_a_file": {"*": "Set config_path to the file mondoo.yml"},
    "config_unreadable": {"Windows": "Run the task as an administrator", "*": "Run the task with become: true"},
    "config_malformed": REGISTER_AGAIN,
    "config_invalid": REGISTER_AGAIN,
    "config_missing": REGISTER,
    "not_registered": REGISTER,
    "certificate_expired": REGISTER_AGAIN,
    "unauthenticated": REFUSED_HERE,
    "clock_first": {"*": "Do not register it again before its clock is right; that may be all there is to it"},
    "clock_skew": {
        "Debian": f"{SYNCHRONISE}: sudo apt-get install -y systemd-timesyncd && sudo timedatectl set-ntp true",
        "RedHat": f"{SYNCHRONISE}: sudo dnf install -y chrony && {CHRONY}",
        "Suse": f"{SYNCHRONISE}: sudo zypper install -y chrony && {CHRONY}",
        "Darwin": f"{SYNCHRONISE}: sudo systemsetup -setusingnetworktime on && sudo sntp -sS time.apple.com",
        "Windows": f"{SYNCHRONISE}: w32tm /resync /force",
        "*": "Synchronise its clock with a time server (NTP)",
    },
    "dns": {
        "Darwin": "Repair name resolution; run there: dscacheutil -q host -a name {host}",
        "Windows": "Repair name resolution; run there: Resolve-DnsName {host}",
        "*": "Repair name resolution; run there: getent hosts {host}",
    },
    "wrong_endpoint": {
        "*": "Correct api_endpoint in {config}; the platform's are https://us.api.mondoo.com and https://eu.api.mondoo.com"
    },
    "refused": {
        "Windows": "Allow the connection, or set api_proxy; run there: Test-NetConnection {host} -Port {port}",
        "*": f"Allow the connection, or set api_proxy; run there: {HEALTH}",
    },
    "no_route": {
        "Darwin": "Repair the network; run there: route -n get {host}",
        "Windows": "Repair the network; run there: Test-NetConnection {host} -TraceRoute",
        "*": "Repair the network; run there: ip route get $(getent hosts {host} | cut -d' ' -f1)",
    },
    "timeout": ASK_PLATFORM,
    "reset": ASK_PLATFORM,
    "tls_expired": {
        "Windows": f"Look at the clock of the host, then at the certificate: {HEALTH_WINDOWS}",
        "*": "Look at the clock of the host, then at the certificate; run there: "
        "openssl s_client -connect {host}:{port} </dev/null | openssl x509 -noout -issuer -dates",
    },
    "tls": {
        "Debian": f"{TRUST}: sudo cp CA.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates",
        "RedHat": f"{TRUST}: sudo cp CA.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust",
        "Suse": f"{TRUST}: sudo cp CA.crt /etc/pki/trust/anchors/ && sudo update-ca-certificates",
        "Darwin": f"{TRUST}: "
        "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain CA.crt",
        "Windows": f"{TRUST}: Import-Certificate -FilePath CA.crt -CertStoreLocation Cert:\\LocalMachine\\Root",
        "*": TRUST,
    },
    "proxy_refused": {
        "*": "Correct api_proxy with mondoo.fleet.mondoo_registration, or let the proxy answer this host"
    },
    "proxy_authentication": {
        "*": "Give api_proxy a user and a password that the proxy knows: http://USER:PASSWORD@PROXY:PORT"
    },
    "proxy_invalid": {"*": "Correct api_proxy with mondoo.fleet.mondoo_registration: http://PROXY:PORT"},
    "empty_answer": ASK_PLATFORM,
    "foreign_answer": ASK_PLATFORM,
    "unreachable": ASK_PLATFORM,
    "rate_limited": {"*": "Wait a few minutes and run again"},
    "server_error": {"*": "Wait a few minutes and run again"},
    "permission_denied": {"*": "Give its service account the role agent in the space, or register it again"},
    "not_found": REGISTER_AGAIN,
    "ping_failed": LOOK,
    "cannot_tell": LOOK,
    "config_shadowed": {"*": "Remove {shadow}, or always give cnspec --config {config}"},
    "config_mode": {"*": "Run there: sudo chmod 600 {config}"},
    "agent_not_running": {
        "Darwin": "Run there: sudo launchctl kickstart -k system/com.mondoo.client",
        "Windows": "Run there: Start-Service Mondoo",
        "*": "Run there: sudo systemctl enable --now {unit}",
    },
    "agent_failed": {
        "*": "Run there: sudo journalctl -n 20 -u {unit}; sudo systemctl enable {unit}; sudo systemctl restart {unit}"
    },
    "agent_masked": {"*": "Run there: sudo systemctl unmask {unit} && sudo systemctl enable --now {unit}"},
    "agent_not_restarted": {
        "Darwin": "Run there: sudo launchctl kickstart -k system/com.mondoo.client",
        "Windows": "Run there: Restart-Service Mondoo",
        "*": "Run there: sudo systemctl restart {unit}",
    },
    "clock_offset": {"*": "Compare the clocks of the controller and of the host with a time server (NTP)"},
    "clock_not_synchronized": {
        "Debian": "Run there: sudo timedatectl set-ntp true",
        "RedHat": f"Run there: {CHRONY}",
        "Suse": f"Run there: {CHRONY}",
        "Darwin": "Run there: sudo systemsetup -setusingnetworktime on",
        "Windows": "Run there: Start-Service w32time; w32tm /resync /force",
        "*": "Start a time service (NTP)",
    },
    "releases_required": {
        "*": "Allow https://releases.mondoo.com, or install cnspec 11.45 or later, which does without"
    },
    "releases_unreachable": {"*": "Allow https://releases.mondoo.com, or set updates_url to a mirror"},
    "update_available": {
        "Debian": "Run there: sudo apt-get update && sudo apt-get install --only-upgrade cnspec",
        "RedHat": "Run there: sudo dnf upgrade cnspec",
        "Suse": "Run there: sudo zypper update cnspec",
        "Darwin": "Run there: brew upgrade cnspec",
        "*": "Install the newer version",
    },
    "providers_outdated": {
        "Windows": "Run there: cnspec providers update",
        "*": "Run there: sudo cnspec providers update",
    },
    "api_version_mismatch": {"*": "Nothing has to be done; cnspec and platform understand each other"},
}


@dataclass(frozen=True)
class Place:
    """Where a remedy is to be applied. `proxy`: that of the config, its password masked."""

    family: str = ""
    config: str | None = None
    cnspec: str | None = None
    endpoint: str | None = None
    shadow: str | None = None
    unit: str | None = None
    proxy: str | None = None

    def fix(self, code: str) -> str:
        """Return the remedy for a problem, in one line."""
        lines = FIXES[code]
        return lines.get(self.family, lines["*"]).format_map(self._words())

    def _words(self) -> dict[str, t.Any]:
        endpoint = (self.endpoint or "https://us.api.mondoo.com").rstrip("/")
        parts = _address(endpoint)
        quote = _quote_windows if self.family == "Windows" else shlex.quote
        return {
            "config": quote(self.config or "/etc/opt/mondoo/mondoo.yml"),
            "cnspec": quote(self.cnspec or "/usr/bin/cnspec"),
            "endpoint": quote(endpoint),
            "host": quote(parts[0]),
            "port": parts[1],
            "shadow": quote(self.shadow or ""),
            "unit": self.unit or "cnspec",
            "through": self._through(quote),
        }

    def _through(self, quote: t.Callable[[str], str]) -> str:
        if self.proxy is None:
            return ""
        return f"{'-Proxy' if self.family == 'Windows' else '-x'} {quote(self.proxy)} "


def _address(endpoint: str) -> tuple[str, str]:
    """Return host and port of an endpoint, whatever was written there."""
    scheme, dummy, rest = endpoint.rpartition("://")
    host, colon, port = rest.split("/")[0].rpartition("@")[2].rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return host, port
    return rest.split("/")[0].rpartition("@")[2], "80" if scheme == "http" else "443"


def _quote_windows(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if not text.isalnum() and " " in text else text
