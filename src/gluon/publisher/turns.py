"""Whose turn it is to write down what shims say: the last process that began to.

In: units of a collector. Out: units that do nothing, and say so, once another collector has begun. Invariant: who begins reads all
reports after that, so what it writes is never older than what an earlier one wrote, and an earlier one writes nothing any more: a process that
stood still while another one was elected wakes up with reports of before. Who read them before anybody had begun begins only if that is still
so. Used by `collector`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from gluon.objects import journal
from gluon.spi import store, tables

NAME = "gluon_turn"
_ONE = "collector"
TABLE = tables.Table(
    name=NAME,
    columns=(
        tables.Column(name="name", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="holder", type=tables.ColumnType.TEXT, length=64, nullable=False),
    ),
    key=("name",),
)


async def began(database: store.Store) -> bool:
    """Whether anybody ever did. Who is the first may wait until there is something to write."""
    return await database.get(NAME, _ONE) is not None


class Over:
    """The result of a unit whose turn is over."""


class Turn:
    """A unit that begins a turn, if `first` only where nobody has begun one; `of` makes the units of it."""

    who = "gluon"
    request_id = ""
    reads: Sequence[store.Lookup] = (store.Lookup(NAME, ("name",), (_ONE,)),)

    def __init__(self, *, first: bool = False) -> None:
        self._token = secrets.token_hex(16)
        self._first = first
        self.begun = False

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        row = view.get(NAME, _ONE)
        if self._first and row is not None and row["holder"] != self._token:
            changes.result = Over()
            return changes
        changes.put(NAME, {"name": _ONE, "holder": self._token})
        changes.entries.append(  # so that the journal has this revision too
            journal.Draft(
                op=journal.Operation.UPDATE, api=journal.GLUON, type="Turn", key=self._token, project=None,
                intent=False, old=None, new=None,
            )
        )  # fmt: skip
        return changes

    def of(self, unit: store.Unit) -> store.Unit:
        return _InTurn(unit, self._token)


class _InTurn:
    """A unit that does something only while its turn lasts."""

    __slots__ = ("_token", "_unit", "reads", "request_id", "who")

    def __init__(self, unit: store.Unit, token: str) -> None:
        self._unit = unit
        self._token = token
        self.who = unit.who
        self.request_id = unit.request_id
        self.reads: Sequence[store.Lookup] = (*Turn.reads, *unit.reads)

    def decide(self, view: store.Batch) -> store.Changes:
        row = view.get(NAME, _ONE)
        if row is not None and row["holder"] == self._token:
            return self._unit.decide(view)
        changes = store.Changes()
        changes.result = Over()
        return changes
