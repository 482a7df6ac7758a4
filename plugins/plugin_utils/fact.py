# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fact `ansible_facts.mondoo`: every key is always there, and None where it is not known."""

from __future__ import annotations

import typing as t

from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import Diagnosis
from ansible_collections.mondoo.fleet.plugins.plugin_utils.secrets import mask_proxy
from ansible_collections.mondoo.fleet.plugins.plugin_utils.seen import NOTHING, Seen
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status_report import Report

Fact = dict[str, t.Any]


def build(report: Report, diagnosis: Diagnosis, seen: Seen = NOTHING) -> Fact:
    """Return the fact. Without `seen` (the filter) it says what the output of cnspec tells."""
    return {
        "cnspec": {
            "installed": seen.installed if seen.installed is not None else (True if report.form else None),
            "path": seen.cnspec_path,
            "version": report.version,
            "api_version": report.api_version,
            "latest_version": report.latest_version,
            "update_available": report.update_available,
            "providers": _list(report.providers),
            "providers_outdated": _list(report.providers_outdated),
        },
        "config": {
            "path": seen.config_path or report.config_path,
            "source": seen.config_source or report.config_source,
            "exists": None if seen.config_kind in (None, "relative") else seen.config_kind != "missing",
            "mode": seen.config_mode,
            "api_proxy": mask_proxy(seen.api_proxy) if seen.api_proxy else None,
        },
        "platform": {
            "name": report.platform_name,
            "version": report.platform_version,
            "hostname": report.hostname,
            "ip": report.ip,
        },
        "api": {
            "endpoint": report.endpoint,
            "status": report.api_status,
            "time": report.api_time,
            "version": report.server_api_version,
            "features": _list(report.features),
        },
        "registration": {
            "registered": report.registered,
            "authenticated": report.authenticated,
            "managed": report.managed,
            "space_mrn": report.space_mrn,
            "agent_mrn": report.agent_mrn,
            "service_account_mrn": report.service_account_mrn,
        },
        "clock": {
            "skew_seconds": report.skew_seconds,
            "controller_offset_seconds": seen.controller_offset,
            "ntp_enabled": seen.clock.ntp_enabled,
            "ntp_synchronized": seen.clock.ntp_synchronized,
            "service": seen.clock.service,
        },
        "health": diagnosis.health,
        "problems": [problem.to_dict() for problem in diagnosis.problems],
        "last_line": report.last_line,
        "unparsed": list(report.unparsed),
    }


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
