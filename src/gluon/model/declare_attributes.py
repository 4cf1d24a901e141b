"""The part of `declare` that reads attributes: of object types, of nested objects, of items, of actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gluon.model import keywords, source
from gluon.model.facts import Fact, Reader, is_null
from gluon.model.problems import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute as declared in one place; None where it says nothing.

    `nested` is the word for where it stands: empty for an attribute of an object type, `item` for that of a list or map,
    `member` for that of an object or of an action. `default` and `example` are nodes: what they
    mean depends on the type. `misread`: something in it was not understood (2.0), so what seems to be
    missing may be that.
    """

    mark: Mark
    nested: str = ""
    misread: bool = False
    type: Fact[str] | None = None
    primary: Fact[bool] | None = None
    description: Fact[str] | None = None
    required: Fact[bool] | None = None
    nullable: Fact[bool] | None = None
    default: Fact[source.Node] | None = None
    immutable: Fact[bool] | None = None
    read_only: Fact[bool] | None = None
    secret: Fact[bool] | None = None
    unique: Fact[str] | None = None
    indexed: Fact[bool] | None = None
    role: Fact[str] | None = None
    example: Fact[source.Node] | None = None
    renamed_from: Fact[str] | None = None
    policies: Mapping[str, Fact[str]] | None = None
    length: Fact[int] | None = None
    min_length: Fact[int] | None = None
    pattern: Fact[str] | None = None
    values: Fact[tuple[Fact[str], ...]] | None = None
    format: Fact[str] | None = None
    min: Fact[int | float] | None = None
    max: Fact[int | float] | None = None
    items: Attribute | None = None
    min_items: Fact[int] | None = None
    max_items: Fact[int] | None = None
    unique_items: Fact[bool] | None = None
    attributes: Mapping[str, Attribute] | None = None
    on_delete: Fact[str] | None = None
    listed_as: Fact[str] | None = None
    pool: Fact[str] | None = None

    def says(self, key: str) -> bool:
        """Whether the boolean `key` is given as true."""
        fact: Fact[bool] | None = getattr(self, key)
        return bool(fact and fact.value)


def attributes(
    node: source.Node | None, what: str, reader: Reader, *, nested: str = ""
) -> dict[str, Attribute]:
    """A mapping of attributes by name."""
    return {
        name.text: attribute(f"attribute {name.text}", name.mark, value, reader, nested=nested)
        for name, value in reader.entries(node, what)
    }


def attribute(where: str, mark: Mark, node: source.Node, reader: Reader, *, nested: str = "") -> Attribute:
    """One attribute; `nested` says where it stands and so which keys it takes."""
    known = keywords.ATTRIBUTE.of(reader.version)
    facts: dict[str, Any] = {}
    before = reader.problems.reports
    if (type_alone := _type_alone(where, node, reader)) is not None:
        return Attribute(mark=mark, nested=nested, misread=True, type=type_alone)
    for key, value in reader.keys(node, keywords.ATTRIBUTE, where).items():
        if nested and key in keywords.COMMON.rows and key not in _COMMON[nested]:
            hint = f"{key} belongs to the attribute of the object type"
            reader.problems.add(value.mark, f"{where}: {_STANDS[nested]} takes no {key}", hint)
        elif key == "items":
            facts[key] = attribute(f"items of {where}", value.mark, value, reader, nested="item")
        elif key == "attributes":
            facts[key] = attributes(value, f"attributes of {where}", reader, nested="member")
        elif key == "policies":
            facts[key] = _policies(value, f"policies of {where}", reader)
        else:
            facts[key] = reader.read(known[key], value, f"{key} of {where}")
    misread = reader.new and reader.problems.reports > before
    return Attribute(mark=mark, nested=nested, misread=misread, **facts)


def _policies(node: source.Node, what: str, reader: Reader) -> dict[str, Fact[str]]:
    found = {
        word: reader.text(value, f"{word} of {what}", empty=True)
        for word, value in reader.keys(node, keywords.ATTRIBUTE_POLICIES, what).items()
    }
    return {word: fact for word, fact in found.items() if fact}


def _type_alone(where: str, node: source.Node, reader: Reader) -> Fact[str] | None:
    """The text that stands where the mapping should: most likely the type."""
    if not reader.new or not isinstance(node, source.Scalar) or is_null(node):
        return None
    hint = f"write {{type: {node.text[:60]}}}" if node.text else ""
    reader.problems.add(node.mark, f"{where} must be a mapping, it is {node.text[:60]!r}", hint)
    return Fact(value=node.text, mark=node.mark)


_COMMON: Mapping[str, tuple[str, ...]] = {"item": keywords.ITEM, "member": keywords.MEMBER}
_STANDS: Mapping[str, str] = {"item": "an item", "member": "a member"}
