# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask one host how it stands with Mondoo Platform: one round trip for each try."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mondoo.fleet.plugins.plugin_utils import (
    clock,
    config_look,
    config_option,
    fact,
    status,
    time_services,
    units,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.cnspec_commands import SET_ENV, STATUS_OPTIONS, UNSET_ENV
from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import (
    CNSPEC_CANDIDATES,
    SHADOW_CANDIDATES,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import Diagnosis, diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.expectation import Expectations, failure
from ansible_collections.mondoo.fleet.plugins.plugin_utils.host import (
    Answer,
    Command,
    Host,
    LookRequest,
    RunRequest,
)
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import Secrets
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import AGENT_UNITS, Seen, from_answer
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import Report

STATUS = ("{cnspec}", "status", "--config", "{config}", *STATUS_OPTIONS)
TOOL_SECONDS = 5.0
POLL_SECONDS = 5.0


class Probe:
    """Look at a host as often as it takes. `options` are those of mondoo_status."""

    def __init__(self, host: Host, options: t.Mapping[str, t.Any], secrets: Secrets) -> None:
        self._host, self._options, self._secrets = host, options, secrets
        self.wanted = Expectations(tuple(options.get("expect") or ()), options.get("expect_space"))

    def result(self) -> dict[str, t.Any]:
        """Return the task's result; with what is expected and does not hold as a failure.

        Raises FleetError for a config_path that is wrong whatever the host is, and what Host raises.
        """
        config_option.refuse_relative(self._options.get("config_path", ""))
        deadline = time.monotonic() + float(self._options["wait"])
        while True:
            report, seen = self._look()
            diagnosis = diagnose(report, seen)
            error = failure(self.wanted, report, seen, diagnosis)
            left = deadline - time.monotonic()
            if error is None or left <= 0:
                return _result(report, seen, diagnosis, error)
            time.sleep(min(POLL_SECONDS, left))

    def _look(self) -> tuple[Report, Seen]:
        answer = self._host.call(look=self._look_request(), run=self._run_request())
        if answer.look is not None and answer.look.config.source == "option":
            config_option.refuse_wrong(answer.look.config)
        seen = from_answer(answer, self._options.get("cnspec_path", ""))
        self._secrets.add_proxy(seen.api_proxy)
        return _report(answer), seen

    def _look_request(self) -> LookRequest:
        return LookRequest(
            config_path=self._options.get("config_path", ""),
            config_candidates=config_look.candidates(),
            shadow_candidates=tuple(SHADOW_CANDIDATES),
            read_config="without_keys",
            cnspec_path=self._options.get("cnspec_path", ""),
            cnspec_candidates=tuple(CNSPEC_CANDIDATES),
        )

    def _run_request(self) -> RunRequest:
        names = tuple(f"{name}.service" for name in (*AGENT_UNITS, *time_services.UNITS))
        return RunRequest(
            commands={
                "status": Command(STATUS, float(self._options["timeout"])),
                "units": Command(units.command(*names), TOOL_SECONDS),
                **{name: Command(argv, TOOL_SECONDS) for name, argv in clock.COMMANDS.items()},
            },
            unset_env=UNSET_ENV,
            set_env=SET_ENV,
        )


def _report(answer: Answer) -> Report:
    ran = answer.ran.get("status")
    if ran is None or not ran.found:
        return Report()
    return status.parse(ran.stdout, ran.stderr, ran.rc, whole=not ran.truncated)


def _result(report: Report, seen: Seen, diagnosis: Diagnosis, error: FleetError | None) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {"changed": False, "ansible_facts": {"mondoo": fact.build(report, diagnosis, seen)}}
    if report.unparsed:
        result["warnings"] = ["cnspec said something that is not known here; see ansible_facts.mondoo.unparsed"]
    if error is not None:
        result.update(error.detail, failed=True, msg=str(error), code=error.code)
    return result
