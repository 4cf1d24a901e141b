"""Nodes of defaults and examples as the values that they mean: what JSON would hold.

A plain `65000:1` is no number of base 60 and a plain time no object of time, but texts as written; in
an enum all scalars are texts, as its `values` are. What has no meaning is `Unclear`. Whether the
value fits its attribute is for `check_values`.
"""

from __future__ import annotations

import re
from typing import Any

from gluon.model import source
from gluon.model.problems import Mark
from gluon.model.types import Attribute, AttributeType

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})").fullmatch
_FLOAT = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?").fullmatch


class Unclear(ValueError):
    """A scalar that YAML and people read differently: `message` with what to write."""

    def __init__(self, mark: Mark, message: str, hint: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message
        self.hint = hint


def value_of(node: source.Node, attribute: Attribute | None) -> Any:
    """What `node` means as a value of `attribute` (None: it is not known). Raises `Unclear`."""
    if isinstance(node, source.Mapping):
        return {key.text: value_of(value, _member(attribute, key.text)) for key, value in node.entries}
    if isinstance(node, source.Sequence):
        return [value_of(item, attribute.items if attribute else None) for item in node.items]
    return _scalar(node, attribute)


def _member(attribute: Attribute | None, name: str) -> Attribute | None:
    if attribute is None:
        return None
    return attribute.items or attribute.members.get(name)


def _scalar(node: source.Scalar, attribute: Attribute | None) -> Any:
    text, tag = node.text, node.tag
    if tag == "null":
        return None
    if attribute and attribute.value_type is AttributeType.ENUM:
        return text
    if tag == "bool":
        return _boolean(node, attribute)
    if tag == "int" and _INTEGER(text):
        return int(text)
    if tag == "int" and ":" not in text:
        raise Unclear(
            node.mark, f"{text[:60]!r} is no plain decimal number", "write it in decimal, or in quotes"
        )
    number = attribute is not None and attribute.value_type is AttributeType.NUMBER and not node.style
    if (tag == "float" or number) and _FLOAT(text):
        return float(text)
    return text


def _boolean(node: source.Scalar, attribute: Attribute | None) -> bool:
    """YAML takes `no` and `on` for booleans, people and JSON do not."""
    lowered = node.text.lower()
    if lowered in {"true", "false"} or (attribute and attribute.value_type is AttributeType.BOOLEAN):
        return lowered in {"true", "yes", "on"}
    raise Unclear(
        node.mark,
        f"{node.text!r} is a boolean to YAML",
        f'write "{node.text}" in quotes, or true or false',
    )
