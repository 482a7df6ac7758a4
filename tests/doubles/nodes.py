# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML nodes as something to compare."""

from __future__ import annotations

import typing as t

import yaml


def shape(node: yaml.Node, *, flow: bool = False) -> t.Any:
    """Return a node as something to compare, each scalar with text, tag and style."""
    if isinstance(node, yaml.ScalarNode):
        return (node.tag, node.value, _style(node, flow))
    assert isinstance(node, (yaml.SequenceNode, yaml.MappingNode))
    flow = flow or bool(node.flow_style)
    if isinstance(node, yaml.SequenceNode):
        return (node.tag, [shape(item, flow=flow) for item in node.value])
    return (node.tag, [(shape(name, flow=flow), shape(item, flow=flow)) for name, item in node.value])


def _style(node: yaml.ScalarNode, flow: bool) -> str | None:
    """Return the style that a scalar is to have afterwards: its own, where PyYAML can write that for its text.

    It writes no empty plain value inside { } or [ ], no empty block, and folds no text with tabs or with spaces at
    the ends of its lines: text and tag are kept then, and it is quoted. Blocks of white space alone may be either.
    """
    text, style = node.value, node.style
    if not text:
        return "'" if flow and style is None else '"' if style in ("|", ">") else style
    if not text.strip():
        return "any" if style in ("|", ">", '"') else style
    unfoldable = "\t" in text or any(line != line.strip(" ") for line in text.split("\n"))
    return '"' if style == ">" and unfoldable else style
