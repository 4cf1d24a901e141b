"""Rules of models, compiled: what each type's checks are, and which types they read through references.

In: checked types. Out: `Rule`s of a type, and `Watcher`s for the types that rules of others read. Made by
`registry`, used by `judging`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gluon import expressions
from gluon.model import shapes, types
from gluon.proton import referring
from gluon.spi import store

Chain = tuple[referring.Reference, ...]
"""References one after the other, each of the type that the one before leads to."""

_MOST = 2000
"""Objects of one step to read ahead; a rule that looks at more is ended by its budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled check of one object type. `chains`: through which references it reads members, the longest of each."""

    check: types.Check
    holds: expressions.Rule
    hidden: Callable[[shapes.Closed], Callable[[tuple[str, ...]], bool]]
    chains: tuple[Chain, ...] = ()

    @property
    def reads_old(self) -> bool:
        return any(path[0] == "old" for path in self.holds.paths)

    def explained(self, values: Mapping[str, Any], closed: shapes.Closed) -> str:
        """The expression, and the values that made it false, of what is not `closed` to who is told."""
        why = self.holds.explain(values, hidden=self.hidden(closed))
        return f"{self.check.rule}; {why}" if why else self.check.rule

    def read_ahead(self, view: store.View, rows: Sequence[store.Row]) -> None:
        """Have all that it reads of `rows` in the view: a round for each step, not for each object."""
        for chain in self.chains:
            if len(rows) < 2 and len(chain) == 1 and chain[0].link is None:
                continue  # one object: it is read when it is asked for, if it is
            here = rows
            for reference in chain:
                held = dict.fromkeys(key for row in here for _, key in reference.held(row))
                keys = list(held)[:_MOST]
                view.prefetch([reference.target_of(key) for key in keys])
                found = (view.get(reference.target_table, key) for key in keys)
                here = [row for row in found if row is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A rule of `owner` that reads `attribute` of the type which has this watcher; `chain` leads there."""

    attribute: str
    owner: str
    chain: Chain
    rule: Rule


def compiled(
    kinds: Mapping[str, types.ObjectType], kind: types.ObjectType, references: Sequence[referring.Reference]
) -> tuple[Rule, ...]:
    """The rules of one type. The loader has checked them."""
    roots = shapes.roots(kinds, kind.name)
    hidden = partial(shapes.secret, kinds, kind.name)
    places = _places(references)
    made = []
    for check in kind.checks:
        holds = expressions.rule(check.rule, roots)
        ways = {
            tuple((r.owner, r.name) for r in chain): chain
            for path in sorted(holds.paths)
            for _, chain, _ in _steps(kind.name, path, places)
        }
        longest = [c for way, c in ways.items() if not any(way == o[: len(way)] for o in ways if o != way)]
        made.append(Rule(check=check, holds=holds, hidden=hidden, chains=tuple(longest)))
    return tuple(made)


Places = Mapping[tuple[str, tuple[str, ...]], referring.Reference]


def _places(references: Sequence[referring.Reference]) -> Places:
    return {(r.owner, r.link.path if r.link else (r.attribute,)): r for r in references}


def _steps(name: str, path: tuple[str, ...], places: Places) -> Iterator[tuple[str, Chain, str]]:
    """For each attribute that `path` reads behind a reference: its type, the chain that leads there, its name."""
    place: tuple[str, ...] = ()
    chain: Chain = ()
    for step in path[1:]:
        if not place and chain:
            yield name, chain, step
        place = (*place, step)
        reference = places.get((name, place))
        if reference is not None:
            chain, name, place = (*chain, reference), reference.target, ()


def watchers(
    kind: types.ObjectType,
    rules: Sequence[Rule],
    references: Sequence[referring.Reference],
) -> Iterator[tuple[str, Watcher]]:
    """What the rules of `kind` read of other types: the type, and the watcher to put there."""
    places = _places(references)
    for rule in rules:
        if rule.check.write_only:
            continue
        paths = [path for path in sorted(rule.holds.paths) if path[0] == "self"]
        found = {
            (attribute, tuple((r.owner, r.name) for r in chain)): (there, chain, attribute)
            for path in paths
            for there, chain, attribute in _steps(kind.name, path, places)
        }
        for there, chain, attribute in found.values():
            yield there, Watcher(attribute=attribute, owner=kind.name, chain=chain, rule=rule)
