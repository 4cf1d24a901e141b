"""Which members an expression reads, from the roots down.

In: a tree. Out: chains of members; `*` stands for every item of a list or map. Used to know which objects a rule
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


def paths(node: syntax.Node) -> frozenset[Path]:
    """Every chain of members that `node` reads."""
    found: set[Path] = set()
    found |= _origin(node, {}, found).paths
    return frozenset(found)


def _origin(node: syntax.Node, scope: Mapping[str, _Origin], found: set[Path]) -> _Origin:
    """Where the value of `node` comes from; what is read on the way and leads no further goes to `found`."""
    match node:
        case syntax.Name(name=name):
            return scope.get(name) or _Origin(frozenset({(name,)}))
        case syntax.Member(of=of, name=name):
            return _origin(of, scope, found).below(name)
        case syntax.Index(of=of, key=key):
            found |= _origin(key, scope, found).paths
            return _origin(of, scope, found).item()
        case syntax.Items(items=items):
            below = _NOWHERE
            for item in items:
                below = _either(below, _origin(item, scope, found))
            return _Origin(items=below)
        case syntax.Conditional(test=test, yes=yes, no=no):
            found |= _origin(test, scope, found).paths
            return _either(_origin(yes, scope, found), _origin(no, scope, found))
        case syntax.Binary(operator="+", left=left, right=right):
            a, b = _origin(left, scope, found), _origin(right, scope, found)
            found |= a.paths | b.paths
            return _either(a, b)
        case syntax.Each():
            return _of_macro(node, scope, found)
    for child in syntax.children(node):
        found |= _origin(child, scope, found).paths
    return _NOWHERE


def _of_macro(node: syntax.Each, scope: Mapping[str, _Origin], found: set[Path]) -> _Origin:
    over = _origin(node.over, scope, found)
    found |= over.paths
    inner = {**scope, node.variable: over.item()}
    if node.test:
        found |= _origin(node.test, inner, found).paths
    body = _origin(node.body, inner, found)
    found |= body.paths
    if node.macro == "filter":
        return over
    return _Origin(items=body) if node.macro == "map" else _NOWHERE
