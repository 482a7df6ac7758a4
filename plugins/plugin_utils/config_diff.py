# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a change of mondoo.yml is shown: values only of keys that are known to be harmless."""

from __future__ import annotations

import hashlib

import yaml

from .config import Config, key_text
from .secrets import mask_proxy

HARMLESS_KEYS = {
    "agent_mrn",
    "mrn",
    "space_mrn",
    "scope_mrn",
    "parent_mrn",
    "api_endpoint",
    "annotations",
    "labels",
    "name",
    "scan_interval",
    "scan_interval.timer",
    "scan_interval.splay",
    "auto_update",
    "auto-update",
    "updates_url",
    "providers_url",
    "log-level",
    "verbose",
    "typename",
}
PROXY_KEYS = {"api_proxy", "api-proxy", "updates_url", "providers_url", "api_endpoint"}
HIDDEN, CHANGED = "(hidden)", "(hidden, changed)"


def diff(before: Config, after: Config, path: str) -> dict[str, str]:
    """Return Ansible's form of a diff (before, after and their headers) without a secret in it."""
    old, new = _shown(before), _shown(after)
    for key in old.keys() & new.keys():
        if old[key] == new[key] and not _same_node(before.node(key), after.node(key)):
            new[key] = f"{key}: {CHANGED}\n"
    return {
        "before_header": path,
        "after_header": path,
        "before": "".join(old.values()),
        "after": "".join(new.values()),
    }


def _shown(config: Config) -> dict[str, str]:
    if config.problem is not None:
        content = config.content or b""
        return {"": f"({config.problem}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()})\n"}
    pairs = config.root.value if config.root is not None else []
    return {key_text(name): _line(key_text(name), node) for name, node in pairs}


def _line(key: str, node: yaml.Node) -> str:
    if key in PROXY_KEYS and isinstance(node, yaml.ScalarNode):
        return f"{key}: {mask_proxy(node.value)}\n"
    if key not in HARMLESS_KEYS:
        return f"{key}: {HIDDEN}\n"
    pair = (yaml.ScalarNode("tag:yaml.org,2002:str", key), node)
    root = yaml.MappingNode("tag:yaml.org,2002:map", [pair], flow_style=False)
    text: str = yaml.serialize(root, Dumper=yaml.SafeDumper, width=1 << 30, allow_unicode=True)
    return text


def _same_node(one: yaml.Node | None, other: yaml.Node | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(yaml.serialize(one, Dumper=yaml.SafeDumper) == yaml.serialize(other, Dumper=yaml.SafeDumper))
