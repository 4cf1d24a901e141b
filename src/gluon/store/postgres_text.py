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

Part = tuple[str, str, str]
"""A table, and the text of a statement on it: up to its conditions, and what comes behind them."""
_JOURNAL: Part = ("journal", "INSERT INTO journal SELECT * FROM unnest(?::journal[]) WHERE true", "")
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


_DONE = "(SELECT done FROM swap) IS NOT NULL"


@lru_cache(maxsize=200)
def together(parts: tuple[Part, ...], swap: str = "") -> str:
    """One statement that runs all parts, where `swap` is done, and tells what that tells. Parts on the same table, of which no two have
    a row in common, run in their order; such an order is had by asking for the rows of the one before."""
    named = [f"swap AS MATERIALIZED ({swap})"] if swap else []
    last = {table: n for n, (table, _, _) in enumerate(parts)}
    before: dict[str, int] = {}
    for n, (table, head, tail) in enumerate(parts):
        conditions = [_DONE] if swap else []
        if table in before:
            conditions.append(f"(SELECT count(*) FROM w{before[table]}) >= 0")
        before[table] = n
        told = " RETURNING 1" if last[table] > n else ""
        named.append(f"w{n} AS ({' AND '.join([head, *conditions])}{tail}{told})")
    return numbered(f"WITH {', '.join(named)} {'SELECT * FROM swap' if swap else 'SELECT 1'}")


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

    __slots__ = ("args", "part")

    def __init__(self, part: Part, args: Sequence[object]) -> None:
        self.part = part
        self.args = args

    @property
    def sql(self) -> str:
        """By itself."""
        _, head, tail = self.part
        return numbered(head + tail)


def operations(plan: Plan) -> list[Operation]:
    """Deletes first (a name freed may be taken again), then replaced rows, then new ones; references are
    checked at COMMIT."""
    found = [Operation(_delete(s), tuple(zip(*keys, strict=True))) for s, keys in plan.deletes]
    found += [Operation(_upsert(s), _sent(s, rows)) for s, rows in plan.upserts]
    found += [Operation(_upsert(s), _sent(s, rows)) for s, rows in plan.blind if s.blind_upsert]
    inserts = {shape: rows for shape, rows in plan.blind if not shape.blind_upsert}
    for shape, rows in plan.inserts:
        inserts[shape] = inserts[shape] + rows if shape in inserts else rows
    found += [Operation(_insert(s), _sent(s, rows)) for s, rows in inserts.items()]
    if plan.journal:
        found.append(Operation(_JOURNAL, (Rows(plan.journal),)))
    return found


def _sent(shape: Shape, rows: list[Values]) -> Sequence[object]:
    """Rows as the composite type has them: in stored order, null for columns that the model dropped."""
    if shape.stored != shape.columns:
        places = {name: n for n, name in enumerate(shape.columns)}
        order = [places.get(name) for name in shape.stored]
        rows = [tuple(None if n is None else row[n] for n in order) for row in rows]
    return (Rows(rows),)


def _insert(shape: Shape) -> Part:
    text = shape.texts.get("insert")
    if text is None:
        names, table = listed(shape.columns), quoted(shape.name)
        text = f"INSERT INTO {table} ({names}) SELECT {names} FROM unnest(?::{table}[]) WHERE true"
        shape.texts["insert"] = text
    return shape.name, text, ""


def _upsert(shape: Shape) -> Part:
    text = shape.texts.get("upsert")
    if text is None:
        rest = [quoted(c) for c in shape.columns if c not in shape.key]
        action = f"UPDATE SET {', '.join(f'{c} = EXCLUDED.{c}' for c in rest)}" if rest else "NOTHING"
        text = shape.texts["upsert"] = f" ON CONFLICT ({listed(shape.key)}) DO {action}"
    return *_insert(shape)[:2], text


def _delete(shape: Shape) -> Part:
    text = shape.texts.get("delete")
    if text is None:
        text = f"DELETE FROM {quoted(shape.name)} WHERE {_condition(shape, shape.key)}"
        shape.texts["delete"] = text
    return shape.name, text, ""
