"""Up to which revision Nova was told of ports: one row in the database. Called by `notifier`.

Invariant: it only grows within an incarnation, also where two processes believe that they lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluon.spi import store, tables

NAME = "gluon_nova"
_ONE = "events"
TABLE = tables.Table(
    name=NAME,
    columns=(
        tables.Column(name="name", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="incarnation", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="revision", type=tables.ColumnType.INTEGER, nullable=False),
    ),
    key=("name",),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit, too: everything up to here was told."""

    incarnation: str
    revision: int

    who = "gluon"
    request_id = ""
    reads: Sequence[store.Lookup] = (store.Lookup(NAME, ("name",), (_ONE,)),)

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        held = view.get(NAME, _ONE)
        beyond = held is not None and int(held["revision"] or 0) >= self.revision
        if held is None or held["incarnation"] != self.incarnation or not beyond:
            changes.put(NAME, {"name": _ONE, "incarnation": self.incarnation, "revision": self.revision})
        return changes


async def read(database: store.Store) -> Place | None:
    """The one that is stored."""
    row = await database.get(NAME, _ONE)
    return None if row is None else Place(str(row["incarnation"]), int(row["revision"] or 0))
