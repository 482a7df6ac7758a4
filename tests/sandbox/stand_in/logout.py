# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`cnspec logout`."""

from __future__ import annotations

import os
from typing import Any

from sandbox.stand_in import go_yaml, host
from sandbox.stand_in.api import Api, CallError, Signer, load_signer
from sandbox.stand_in.go_words import BadKey, os_error
from sandbox.stand_in.session import CommandError, Session

KEPT = (
    *("mrn", "scope_mrn", "parent_mrn", "space_mrn", "private_key", "certificate", "api_endpoint", "api_proxy"),
    *("auth", "features", "labels", "annotations", "category", "detect-cicd"),
)


def run(session: Session) -> int:
    """Unregister this client. With --force the exit code is 0 whatever the platform says."""
    session.announce_config()
    host.gather(session.profile, session.settings, session.log)
    if not session.has_credentials():
        raise CommandError("", 78)
    mrn = session.config.option("mrn")
    try:
        signer = load_signer(mrn, session.config.option("private_key"), session.log)
    except BadKey as error:
        text = f"cannot load retrieved key: {error}"
        session.log.error("could not initialize client authentication", error=text)
        raise CommandError("", 78) from None
    api = session.api_or_error("error while creating Mondoo API client")
    api.introduces_itself = True
    if not session.arguments.given.get("force"):
        words = "are you sure you want to revoke client access to Mondoo Platform? Use --force if you are sure"
        session.log.info(words)
        if session.profile.fatal_errors:
            return 1
        raise CommandError(session.profile.force_error, session.profile.force_exit)
    if mrn:
        _unregister(session, api, signer)
    _forget_agent(session)
    session.log.info(session.profile.goodbye.format(mrn=mrn))
    return 0


def _unregister(session: Session, api: Api, signer: Signer) -> None:
    try:
        api.call(session.endpoint(), "AgentManager/PingPong", {}, bearer=signer)
    except CallError as error:
        session.log.error("communication with Mondoo Platform failed", error=str(error))
        return
    session.log.info(f"client {signer.mrn} authenticated successfully")
    try:
        body = {"mrn": session.config.option("agent_mrn")}
        api.call(session.endpoint(), "AgentManager/UnRegisterAgent", body, bearer=signer)
    except CallError as error:
        session.log.error("failed to unregister client", error=str(error))


def _forget_agent(session: Session) -> None:
    """Rewrite the file with what the command knows of it, without the agent; key and certificate stay."""
    path = session.config.path
    if not os.path.exists(path):
        return
    session.log.debug("remove client information from config", path=path)
    kept: dict[str, Any] = {}
    for key in KEPT + session.profile.settings_keys:
        value = session.config.get(key) if key in session.config.values else session.config.option(key)
        if value:
            kept[key] = value
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(go_yaml.write_sigs(kept))
    except OSError as error:
        session.log.error("could not update Mondoo config", error=os_error("open", path, error))
