"""What a delete takes along: the objects that go, those that lose a reference, those in the way.

In: the object to delete. Out: a `Leaving`. A referrer that goes in the same unit stands in nobody's way,
by whichever reference it was found. A port's own default interface goes with it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gluon import errors
from gluon.model import types
from gluon.particles import tables
from gluon.proton import access, referring, registry, units, work
from gluon.spi import ports, store

DEEPEST = 100
"""References in a row: each costs a round to the database under the lock of the writer."""

Name = tuple[str, store.Value]
"""Type and key of an object."""
Found = tuple[referring.Reference, store.Row]


class Leaving(msgspec.Struct):
    """`going` in the order in which they were found: the object itself, then what refers to it, and so on."""

    going: dict[Name, tuple[registry.Resource, store.Row]] = msgspec.field(default_factory=dict)
    unset: dict[Name, list[Found]] = msgspec.field(default_factory=dict)
    left: dict[Name, list[Found]] = msgspec.field(default_factory=dict)

    def add(self, resource: registry.Resource, row: store.Row) -> bool:
        name = (resource.name, row[resource.records.key_column])
        if name in self.going:
            return False
        self.going[name] = (resource, row)
        return True


def leaving(
    state: work.Work, ledger: ports.PortLedger, resource: registry.Resource, row: store.Row
) -> Leaving:
    """All that happens because `row` goes. Raises `Conflict` where it is too much."""
    found = Leaving()
    found.add(resource, row)
    level = [(resource, row)]
    what = f"deleting {resource.name} '{row[resource.records.key_column]}'"
    depth = 0
    while level:
        if depth > DEEPEST:
            raise errors.Conflict(
                f"{what} would reach through more than {DEEPEST} objects, each of which refers to the one before",
                code="too_many",
                hint="delete those at the other end first, then repeat the request",
            )
        depth += 1
        state.prefetch(
            [lookup for kind, one in level for lookup in reads(ledger, kind, one[kind.records.key_column])]
        )
        level = [next_one for one in level for next_one in _step(state, found, *one)]
        work.check_size(what, len(found.going) + len(found.unset))
    for name in found.going:
        found.unset.pop(name, None)
        found.left.pop(name, None)
    return found


def reads(ledger: ports.PortLedger, resource: registry.Resource, key: store.Value) -> list[store.Lookup]:
    """What the delete of one object looks at."""
    wanted = [r.referrers_of(key) for r in resource.referrers]
    if resource.default_interface is not None:
        wanted += [r.referrers_of(key) for r in resource.default_interface.referrers]
    if resource.is_port:
        wanted += ledger.reads_to_remove(resource.api, resource.name, str(key))
    return wanted


def _step(
    state: work.Work, found: Leaving, resource: registry.Resource, row: store.Row
) -> Iterable[tuple[registry.Resource, store.Row]]:
    """What goes because of this one, and is new."""
    key = row[resource.records.key_column]
    interface = units.default_interface(state, resource, key)
    kind = resource.default_interface
    if interface is not None and kind is not None and found.add(kind, interface):
        yield from _step(state, found, kind, interface)
    for reference in resource.referrers:
        owner = resource.family[reference.owner]
        for other in reference.rows(state, key):
            name = (reference.owner, other[reference.owner_key])
            if name in found.going:
                continue
            if reference.on_delete is types.OnDelete.CASCADE:
                found.add(owner, other)
                yield owner, other
            elif reference.on_delete is types.OnDelete.UNSET:
                found.unset.setdefault(name, []).append((reference, other))
            else:
                found.left.setdefault(name, []).append((reference, other))


def without(state: work.Work, owner: registry.Resource, references: list[Found], found: Leaving) -> store.Row:
    """The row of an object after these references of it are unset. Raises `Conflict` if it cannot be."""
    before = row = references[0][1]
    for reference, _ in references:
        gone = {key for name, key in found.going if name == reference.target}
        row = reference.emptied(row, gone)
    for pooled in owner.pooled:
        if (
            pooled.attribute.drawn
            and pooled.attribute.nullable
            and pooled.id(row) is None
            and pooled.id(before) is not None
        ):
            row[pooled.column] = None
    for name in dict.fromkeys(r.attribute for r, _ in references):
        value = row[owner.records.column(name)]
        try:
            owner.fields.normal(
                name, referring.plain(value) if owner.type.attributes[name].type in types.NESTED else value
            )
        except errors.Invalid as error:
            if state.context is not None and not access.sees(state.context, owner, before):
                raise errors.Conflict(
                    f"{access.unseen(owner)} needs a reference that it would lose",
                    code="still_referred",
                    hint="ask the operator",
                ) from None
            raise errors.Conflict(
                f"{owner.name} '{before[owner.records.key_column]}' would lose a reference in {name}, and then {error}",
                code="still_referred",
                hint="change or delete it first",
            ) from None
    return {**row, tables.REVISION: state.revision, tables.UPDATED: state.now}
