# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What "rejected" takes: re-registering a fleet by mistake makes thousands of orphans."""

from __future__ import annotations

import pytest

from doubles.lab import Lab

REFUSED = {"status": 401, "code": 16, "message": "request permission unauthenticated"}


def pings(lab: Lab) -> int:
    return len(lab.platform.calls(method="PingPong"))


def test_a_revoked_identity_is_asked_about_twice_at_least_five_seconds_apart(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    asked = pings(lab)
    result = lab.must(token=lab.token())
    assert result["reason"] == "credentials_rejected"
    assert lab.slept[0] >= 5
    assert pings(lab) - asked == 3  # twice for the old identity, once for the new one


def test_one_refusal_alone_registers_nobody_anew(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.fault(method="PingPong", times=1, **REFUSED)
    result = lab.must(token=lab.token())
    assert (result["changed"], result["verified"]) == (False, True)


def test_a_platform_that_does_not_tell_its_time_rejects_nobody(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    lab.platform.fault(method="Check", status=503, body="html")
    result = lab.must(token=lab.token())
    assert (result["changed"], result["verified"]) == (False, None)


@pytest.mark.parametrize("error", [3600, -3600, 259200])
def test_a_wrong_clock_of_the_controller_never_registers_a_fleet_anew(lab: Lab, error: float) -> None:
    lab.must(token=lab.token())
    lab.clock_error = error
    result = lab.must(token=lab.token(lifetime=999999))
    assert (result["changed"], result["verified"]) == (False, True)
    assert result["warnings"] == ["The controller's clock is off from the platform's by more than 30 s. Set it right."]


@pytest.mark.parametrize("error", [3600, -3600])
def test_a_wrong_clock_of_the_controller_does_not_keep_a_host_from_being_registered(lab: Lab, error: float) -> None:
    lab.clock_error = error
    assert lab.must(token=lab.token(lifetime=600))["verified"] is True
    lab.path.unlink()
    assert lab.must(credentials=lab.platform.create_service_account())["verified"] is True


def test_the_platform_is_asked_at_the_endpoint_in_the_file(lab: Lab) -> None:
    lab.must(token=lab.token())
    claims = {"api_endpoint": "https://never.invalid"}
    result = lab.must(token=lab.platform.mint_token(**claims))
    assert (result["changed"], result["verified"]) == (False, True)


def test_one_run_registers_at_most_three_hosts_of_a_small_fleet_anew(lab: Lab) -> None:
    results = []
    for number in range(6):
        lab.host_name, lab.path = f"web{number}", lab.path.parent / f"web{number}.yml"
        lab.must(token=lab.token())
    for account in lab.platform.service_accounts():
        lab.platform.revoke_service_account(account["mrn"])
    lab.fleet_size, made = 6, lab.registered()
    for number in range(6):
        lab.host_name, lab.path = f"web{number}", lab.path.parent / f"web{number}.yml"
        before = lab.content
        results.append(lab.register(token=lab.token()))
        if results[-1].get("failed"):
            assert lab.content == before
    assert lab.registered() - made == 3
    assert [bool(result.get("failed")) for result in results] == [False] * 3 + [True] * 3
    assert results[-1]["msg"] == (
        "Cannot register the host (credentials_rejected): the platform rejects its identity, but more than 3 hosts of "
        "this run are, which looks like trouble of the platform. "
        "Look at the platform's state and run again, or raise max_rejected."
    )
    assert results[-1]["verified"] is None


def test_max_rejected_changes_how_many(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    assert lab.register(token=lab.token(), max_rejected=0)["code"] == "too_many_rejected"
    assert lab.must(token=lab.token(), max_rejected=1)["reason"] == "credentials_rejected"


def test_nobody_is_registered_anew_once_a_new_identity_was_refused_too(lab: Lab) -> None:
    lab.must(token=lab.token())
    lab.platform.fault(method="PingPong", **REFUSED)
    assert lab.register(token=lab.token())["code"] == "new_identity_refused"
    made = lab.registered()
    lab.host_name = "web2"
    assert lab.register(token=lab.token())["code"] == "too_many_rejected"
    assert lab.registered() == made


def test_a_revoked_host_in_another_space_needs_no_leave_to_move(lab: Lab) -> None:
    lab.must(token=lab.token(space="another-space"))
    lab.platform.revoke_service_account(str(lab.config.text("mrn")))
    result = lab.must(token=lab.token())
    assert (result["reason"], result["space_mrn"]) == (
        "wrong_space",
        "//captain.api.mondoo.app/spaces/lunalectric-prod",
    )
