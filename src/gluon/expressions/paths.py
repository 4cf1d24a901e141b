"""Which members an expression reads, from the roots down.

In: a tree, and which of its nodes go into maps, where types are known. Out: chains of members; `*` stands for every
item of a list or map. Used to know which objects a rule
needs, and which changes may make it false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gluon.expressions import syntax

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a value may come from; `items`: where its items may, if not from below `paths`."""

    paths: frozenset[Path] = frozenset()
    items: _Origin | None = None

    def below(self, name: str) -> _Origin:
        return _Origin(frozenset((*p, name) for p in self.paths))

    def item(self) -> _Origin:
        below = self.below("*")
        return below if self.items is None else _either(below, self.items)


_NOWHERE = _Origin()


def _either(a: _Origin, b: _Origin) -> _Origin:
    items = None
    if a.items or b.items:
        items = _either(a.items or _NOWHERE, b.items or _NOWHERE)
    return _Origin(a.paths | b.paths, items)


def paths(node: syntax.Node, maps: frozenset[int] = frozenset()) -> frozenset[Path]:
    """Every chain of members that `node` reads; `maps`: ids of nodes that take a value, or the keys, of a map."""
    reader = _Reader(maps)
    return frozenset(reader.found | reader.origin(node, {}).paths)


def items(node: syntax.Node) -> tuple[frozenset[Path], frozenset[Path]]:
    """Where the items of `node` may stand, and every chain that is read to make them."""
    reader = _Reader(frozenset())
    origin = reader.read(node, {})
    return origin.item().paths, frozenset(reader.found)


Scope = Mapping[str, _Origin]


class _Reader:
    """`found`: what is read on the way and leads no further."""

    def __init__(self, maps: frozenset[int]) -> None:
        self.maps = maps
        self.found: set[Path] = set()

    def read(self, node: syntax.Node, scope: Scope) -> _Origin:
        origin = self.origin(node, scope)
        self.found |= origin.paths
        return origin

    def origin(self, node: syntax.Node, scope: Scope) -> _Origin:
        """Where the value of `node` comes from."""
        match node:
            case syntax.Name(name=name):
                return scope.get(name) or _Origin(frozenset({(name,)}))
            case syntax.Member(of=of, name=name):
                outer = self.origin(of, scope)
                return outer.item() if id(node) in self.maps else outer.below(name)
            case syntax.Index(of=of, key=key):
                self.read(key, scope)
                return self.origin(of, scope).item()
            case syntax.Items(items=items):
                below = _NOWHERE
                for item in items:
                    below = _either(below, self.origin(item, scope))
                return _Origin(items=below)
            case syntax.Conditional(test=test, yes=yes, no=no):
                self.read(test, scope)
                return _either(self.origin(yes, scope), self.origin(no, scope))
            case syntax.Binary(operator="+", left=left, right=right):
                return _either(self.read(left, scope), self.read(right, scope))
            case syntax.Each():
                return self.each(node, scope)
        for child in syntax.children(node):
            self.whole(child, scope)
        return _NOWHERE

    def whole(self, node: syntax.Node, scope: Scope) -> None:
        """A value of which all is looked at: the items of a list that is written out, too."""
        items = self.read(node, scope).items
        while items is not None:
            self.found |= items.paths
            items = items.items

    def each(self, node: syntax.Each, scope: Scope) -> _Origin:
        over = self.read(node.over, scope)
        inner = {**scope, node.variable: _Origin() if id(node) in self.maps else over.item()}
        if node.test:
            self.read(node.test, inner)
        body = self.read(node.body, inner)
        if node.macro == "filter":
            return _NOWHERE if id(node) in self.maps else over
        return _Origin(items=body) if node.macro == "map" else _NOWHERE
