"""What a unit checks against stored rows: references, unique values, fixed attributes, revisions.

In: a resource, a view and a row. Out: nothing, or the error that says all of what is wrong. Called in
`decide`, so pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gluon import errors
from gluon.model import types
from gluon.particles import tables
from gluon.proton import access, problems, referring, registry, units
from gluon.spi import store

Referrer = tuple[referring.Reference, store.Row]


def references(
    context: units.Context,
    view: store.View,
    row: store.Row,
    only: frozenset[str] | None = None,
    before: store.Row | None = None,
) -> None:
    """Every object referred to exists in the row's project (or is shared), and the caller may read it, or it stood there
    `before`. Raises `Invalid` with all."""
    wrong = []
    for reference in context.resource.references:
        if only is not None and reference.attribute not in only:
            continue
        if reference.link is None:
            value = row[reference.column]
            if value is not None and not _there(context, view, reference, value, row, before):
                wrong.append(problems.dangling(reference, value, f"/{reference.attribute}"))
            continue
        held = list(reference.held(row))
        view.prefetch([reference.target_of(value) for _, value in held])
        wrong += [
            problems.dangling(reference, value, pointer)
            for pointer, value in held
            if not _there(context, view, reference, value, row, before)
        ]
    if wrong:
        raise errors.Invalid(wrong)


def _there(
    context: units.Context,
    view: store.View,
    reference: referring.Reference,
    value: store.Value,
    row: store.Row,
    before: store.Row | None,
) -> bool:
    found = view.rows(reference.target_table, (reference.target_key,), (value,))
    if not found or found[0][tables.PROJECT] not in (None, row[tables.PROJECT]):
        return False
    if context.caller.admin or access.sees(context, context.resource.family[reference.target], found[0]):
        return True
    return before is not None and any(held == value for _, held in reference.held(before))


def unique(
    resource: registry.Resource, view: store.View, row: store.Row, taken: frozenset[str] = frozenset()
) -> None:
    """No other row has the same values in a unique group. Raises `Conflict`. `taken`: columns whose values a pool of the
    model has just given; it gives none twice, and to ask for each would cost a round to the database."""
    key_column = resource.records.key_column
    for group in resource.unique:
        values = tuple(row[c] for c in group.columns)
        if None in values or (taken and not taken.isdisjoint(group.columns)):
            continue
        if any(
            other[key_column] != row[key_column] for other in view.rows(resource.table, group.columns, values)
        ):
            shown = [row[resource.records.column(a)] for a in group.attributes]
            raise problems.taken(resource, group.attributes, shown, _where(resource, group))


def _where(resource: registry.Resource, group: registry.Group) -> str:
    if not resource.modern:
        return ""
    return " in this project" if group.scope is types.Scope.PROJECT else "; it is unique over all projects"


def guarded(
    resource: registry.Resource, before: store.Row, after: store.Row, granted: Collection[str] = ()
) -> None:
    """What may not change has not; an immutable null may take its value. Raises `Invalid` with all.

    `granted` attributes may change all the same: the service's own code sets them.
    """
    wrong = [
        problems.guarded(field, before[field.column], after[field.column])
        for field in resource.guarded
        if before[field.column] != after[field.column]
        and (field.read_only or before[field.column] is not None)
        and field.attribute not in granted
    ]
    if wrong:
        raise errors.Invalid(wrong)


def reads_of_references(resource: registry.Resource, values: Mapping[str, Any]) -> list[store.Lookup]:
    """The look-ups of what `values` refer to."""
    reads = []
    for reference in resource.references:
        value = values.get(reference.attribute)
        if value is None:
            continue
        if reference.link is None:
            reads.append(reference.target_of(value))
        else:
            reads += [reference.target_of(key) for _, key in reference.keys(value)]
    return reads


def revision(resource: registry.Resource, row: store.Row, expected: frozenset[int] | None) -> None:
    """Raises `Stale` for a row at another revision than the caller read."""
    if expected is not None and row[tables.REVISION] not in expected:
        raise errors.Stale(
            f"{resource.name} '{row[resource.records.key_column]}' is at revision {row[tables.REVISION]}",
            hint="read it again and repeat the change",
        )


def referrers(
    view: store.View,
    resource: registry.Resource,
    key: store.Value,
    without: Collection[tuple[str, store.Value]] = (),
) -> list[Referrer]:
    """The rows that refer to an object. `without`: (type, key) of those that go away with it."""
    return [
        (reference, row)
        for reference in resource.referrers
        for row in reference.rows(view, key)
        if (reference.owner, row[reference.owner_key]) not in without
    ]
