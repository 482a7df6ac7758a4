# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the platform accepts the identity that a host has: asked where it belongs, and refused only twice."""

from __future__ import annotations

from .credentials import ServiceAccount
from .errors import FleetError
from .platform import SKEW_SECONDS
from .run import Run
from .verdict import Judgement, Verdict

# A refusal counts when it is repeated after this time; an outage of the platform's own databases may be shorter.
REFUSED_AGAIN_SECONDS = 5.0
WRONG_CLOCK = "The controller's clock is off from the platform's by more than 30 s. Set it right."


def prove(account: ServiceAccount, around: Run, warnings: list[str]) -> Judgement:
    """Ask the platform about an identity. Rejected takes its own word twice, the second time by its own clock."""
    try:
        platform = around.platform_of(account)
    except FleetError as error:
        if error.code != "endpoint_invalid":
            raise
        return Judgement(Verdict.UNKNOWN, f"the API endpoint in the config cannot be used, {error.cause}")
    clock = around.clock
    first = platform.ping(account, clock.now())
    if first.verdict is not Verdict.REJECTED:
        return first
    # A wrong controller clock looks the same, so the second try is signed with the platform's own time.
    platform_time, asked = platform.time(), clock.monotonic()
    if platform_time is None:
        return Judgement(Verdict.UNKNOWN, "it refused the identity, but does not tell its time")
    clock.sleep(REFUSED_AGAIN_SECONDS)
    second = platform.ping(account, platform_time + clock.monotonic() - asked)
    if second.verdict is Verdict.ACCEPTED and abs(platform_time - clock.now()) > SKEW_SECONDS:
        warnings.append(WRONG_CLOCK)
    return second
