# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of one cnspec login, by what it left in the copy of the config, and by its words. Pure.

Its exit code says nothing: an expired or invalid token ends in 0, a registration whose first ping failed in 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import status_reason
from .cnspec_judgement import did_not_end, panicked, why_not_reached
from .config import Config
from .credentials import load_key
from .host_records import Ran
from .problems import NOT_REACHED
from .status_lines import clean, read_line

NOTHING = "Nothing was made"
CONSOLE = "Make a new one in the console"
# The platform's own word that it will not; it did not act.
REFUSED = ("InvalidArgument", "NotFound", "AlreadyExists", "PermissionDenied", "FailedPrecondition", "OutOfRange")
# Reasons that hold before a byte of the request is written, and of these the ones that trying again does not change.
BEFORE = ("dns", "refused", "no_route", "proxy_refused", "proxy_authentication", "proxy_invalid", "wrong_endpoint")
LASTING = ("tls", "tls_expired", "proxy_authentication", "proxy_invalid", "wrong_endpoint")


@dataclass(frozen=True)
class Registered:
    """A login that registered. `credential` is empty when a service account signed for it."""

    agent_mrn: str
    credential: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Failed:
    """A login that did not. `acted`: the agent that may have been made all the same, by its MRN or as `unknown`.

    `again`: nothing was made, and trying again may help.
    """

    cause: str
    remedy: str
    code: str
    acted: str | None = None
    again: bool = False


def judge_login(ran: Ran, copy: Config, by_token: bool) -> Registered | Failed:
    """Judge a login by token, or by the service account that was in the copy already."""
    agent_mrn = copy.agent_mrn
    if not by_token and agent_mrn is not None:
        return Registered(agent_mrn)
    credential = _credential(copy)
    if agent_mrn is not None and credential:
        return Registered(agent_mrn, credential)
    if by_token and (agent_mrn or copy.text("mrn") or copy.text("private_key")):
        return maybe("what it left in the config is not a whole identity", agent_mrn)
    return _failure(ran, by_token)


def maybe(cause: str, agent_mrn: str | None = None) -> Failed:
    """Return the failure after which an agent may be there that nobody uses."""
    remedy = "An agent of this name may have been made; look for it in the console before running again"
    return Failed(f"{cause}, after cnspec login was started", remedy, "maybe_registered", agent_mrn or "unknown")


def _credential(copy: Config) -> dict[str, str]:
    names = ("mrn", "private_key", "certificate", "api_endpoint")
    found = {name: copy.text(name) or "" for name in names}
    if not (found["mrn"] and found["certificate"] and load_key(found["private_key"])):
        return {}
    return {name: text for name, text in {**found, "scope_mrn": copy.space_mrn or ""}.items() if text}


def _failure(ran: Ran, by_token: bool) -> Failed:
    if ran.problem is not None or not ran.found:
        cause = f"cnspec login could not be run ({ran.problem or 'it is not there'})"
        return Failed(cause, f"{NOTHING}; mend that, set cnspec_path, or set method: api", "cnspec_failed")
    error = _error(ran)
    for words, failure in _BEFORE_CALLING.items():
        if error.startswith(words):
            return failure
    if panicked(ran):
        return maybe("cnspec crashed, as it does when the platform's answer is empty")
    if not error:
        return maybe(did_not_end("login", ran) or f"cnspec ended with exit code {ran.rc} and does not say why")
    return _by_answer(error, by_token, ran)


def _error(ran: Ran) -> str:
    """Return the error that ended a login, without what only led to it; empty when it names none."""
    last = ""
    for raw in clean(f"{ran.stderr}\n{ran.stdout}")[0].splitlines():
        line = read_line(raw)
        text = line.text.removeprefix("Error: ").strip()
        if line.message.startswith("could not write mondoo configuration") and line.error:
            return "could not write mondoo configuration"
        if text.startswith("failed to log in client due to") and line.error:
            continue  # a retry of its own
        if text.startswith(tuple(_BEFORE_CALLING)):
            return text
        if text.startswith("failed to log in client"):
            last = line.error or text
    return last


_HOST_CLOCK = "cnspec says that the registration token is expired, by the host's clock"
_BEFORE_CALLING = {
    "The token is expired": Failed(_HOST_CLOCK, f"{CONSOLE}, or set the host's clock right", "token_expired"),
    "The token is not a valid token": Failed(
        "cnspec says that the registration token is not valid", CONSOLE, "identity_refused"
    ),
    "could not initialize certificate authentication": Failed(
        "cnspec cannot use the credentials document", f"{NOTHING}; copy the whole document anew", "identity_refused"
    ),
    "could not parse proxy URL": Failed(
        "cnspec cannot use the proxy", f"{NOTHING}; correct api_proxy, or the host's HTTPS_PROXY", "unreachable"
    ),
    "unknown flag": Failed(
        "cnspec login does not know its own flags", f"{NOTHING}; look at what cnspec_path names", "cnspec_failed"
    ),
    "unknown command": Failed(
        "the cnspec of this host has no login", f"{NOTHING}; update it, or set method: api", "cnspec_failed"
    ),
    "could not write mondoo configuration": maybe("cnspec could not write what it was given"),
}


def _by_answer(error: str, by_token: bool, ran: Ran) -> Failed:
    """Judge an error that came of calling the platform."""
    code, said = status_reason.classify(error), status_reason.platform_code(error)
    if said == "Unauthenticated":
        return _identity_refused(by_token, ran)
    if said in ("Aborted", "ResourceExhausted"):
        remedy = f"{NOTHING}; run again later, or raise timeout"
        return Failed(f"the platform had too much to do ({said})", remedy, "busy", again=True)
    if said in REFUSED:
        identity = "registration token" if by_token else "credentials document"
        remedy = f"Check what the {identity} may do in this space"
        return Failed(f"the platform refused ({said})", remedy, "refused")
    if code is not None and _before(code, error.lower()):
        remedy = f"{NOTHING}; check the way from the host to the platform (api_endpoint, api_proxy)"
        cause = f"the platform was not reached from the host: {why_not_reached(code)}"
        return Failed(cause, remedy, "unreachable", again=code not in LASTING)
    if code is not None and code in NOT_REACHED:
        return maybe(f"the platform did not answer: {why_not_reached(code)}")
    return maybe("the platform answered with an error" if said or "rpc error" in error else "cnspec failed")


def _before(code: str, error: str) -> bool:
    """Tell whether an error came before a byte of the request was written."""
    if "rpc error" in error:
        return code == "proxy_authentication"
    if code == "timeout":
        return "dial tcp" in error or "handshake timeout" in error
    if code in ("tls", "tls_expired"):
        # With TLS 1.3 an alert of the other side may come after the request was sent.
        return "remote error" not in error or "handshake failure" in error
    return code in BEFORE


def _identity_refused(by_token: bool, ran: Ran) -> Failed:
    identity = "registration token" if by_token else "credentials document"
    cause = f"the platform does not accept the {identity} (expired, revoked, or of another platform)"
    if "possible clock skew detected" in ran.stderr:
        cause += "; the host's clock is off from the platform's"
    return Failed(cause, CONSOLE, "identity_refused")
