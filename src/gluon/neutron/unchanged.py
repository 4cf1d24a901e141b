"""What a change has read is still so, looked at in the unit that writes.

In: a row. Out: a part of a unit, which refuses where somebody wrote that row meanwhile. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon import errors
from gluon.particles import tables
from gluon.proton import registry
from gluon.spi import store


class Unchanged:
    """It writes nothing. Raises `Stale`."""

    __slots__ = ("_key", "_resource", "_revision", "reads", "request_id", "who")

    def __init__(self, resource: registry.Resource, row: store.Row, *, who: str, request_id: str) -> None:
        self.who, self.request_id = who, request_id
        self._resource, self._revision = resource, row[tables.REVISION]
        self._key = row[resource.records.key_column]
        self.reads: Sequence[store.Lookup] = [resource.lookup(self._key)]

    def decide(self, view: store.View) -> store.Changes:
        row = view.get(self._resource.table, self._key)
        if row is None or row[tables.REVISION] != self._revision:
            raise errors.Stale(
                f"Constrained to {self._revision}, but {self._resource.name} {self._key} was changed or deleted"
            )
        return store.Changes()
