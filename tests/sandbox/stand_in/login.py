# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`cnspec login`."""

from __future__ import annotations

import random
import time
from typing import Any

from sandbox.stand_in import config_file, host, registration_token
from sandbox.stand_in.api import Api, CallError, Signer, load_signer
from sandbox.stand_in.go_words import BadKey, rfc1123
from sandbox.stand_in.session import CommandError, Crash, Fatal, Session

REGISTER = "AgentManager/RegisterAgent"


def run(session: Session) -> int:
    """Register, or go on with what the configuration has. Returns the exit code."""
    here = host.gather(session.profile, session.settings, session.log)
    api = session.api_or_error("could not parse proxy URL")
    api.introduces_itself = True
    for name in ("timer", "splay"):
        if session.arguments.given.get(name, 0) > 0:
            _set_interval(session, name, session.arguments.given[name])
    for name in ("updates-url", "providers-url"):
        if session.arguments.given.get(name):
            session.config.overrides[name.replace("-", "_")] = session.arguments.given[name]
    token = str(session.arguments.given.get("token", "")).strip()
    outcome = _by_token(session, api, here, token) if token else _by_configuration(session, api, here)
    if isinstance(outcome, int):
        return outcome
    endpoint, mrn, private_key = outcome
    _store(session)
    _verify(session, api, endpoint, mrn, private_key)
    return 0


def _set_interval(session: Session, name: str, minutes: int) -> None:
    if session.profile.dotted_interval:
        session.config.overrides[f"scan_interval.{name}"] = minutes
    else:
        session.config.overrides.setdefault("scan_interval", {})[name] = minutes


def _by_token(session: Session, api: Api, here: host.Host, token: str) -> int | tuple[str, str, str]:
    claims = _judged(session, token)
    if isinstance(claims, int):
        return claims
    endpoint = _chosen_endpoint(session, claims.api_endpoint if claims else "")
    body = {
        "token": token,
        "name": _name(session, here),
        "agent_info": here.agent_info(session.profile, session.settings),
    }
    confirmation = _register(session, api, endpoint, body, token)
    credential = confirmation.get("credential")
    if not isinstance(credential, dict):
        raise Crash(session.profile, "login-200-empty")
    session.log.debug("store configuration")
    if session.profile.stores_force:
        session.config.overrides["force"] = False
    session.config.overrides |= {
        "agent_mrn": confirmation.get("agent_mrn", ""),
        "api_endpoint": credential.get("api_endpoint", ""),
        "space_mrn": credential.get("scope_mrn") or credential.get("parent_mrn", ""),
        "mrn": credential.get("mrn", ""),
        "private_key": credential.get("private_key", ""),
        "certificate": credential.get("certificate", ""),
    }
    if session.profile.resets_annotations:
        session.config.overrides["annotations"] = session.arguments.given.get("annotation") or {}
    return endpoint, credential.get("mrn", ""), credential.get("private_key", "")


def _chosen_endpoint(session: Session, claimed: str) -> str:
    configured = str(session.config.get("api_endpoint") or "")
    if session.profile.token_endpoint_wins and claimed and "api-endpoint" not in session.arguments.given:
        return claimed
    return configured or claimed


def _judged(session: Session, token: str) -> registration_token.Claims | int | None:
    """Say what the token says; an int is the exit code of a version that stops here."""
    log, profile = session.log, session.profile
    try:
        claims = registration_token.read(token)
    except registration_token.Malformed as error:
        log.warn("could not read the token", error=f"{profile.token_parse_prefix}{error}")
        return _not_a_token(session) if profile.judges_token else None
    if claims.description:
        log.info(f"token description: {claims.description}")
    if claims.expires is None:
        if profile.judges_token:
            log.warn("token does not contain an expiry date")
    elif claims.expires * 1_000_000_000 < session.settings.now_ns():
        if profile.judges_token:
            log.error("The token is expired")
            return 0
        log.warn("token is expired")
    else:
        log.info(f"token will expire at {rfc1123(claims.expires)}")
    if not claims.space and profile.judges_token:
        log.warn("token does not contain a space")
        return _not_a_token(session)
    return claims


def _not_a_token(session: Session) -> int:
    session.log.error("The token is not a valid token to register this client with Mondoo Platform")
    return 0


def _by_configuration(session: Session, api: Api, here: host.Host) -> int | tuple[str, str, str]:
    session.announce_config()
    option = session.config.option
    endpoint = str(session.config.get("api_endpoint") or "")
    mrn, private_key = option("mrn"), option("private_key")
    if option("agent_mrn"):
        session.log.info("client is already logged in, skipping")
        return endpoint, mrn, private_key
    try:
        if not session.has_credentials():
            raise BadKey("agent credentials must be set")
        signer = load_signer(mrn, private_key, session.log)
    except BadKey as error:
        session.log.warn("could not initialize certificate authentication", error=_key_error(error))
        raise _silent(session) from None
    body = {"name": _name(session, here), "agent_info": here.agent_info(session.profile, session.settings)}
    confirmation = _register(session, api, endpoint, body, signer)
    session.config.overrides["agent_mrn"] = confirmation.get("agent_mrn", "")
    return endpoint, mrn, private_key


def _key_error(error: BadKey) -> str:
    text = str(error)
    return text if text.startswith("agent credentials") else f"cannot load retrieved key: {text}"


def _name(session: Session, here: host.Host) -> str:
    return str(session.config.get("name") or "") or here.hostname


def _register(session: Session, api: Api, endpoint: str, body: dict[str, Any], bearer: str | Signer) -> dict[str, Any]:
    tries = 0
    while True:
        try:
            return api.call(endpoint, REGISTER, body, bearer=bearer)
        except CallError as error:
            if error.code != "Aborted" or not session.profile.retries_aborted:
                raise _refusal(session, api, endpoint, error) from None
            pause = 5000 * 2**tries + random.randrange(5000)  # noqa: S311 - the jitter of a retry
            tries += 1
            words = "failed to log in client due to concurrent IAM changes"
            if tries > 3:
                raise CommandError(f"failed to log in client: {words}: {error}") from None
            session.log.warn(f"{words}, retrying ({tries}/3) in {pause}ms", error=str(error))
            time.sleep(pause / 1000 * session.settings.time_scale)


def _refusal(session: Session, api: Api, endpoint: str, error: CallError) -> CommandError | Fatal:
    if session.profile.checks_health_after_refusal:
        health, trouble = api.health(endpoint)
        if trouble is not None:
            session.log.error(session.profile.health_failed, error=str(trouble))
        for warning in health.warnings:
            session.log.warn(warning)
    return session.failure(session.profile.login_prefix, str(error))


def _store(session: Session) -> None:
    try:
        config_file.store(session.config, announce=session.log)
    except config_file.CannotStore as error:
        if session.profile.fatal_errors:
            raise Fatal("could not write mondoo configuration", str(error)) from None
        session.log.warn("could not write mondoo configuration", error=str(error))
        raise _silent(session) from None


def _verify(session: Session, api: Api, endpoint: str, mrn: str, private_key: str) -> None:
    try:
        api.call(endpoint, "AgentManager/PingPong", {}, bearer=load_signer(mrn, private_key, session.log))
    except BadKey as error:
        session.log.warn("could not initialize certificate authentication", error=_key_error(error))
        raise _silent(session) from None
    except CallError as error:
        if session.profile.fatal_errors:
            raise Fatal(str(error)) from None
        session.log.warn(str(error))
        raise _silent(session) from None
    session.log.info(f"client {session.config.get('agent_mrn')} has logged in successfully")


def _silent(session: Session) -> CommandError | Fatal:
    """Return the end without an error text: `Error: ` and the usage."""
    del session
    return CommandError("")
