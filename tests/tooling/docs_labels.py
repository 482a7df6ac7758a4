# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels of Ansible's own documentation that ours refer to, as the inventory that intersphinx would fetch."""

from __future__ import annotations

import zlib
from pathlib import Path

from tooling.paths import BUILD

SITE = "https://docs.ansible.com/projects/ansible/devel/"

# Sphinx says which label is missing here; make docs ARGS=--external takes the whole inventory of the site.
LABELS = {
    ("std:label", "action_plugins"): "plugins/action.html#action-plugins",
    ("std:label", "ansible_configuration_settings"): "reference_appendices/config.html#ansible-configuration-settings",
    ("std:label", "common_return_values"): "reference_appendices/common_return_values.html#common-return-values",
    ("std:envvar", "ANSIBLE_DEBUG"): "reference_appendices/config.html#envvar-ANSIBLE_DEBUG",
    ("std:envvar", "ANSIBLE_KEEP_REMOTE_FILES"): "reference_appendices/config.html#envvar-ANSIBLE_KEEP_REMOTE_FILES",
}


def write_inventory() -> Path:
    """Write the inventory, in version 2 of sphinx's format, and return its path."""
    lines = [f"{name} {kind} 1 {place} -\n" for (kind, name), place in LABELS.items()]
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: devel\n"
    target = BUILD / "docs/ansible.inv"
    target.parent.mkdir(parents=True, exist_ok=True)
    body = zlib.compress("".join(lines).encode())
    target.write_bytes(head.encode() + b"# The remainder of this file is compressed using zlib.\n" + body)
    return target
