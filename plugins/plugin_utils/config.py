# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mondoo.yml: parse, look up, edit, render. Where the file lies on each system.

The file is edited as a tree of YAML nodes, never as Python values: PyYAML and cnspec (Go) read `on`, `01234` or
`12:30:45` differently, so a value that nobody mentioned keeps its text, tag and style.
"""

from __future__ import annotations

import copy
import re
import typing as t
from dataclasses import dataclass, field

import yaml

from .credentials import ServiceAccount

# What cnspec itself reads, cnspec 13.0: cli/config/path.go. Home comes first there and shadows the system's file.
CONFIG_CANDIDATES = {
    "Darwin": {
        "plists": ["/Library/LaunchDaemons/com.mondoo.client.plist"],
        "paths": ["/Library/Mondoo/etc/mondoo.yml", "/etc/opt/mondoo/mondoo.yml"],
    },
    "": {"plists": [], "paths": ["/etc/opt/mondoo/mondoo.yml"]},
}
SHADOW_CANDIDATES = ["~/.config/mondoo/mondoo.yml"]
CNSPEC_CANDIDATES = [
    "/usr/bin/cnspec",
    "/Library/Mondoo/bin/cnspec",
    "/opt/homebrew/bin/cnspec",
    "/usr/local/bin/cnspec",
]

DEFAULT_ENDPOINT = "https://us.api.mondoo.com"

# Everything in the file that belongs to one registration, and so goes with it.
IDENTITY_KEYS = (
    "agent_mrn",
    "mrn",
    "private_key",
    "certificate",
    "space_mrn",
    "scope_mrn",
    "parent_mrn",
    "api_endpoint",
    "typename",
)

# One text for booleans in YAML 1.1 and 1.2; anything else that only one of them takes for a value is quoted.
PLAIN_TEXT = re.compile(r"[A-Za-z/][A-Za-z0-9 _./:@%+=?&,-]*")
WORDS_WITH_A_MEANING = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


@dataclass(frozen=True)
class Config:
    """One state of mondoo.yml. `problem` says why it cannot be read (one of a few fixed texts); None: it can."""

    content: bytes | None = None
    root: yaml.MappingNode | None = field(default=None, repr=False, compare=False)
    problem: str | None = None

    @property
    def missing(self) -> bool:
        """Tell whether there is no file, or nothing in it."""
        return self.root is None and self.problem is None

    def node(self, key: str) -> yaml.Node | None:
        """Return the node of a top-level key; keys are compared without case, as cnspec does."""
        pairs = self.root.value if self.root is not None else []
        return next((value for name, value in pairs if key_text(name) == key.lower()), None)

    def text(self, key: str) -> str | None:
        """Return a scalar as it is written; None when it is absent, empty, or no scalar."""
        node = self.node(key)
        return node.value.strip() or None if isinstance(node, yaml.ScalarNode) and not _is_null(node) else None

    @property
    def space_mrn(self) -> str | None:
        """The space in force: scope_mrn wins over space_mrn, that over parent_mrn (cnspec 10.7 and later)."""
        return self.text("scope_mrn") or self.text("space_mrn") or self.text("parent_mrn")

    @property
    def agent_mrn(self) -> str | None:
        """The MRN of the agent; None for a plain service account."""
        return self.text("agent_mrn")

    @property
    def account(self) -> ServiceAccount | None:
        """The service account in the file; None when its MRN or its key is missing."""
        mrn, key = self.text("mrn"), self.text("private_key")
        if mrn is None or key is None:
            return None
        return ServiceAccount(
            mrn=mrn,
            private_key=key + "\n",
            certificate=self.text("certificate") or "",
            space_mrn=self.space_mrn,
            api_endpoint=self.text("api_endpoint"),
        )


@dataclass(frozen=True)
class Edit:
    """What to change: identity fields (all of them, or None to leave them), settings to make so, names to unset."""

    identity: dict[str, str] | None = None
    settings: dict[str, t.Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()


def parse(content: bytes | None) -> Config:
    """Parse mondoo.yml; a file that cannot be read gives a Config with a `problem`, never an exception."""
    if content is None or not content.strip():
        return Config(content)
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        return Config(content, problem="it is not UTF-8 text")
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return Config(content, problem="it is not valid YAML")
    if root is None or _is_null(root):
        return Config(content)
    if not isinstance(root, yaml.MappingNode):
        return Config(content, problem="it is not a YAML mapping")
    names = [key_text(name) for name, dummy in root.value]
    if len(names) != len(set(names)):
        return Config(content, problem="it has a key twice")
    return Config(content, root)


def edit(config: Config, change: Edit) -> Config:
    """Return the config after an edit; the very same object when nothing has to change."""
    root = copy.deepcopy(config.root)
    if root is None:
        root = yaml.MappingNode("tag:yaml.org,2002:map", [], flow_style=False)
    changed = _unset(root, change.unset)
    for key, value in change.settings.items():
        changed = _set(root, key, value) or changed
    if change.identity is not None:
        wanted = {key: value for key, value in change.identity.items() if value}
        changed = _remove(root, [key for key in IDENTITY_KEYS if key not in wanted]) or changed
        for key, value in wanted.items():
            changed = _put(root, key, value) or changed
    return parse(render(root)) if changed else config


def render(root: yaml.MappingNode) -> bytes:
    """Turn a node tree into the bytes of the file, in block style, without folding lines."""
    root.flow_style = False
    text: str = yaml.serialize(root, Dumper=_Dumper, width=1 << 30, allow_unicode=True)
    return text.encode("utf-8")


class _Dumper(yaml.SafeDumper):
    """Keep two styles that PyYAML's emitter gives up without need.

    These are a plain scalar with a tag, and a literal block with tabs, or with spaces before the end of a line.
    """

    def choose_scalar_style(self) -> str:
        event: t.Any = self.event
        if self.analysis is None:
            self.analysis = self.analyze_scalar(event.value)
        if event.style == "|" and event.value.strip():
            self.analysis.allow_block |= event.value.replace("\t", "").replace("\n", "").isprintable()
        implicit = event.implicit
        event.implicit = (implicit[0] or not event.style, implicit[1])
        try:
            return super().choose_scalar_style()
        finally:
            event.implicit = implicit


def key_text(node: yaml.Node) -> str:
    """Return a key as cnspec compares it: in lower case."""
    return node.value.lower() if isinstance(node, yaml.ScalarNode) else ""


def spellings(key: str) -> tuple[str, ...]:
    """Return the keys that mean the same to some version of cnspec: api_proxy was api-proxy in 8.3 to 8.28."""
    return {
        "api_proxy": ("api_proxy", "api-proxy"),
        "auto_update": ("auto_update", "auto-update"),
        "scan_interval": ("scan_interval", "scan_interval.timer", "scan_interval.splay"),
    }.get(key, (key,))


def same(node: yaml.Node | None, value: t.Any) -> bool:
    """Tell whether a node already says `value`, judged by its text, as cnspec would."""
    if isinstance(value, dict):
        if not isinstance(node, yaml.MappingNode):
            return False
        found = {key_text(name): item for name, item in node.value}
        wanted = {str(key).lower(): item for key, item in value.items()}
        return found.keys() == wanted.keys() and all(same(found[key], item) for key, item in wanted.items())
    if isinstance(value, list):
        return (
            isinstance(node, yaml.SequenceNode)
            and len(node.value) == len(value)
            and all(same(item, wanted) for item, wanted in zip(node.value, value, strict=True))
        )
    if not isinstance(node, yaml.ScalarNode):
        return False
    if value is None:
        return _is_null(node)
    text: str = value if isinstance(value, str) else _node_of(value).value
    return node.value == text or (isinstance(value, bool) and node.value.lower() == text)


def _is_null(node: yaml.Node) -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def _node_of(value: t.Any) -> yaml.Node:
    if isinstance(value, dict):
        pairs = [(_node_of(str(key)), _node_of(item)) for key, item in value.items()]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)
    if isinstance(value, list):
        return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node_of(item) for item in value], flow_style=False)
    if isinstance(value, str):
        style = None if PLAIN_TEXT.fullmatch(value) and value.lower() not in WORDS_WITH_A_MEANING else '"'
        # Other line breaks (U+0085, U+2028) would become ordinary ones in a block.
        block = "\n" in value and value.replace("\n", "").replace("\t", "").isprintable()
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style="|" if block else style)
    return yaml.representer.SafeRepresenter().represent_data(value)


def _put(root: yaml.MappingNode, key: str, value: t.Any) -> bool:
    """Make one top-level key say `value`, in its place when it is there; tell whether that changed anything."""
    for index, (name, node) in enumerate(root.value):
        if key_text(name) == key:
            if same(node, value):
                return False
            root.value[index] = (name, _node_of(value))
            return True
    root.value.append((_node_of(key), _node_of(value)))
    return True


def _set(root: yaml.MappingNode, key: str, value: t.Any) -> bool:
    """Make a setting so, in every spelling that some version of cnspec reads."""
    if key == "auto_update":
        # `serve` reads one, `scan` the other (cnspec 12.9 and later).
        changes = [_put(root, spelling, value) for spelling in spellings(key)]
        return any(changes)
    if key == "scan_interval":
        return _set_scan_interval(root, value)
    changed = _remove(root, [spelling for spelling in spellings(key) if spelling != key])
    return _put(root, key, value) or changed


def _set_scan_interval(root: yaml.MappingNode, wanted: dict[str, int]) -> bool:
    """Write the nested form: `serve` ignored the dotted one that login writes until cnspec 13.24."""
    changed = _remove(root, [f"scan_interval.{name}" for name in wanted])
    own = _own_scan_interval(root)
    if own is None:
        return _put(root, "scan_interval", dict(wanted)) or changed
    changes = [_put(own, part, value) for part, value in wanted.items()]
    if any(changes):
        _replace_scan_interval(root, own)
        changed = True
    return changed


def _own_scan_interval(root: yaml.MappingNode) -> yaml.MappingNode | None:
    """Return the nested scan interval, where it is one, as a mapping of its own: an alias may show it elsewhere."""
    for name, nested in root.value:
        if key_text(name) == "scan_interval" and isinstance(nested, yaml.MappingNode):
            return copy.deepcopy(nested)
    return None


def _replace_scan_interval(root: yaml.MappingNode, own: yaml.MappingNode) -> None:
    """Put a nested scan interval in the place of the one that is there; an empty one takes it out."""
    pairs = [(name, own if key_text(name) == "scan_interval" else node) for name, node in root.value]
    root.value[:] = [(name, node) for name, node in pairs if node is not own or own.value]


def _unset(root: yaml.MappingNode, names: tuple[str, ...]) -> bool:
    keys = [spelling for name in names for spelling in spellings(name.lower().replace("-", "_"))]
    changed = _remove(root, [*keys, *(name.lower() for name in names)])
    own = _own_scan_interval(root)
    # A dotted name means a part of the nested form as well, which is the one that is written here.
    parts = [key.partition(".")[2] for key in keys if key.startswith("scan_interval.")]
    if own is not None and _remove(own, parts):
        _replace_scan_interval(root, own)
        changed = True
    return changed


def _remove(root: yaml.MappingNode, keys: t.Iterable[str]) -> bool:
    gone = {key.lower() for key in keys}
    kept = [(name, node) for name, node in root.value if key_text(name) not in gone]
    changed = len(kept) != len(root.value)
    root.value[:] = kept
    return changed
