"""A small world for the store's contract: two tables that refer to each other, and units made of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gluon.errors import Conflict, NotFound
from gluon.objects import journal
from gluon.spi import store, tables


def text(name: str, length: int = 64, *, nullable: bool = True) -> tables.Column:
    return tables.Column(name=name, type=tables.ColumnType.TEXT, length=length, nullable=nullable)


def column(name: str, kind: tables.ColumnType, *, nullable: bool = True) -> tables.Column:
    return tables.Column(name=name, type=kind, nullable=nullable)


NETWORK = tables.Table(
    name="Network",
    columns=(
        text("id", nullable=False),
        text("name", 255),
        text("_project", 64),
        column("size", tables.ColumnType.INTEGER),
        column("share", tables.ColumnType.NUMBER),
        column("up", tables.ColumnType.BOOLEAN),
        column("notes", tables.ColumnType.DOCUMENT),
    ),
    key=("id",),
    unique=(("name",),),
    indexes=(("_project", "id"), ("size",)),
)
PORT = tables.Table(
    name="Port",
    columns=(text("id", nullable=False), text("network_id", nullable=False), text("mac"), text("_project")),
    key=("id",),
    unique=(("network_id", "mac"),),
    indexes=(("_project", "id"),),
    foreign=(tables.ForeignKey(column="network_id", table="Network"),),
)
POOL = tables.Table(
    name="pool_value",
    columns=(
        text("pool", nullable=False),
        column("value", tables.ColumnType.INTEGER, nullable=False),
        text("holder"),
    ),
    key=("pool", "value"),
    indexes=(("holder",),),
)
TABLES = (NETWORK, PORT, POOL)


def network(id: str, name: str | None = None, **more: store.Value) -> store.Row:
    row: store.Row = dict.fromkeys((c.name for c in NETWORK.columns), None)
    row.update({"id": id, "name": name, **more})
    return row


def port(id: str, network_id: str, mac: str | None = None, project: str | None = None) -> store.Row:
    return {"id": id, "network_id": network_id, "mac": mac, "_project": project}


def draft(key: str, op: journal.Operation = journal.Operation.CREATE, **more: Any) -> journal.Draft:
    fields: dict[str, Any] = {
        "op": op, "api": "test", "type": "Network", "key": key, "project": None, "intent": True,
        "old": None, "new": b'{"id":"%s"}' % key.encode(), **more,
    }  # fmt: skip
    return journal.Draft(**fields)


Decide = Callable[[store.View], store.Changes]


@dataclass(slots=True)
class Unit:
    """A unit that is a function; counts how often it is asked."""

    decide_by: Decide
    reads: Sequence[store.Lookup] = ()
    who: str = "tester"
    request_id: str = "request"
    asked: list[int] = field(default_factory=list)

    def decide(self, view: store.View) -> store.Changes:
        self.asked.append(view.revision)
        return self.decide_by(view)


def put(
    *rows: tuple[str, store.Row], reads: Sequence[store.Lookup] = (), request_id: str = "request"
) -> Unit:
    """Write rows, journal each, answer the revision that the view showed."""

    def decide(view: store.View) -> store.Changes:
        changes = store.Changes(result=view.revision)
        for table, row in rows:
            changes.put(table, row)
            changes.entries.append(draft(str(row.get("id", "?"))))
        return changes

    return Unit(decide, reads, request_id=request_id)


def create(row: store.Row, *, declare: bool = True) -> Unit:
    """Create a network whose id and name must both be free."""
    reads = (by_key("Network", row["id"]), store.Lookup("Network", ("name",), (row["name"],)))

    def decide(view: store.View) -> store.Changes:
        if view.get("Network", row["id"]) is not None:
            raise Conflict("this id exists", code="exists")
        if view.rows("Network", ("name",), (row["name"],)):
            raise Conflict("this name exists", code="name")
        changes = store.Changes(result=view.revision)
        changes.put("Network", row)
        changes.entries.append(draft(str(row["id"])))
        return changes

    return Unit(decide, reads if declare else ())


def count(id: str, by: int = 1, *, declare: bool = True) -> Unit:
    """Add to the size of a network: each unit must see the one before it."""

    def decide(view: store.View) -> store.Changes:
        row = view.get("Network", id)
        if row is None:
            raise NotFound("no such network")
        size = row["size"]
        new = (size if isinstance(size, int) else 0) + by
        changes = store.Changes(result=new)
        changes.put("Network", {**row, "size": new})
        changes.entries.append(draft(id, journal.Operation.UPDATE))
        return changes

    return Unit(decide, (by_key("Network", id),) if declare else ())


def delete(table: str, *key: store.Value) -> Unit:
    def decide(view: store.View) -> store.Changes:
        changes = store.Changes(result=view.revision)
        changes.delete(table, *key)
        changes.entries.append(draft(str(key[0]), journal.Operation.DELETE))
        return changes

    return Unit(decide)


def by_key(table: str, *values: store.Value) -> store.Lookup:
    key = {t.name: t.key for t in TABLES}[table]
    return store.Lookup(table, key, values)
