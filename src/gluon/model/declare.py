"""Second stage: nodes in, declarations out: what one file says, each fact with its place.

Unknown keys and wrong kinds of nodes are noted here; whether the facts fit together is for
`check`. A fact that was wrong is left out, so that later stages judge the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gluon.model import source
from gluon.model.problems import Mark, Problems, suggest

T = TypeVar("T")

# Not YAML's octal, hexadecimal and base 60: who writes 010 means ten.
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})").fullmatch

ACTIONS = ("create", "delete", "get", "list", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """One value of a model file and where it stands."""

    value: T
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute as declared in one place; None where it says nothing."""

    mark: Mark
    type: Fact[str] | None = None
    primary: Fact[bool] | None = None
    description: Fact[str] | None = None
    required: Fact[bool] | None = None
    length: Fact[int] | None = None
    values: Fact[tuple[Fact[str], ...]] | None = None
    format: Fact[str] | None = None
    min: Fact[int] | None = None
    max: Fact[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What makes an object type one with a table and URLs."""

    mark: Mark
    name: Fact[str] | None = None
    plural_name: Fact[str] | None = None
    parent: Fact[str] | None = None
    parent_key: Fact[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """An object type as declared; without `api` a base object."""

    name: str
    mark: Mark
    api: Api | None = None
    extends: Fact[str] | None = None
    description: Fact[str] | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    policies: Mapping[str, Fact[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    mark: Mark
    name: Fact[str] | None = None
    version: Fact[str] | None = None
    description: Fact[str] | None = None
    author: Mapping[str, Fact[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """All that one file declares."""

    mark: Mark
    file_version: Fact[str] | None = None
    imports: Fact[str] | None = None
    info: Info | None = None
    objects: tuple[ObjectType, ...] = ()


def read(text: str, file: str, problems: Problems) -> File | None:
    """The declarations of one file, or None where it is no mapping at all."""
    before = len(problems)
    root = source.parse(text, file, problems)
    reader = _Reader(problems)
    if isinstance(root, source.Scalar) and root.tag == "null":
        root = None
    if root is None:
        if len(problems) == before:
            problems.add(Mark(file=file), "the file is empty", "start with file_version, info and objects")
        return None
    top = reader.keys(root, ("file_version", "imports", "info", "objects"), "the top level of a model")
    return File(
        mark=Mark(file=file),
        file_version=reader.text(top.get("file_version"), "file_version"),
        imports=reader.text(top.get("imports"), "imports"),
        info=_info(top["info"], reader) if "info" in top else None,
        objects=tuple(
            _object(key, node, reader) for key, node in reader.entries(top.get("objects"), "objects")
        ),
    )


def _info(node: source.Node, reader: _Reader) -> Info:
    keys = reader.keys(node, ("name", "version", "description", "author"), "info")
    author = reader.keys(keys.get("author"), ("name", "url", "email"), "info.author")
    told = {key: reader.text(value, f"info.author.{key}") for key, value in author.items()}
    return Info(
        mark=node.mark,
        name=reader.text(keys.get("name"), "info.name"),
        version=reader.text(keys.get("version"), "info.version"),
        description=reader.text(keys.get("description"), "info.description"),
        author={key: fact for key, fact in told.items() if fact},
    )


def _object(key: source.Scalar, node: source.Node, reader: _Reader) -> ObjectType:
    where = f"object type {key.text}"
    keys = reader.keys(node, ("api", "extends", "description", "attributes", "policies"), where)
    return ObjectType(
        name=key.text,
        mark=key.mark,
        api=_api(keys["api"], where, reader) if "api" in keys else None,
        extends=reader.text(keys.get("extends"), f"extends of {where}"),
        description=reader.text(keys.get("description"), f"description of {where}"),
        attributes={
            name.text: _attribute(name, value, reader)
            for name, value in reader.entries(keys.get("attributes"), f"attributes of {where}")
        },
        policies=_policies(keys.get("policies"), where, reader),
    )


def _api(node: source.Node, where: str, reader: _Reader) -> Api:
    keys = reader.keys(node, ("name", "plural_name", "parent", "parent_key"), f"api of {where}")
    facts = {key: reader.text(value, f"api.{key} of {where}") for key, value in keys.items()}
    return Api(mark=node.mark, **facts)


def _attribute(name: source.Scalar, node: source.Node, reader: _Reader) -> Attribute:
    known = ("type", "primary", "description", "required", "length", "values", "format", "min", "max")
    where = f"attribute {name.text}"
    keys = reader.keys(node, known, where)
    return Attribute(
        mark=name.mark,
        type=reader.text(keys.get("type"), f"type of {where}"),
        primary=reader.boolean(keys.get("primary"), f"primary of {where}"),
        description=reader.text(keys.get("description"), f"description of {where}"),
        required=reader.boolean(keys.get("required"), f"required of {where}"),
        length=reader.integer(keys.get("length"), f"length of {where}"),
        values=reader.texts(keys.get("values"), f"values of {where}"),
        format=reader.text(keys.get("format"), f"format of {where}"),
        min=reader.integer(keys.get("min"), f"min of {where}"),
        max=reader.integer(keys.get("max"), f"max of {where}"),
    )


def _policies(node: source.Node | None, where: str, reader: _Reader) -> dict[str, Fact[str]]:
    policies = {}
    for action, value in reader.keys(node, ACTIONS, f"policies of {where}").items():
        what = f"policy {action} of {where}"
        role = reader.keys(value, ("role",), what)
        fact = reader.text(role.get("role"), f"role of {what}", empty=True)
        if fact:
            policies[action] = fact
        elif isinstance(value, source.Mapping) and not value.entries:
            reader.problems.add(value.mark, f"{what} has no role", 'write role: "rule:admin_or_owner"')
    return policies


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes nodes for what they should be, and notes where they are not."""

    problems: Problems

    def entries(self, node: source.Node | None, what: str) -> Sequence[tuple[source.Scalar, source.Node]]:
        """The entries of a mapping; nothing and null count as an empty one."""
        if isinstance(node, source.Mapping):
            return node.entries
        if node is not None and not _is_null(node):
            self.problems.add(node.mark, f"{what} must be a mapping, it is {_kind(node)}")
        return ()

    def keys(self, node: source.Node | None, known: Sequence[str], what: str) -> dict[str, source.Node]:
        """The entries of a mapping whose keys are known; the others are noted."""
        found = {}
        for key, value in self.entries(node, what):
            if key.text in known:
                found[key.text] = value
            else:
                self.problems.add(key.mark, f"unknown key {key.text!r} in {what}", suggest(key.text, known))
        return found

    def text(self, node: source.Node | None, what: str, *, empty: bool = False) -> Fact[str] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag != "null":
            if node.text.strip() or empty:
                return Fact(value=node.text, mark=node.mark)
            self.problems.add(node.mark, f"{what} is empty")
            return None
        hint = "file_version 1.0 takes one file" if what == "imports" else ""
        self.problems.add(node.mark, f"{what} must be a text, it is {_kind(node)}", hint)
        return None

    def texts(self, node: source.Node | None, what: str) -> Fact[tuple[Fact[str], ...]] | None:
        if node is None:
            return None
        if not isinstance(node, source.Sequence):
            self.problems.add(node.mark, f"{what} must be a list, it is {_kind(node)}", "write [one, two]")
            return None
        facts = (self.text(item, f"an item of {what}") for item in node.items)
        return Fact(value=tuple(fact for fact in facts if fact), mark=node.mark)

    def boolean(self, node: source.Node | None, what: str) -> Fact[bool] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag == "bool":
            return Fact(value=node.text.lower() in {"true", "yes", "on"}, mark=node.mark)
        self.problems.add(node.mark, f"{what} must be true or false, it is {_kind(node)}", _unquote(node))
        return None

    def integer(self, node: source.Node | None, what: str) -> Fact[int] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag == "int" and _DECIMAL(node.text):
            return Fact(value=int(node.text), mark=node.mark)
        self.problems.add(node.mark, f"{what} must be an integer, it is {_kind(node)}", _unquote(node))
        return None


def _is_null(node: source.Node) -> bool:
    return isinstance(node, source.Scalar) and node.tag == "null"


def _kind(node: source.Node) -> str:
    if isinstance(node, source.Mapping):
        return "a mapping"
    if isinstance(node, source.Sequence):
        return "a list"
    return "empty" if node.tag == "null" else repr(node.text[:60])


def _unquote(node: source.Node) -> str:
    quoted = isinstance(node, source.Scalar) and node.tag == "str"
    return "write it without quotes" if quoted and isinstance(node, source.Scalar) and node.text else ""
