# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter `mondoo.fleet.status`."""

from __future__ import annotations

DOCUMENTATION = r"""
name: status
short_description: Read the output of cnspec status
version_added: 0.1.0
description:
  - Turns what C(cnspec status) printed, in any form and of any version from 7 on, into the structure of the fact that
    M(mondoo.fleet.mondoo_status) sets.
  - What only a look at the host can tell is V(null).
positional: _input
options:
  _input:
    description: What C(cnspec status) printed on its standard output, or both streams in one text.
    type: str
    required: true
  stderr:
    description: What it printed on its standard error.
    type: str
    default: ""
  rc:
    description: Its exit code.
    type: int
seealso:
  - module: mondoo.fleet.mondoo_status
"""

EXAMPLES = r"""
- name: Run cnspec status, as JSON
  ansible.builtin.command:
    argv: [cnspec, status, -o, json, -v]
  register: result
  changed_when: false
  failed_when: false

- name: Show the health
  ansible.builtin.debug:
    msg: "{{ (result.stdout | mondoo.fleet.status(stderr=result.stderr, rc=result.rc)).health }}"
"""

RETURN = r"""
_value:
  description: The structure of the fact C(ansible_facts.mondoo), see M(mondoo.fleet.mondoo_status).
  type: dict
"""

import json
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mondoo.fleet.plugins.plugin_utils import fact
from ansible_collections.mondoo.fleet.plugins.plugin_utils.arguments import plain
from ansible_collections.mondoo.fleet.plugins.plugin_utils.diagnosis import diagnose
from ansible_collections.mondoo.fleet.plugins.plugin_utils.status import parse


def status(value: t.Any, stderr: t.Any = "", rc: t.Any = None) -> fact.Fact:
    """Return what the output of `cnspec status` says, as the fact has it."""
    report = parse(_text(value), _text(stderr), _exit_code(rc))
    return fact.build(report, diagnose(report))


def _text(value: t.Any) -> str:
    value = plain(value)
    if isinstance(value, dict):
        return json.dumps(value)  # a template may have turned the JSON into a dictionary already
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)  # stdout_lines
    if value is None or isinstance(value, str):
        return value or ""
    raise AnsibleFilterError("Cannot read the output of cnspec status: it is no text. Give stdout or stderr.")


def _exit_code(value: t.Any) -> int | None:
    value = plain(value)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise AnsibleFilterError("Cannot read the exit code: it is no whole number. Give rc or leave it out.") from None


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"status": status}
