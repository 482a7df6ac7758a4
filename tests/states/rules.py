# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done in a cell of the table, and the rules behind it, each said once in plain words."""

from __future__ import annotations

from dataclasses import dataclass, replace

WHY = {
    "well": "The platform accepts the identity, and it is in the space and at the endpoint that are asked for.",
    "new": "There is no identity, so the host gets one.",
    "nothing to register with": "The host has to be registered, and neither a token nor credentials were given.",
    "other account": "The credentials belong to another service account than the one that the host has.",
    "own agent": "With managed: true the host is to be an agent of its own, and it is none.",
    "same account": "The document that is given is the service account of the host; an agent more does no harm.",
    "set": "The identity is good; only the settings are written.",
    "gone": "The agent is unregistered first, by its own identity; then the identity leaves the file.",
    "shared": "A service account may be shared with other hosts: it leaves the file, and stays on the platform.",
    "not registered": "There is no identity to remove, and nothing to unregister.",
    "forced": "force registers anew what is well registered; the old agent is unregistered by its own identity.",
    "forced, rejected": "force registers anew, whatever the platform says of the identity; one that is rejected "
    "cannot unregister its agent.",
    "damaged": "What is there is no identity that could sign a call, so the host gets a new one. "
    "The agent that the file names cannot be unregistered without its key.",
    "lost": "Nothing in the file can be read, so the host gets a new one; which agent it named nobody can tell.",
    "mended": "The file is damaged, but the document that is given is its service account, and signs for the agent.",
    "rejected": "The platform rejected the identity twice, the second time by its own clock. "
    "The old agent cannot be unregistered by an identity that is rejected.",
    "other account, rejected": "The credentials belong to another service account; the identity that the host has "
    "is rejected, so the old agent cannot be unregistered.",
    "revoked": "The platform rejects the very credentials that are given: another agent under them would be no better.",
    "gone here only": "An identity that cannot sign, or that is rejected, cannot unregister its agent: "
    "the identity leaves the file, and the agent is named.",
    "gone unread": "Nothing in the file can be read: the file goes, and which agent it named nobody can tell.",
    "settings unread": "Nothing in the file can be read, so its settings cannot be kept. "
    "With keep_settings: false the file goes.",
    "elsewhere": "The host is well registered in another space or at another endpoint. A token that was mistaken for "
    "another must not move a fleet, nor does force: move: true does.",
    "moved": "move: true takes the host where the token belongs; the old agent is unregistered by its own identity.",
    "no config": "No config can be read or written there, so nothing is asked of the platform.",
    "not needed": "The token is no good, and was not needed: that is a warning.",
    "expired": "The host has to be registered, and the token has expired.",
    "closed": "Others could read the private key: the file is closed for them.",
    "kept": "With unregister_previous: false the old agent stays on the platform, and is named.",
}


@dataclass(frozen=True)
class Cell:
    """What is done. `action` is that of the result, or `fail`; `why` a key of WHY; `code` that of an error.

    `left`: what left_behind names, `agent` for the one that was found, `unknown`, or nothing.
    """

    action: str
    reason: str | None = None
    why: str = ""
    code: str = ""
    left: str = ""

    @property
    def fails(self) -> bool:
        """Tell whether the task fails."""
        return self.action == "fail"


def fails(code: str, why: str, reason: str | None = None) -> Cell:
    """Return a cell that ends with an error."""
    return Cell("fail", reason, why, code)


def identity_missing(reason: str) -> Cell:
    """Return the error of a host that has to be registered with nothing."""
    return fails("identity_missing", "nothing to register with", reason)


def leaves(cell: Cell, left: str, why: str = "") -> Cell:
    """Return a cell that leaves an agent behind."""
    return replace(cell, left=left, why=why or cell.why)


NOTHING = Cell("none", None, "well")
SET = Cell("configure", None, "set")
GONE = Cell("unregister", None, "gone")
GONE_SHARED = Cell("unregister", None, "shared")
GONE_HERE = Cell("unregister", None, "gone here only", left="agent")
NOT_THERE = Cell("none", None, "not registered")
FORCED = Cell("register", "forced", "forced")
NEW = Cell("register", "not_registered", "new")
NEW_ADOPTED = Cell("adopt", "not_registered", "new")
OTHER = Cell("register", "other_service_account", "other account")
OTHER_ADOPTED = Cell("adopt", "other_service_account", "other account")
REJECTED = Cell("register", "credentials_rejected", "rejected", left="agent")
DAMAGED = Cell("register", "config_invalid", "damaged", left="agent")
DAMAGED_ADOPTED = Cell("adopt", "config_invalid", "damaged", left="agent")
