"""Rows as one session sees them: the unit's view, and on top of it what the session changed.

In: a view. Out: rows, and at the end the writes. Invariant: the last word on a row is the one written.
"""

from __future__ import annotations

from gluon.pools.tables import OF_POOL
from gluon.spi import store

Key = tuple[store.Value, ...]


class Rows:
    """Used by the parts of this room only."""

    __slots__ = ("_changed", "view")

    def __init__(self, view: store.View) -> None:
        self.view = view
        self._changed: dict[tuple[str, Key], store.Row | None] = {}

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        changed = self._changed
        if changed and (table, key) in changed:
            return changed[table, key]
        return self.view.get(table, *key)

    def of_pool(self, table: str, key: str, pool: str) -> list[store.Row]:
        """All rows of a table that a pool has; `key` is the column of the key beside the pool."""
        rows = {row[key]: row for row in self.view.rows(table, OF_POOL, (pool,))}
        for (where, (whose, *rest)), row in self._changed.items():
            if where != table or whose != pool:
                continue
            if row is None:
                rows.pop(rest[0], None)
            else:
                rows[rest[0]] = row
        return list(rows.values())

    def put(self, table: str, key: Key, row: store.Row) -> None:
        self._changed[table, key] = row

    def delete(self, table: str, *key: store.Value) -> None:
        self._changed[table, key] = None

    def flush(self, changes: store.Changes) -> None:
        """Hand over every change that was made."""
        changes.writes += [
            (table, key if row is None else row) for (table, key), row in self._changed.items()
        ]
