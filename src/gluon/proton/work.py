"""The state inside one unit: the view, and on top of it what this unit has changed so far.

A unit that touches several objects (a delete that cascades, a change that rules of others look at)
decides over a `Work`; at its end `changes` holds the rows and journal entries, and `touched` each
object with its row before and after. Invariant: an object is saved at most once. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gluon import errors, pools
from gluon.objects import journal
from gluon.proton import registry, units
from gluon.spi import store

MOST = 1000
"""Objects that one request changes."""


class Touched(msgspec.Struct, frozen=True, gc=False):
    """An object that the unit makes (`before` None), changes, or deletes (`after` None).

    `row`: as it is, or was; `key`: of the object.
    """

    resource: registry.Resource
    before: store.Row | None
    after: store.Row | None
    row: store.Row
    key: store.Value


class Work:
    """`spi.store.View` with the unit's own objects in it."""

    __slots__ = (
        "_own",
        "_pools",
        "_view",
        "changes",
        "context",
        "incarnation",
        "now",
        "request_id",
        "revision",
        "touched",
        "who",
    )

    def __init__(self, view: store.View, context: units.Context | None = None) -> None:
        self.context = context
        self.who = context.who if context is not None else ""
        self.request_id = context.request_id if context is not None else ""
        self._view = view
        self._pools: pools.Session | None = None
        self._own: dict[str, dict[store.Value, store.Row | None]] = {}
        self.revision, self.now, self.incarnation = view.revision, view.now, view.incarnation
        self.changes = store.Changes()
        self.touched: list[Touched] = []

    # -- reading ------------------------------------------------------------------------------

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        own = self._own.get(table)
        if own is not None and key[0] in own:
            return own[key[0]]
        return self._view.get(table, *key)

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        found = self._view.rows(table, columns, values)
        own = self._own.get(table)
        if not own:
            return found
        key = next(t.resource.records.key_column for t in self.touched if t.resource.table == table)
        rows = {row[key]: row for row in found if row[key] not in own}
        for row in own.values():
            if (
                row is not None
                and None not in values
                and all(row[c] == v for c, v in zip(columns, values, strict=True))
            ):
                rows[row[key]] = row
        return [rows[k] for k in sorted(rows, key=str)]

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        self._view.prefetch(lookups)

    @property
    def committed(self) -> store.View:
        """As it was before this unit."""
        return self._view

    def session(self, project: store.Value) -> pools.Session:
        """The unit's session with pools, opened for objects of `project`."""
        if self._pools is None:
            self._pools = pools.Session(self._view, project=units.text_of(project))
        return self._pools

    def finish(self, result: object) -> store.Changes:
        """All that the unit does."""
        if self._pools is not None:
            self._pools.flush(self.changes)
        self.changes.result = result
        return self.changes

    # -- changing -----------------------------------------------------------------------------

    def save(
        self,
        resource: registry.Resource,
        before: store.Row | None,
        after: store.Row | None,
        *,
        intent: bool = True,
        first: bool = False,
    ) -> bytes | None:
        """Put or delete an object and write it down; returns its body. `first`: before all other entries."""
        if before is after or before == after:
            return resource.records.document(after) if after is not None else None
        row = after if after is not None else before
        assert row is not None
        key = row[resource.records.key_column]
        old = resource.records.document(before) if before is not None else None
        new = resource.records.document(after) if after is not None else None
        if after is None:
            self.changes.delete(resource.table, key)
        else:
            self.changes.put(resource.table, after)
        entry = units.draft(resource, operation(before, after), row, old=old, new=new, intent=intent)
        if first:
            self.changes.entries.insert(0, entry)
        else:
            self.changes.entries.append(entry)
        self._own.setdefault(resource.table, {})[key] = after
        self.touched.append(Touched(resource, before, after, row, key))
        return new


def operation(before: store.Row | None, after: store.Row | None) -> journal.Operation:
    """What was done to an object."""
    if before is None:
        return journal.Operation.CREATE
    return journal.Operation.DELETE if after is None else journal.Operation.UPDATE


def check_size(what: str, count: int, verb: str = "change") -> None:
    """Raises `Conflict` where one request would change (or judge again) too much."""
    if count > MOST:
        raise errors.Conflict(
            f"{what} would {verb} {count} objects or more, and one request may {verb} {MOST} at most",
            code="too_many",
            hint="delete or change some of those that refer to it first, then repeat the request",
        )
