"""Rules of models, compiled: what each type's checks are, and which types they read through references.

In: checked types. Out: `Rule`s of a type, and `Watcher`s for the types that rules of others read. Made by
`registry`, used by `judging`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon import expressions
from gluon.model import shapes, types
from gluon.proton import referring


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled check of one object type."""

    check: types.Check
    holds: expressions.Rule
    hidden: Callable[[tuple[str, ...]], bool]

    def explained(self, values: Mapping[str, Any]) -> str:
        """The expression, and the values that made it false."""
        why = self.holds.explain(values, hidden=self.hidden)
        return f"{self.check.rule}; {why}" if why else self.check.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A rule of `owner` that reads `attribute` of the type which has this watcher; `chain` leads there."""

    attribute: str
    owner: str
    chain: tuple[referring.Reference, ...]
    rule: Rule


def compiled(kinds: Mapping[str, types.ObjectType], kind: types.ObjectType) -> tuple[Rule, ...]:
    """The rules of one type. The loader has checked them."""
    roots = shapes.roots(kinds, kind.name)
    hidden = shapes.secret(kinds, kind.name)
    return tuple(Rule(check=c, holds=expressions.rule(c.rule, roots), hidden=hidden) for c in kind.checks)


def watchers(
    kind: types.ObjectType,
    rules: Sequence[Rule],
    references: Sequence[referring.Reference],
) -> Iterator[tuple[str, Watcher]]:
    """What the rules of `kind` read of other types: the type, and the watcher to put there."""
    by_place = {(r.owner, r.link.path if r.link else (r.attribute,)): r for r in references}
    seen = set()
    for rule in rules:
        if rule.check.write_only:
            continue
        for path in sorted(rule.holds.expression.paths):
            if path[0] != "self":
                continue
            here = kind.name
            place: tuple[str, ...] = ()
            chain: tuple[referring.Reference, ...] = ()
            for step in path[1:]:
                mark = (id(rule), tuple((r.owner, r.name) for r in chain), step)
                if not place and chain and mark not in seen:
                    seen.add(mark)
                    yield here, Watcher(attribute=step, owner=kind.name, chain=chain, rule=rule)
                place = (*place, step)
                reference = by_place.get((here, place))
                if reference is not None:
                    chain, here, place = (*chain, reference), reference.target, ()
