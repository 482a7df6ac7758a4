# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as Go's yaml packages read, refuse and write it."""

from __future__ import annotations

import re
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS = (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("tag:yaml.org,2002:merge", r"^<<$", "<"),
)


class _Loader(_Base):
    """Resolve plain scalars as yaml.v3 does: no yes/no, no dates, no base 60."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in _RESOLVERS:
    for _letter in _first:
        _key = "" if _letter == "\0" else _letter
        _Loader.yaml_implicit_resolvers.setdefault(_key, []).append((_tag, re.compile(_pattern)))


class GoYamlError(ValueError):
    """Text that yaml.v3 refuses, in its words."""


def read(text: str) -> dict[str, Any]:
    """Read a document that must be a mapping (or nothing). Raises GoYamlError."""
    try:
        loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        raise GoYamlError(f"yaml: {_where(error)}{error.problem or 'unknown problem parsing YAML content'}") from None
    except (yaml.YAMLError, ValueError):
        raise GoYamlError("yaml: control characters are not allowed") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        kind = (
            "!!seq" if isinstance(loaded, list) else f"!!str `{str(loaded)[:7]}{'...' if len(str(loaded)) > 7 else ''}`"
        )
        raise GoYamlError(f"yaml: unmarshal errors:\n  line 1: cannot unmarshal {kind} into map[string]interface {{}}")
    return loaded


def _where(error: yaml.MarkedYAMLError) -> str:
    """Count lines as yaml.v3's parser.fail does: the context's line, else the problem's, one more for the scanner."""
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line != 0:
            line = mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)
            return f"line {line}: "
    return ""


class _Dumper(yaml.SafeDumper):
    """Write strings as Go does: literal blocks, double quotes where a plain word would be another type."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _IndentedDumper(_Dumper):
    """Indent lists inside mappings, as yaml.v3 does and sigs.k8s.io/yaml does not."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif dumper.resolve(yaml.ScalarNode, text, (True, False)) != "tag:yaml.org,2002:str":
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_IndentedDumper.add_representer(str, _represent_text)


def write_viper(values: dict[str, Any]) -> str:
    """Write as viper does with yaml.v3: sorted keys, four spaces."""
    return _dump(values, _IndentedDumper, 4)


def write_sigs(values: dict[str, Any]) -> str:
    """Write as sigs.k8s.io/yaml does: sorted keys, two spaces."""
    return _dump(values, _Dumper, 2)


def _dump(values: dict[str, Any], dumper: type[yaml.SafeDumper], indent: int) -> str:
    text: str = yaml.dump(
        values,
        Dumper=dumper,
        indent=indent,
        default_flow_style=False,
        sort_keys=True,
        allow_unicode=True,
        width=1_000_000,
    )
    return text
