# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the table: what is found, and what is done for each question."""

from __future__ import annotations

from dataclasses import dataclass, field

from states import found
from states.rules import (
    DAMAGED,
    DAMAGED_ADOPTED,
    FORCED,
    GONE,
    GONE_HERE,
    GONE_SHARED,
    NEW,
    NEW_ADOPTED,
    NOT_THERE,
    NOTHING,
    OTHER,
    OTHER_ADOPTED,
    REJECTED,
    SET,
    Cell,
    fails,
    identity_missing,
    leaves,
)

Cells = dict[str, Cell]


@dataclass(frozen=True)
class Row:
    """What is found, in words; the builder makes it, and `cells` has what is done, by question."""

    about: str
    build: found.Builder
    cells: Cells
    further: Cells = field(default_factory=dict)


def every(registered: Cell, adopted: Cell, nothing: Cell, absent: Cell) -> Cells:
    """Return the cells of a host that has to be registered, whatever identity is given; without one, `nothing`."""
    given = dict.fromkeys(("token", "credentials", "force", "move"), registered)
    return {**given, "credentials not managed": adopted, "settings": nothing, "unset": nothing, "absent": absent}


UNREGISTERED = every(NEW, NEW_ADOPTED, identity_missing("not_registered"), NOT_THERE)
WELL: Cells = {
    "token": NOTHING,
    "credentials": OTHER,
    "credentials not managed": OTHER_ADOPTED,
    "settings": SET,
    "unset": SET,
    "absent": GONE,
    "force": FORCED,
    "move": NOTHING,
}
OF_THE_DOCUMENT: Cells = {
    **WELL,
    "credentials": Cell("register", "not_managed", "own agent"),
    "credentials not managed": Cell("none", None, "same account"),
    "absent": GONE_SHARED,
}
UNREADABLE = every(
    leaves(DAMAGED, "unknown", "lost"),
    leaves(DAMAGED_ADOPTED, "unknown", "lost"),
    identity_missing("config_invalid"),
    fails("config_invalid", "settings unread"),
)
GONE_UNREAD = leaves(GONE_HERE, "unknown", "gone unread")
BROKEN = every(DAMAGED, DAMAGED_ADOPTED, identity_missing("config_invalid"), GONE_HERE)
FORCED_UNASKED = leaves(FORCED, "agent", "forced, rejected")
REFUSED: Cells = {
    **every(REJECTED, REJECTED, identity_missing("credentials_rejected"), GONE_HERE),
    "force": FORCED_UNASKED,
    "credentials": leaves(OTHER, "agent", "other account, rejected"),
    "credentials not managed": leaves(OTHER_ADOPTED, "agent", "other account, rejected"),
}


def elsewhere(reason: str) -> Cells:
    """Return the cells of a host that is well registered in another place."""
    stays = fails(reason, "elsewhere")
    moved = Cell("register", reason, "moved")
    places = dict.fromkeys(("token", "credentials", "credentials not managed", "force"), stays)
    return {**WELL, **places, "move": moved}


def always(cell: Cell) -> Cells:
    """Return the same cell for every question."""
    return dict.fromkeys(WELL, cell)


REVOKED_DOCUMENT = fails("credentials_revoked", "revoked", "credentials_rejected")
EXPIRED = fails("token_expired", "expired", "not_registered")

ROWS = {
    "no file": Row("There is no file, nor anything else.", found.no_file, UNREGISTERED, {"expired token": EXPIRED}),
    "empty": Row("The file is empty.", found.empty, UNREGISTERED),
    "malformed YAML": Row(
        "A registered host's file, with a line at its end that is no YAML.",
        found.malformed,
        UNREADABLE,
        {"absent without settings": GONE_UNREAD},
    ),
    "cut in half": Row(
        "A registered host's file that ends in the middle of the private key.",
        found.cut_in_half,
        BROKEN,
        {"expired token": fails("token_expired", "expired", "config_invalid")},
    ),
    "JSON": Row("The credentials document as it was downloaded, in JSON.", found.as_json, OF_THE_DOCUMENT),
    "service account": Row(
        "The service account of the credentials document, without an agent.", found.service_account, OF_THE_DOCUMENT
    ),
    "managed agent": Row(
        "A host that was registered with a token.",
        found.managed,
        WELL,
        {
            "expired token": Cell("none", None, "not needed"),
            "endpoint": fails("wrong_endpoint", "elsewhere"),
            "force, agent kept": leaves(FORCED, "agent", "kept"),
            "absent, agent kept": leaves(GONE, "agent", "kept"),
        },
    ),
    "managed under the document": Row(
        "An agent under the service account of the credentials document, which other hosts share.",
        found.managed_under_document,
        {**WELL, "credentials": NOTHING, "credentials not managed": Cell("none", None, "same account")},
    ),
    "another space": Row(
        "A host that is well registered in another space.", found.another_space, elsewhere("wrong_space")
    ),
    "stale scope_mrn": Row(
        "A `scope_mrn` of another space beside the `space_mrn`; cnspec goes by the `scope_mrn`.",
        found.stale_scope,
        elsewhere("wrong_space"),
    ),
    "another endpoint": Row(
        "A host that is well registered at another platform; registering is asked for with an `api_endpoint`.",
        found.another_endpoint,
        elsewhere("wrong_endpoint"),
        {"no endpoint": NOTHING},
    ),
    "revoked": Row(
        "A registered host whose service account was revoked.",
        found.revoked,
        REFUSED,
        {"expired token": fails("token_expired", "expired", "credentials_rejected")},
    ),
    "revoked document": Row(
        "An agent under the credentials document, which was revoked.",
        found.revoked_document,
        {**REFUSED, "credentials": REVOKED_DOCUMENT, "credentials not managed": REVOKED_DOCUMENT},
    ),
    "another key": Row("A private key that does not belong to the certificate.", found.another_key, BROKEN),
    "expired certificate": Row("A registered host whose certificate has expired.", found.expired_certificate, REFUSED),
    "logged out": Row(
        "What `cnspec logout` leaves: the service account, which ended with its agent.",
        found.logged_out,
        {
            **every(leaves(REJECTED, ""), REJECTED, identity_missing("credentials_rejected"), GONE_SHARED),
            "credentials": OTHER,
            "credentials not managed": OTHER_ADOPTED,
            "force": leaves(FORCED_UNASKED, ""),
        },
    ),
    "settings only": Row("Settings, and no identity.", found.settings_only, UNREGISTERED),
    "unreadable": Row(
        "A file that the remote user may not read.", found.unreadable, always(fails("config_unreadable", "no config"))
    ),
    "symlink": Row("A symbolic link to a registered host's file.", found.symlink, WELL),
    "directory": Row("A directory.", found.directory, always(fails("config_path", "no config"))),
    "home config": Row(
        "A registered host, and another config in `~/.config/mondoo`, which a bare `cnspec` reads instead. It is left "
        "alone; `mondoo_status` reports it (`config_shadowed`).",
        found.shadowed_by_home,
        WELL,
    ),
    "MONDOO_CONFIG_BASE64": Row(
        "A registered host, and another config in the environment variable of the service, which is left alone: "
        "the file alone is looked at and written.",
        found.base64_in_environment,
        WELL,
    ),
    "dotted scan_interval": Row(
        "A registered host with `scan_interval.timer` as one key, as `cnspec login` wrote it until 13.24.",
        found.dotted_scan_interval,
        WELL,
    ),
    "api-proxy": Row("A registered host with `api-proxy`, as cnspec 8 wrote it.", found.api_proxy_of_8, WELL),
    "both auto updates": Row(
        "A registered host with `auto-update` and `auto_update`, which say different things.",
        found.both_auto_updates,
        WELL,
    ),
}

# Rows for single questions that the others leave open.
FURTHER_ROWS = {
    "cut in the certificate": Row(
        "A registered host's file that ends in the middle of the certificate.",
        found.cut_in_certificate,
        {},
        {"token": DAMAGED},
    ),
    "damaged under the document": Row(
        "An agent under the credentials document, in a file that ends in the middle of the private key.",
        found.damaged_under_document,
        {},
        {
            "credentials": Cell("register", "config_invalid", "mended"),
            "absent with credentials": Cell("unregister", None, "mended"),
        },
    ),
    "nothing but an identity": Row(
        "A registered host's file without any setting.", found.bare_identity, {}, {"absent": GONE}
    ),
    "settings to go": Row("A registered host with settings.", found.managed, {}, {"absent without settings": GONE}),
    "readable by all": Row(
        "A registered host's file that others can read.",
        found.readable_by_all,
        {},
        {"token": Cell("configure", None, "closed")},
    ),
}
