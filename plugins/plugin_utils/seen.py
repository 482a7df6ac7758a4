# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hands saw beside the output of cnspec, as far as a diagnosis needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.mondoo.fleet.plugins.plugin_utils import clock, config, credentials, units
from ansible_collections.mondoo.fleet.plugins.plugin_utils.clock import Clock
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host_records import Answer, Look, Ran, System
from ansible_collections.mondoo.fleet.plugins.plugin_utils.units import Unit

# The unit of the AUR package is called mondoo; elsewhere that is an alias of cnspec.
AGENT_UNITS = ("cnspec", "mondoo")
FAMILIES = {
    "debian": "Debian",
    "ubuntu": "Debian",
    "rhel": "RedHat",
    "fedora": "RedHat",
    "centos": "RedHat",
    "amzn": "RedHat",
    "suse": "Suse",
    "opensuse": "Suse",
    "sles": "Suse",
}


@dataclass(frozen=True)
class Seen:
    """What is known of a host. None means that nobody looked, or that it could not be told.

    `config_kind` is that of the hands: file, missing, directory, other, relative, too_large or unreadable.
    `config_unreadable`: why the file is no mondoo.yml; `config_incomplete`: it has only a part of a service account.
    `certificate_until`: RFC 3339; whether it is over goes by the controller's clock.
    `cnspec_wanted`: the option cnspec_path. `time`: the host's clock, when it was looked at.
    `controller_offset`: host minus controller, in seconds.
    """

    family: str = ""
    installed: bool | None = None
    cnspec_wanted: str | None = None
    cnspec_path: str | None = None
    cnspec_problem: str | None = None
    config_path: str | None = None
    config_source: str | None = None
    config_kind: str | None = None
    config_mode: str | None = None
    config_changed: float | None = None
    config_unreadable: str | None = None
    config_incomplete: bool = False
    api_proxy: str | None = None
    shadow: str | None = None
    certificate_until: str | None = None
    certificate_expired: bool = False
    timed_out: bool = False
    time: float | None = None
    controller_offset: float | None = None
    clock: Clock = Clock()
    agent: Unit | None = None


NOTHING = Seen()  # what the filter knows: nobody looked


def from_answer(answer: Answer, cnspec_wanted: str = "") -> Seen:
    """Return what the hands saw, from one answer with a look and the commands status, units and those of clock."""
    look = answer.look
    if look is None:
        return Seen()
    found = units.parse(_output(answer.ran.get("units")))
    status = answer.ran.get("status")
    content = config.parse(look.config.content) if look.config.content is not None else config.Config()
    not_run = status.problem if status is not None else None
    until = _certificate_until(content)
    return Seen(
        family=family(look.system),
        installed=look.cnspec.path is not None and look.cnspec.executable and not not_run,
        cnspec_wanted=cnspec_wanted or None,
        cnspec_path=look.cnspec.path,
        cnspec_problem=look.cnspec.problem or not_run,
        config_path=look.config.path,
        config_source=look.config.source,
        config_kind=look.config.kind,
        config_mode=look.config.mode,
        config_changed=look.config.mtime,
        config_unreadable=content.problem,
        config_incomplete=incomplete(content),
        api_proxy=content.text("api_proxy") or content.text("api-proxy"),
        shadow=look.shadow,
        certificate_until=until,
        certificate_expired=until is not None and _seconds(until) <= answer.round_trip[1],
        timed_out=status is not None and status.timed_out,
        time=look.time,
        controller_offset=_offset(answer, look),
        clock=clock.read({name: _output(answer.ran.get(name)) for name in clock.COMMANDS}, found),
        agent=next((found[name] for name in AGENT_UNITS if name in found), None),
    )


def incomplete(content: config.Config) -> bool:
    """Tell whether the file has a part of a service account, and not the whole."""
    if content.node("auth") is not None or content.node("type") is not None:
        return False  # the identity comes from elsewhere: ssh-agent, workload identity federation
    mrn, key = content.text("mrn"), content.text("private_key")
    return any((mrn, key, content.text("agent_mrn"), content.text("certificate"))) and not (mrn and key)


def family(system: System) -> str:
    """Return Debian, RedHat, Suse, Darwin or Windows; an empty text for any other system."""
    if system.system in ("Darwin", "Windows"):
        return system.system
    names = (system.os_id.lower(), *(name.lower() for name in system.os_like))
    return next((FAMILIES[name.split("-")[0]] for name in names if name.split("-")[0] in FAMILIES), "")


def _certificate_until(content: config.Config) -> str | None:
    pem = content.text("certificate")
    try:
        return credentials.certificate_valid_until(pem) if pem else None
    except FleetError:
        return None  # without the library, nobody can tell: a fact never fails


def _seconds(time: str) -> float:
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def _output(ran: Ran | None) -> str:
    """Return what a command said; nothing when it is not there, hung or failed."""
    return ran.stdout if ran is not None and ran.found and ran.rc == 0 else ""


def _offset(answer: Answer, look: Look) -> float:
    before, after = answer.round_trip
    # The clock is read last of all, so not before the commands were through.
    return clock.offset(look.time, min(after, before + sum(ran.seconds for ran in answer.ran.values())), after)
