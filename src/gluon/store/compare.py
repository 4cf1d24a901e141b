"""Compare the wanted tables with those in the database: statements to run, or reasons to refuse.

In: wanted tables and the catalogue as read (`Stored`). Out: `Difference`. Pure; called by `install`.
Invariant: no statement made here can lose a stored value or refuse one that was allowed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gluon.spi import tables
from gluon.store import ddl
from gluon.store.dialect import Dialect
from gluon.store.shape import in_order

_TEXT = re.compile(r"(?:character varying|varchar)\((\d+)\)")
_TYPES = {
    "text": tables.ColumnType.DOCUMENT,
    "longtext": tables.ColumnType.DOCUMENT,
    "bigint": tables.ColumnType.INTEGER,
    "bigint(20)": tables.ColumnType.INTEGER,
    "double precision": tables.ColumnType.NUMBER,
    "double": tables.ColumnType.NUMBER,
    "boolean": tables.ColumnType.BOOLEAN,
    "tinyint(1)": tables.ColumnType.BOOLEAN,
}


@dataclass(slots=True)
class StoredColumn:
    kind: str
    nullable: bool
    key: int

    def type(self) -> tuple[tables.ColumnType | None, int | None]:
        """Type and length; no length: any."""
        kind = self.kind.lower()
        if match := _TEXT.fullmatch(kind):
            return tables.ColumnType.TEXT, int(match[1])
        if kind == "mediumtext":
            return tables.ColumnType.TEXT, None
        return _TYPES.get(kind), None


@dataclass(slots=True)
class Stored:
    """One table as the database has it."""

    columns: dict[str, StoredColumn] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=set)
    foreign: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Difference:
    statements: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def compare(wanted: Iterable[tables.Table], stored: Mapping[str, Stored], dialect: Dialect) -> Difference:
    """All that must be done so that `stored` has a place for everything in `wanted`."""
    wanted = list(wanted)
    keys = {t.name: t.key[0] for t in wanted}
    skipped = frozenset() if dialect.deferred else ddl.in_a_cycle(wanted)
    maker = ddl.Ddl(dialect, skipped)
    found = Difference()
    found.reasons += [
        f"{t.name}.{f.column} refers to {f.table}, which is no table"
        for t in wanted
        for f in t.foreign
        if f.table not in keys
    ]
    if found.reasons:
        return found
    later: list[str] = []
    for table in in_order(wanted) if dialect.tables_whole else wanted:
        there = stored.get(table.name)
        if there is None:
            made, *indexes = maker.create_whole(table, keys)
            found.statements.append(made)
            later += indexes
            if not dialect.tables_whole:
                later += [sql for f in table.foreign if (sql := maker.add_foreign(table, f, keys))]
        else:
            _extend(table, there, maker, keys, found, later)
    found.statements += later
    return found


def _extend(
    table: tables.Table,
    there: Stored,
    maker: ddl.Ddl,
    keys: dict[str, str],
    found: Difference,
    later: list[str],
) -> None:
    added: set[str] = set()
    for column in table.columns:
        old = there.columns.get(column.name)
        if old is not None:
            _column(table, column, old, maker, found)
        elif (column.nullable or column.default is not None) and column.name not in table.key:
            added.add(column.name)
            found.statements.append(maker.add_column(table, column, keys))
        else:
            found.reasons.append(
                f"{table.name}.{column.name} is new and required: stored objects have no value for it"
            )
    wanted = {c.name for c in table.columns}
    found.reasons.extend(
        f"{table.name}.{name} is required in the database and gone from the model"
        for name, old in there.columns.items()
        if name not in wanted and not old.nullable
    )
    key = tuple(name for name, c in sorted(there.columns.items(), key=lambda i: i[1].key) if c.key)
    if key != table.key:
        found.reasons.append(
            f"{table.name}: the key was {', '.join(key)} and would be {', '.join(table.key)}"
        )
    _indexes(table, there, maker, added, found, later)
    _references(table, there, maker, keys, added, found, later)


def _column(
    table: tables.Table, column: tables.Column, old: StoredColumn, maker: ddl.Ddl, found: Difference
) -> None:
    where = f"{table.name}.{column.name}"
    kind, length = old.type()
    if kind is not column.type:
        found.reasons.append(f"{where} is {old.kind} in the database and would be {column.type}")
        return
    if column.name not in table.key and old.nullable != column.nullable:
        was, is_ = ("optional", "required") if old.nullable else ("required", "optional")
        found.reasons.append(f"{where} was {was} and would be {is_}")
    if kind is not tables.ColumnType.TEXT:
        return
    if length is None:
        # A text without a length of its own gets one when an index comes to hold it.
        if maker.has_length(table, column):
            found.statements.append(maker.retype(table, column))
    elif length != column.length:
        if length > column.length:
            found.reasons.append(f"{where} takes {length} characters and would take {column.length}")
        elif not maker.unchecked_length:
            found.statements.append(maker.retype(table, column))


def _indexes(
    table: tables.Table, there: Stored, maker: ddl.Ddl, added: set[str], found: Difference, later: list[str]
) -> None:
    names = set()
    for name, columns, unique, sql in maker.indexes(table):
        names.add(name)
        if name in there.indexes:
            continue
        if unique and not added.intersection(columns):
            found.reasons.append(f"{table.name}: {', '.join(columns)} would have to be unique")
        else:
            later.append(sql)
    # Last, as a reference may need the index that takes its place.
    later += [maker.drop_index(table, n) for n in sorted(there.indexes - names) if n.startswith("uq_")]


def _references(
    table: tables.Table,
    there: Stored,
    maker: ddl.Ddl,
    keys: dict[str, str],
    added: set[str],
    found: Difference,
    later: list[str],
) -> None:
    wanted = {(f.column, f.table) for f in table.foreign}
    for foreign in table.foreign:
        if (foreign.column, foreign.table) in there.foreign:
            continue
        if foreign.column in added:
            if sql := maker.add_foreign(table, foreign, keys):
                later.append(sql)
        elif not maker.skips(table, foreign):
            found.reasons.append(f"{table.name}.{foreign.column} would have to refer to {foreign.table}")
    found.reasons.extend(
        f"{table.name}.{column} refers to {target} and would not any more"
        for column, target in sorted(there.foreign - wanted)
    )
