# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may register, unregister and ping, and what is there afterwards."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import Platform, sign_call
from sandbox.authority import load_key
from sandbox.tokens import decode

UNAUTHENTICATED = (401, {"code": 16, "message": "request permission unauthenticated"})


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def test_a_token_registers_an_agent_with_a_key_and_a_certificate_that_belong_together(
    platform: Platform, agent: Any
) -> None:
    answer = agent.register(platform.mint_token(space="kitchen"), "web1").json()
    credential = answer["credential"]
    key = load_key(credential["private_key"])
    certificate = x509.load_pem_x509_certificate(credential["certificate"].encode())
    assert isinstance(key.curve, ec.SECP384R1)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(platform.console.store.authority.certificate)
    assert credential["scope_mrn"] == "//captain.api.mondoo.app/spaces/kitchen"
    assert credential["api_endpoint"] == platform.url
    (made,) = platform.agents()
    assert (made["mrn"], made["name"], made["service_account_mrn"]) == (answer["agent_mrn"], "web1", credential["mrn"])
    assert agent.signed("PingPong", credential).json() == {}


def test_each_use_of_a_token_makes_another_agent_and_another_service_account(platform: Platform, agent: Any) -> None:
    token = platform.mint_token()
    accounts = {agent.register(token).json()["credential"]["mrn"] for dummy in range(3)}
    assert len(accounts) == len(platform.agents()) == 3
    assert platform.tokens()[0]["uses"] == 3


def test_a_service_account_registers_an_agent_under_itself(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    answer = agent.signed("RegisterAgent", document, {"name": "build7"})
    assert list(answer.json()) == ["agent_mrn"]
    assert platform.agents()[0]["service_account_mrn"] == document["mrn"]
    assert len(platform.service_accounts()) == 1


def test_a_name_that_was_not_given_is_the_hostname(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    agent.signed("RegisterAgent", document, {"agentInfo": {"platformHostname": "db1", "labels": {"a": "b"}}})
    assert (platform.agents()[0]["name"], platform.calls()[0].host) == ("db1", "db1")
    assert platform.agents()[0]["info"] == {"platform_hostname": "db1", "labels": {"a": "b"}}


@pytest.mark.parametrize(
    "claims",
    [{"lifetime": -1}, {"lifetime": -60}, {"iss": "else"}, {"nbf": 4102444800}, {"jti": None, "lifetime": -5}],
    ids=str,
)
def test_a_token_that_is_not_valid_now_is_refused(claims: dict[str, Any], platform: Platform, agent: Any) -> None:
    assert said(agent.register(platform.mint_token(**claims))) == UNAUTHENTICATED
    assert platform.agents() == []


def test_a_revoked_token_is_refused(platform: Platform, agent: Any) -> None:
    token = platform.mint_token()
    platform.revoke_token(token)
    assert said(agent.register(token)) == UNAUTHENTICATED


def test_a_token_of_another_platform_is_refused(platform: Platform, agent: Any) -> None:
    with Platform() as other:
        assert said(agent.register(other.mint_token())) == UNAUTHENTICATED


def test_a_token_that_was_changed_after_signing_is_refused(platform: Platform, agent: Any) -> None:
    header, dummy, signature = platform.mint_token(space="one").split(".")
    claims = platform.mint_token(space="two").split(".")[1]
    assert said(agent.register(f"{header}.{claims}.{signature}")) == UNAUTHENTICATED


@pytest.mark.parametrize("token", ["x", "a.b.c", "a.b", "é.é.é", "e30.e30.", "W10.W10.AA"])
def test_a_text_that_is_no_token_is_refused(token: str, platform: Platform, agent: Any) -> None:
    bearer = f"Bearer {platform.mint_token()}"
    assert said(agent.call("RegisterAgent", {"token": token}, bearer)) == UNAUTHENTICATED


def test_a_token_without_expiry_has_no_such_claim(platform: Platform, agent: Any) -> None:
    token = platform.mint_token(lifetime=None)
    assert "exp" not in decode(token).claims
    assert agent.register(token).status_code == 200


@pytest.mark.parametrize("where", [{"space": None}, {"organization": "lunalectric"}], ids=str)
def test_a_token_without_a_space_registers_nothing(where: dict[str, Any], platform: Platform, agent: Any) -> None:
    token = platform.mint_token(**where)
    assert "space" not in decode(token).claims
    assert said(agent.register(token)) == (403, {"code": 7, "message": "registration token has no space"})


def test_a_registration_token_opens_nothing_but_registration(platform: Platform, agent: Any) -> None:
    assert said(agent.call("PingPong", {}, f"Bearer {platform.mint_token()}")) == UNAUTHENTICATED


def test_unregistering_an_agent_made_by_a_token_ends_its_service_account(platform: Platform, agent: Any) -> None:
    made = agent.register(platform.mint_token()).json()
    mrn = {"mrn": made["agent_mrn"]}
    assert said(agent.signed("UnRegisterAgent", made["credential"], mrn)) == (200, mrn)
    assert said(agent.signed("PingPong", made["credential"])) == UNAUTHENTICATED
    assert platform.agents() == platform.service_accounts() == []


def test_unregistering_an_agent_of_a_shared_service_account_ends_the_agent_alone(
    platform: Platform, agent: Any
) -> None:
    document = platform.create_service_account()
    mrn = agent.signed("RegisterAgent", document, {"name": "build7"}).json()["agent_mrn"]
    assert agent.signed("UnRegisterAgent", document, {"mrn": mrn}).status_code == 200
    gone = (404, {"code": 5, "message": "agent not found"})
    assert said(agent.signed("UnRegisterAgent", document, {"mrn": mrn})) == gone
    assert agent.signed("PingPong", document).status_code == 200


def test_a_service_account_cannot_unregister_an_agent_of_another(platform: Platform, agent: Any) -> None:
    made = agent.register(platform.mint_token(space="kitchen")).json()
    stranger = platform.create_service_account(space="cellar")
    answer = agent.signed("UnRegisterAgent", stranger, {"mrn": made["agent_mrn"]})
    assert said(answer) == (403, {"code": 7, "message": "request permission denied"})
    assert len(platform.agents()) == 1


def test_a_revoked_service_account_is_refused_until_it_is_restored(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    platform.revoke_service_account(document["mrn"])
    assert said(agent.signed("PingPong", document)) == UNAUTHENTICATED
    platform.restore_service_account(document["mrn"])
    assert agent.signed("PingPong", document).status_code == 200


def test_a_deleted_agent_is_gone_and_its_service_account_still_works(platform: Platform, agent: Any) -> None:
    made = agent.register(platform.mint_token()).json()
    platform.delete_agent(made["agent_mrn"])
    assert platform.agents() == []
    assert agent.signed("UnRegisterAgent", made["credential"], {"mrn": made["agent_mrn"]}).status_code == 404


def test_a_key_that_is_not_the_certified_one_is_refused(platform: Platform, agent: Any) -> None:
    one, other = platform.create_service_account(), platform.create_service_account()
    assert said(agent.signed("PingPong", {**one, "private_key": other["private_key"]})) == UNAUTHENTICATED


def test_a_service_account_cannot_speak_for_another(platform: Platform, agent: Any) -> None:
    one, other = platform.create_service_account(), platform.create_service_account()
    assert said(agent.signed("PingPong", one, sub=other["mrn"])) == UNAUTHENTICATED


def test_a_service_account_whose_certificate_has_ended_is_refused(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account(valid_until="2021-01-01T00:00:00Z")
    assert said(agent.signed("PingPong", document)) == UNAUTHENTICATED


def test_the_certificate_ends_when_the_token_says(platform: Platform, agent: Any) -> None:
    token = platform.mint_token(cert_valid_until="2031-05-06T07:08:09Z")
    text = agent.register(token).json()["credential"]["certificate"]
    assert str(x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc) == "2031-05-06 07:08:09+00:00"


def test_the_credentials_document_has_what_the_console_gives(platform: Platform) -> None:
    document = platform.create_service_account(space="kitchen")
    assert sorted(document) == [
        "api_endpoint", "certificate", "mrn", "parent_mrn", "private_key", "scope_mrn", "space_mrn", "typename",
    ]  # fmt: skip
    assert json.loads(json.dumps(document)) == document


def test_the_date_and_the_health_follow_the_clock_of_the_platform(platform: Platform, agent: Any) -> None:
    platform.clock_offset = -72 * 3600
    answer = agent.call("Health/Check")
    told = parsedate_to_datetime(answer.headers["Date"])
    assert told.strftime("%Y-%m-%dT%H:%M:%SZ") == answer.json()["time"]
    assert abs(told.timestamp() - (time.time() - 72 * 3600)) < 5


def test_a_signature_is_judged_by_the_clock_of_the_platform(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    platform.clock_offset = 72 * 3600
    assert said(agent.signed("PingPong", document)) == UNAUTHENTICATED
    assert agent.signed("PingPong", document, at=time.time() + 72 * 3600).status_code == 200


def test_a_platform_that_does_not_judge_by_its_clock_accepts_the_true_time(platform: Platform, agent: Any) -> None:
    document = platform.create_service_account()
    platform.clock_offset, platform.judge_signatures_by_offset = 72 * 3600, False
    assert agent.signed("PingPong", document).status_code == 200
    assert agent.register(platform.mint_token()).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("AgentManager/PingPong", b"[]", (500, "proto: syntax error (line 1:1): unexpected token []")),
        ("AgentManager/PingPong", b"{x}", (500, "proto: syntax error (line 1:2): unexpected token x")),
        ("AgentManager/RegisterAgent", b'{"name": 5}', (500, "proto: invalid value for string field name: 5")),
        ("AgentManager/HealthCheck", b'{"labels": {"a": 5}}', (500, "proto: invalid value for map field labels")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    path: str, body: bytes, expected: tuple[int, str], platform: Platform, agent: Any
) -> None:
    answer = agent.call(path, body, sign_call(platform.create_service_account(), body))
    assert said(answer) == (expected[0], {"code": 2, "message": expected[1]})


def test_a_service_that_is_not_there_is_not_found(agent: Any) -> None:
    answer = agent.call("SecureTokenService/ExchangeSSH")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


def test_an_endpoint_may_have_a_sub_path(platform: Platform, agent: Any) -> None:
    assert agent.call("behind/a/gateway/Health/Check").json()["status"] == "SERVING"
