"""Statements that write rows to SQLite, several rows each.

In: tables, how many rows. Out: texts with `?`. With each statement that runs, the thread of a connection gives up the
interpreter's lock, and waits to have it again while the event loop works: so a batch has few. Called by `sqlite`.
"""

from __future__ import annotations

from functools import lru_cache

from gluon.store.ddl import listed, quoted
from gluon.store.fixed import JOURNAL_COLUMNS
from gluon.store.shape import Shape

SWAP = "UPDATE gluon_writer SET revision = ? WHERE id = 1 AND epoch = ? AND incarnation = ? AND revision = ?"
"""The state is still what was read."""
_SIZES = (64, 32, 16)
"""Rows of one statement where there are more; fewer are one, so that there are few texts."""
_MOST = 999
"""Parameters that a statement may have in any SQLite."""


def rows_of(left: int, width: int) -> int:
    """How many of so many rows the next statement has."""
    size = next((size for size in _SIZES if left >= size), left)
    return min(size, max(1, _MOST // width))


@lru_cache(maxsize=1000)
def _values(width: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * rows)


@lru_cache(maxsize=100)
def journal(rows: int) -> str:
    return f"INSERT INTO journal ({listed(JOURNAL_COLUMNS)}) VALUES {_values(len(JOURNAL_COLUMNS), rows)}"


def insert(shape: Shape, rows: int) -> str:
    kind = ("insert", rows)
    text = shape.texts.get(kind)
    if text is None:
        names = f"{quoted(shape.name)} ({listed(shape.columns)})"
        text = shape.texts[kind] = f"INSERT INTO {names} VALUES {_values(shape.width, rows)}"
    return text


def upsert(shape: Shape, rows: int) -> str:
    kind = ("upsert", rows)
    text = shape.texts.get(kind)
    if text is None:
        rest = [quoted(c) for c in shape.columns if c not in shape.key]
        action = f"UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in rest)}" if rest else "NOTHING"
        text = f"{insert(shape, rows)} ON CONFLICT ({listed(shape.key)}) DO {action}"
        shape.texts[kind] = text
    return text


def delete(shape: Shape) -> str:
    text = shape.texts.get("delete")
    if text is None:
        condition = " AND ".join(f"{quoted(c)} = ?" for c in shape.key)
        text = shape.texts["delete"] = f"DELETE FROM {quoted(shape.name)} WHERE {condition}"
    return text
