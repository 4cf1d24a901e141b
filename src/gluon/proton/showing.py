"""How rows become what clients are shown: with the operational status, where bodies of a type have one.

In: a resource, its rows. Out: rows, or the columns by which the database gives all that a body shows, so that no row need
be made. Called by `service` and `lists`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

from gluon.proton import registry
from gluon.spi import store

WORDS = frozenset({"ACTIVE", "BUILD", "DOWN", "ERROR"})
"""All that a status can be."""

Columns = tuple[str | store.Beside, ...]


class Standings(Protocol):
    """What data planes say of objects."""

    async def words(self, resource: registry.Resource, rows: Sequence[store.Row]) -> Sequence[str]:
        """The operational status of each."""

    def beside(self, resource: registry.Resource) -> store.Beside | None:
        """Where it lies, if it is no more than a value of one row."""


class Showing:
    """`standings` None: what is stored is shown."""

    def __init__(self, standings: Standings | None) -> None:
        self._standings = standings
        self._columns: WeakKeyDictionary[registry.Resource, Columns | None] = WeakKeyDictionary()

    async def rows(self, resource: registry.Resource, rows: Sequence[store.Row]) -> Sequence[store.Row]:
        """The rows with the status in them."""
        status = resource.stands
        if status is None or self._standings is None or not rows:
            return rows
        column = resource.records.column(status.name)
        words = await self._standings.words(resource, rows)
        return [
            {**row, column: word} if not status.values or word in status.values else row
            for row, word in zip(rows, words, strict=True)
        ]

    def columns(self, resource: registry.Resource) -> Columns | None:
        """What to read for `Records.documents`; None where the status has to be worked out."""
        try:
            return self._columns[resource]
        except KeyError:
            found = self._columns[resource] = self._made(resource)
            return found

    def _made(self, resource: registry.Resource) -> Columns | None:
        status, read = resource.stands, resource.records.read
        if status is None or self._standings is None:
            return read
        beside = self._standings.beside(resource)
        if beside is None or (status.values and not set(status.values) >= WORDS):
            return None
        column = resource.records.column(status.name)
        return tuple(beside if name == column else name for name in read)
