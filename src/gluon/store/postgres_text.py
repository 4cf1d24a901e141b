"""SQL text for PostgreSQL: rows travel as one array of the table's composite type, both ways.

In: a plan, shapes, columns. Out: statements and their arguments. Called by `postgres`. Texts are made once
for each shape or combination; parameters are `?` until they are numbered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from gluon.spi import store, tables
from gluon.store import texts
from gluon.store.ddl import listed, quoted
from gluon.store.driver import Group
from gluon.store.overlay import Plan
from gluon.store.shape import Shape, Values

_JOURNAL_INSERT = "INSERT INTO journal SELECT * FROM unnest(?::journal[])"
_ARRAYS = {
    tables.ColumnType.TEXT: "text[]",
    tables.ColumnType.DOCUMENT: "text[]",
    tables.ColumnType.INTEGER: "int8[]",
    tables.ColumnType.NUMBER: "float8[]",
    tables.ColumnType.BOOLEAN: "bool[]",
}


@lru_cache(maxsize=1000)
def numbered(sql: str) -> str:
    """`?` to `$1`, `$2`, …"""
    first, *rest = sql.split("?")
    return first + "".join(f"${n}{part}" for n, part in enumerate(rest, 1))


@lru_cache(maxsize=200)
def together(statements: tuple[str, ...]) -> str:
    """One statement that runs all of them, the last one first, the others each on a table of its own."""
    *others, last = statements
    named = [f"w{n} AS ({sql})" for n, sql in enumerate(others)]
    return numbered(f"WITH {', '.join(named)} {last}" if named else last)


def _condition(shape: Shape, columns: tuple[str, ...]) -> str:
    """That `columns` are in arrays, one for each column."""
    arrays = [f"?::{_ARRAYS[shape.types[c]]}" for c in columns]
    if len(columns) == 1:
        return f"{quoted(columns[0])} = ANY({arrays[0]})"
    return f"({listed(columns)}) IN (SELECT * FROM unnest({', '.join(arrays)}))"


def lookup(shape: Shape, columns: tuple[str, ...]) -> str:
    """Rows in which `columns` equal one of the tuples given as an array a column."""
    text = shape.texts.get(columns)
    if text is None:
        text = shape.texts[columns] = numbered(f"{texts.columns(shape)} WHERE {_condition(shape, columns)}")
    return text


def lookups(groups: Sequence[Group]) -> str:
    """One row with an array of rows for each group. The parts are cached by the shapes, which know
    their columns; the whole is put together each time."""
    parts = []
    for shape, columns, _ in groups:
        kind = ("array", columns)
        part = shape.texts.get(kind)
        if part is None:
            part = shape.texts[kind] = (
                f"ARRAY(SELECT _whole FROM {quoted(shape.name)} AS _whole WHERE {_condition(shape, columns)})"
            )
        parts.append(part)
    return numbered(f"SELECT {', '.join(parts)}")


def row(shape: Shape, values: Sequence[store.Value]) -> store.Row:
    """Of the composite type: all that is stored, in that order."""
    whole = dict(zip(shape.stored, values, strict=True))
    return whole if shape.stored == shape.columns else {name: whole[name] for name in shape.columns}


class Rows:
    """An array of rows. asyncpg goes through one twice: before it encodes, each element is asked three times whether that is
    an array itself, which was a twentieth of all that a create runs. No row is one, so at first there is nothing to see.

    `seen_once`: this asyncpg does not, as was found when it connected.
    """

    __slots__ = ("_looked", "_rows")
    seen_once = False

    def __init__(self, rows: Sequence[object]) -> None:
        self._rows = rows
        self._looked = self.seen_once

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[object]:
        if self._looked:
            return iter(self._rows)
        self._looked = True
        return iter(())


class Operation:
    """One statement of a batch."""

    __slots__ = ("args", "sql", "table")

    def __init__(self, table: str, sql: str, args: Sequence[object]) -> None:
        self.table = table
        self.sql = sql
        self.args = args


def operations(plan: Plan) -> list[Operation]:
    """Deletes first (a name freed may be taken again), then replaced rows, then new ones; references are
    checked at COMMIT."""
    found = [Operation(s.name, _delete(s), tuple(zip(*keys, strict=True))) for s, keys in plan.deletes]
    found += [Operation(s.name, _upsert(s), _sent(s, rows)) for s, rows in plan.upserts]
    found += [Operation(s.name, _upsert(s), _sent(s, rows)) for s, rows in plan.blind if s.blind_upsert]
    inserts = {shape: rows for shape, rows in plan.blind if not shape.blind_upsert}
    for shape, rows in plan.inserts:
        inserts[shape] = inserts[shape] + rows if shape in inserts else rows
    found += [Operation(s.name, _insert(s), _sent(s, rows)) for s, rows in inserts.items()]
    if plan.journal:
        found.append(Operation("journal", _JOURNAL_INSERT, (Rows(plan.journal),)))
    return found


def _sent(shape: Shape, rows: list[Values]) -> Sequence[object]:
    """Rows as the composite type has them: in stored order, null for columns that the model dropped."""
    if shape.stored != shape.columns:
        places = {name: n for n, name in enumerate(shape.columns)}
        order = [places.get(name) for name in shape.stored]
        rows = [tuple(None if n is None else row[n] for n in order) for row in rows]
    return (Rows(rows),)


def _insert(shape: Shape) -> str:
    text = shape.texts.get("insert")
    if text is None:
        names = listed(shape.columns)
        text = f"INSERT INTO {quoted(shape.name)} ({names}) SELECT {names} FROM unnest(?::{quoted(shape.name)}[])"
        shape.texts["insert"] = text
    return text


def _upsert(shape: Shape) -> str:
    text = shape.texts.get("upsert")
    if text is None:
        rest = [quoted(c) for c in shape.columns if c not in shape.key]
        action = f"UPDATE SET {', '.join(f'{c} = EXCLUDED.{c}' for c in rest)}" if rest else "NOTHING"
        text = f"{_insert(shape)} ON CONFLICT ({listed(shape.key)}) DO {action}"
        shape.texts["upsert"] = text
    return text


def _delete(shape: Shape) -> str:
    text = shape.texts.get("delete")
    if text is None:
        text = f"DELETE FROM {quoted(shape.name)} WHERE {_condition(shape, shape.key)}"
        shape.texts["delete"] = text
    return text
