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
        self._changed: dict[str, dict[Key, store.Row | None]] = {}

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        changed = self._changed.get(table)
        if changed is not None and key in changed:
            return changed[key]
        return self.view.get(table, *key)

    def of_pool(self, table: str, key: str, pool: str) -> list[store.Row]:
        """All rows of a table that a pool has; `key` is the column of the key beside the pool."""
        rows = {row[key]: row for row in self.view.rows(table, OF_POOL, (pool,))}
        for (whose, value), row in self._changed.get(table, {}).items():
            if whose != pool:
                continue
            if row is None:
                rows.pop(value, None)
            else:
                rows[value] = row
        return list(rows.values())

    def put(self, table: str, key: Key, row: store.Row) -> None:
        self._changed.setdefault(table, {})[key] = row

    def delete(self, table: str, *key: store.Value) -> None:
        self._changed.setdefault(table, {})[key] = None

    def flush(self, changes: store.Changes) -> None:
        """Hand over every change made since the last time."""
        for table, changed in self._changed.items():
            for key, row in changed.items():
                if row is None:
                    changes.delete(table, *key)
                else:
                    changes.put(table, row)
