"""Nodes taken for what a key's value should be: facts, each with its place, or a problem noted.

A fact that was wrong is left out, so that later stages judge the rest. Called by `declare` and its
neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gluon.model import keywords, source
from gluon.model.fieldtypes import NEW, OLD
from gluon.model.problems import Mark, Problems, suggest

T = TypeVar("T")

# Not YAML's octal, hexadecimal and base 60: who writes 010 means ten.
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})").fullmatch
_FRACTION = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?").fullmatch


_UNQUOTED = re.compile(r"[-+]?[0-9]+|true|false", re.IGNORECASE).fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """One value of a model file and where it stands; a text has its `scalar` too."""

    value: T
    mark: Mark
    scalar: source.Scalar | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Takes nodes of a file in one version of the language."""

    problems: Problems
    version: str = OLD

    @property
    def new(self) -> bool:
        return self.version != OLD

    def entries(self, node: source.Node | None, what: str) -> Sequence[tuple[source.Scalar, source.Node]]:
        """The entries of a mapping; nothing and null count as an empty one."""
        if isinstance(node, source.Mapping):
            return node.entries
        if node is not None and not is_null(node):
            self.problems.add(node.mark, f"{what} must be a mapping, it is {kind(node)}", self._instead(node))
        return ()

    def _instead(self, node: source.Node) -> str:
        """How a list, or a text, would be written as a mapping; 1.0 never said it."""
        if not self.new:
            return ""
        if isinstance(node, source.Sequence):
            return "write name: {…} for each, without the dash"
        return "write key: value pairs below it" if isinstance(node, source.Scalar) else ""

    def keys(self, node: source.Node | None, known: keywords.Keys, what: str) -> dict[str, source.Node]:
        """The entries of a mapping whose keys this version knows; the others are noted."""
        names = known.of(self.version)
        found = {}
        for key, value in self.entries(node, what):
            if key.text in names:
                found[key.text] = value
            else:
                later = f'file_version "{NEW}" has it' if key.text in known.rows else ""
                self.unknown(key, names, what, later)
        return found

    def unknown(self, key: source.Scalar, known: Iterable[str], what: str, hint: str = "") -> None:
        """Note a key that `what` does not have."""
        names = list(known)
        meant = keywords.MEANT.get(key.text)
        if not hint and self.new and meant in names:
            hint = f"did you mean {meant!r}?"
        self.problems.add(key.mark, f"unknown key {key.text!r} in {what}", hint or suggest(key.text, names))

    def text(self, node: source.Node | None, what: str, *, empty: bool = False) -> Fact[str] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag != "null":
            if node.text.strip() or empty:
                return Fact(value=node.text, mark=node.mark, scalar=node)
            self.problems.add(node.mark, f"{what} is empty")
            return None
        hint = ""
        if what == "imports":
            hint = "write a name, or a list of names" if self.new else "file_version 1.0 takes one file"
        elif self.new and isinstance(node, source.Scalar) and node.text:
            hint = f"YAML reads {node.text} as nothing: put it in quotes"
        self.problems.add(node.mark, f"{what} must be a text, it is {kind(node)}", hint)
        return None

    def texts(self, node: source.Node | None, what: str) -> Fact[tuple[Fact[str], ...]] | None:
        if node is None:
            return None
        if not isinstance(node, source.Sequence):
            like = node.text if self.new and isinstance(node, source.Scalar) and node.text else "one, two"
            self.problems.add(node.mark, f"{what} must be a list, it is {kind(node)}", f"write [{like[:60]}]")
            return None
        facts = (self.text(item, f"an item of {what}") for item in node.items)
        return Fact(value=tuple(fact for fact in facts if fact), mark=node.mark)

    def one_or_more(self, node: source.Node | None, what: str) -> Fact[tuple[Fact[str], ...]] | None:
        """A text, or a list of texts."""
        if isinstance(node, source.Sequence) and self.new:
            return self.texts(node, what)
        fact = self.text(node, what)
        return Fact(value=(fact,), mark=fact.mark) if fact else None

    def boolean(self, node: source.Node | None, what: str) -> Fact[bool] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag == "bool":
            return Fact(value=node.text.lower() in {"true", "yes", "on"}, mark=node.mark)
        self.problems.add(node.mark, f"{what} must be true or false, it is {kind(node)}", self._unquote(node))
        return None

    def integer(self, node: source.Node | None, what: str) -> Fact[int] | None:
        if node is None:
            return None
        if isinstance(node, source.Scalar) and node.tag == "int" and _DECIMAL(node.text):
            return Fact(value=int(node.text), mark=node.mark)
        hint = (self.new and not_decimal(node)) or self._unquote(node)
        self.problems.add(node.mark, f"{what} must be an integer, it is {kind(node)}", hint)
        return None

    def number(self, node: source.Node | None, what: str) -> Fact[int | float] | None:
        """An integer, or in 2.0 also a fraction; whether the type takes one is for `check`."""
        plain = self.new and isinstance(node, source.Scalar) and not node.style
        if (
            isinstance(node, source.Scalar)
            and plain
            and _FRACTION(node.text)
            and not node.text.lstrip("+-").isdigit()
        ):
            return Fact(value=float(node.text), mark=node.mark)
        found = self.integer(node, what)
        return Fact(value=found.value, mark=found.mark) if found else None

    def _unquote(self, node: source.Node) -> str:
        if not isinstance(node, source.Scalar) or node.tag != "str" or not node.text:
            return ""
        if self.new and not (node.style and _UNQUOTED(node.text)):
            return ""
        return "write it without quotes"

    def value(self, node: source.Node | None, what: str) -> Fact[source.Node] | None:
        """Any value, kept as nodes: what it is depends on the attribute's type."""
        return None if node is None else Fact(value=node, mark=node.mark)

    def read(self, key: keywords.Key, node: source.Node | None, what: str) -> object:
        """The fact that `key` takes; parts are read by who knows them."""
        return getattr(self, _METHODS[key.reads])(node, what)


_METHODS = {
    keywords.Reads.TEXT: "text",
    keywords.Reads.TEXTS: "texts",
    keywords.Reads.ONE_OR_MORE: "one_or_more",
    keywords.Reads.BOOLEAN: "boolean",
    keywords.Reads.INTEGER: "integer",
    keywords.Reads.NUMBER: "number",
    keywords.Reads.VALUE: "value",
}


def is_null(node: source.Node) -> bool:
    """Whether nothing, `~` or `null` stands there."""
    return isinstance(node, source.Scalar) and node.tag == "null"


def kind(node: source.Node) -> str:
    """What a node is, for messages."""
    if isinstance(node, source.Mapping):
        return "a mapping"
    if isinstance(node, source.Sequence):
        return "a list"
    return "empty" if node.tag == "null" else repr(node.text[:60])


def not_decimal(node: source.Node) -> str:
    """A hint where YAML reads an integer that no one would: octal, hexadecimal, base 60, too long."""
    if not isinstance(node, source.Scalar) or node.tag != "int" or _DECIMAL(node.text):
        return ""
    if re.fullmatch(r"[-+]?[1-9][0-9]*", node.text):
        return "it does not fit into 64 bits"
    return "write digits only, without leading zeros"
