"""Statements that read, with `?` for parameters: the same text for all databases.

In: a `Shape` and what is asked. Out: SQL and its arguments. Used by `readers` and the drivers.
"""

from __future__ import annotations

from gluon.spi import store
from gluon.store.ddl import listed, quoted
from gluon.store.fixed import JOURNAL_COLUMNS
from gluon.store.shape import Key, Shape, Values

PROJECT = "_project"

POSITION = (
    "SELECT w.incarnation, w.revision, (SELECT MAX(revision) FROM journal), (SELECT MIN(revision) FROM journal)"
    " FROM gluon_writer w"
)
_ENTRIES = f"SELECT {listed(JOURNAL_COLUMNS)} FROM journal"
ENTRY = f"{_ENTRIES} WHERE revision = ? ORDER BY n"
TAIL = f"{_ENTRIES} WHERE revision > ? ORDER BY revision, n LIMIT ?"
TAIL_AND_EPOCH = (
    f"SELECT epoch, news.* FROM gluon_writer LEFT JOIN ({_ENTRIES} WHERE revision > ? AND intent = ?"
    " ORDER BY revision, n LIMIT ?) AS news ON 1 = 1 ORDER BY news.revision, news.n"
)
"""One statement, one moment: what it reads was committed under that epoch or one before it."""
TAIL_INTENT = f"{_ENTRIES} WHERE revision > ? AND intent = ? ORDER BY revision, n LIMIT ?"


def columns(shape: Shape) -> str:
    """`SELECT … FROM` with all wanted columns in their order."""
    return f"SELECT {listed(shape.columns)} FROM {quoted(shape.name)}"


def lookup_in(shape: Shape, names: tuple[str, ...], count: int) -> str:
    """Rows in which `names` equal one of `count` tuples."""
    kind = ("in", names, count)
    text = shape.texts.get(kind)
    if text is None:
        one = ", ".join("?" * len(names))
        if len(names) == 1:
            condition = f"{quoted(names[0])} IN ({', '.join('?' * count)})"
        else:
            condition = f"({listed(names)}) IN (VALUES {', '.join([f'({one})'] * count)})"
        text = shape.texts[kind] = f"{columns(shape)} WHERE {condition}"
    return text


def scan(shape: Shape, *, first: bool, limit: int) -> str:
    """A chunk of all rows by key, from the beginning or after a key."""
    kind = ("scan", first, limit)
    text = shape.texts.get(kind)
    if text is None:
        where = "" if first else f" WHERE {_after(shape.key)}"
        text = f"{columns(shape)}{where} ORDER BY {listed(shape.key)} LIMIT {limit}"
        shape.texts[kind] = text
    return text


def scan_args(key: Key) -> Values:
    """The arguments of `scan` after this key."""
    if len(key) == 1:
        return key
    return (key[0], *(v for n in range(len(key)) for v in key[: n + 1]))


def _after(key: tuple[str, ...]) -> str:
    """Greater than a key. Of several columns the first is compared once more on its own: MariaDB uses
    no index for a comparison of tuples."""
    if len(key) == 1:
        return f"{quoted(key[0])} > ?"
    terms = []
    for n, name in enumerate(key):
        terms.append(" AND ".join([*(f"{quoted(k)} = ?" for k in key[:n]), f"{quoted(name)} > ?"]))
    return f"{quoted(key[0])} >= ? AND (({') OR ('.join(terms)}))"


def select(shape: Shape, query: store.Select) -> tuple[str, Values]:
    """A page of rows. Rows of a project and rows of none are two ordered reads, so that an index on
    (`_project`, key) ends each of them at the limit."""
    equals = query.equals
    if query.after is not None and len(shape.key) != 1:
        raise ValueError(f"{shape.name} has a key of several columns: no page after one value")
    kind = (
        "select",
        tuple(name for name, _ in equals),
        query.project is None,
        query.after is None,
        query.limit is None,
    )
    text = shape.texts.get(kind)
    if text is None:
        text = shape.texts[kind] = _select_text(shape, query)
    args: Values = tuple(value for _, value in equals)
    if query.after is not None:
        args = (*args, query.after)
    limit: Values = () if query.limit is None else (query.limit,)
    if query.project is None:
        return text, args + limit
    return text, (query.project, *args, *limit, *args, *limit, *limit)


def _select_text(shape: Shape, query: store.Select) -> str:
    conditions = [f"{quoted(name)} = ?" for name, _ in query.equals]
    if query.after is not None:
        conditions.append(f"{quoted(shape.key[0])} > ?")
    order = f" ORDER BY {listed(shape.key)}"
    if query.limit is not None:
        order += " LIMIT ?"
    if query.project is None:
        return _where(shape, conditions) + order
    mine = _where(shape, [f"{quoted(PROJECT)} = ?", *conditions]) + order
    free = _where(shape, [f"{quoted(PROJECT)} IS NULL", *conditions]) + order
    return f"SELECT * FROM ({mine}) AS m UNION ALL SELECT * FROM ({free}) AS f{order}"


def _where(shape: Shape, conditions: list[str]) -> str:
    return columns(shape) + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
