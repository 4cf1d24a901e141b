"""What a unit checks against stored rows: references, unique values, referrers, revisions.

In: a resource, a view and a row. Out: nothing, or the error that says all of what is wrong. Called in
`decide`, so pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gluon import errors
from gluon.particles import tables
from gluon.proton import problems, registry
from gluon.spi import store

Referrer = tuple[registry.Reference, store.Row]


def references(
    resource: registry.Resource, view: store.View, row: store.Row, only: frozenset[str] | None = None
) -> None:
    """Every object referred to exists in the row's project (or is shared). Raises `Invalid` with all."""
    wrong = []
    for reference in resource.references:
        if only is not None and reference.attribute not in only:
            continue
        value = row[reference.column]
        if value is None:
            continue
        found = view.rows(reference.target_table, (reference.target_key,), (value,))
        if not found or found[0][tables.PROJECT] not in (None, row[tables.PROJECT]):
            wrong.append(problems.dangling(reference, value))
    if wrong:
        raise errors.Invalid(wrong)


def unique(resource: registry.Resource, view: store.View, row: store.Row) -> None:
    """No other row has the same values in a unique group. Raises `Conflict`."""
    key_column = resource.records.key_column
    for attributes, columns in resource.unique:
        values = tuple(row[c] for c in columns)
        if None in values:
            continue
        if any(other[key_column] != row[key_column] for other in view.rows(resource.table, columns, values)):
            raise problems.taken(resource, attributes, values)


def reads_of_references(resource: registry.Resource, values: Mapping[str, Any]) -> list[store.Lookup]:
    """The look-ups of what `values` refer to."""
    return [
        r.target_of(values[r.attribute]) for r in resource.references if values.get(r.attribute) is not None
    ]


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
        for row in view.rows(reference.owner_table, (reference.column,), (key,))
        if (reference.owner, row[reference.owner_key]) not in without
    ]
