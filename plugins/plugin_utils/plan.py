# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do with one host, and why: from what was found, what is wanted, and what the platform said. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .config import DEFAULT_ENDPOINT, Config, Edit, edit
from .credentials import ServiceAccount, certificate_fits, load_key
from .endpoint import normalise_endpoint
from .errors import FleetError
from .token import SPACE_PREFIX
from .verdict import Verdict
from .wanted import Wanted

# Reasons that take a host away from where it is.
MOVING = ("wrong_space", "wrong_endpoint")


@dataclass(frozen=True)
class Plan:
    """One decision.

    `action`: none, configure, register (a new agent), adopt (the document is the identity) or unregister.
    `settled` is the config with the wanted settings; for register and adopt the identity is yet to be put into it.
    """

    action: str
    reason: str | None
    settled: Config

    @property
    def changes(self) -> bool:
        """Tell whether applying the plan changes the host."""
        return self.action != "none"


def reason_to_register(found: Config, wanted: Wanted, verdict: Verdict) -> str | None:
    """Return why the host has to be registered anew; None when it is well registered."""
    if found.problem is not None:
        return "config_invalid"
    account = found.account
    if account is None:
        # cnspec writes its keys by name: a file that is cut off early has only the first of these.
        half = any(map(found.text, ("agent_mrn", "certificate", "mrn", "private_key")))
        return "config_invalid" if half else "not_registered"
    if load_key(account.private_key) is None or not certificate_fits(account):
        return "config_invalid"
    if wanted.space_mrn and found_space(found) not in (None, wanted.space_mrn):
        return "wrong_space"
    if wanted.endpoint and normalise_endpoint(account.api_endpoint or DEFAULT_ENDPOINT) != wanted.endpoint:
        return "wrong_endpoint"
    if wanted.document is not None and wanted.document.account.mrn != account.mrn:
        return "other_service_account"
    if wanted.document is not None and wanted.managed and found.agent_mrn is None:
        return "not_managed"
    if verdict is Verdict.REJECTED:
        return "credentials_rejected"
    return "forced" if wanted.force else None


def found_space(found: Config) -> str | None:
    """Return the space of a config; where no key names it, the MRN of the agent or service account does."""
    return found.space_mrn or space_of(found.agent_mrn) or space_of(found.text("mrn"))


def space_of(mrn: str | None) -> str | None:
    """Return the space in `//agents.api.mondoo.app/spaces/<id>/...`; None when there is none."""
    parts = (mrn or "").split("/spaces/", 1)
    return SPACE_PREFIX + parts[1].split("/", 1)[0] if len(parts) == 2 and parts[1] else None


def needs_verdict(found: Config, wanted: Wanted) -> bool:
    """Tell whether the plan depends on what the platform says of the identity that was found."""
    reason = reason_to_register(found, wanted, Verdict.UNASKED)
    return reason is None or (reason in MOVING and not wanted.move)


def make_plan(found: Config, wanted: Wanted, verdict: Verdict, now: float) -> Plan:
    """Decide. `now` (the platform's time, seconds since the epoch) matters only where the token is needed.

    Raises FleetError where the host must be registered anew and that is impossible or not allowed.
    """
    reason = reason_to_register(found, wanted, verdict)
    base = Config() if found.problem is not None else found
    settled = edit(base, Edit(settings=wanted.settings, unset=wanted.unset))
    if reason is None:
        return Plan("none" if settled is base else "configure", None, settled)
    if reason in MOVING and not wanted.move and verdict is not Verdict.REJECTED:
        raise _not_moved(reason, found, wanted)
    _require_identity(reason, found, wanted, now)
    adopt = wanted.document is not None and not wanted.managed
    return Plan("adopt" if adopt else "register", reason, settled)


def plan_departure(found: Config, *, keep_settings: bool) -> Plan:
    """Decide how a host's config is when the host is registered no more; without content there is to be no file.

    Raises FleetError (code `config_invalid`) where settings are to be kept and cannot be read.
    """
    nothing = Config()
    if found.problem is not None and keep_settings:
        cause = f"its config cannot be read ({found.problem}), so the settings in it cannot be kept"
        remedy = "Mend it, or set keep_settings: false to remove it whole"
        raise FleetError("take the host off", cause, remedy, code="config_invalid")
    if found.problem is not None:
        return Plan("unregister", None, nothing)
    left = edit(found, Edit(identity={}))
    if left is not found and not (left.root is not None and left.root.value):
        left = nothing
    if not keep_settings and found.content is not None:
        left = nothing
    return Plan("none" if left is found else "unregister", None, left)


def leaving_signer(found: Config, wanted: Wanted) -> ServiceAccount | None:
    """Return the identity that can sign for what is found; None when there is none with a usable key."""
    account, document = found.account, wanted.document
    if account is not None and load_key(account.private_key) is not None:
        return account
    # The file is damaged, but the document that was given is the service account that stood in it.
    same = document is not None and document.account.mrn == found.text("mrn")
    return document.account if document is not None and same else None


def _not_moved(reason: str, found: Config, wanted: Wanted) -> FleetError:
    if reason == "wrong_space":
        there, here = f"the space {found_space(found)}", f"the space {wanted.space_mrn}"
    else:
        there, here = normalise_endpoint(found.text("api_endpoint") or DEFAULT_ENDPOINT), str(wanted.endpoint)
    remedy = "Set move: true to move it, or give the token, credentials and endpoint of where it belongs"
    return FleetError(f"move the host to {here}", f"it is registered in {there}", remedy, code=reason)


def _require_identity(reason: str, found: Config, wanted: Wanted, now: float) -> None:
    """Raise FleetError unless the identity that the user gave can be used to register."""
    what = f"register the host ({reason})"
    if not wanted.has_identity:
        raise FleetError(
            what, "neither token nor credentials were given", "Give one of them", code="identity_missing", reason=reason
        )
    problem = wanted.token_problem or (wanted.claims.expiry_problem(now) if wanted.claims is not None else None)
    if problem is not None:
        cause = f"the registration token cannot be used: {problem.cause}"
        raise FleetError(what, cause, problem.remedy, code=problem.code, reason=reason)
    if wanted.document is not None and reason == "credentials_rejected" and found.account is not None:
        given = wanted.document.account
        if load_key(given.private_key) and given.private_key.strip() == found.account.private_key.strip():
            cause = "the platform rejects the very credentials that were given"
            remedy = "They were revoked or have expired; make new ones in the console"
            raise FleetError(what, cause, remedy, code="credentials_revoked", reason=reason)
