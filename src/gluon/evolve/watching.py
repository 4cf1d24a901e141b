"""Objects whose rules read others: found when one of the others changes while an upgrade goes on.

In: the rules that an upgrade asks of stored objects, and journal entries of the old model. Out: the keys of objects
to be judged again. Invariant: no write of an old model, which does not know the new rules, leaves an object that
breaks one. Called by `work` and `runner`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gluon.evolve import values
from gluon.model.types import AttributeType, Model, ObjectType
from gluon.objects import codec, journal
from gluon.particles import tables
from gluon.spi import store

Find = Callable[[str, str, Sequence[store.Value]], Awaitable[Sequence[store.Row]]]
"""Rows of a table with one of these values in a column."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Where references are kept: rows of `table` with the key in `column` are of the object that `owner` names."""

    table: str
    column: str
    owner: str


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule reads `attribute` of objects of `target`; `steps` lead from there back to the objects that have it."""

    target: str
    attribute: str
    steps: tuple[tuple[Holder, ...], ...]


def read(model: Model, name: str, path: Path) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """For each attribute on a path of a rule: its type, its name, and the references (type, attribute) on the way."""
    chain: tuple[tuple[str, str], ...] = ()
    place: Path = ()
    for step in path[1:]:
        kind = model.types[name]
        if not place:
            if step not in kind.attributes:
                return
            yield name, step, chain
        place = (*place, step)
        target = _target(kind, place)
        if target is not None:
            chain, name, place = (*chain, (name, place[0])), target, ()


def _target(kind: ObjectType, place: Path) -> str | None:
    if len(place) == 1 and kind.attributes[place[0]].reference:
        return kind.attributes[place[0]].reference
    return next((link.target for link in kind.links if link.path == place), None)


def watches(old: Model, new: Model, name: str, paths: Iterable[Path]) -> tuple[Watch, ...]:
    """What rules of the type `name` that read `paths` see of other objects, in the words of the old model."""
    found: dict[Watch, None] = {}
    for path in sorted(paths):
        for target, attribute, chain in read(new, name, path):
            before = _before(old, new, target, attribute)
            steps = tuple(_holders(old, new, owner, top) for owner, top in reversed(chain))
            if chain and before is not None and all(steps):
                found[Watch(target, before, steps)] = None
    return tuple(found)


def _before(old: Model, new: Model, name: str, attribute: str) -> str | None:
    kind = old.types.get(name)
    return values.source(kind.attributes, new.types[name].attributes[attribute]) if kind else None


def _holders(old: Model, new: Model, name: str, top: str) -> tuple[Holder, ...]:
    """None where the old model has no such reference: nothing that is stored has it."""
    before = _before(old, new, name, top)
    if before is None:
        return ()
    kind = old.types[name]
    owner = tables.column_name(kind.attributes[kind.key])
    single = [
        Holder(tables.table_of(old, kind), tables.column_name(a), owner)
        for a in kind.references
        if a.name == before
    ]
    many = [
        Holder(tables.link_table_name(old, kind, link), tables.TARGET, tables.OWNER)
        for link in kind.links
        if link.top == before
    ]
    return (*single, *many)


def changed(watch: Watch, kind: ObjectType, entry: journal.Entry) -> bool:
    """Whether an entry may change what the rule reads. Secrets are not in the journal."""
    if entry.old is None or entry.new is None or kind.attributes[watch.attribute].secret:
        return True
    before, after = codec.decode(entry.old), codec.decode(entry.new)
    return bool(before.get(watch.attribute) != after.get(watch.attribute))


def key_of(kind: ObjectType, text: str) -> store.Value:
    """A key as the journal has it, as the table has it."""
    return int(text) if kind.attributes[kind.key].value_type is AttributeType.INTEGER else text


async def readers(
    old: Model, watched: Sequence[Watch], entries: Iterable[journal.Entry], find: Find
) -> list[store.Value]:
    """The keys of the objects to be judged again after these entries."""
    keys: dict[Watch, dict[store.Value, None]] = {}
    for entry in entries:
        kind = old.types.get(entry.type)
        if kind is None or entry.api != old.name:
            continue
        for watch in watched:
            if watch.target == entry.type and changed(watch, kind, entry):
                keys.setdefault(watch, {})[key_of(kind, entry.key)] = None
    found: dict[store.Value, None] = {}
    for watch, seen in keys.items():
        found.update(await _back(watch, list(seen), find))
    return list(found)


async def _back(watch: Watch, keys: list[store.Value], find: Find) -> dict[store.Value, None]:
    """From these objects to those whose rules read them, step by step."""
    for holders in watch.steps:
        owners: dict[store.Value, None] = {}
        for holder in holders:
            rows = await find(holder.table, holder.column, keys)
            owners.update(dict.fromkeys(row[holder.owner] for row in rows))
        keys = list(owners)
    return dict.fromkeys(keys)
