"""Statements that read, with `?` for parameters: the same text for all databases.

In: a `Shape` and what is asked. Out: SQL and its arguments. Used by `readers` and the drivers.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.spi import store
from gluon.store.ddl import listed, literal, quoted
from gluon.store.fixed import JOURNAL_COLUMNS
from gluon.store.shape import PROJECT, Key, Shape, Values

Wanted = store.Wanted
"""Columns to read; none: all that are wanted of the table."""
_ALONG = quoted("along")

POSITION = (
    "SELECT w.incarnation, w.revision, (SELECT MAX(revision) FROM journal), (SELECT MIN(revision) FROM journal)"
    " FROM gluon_writer w"
)
_ENTRIES = f"SELECT {listed(JOURNAL_COLUMNS)} FROM journal"
ENTRY = f"{_ENTRIES} WHERE revision = ? ORDER BY n"
TAIL = f"{_ENTRIES} WHERE revision > ? ORDER BY revision, n LIMIT ?"
TAIL_AND_EPOCH = (
    f"SELECT * FROM ({_ENTRIES} WHERE revision > ? AND intent = ? ORDER BY revision, n LIMIT ?) AS news"
    f" UNION ALL SELECT epoch{', NULL' * (len(JOURNAL_COLUMNS) - 1)} FROM gluon_writer WHERE id = 1"
)
"""One statement, one moment: what it reads was committed under that epoch or one before it. The row of the epoch has
no `n`, and nothing orders them all."""
TAIL_INTENT = f"{_ENTRIES} WHERE revision > ? AND intent = ? ORDER BY revision, n LIMIT ?"


def tail_of(count: int) -> str:
    """Of so many types."""
    some = ", ".join("?" * count)
    return f"{_ENTRIES} WHERE revision > ? AND type IN ({some}) ORDER BY revision, n LIMIT ?"


def columns(shape: Shape, wanted: Wanted = ()) -> str:
    """`SELECT … FROM` with columns in their order; no rows of other tables."""
    return f"SELECT {_values(shape, wanted, shape.name)} FROM {quoted(shape.name)}"


def apart(wanted: Wanted) -> Wanted:
    """The columns of the table itself."""
    return tuple(c for c in wanted if isinstance(c, str))


def _along(wanted: Wanted) -> store.Along | None:
    last = wanted[-1] if wanted else None
    return last if isinstance(last, store.Along) else None


def around(shape: Shape, wanted: Wanted, ordered: str, ending: str) -> str:
    """What other tables say of rows that were found and cut off before: else a database asks them of all it sorts."""
    if len(apart(wanted)) == len(wanted):
        return ordered
    page, other = quoted("page"), _along(wanted)
    source = f"SELECT {_values(shape, wanted, 'page')} FROM ({ordered}) AS {page}"
    if other is not None:
        key = f"{page}.{quoted(shape.key[0])}"
        source += f" LEFT JOIN {quoted(other.table)} AS {_ALONG} ON {_ALONG}.{quoted(other.column)} = {key}"
    return source + ending


def _values(shape: Shape, wanted: Wanted, source: str) -> str:
    row, other = quoted(source), _along(wanted)
    key = f"{row}.{quoted(shape.key[0])}"
    if other is None:
        return ", ".join(
            _beside(c, row, key) if isinstance(c, store.Beside) else quoted(c)
            for c in wanted or shape.columns
            if not isinstance(c, store.Along)
        )
    # By names of their own, so that an order names the columns of the row.
    found = [f"{row}.{quoted(c)} AS {quoted(c)}" if isinstance(c, str) else _beside(c, row, key)
             for c in wanted if not isinstance(c, store.Along)]  # fmt: skip
    found += [f"{_ALONG}.{quoted(c)} AS a{n}" for n, c in enumerate(other.columns)]
    found += [_beside(one, _ALONG, "") for one in other.beside]
    return ", ".join(found)


def _beside(one: store.Beside, row: str, key: str) -> str:
    key = key if one.of is None else f"{row}.{quoted(one.of)}"
    said = f"SELECT b.{quoted(one.column)} FROM {quoted(one.table)} AS b WHERE b.{quoted(one.key)} = {key}"
    missing = literal(one.missing)
    asked = f"COALESCE(({said}), {missing})"
    if one.told_by is None:
        return asked
    return f"CASE WHEN {row}.{quoted(one.told_by)} IS NULL THEN {missing} ELSE {asked} END"


def several(reads: Sequence[str]) -> str:
    """One row with an array of rows for each statement."""
    return f"SELECT {', '.join(f'ARRAY(SELECT r FROM ({read}) AS r)' for read in reads)}"


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


def select(shape: Shape, query: store.Select, wanted: Wanted = ()) -> tuple[str, Values]:
    """A page of rows. Rows of a project and rows of none are two ordered reads, so that an index on
    (`_project`, key) ends each of them at the limit."""
    equals, from_ = query.equals, start(query)
    if from_ and len(shape.key) != 1:
        raise ValueError(f"{shape.name} has a key of several columns: no page after one value")
    kind = (
        "select",
        tuple(name for name, _ in equals),
        query.project is None,
        query.after is None,
        query.since is None,
        query.limit is None,
        wanted,
    )
    text = shape.texts.get(kind)
    if text is None:
        text = shape.texts[kind] = _select_text(shape, query, wanted)
    args: Values = (*(value for _, value in equals), *(value for _, value in from_))
    limit: Values = () if query.limit is None else (query.limit,)
    if query.project is None:
        return text, args + limit
    return text, (query.project, *args, *limit, *args, *limit, *limit)


def start(query: store.Select) -> Sequence[tuple[str, store.Value]]:
    """How keys are compared where the page does not begin with the first, and with which."""
    return [(sign, key) for sign, key in ((">", query.after), (">=", query.since)) if key is not None]


def _select_text(shape: Shape, query: store.Select, wanted: Wanted) -> str:
    conditions = [f"{quoted(name)} = ?" for name, _ in query.equals]
    conditions += [f"{quoted(shape.key[0])} {sign} ?" for sign, _ in start(query)]
    order = f" ORDER BY {listed(shape.key)}"
    limit = " LIMIT ?" if query.limit is not None else ""
    if query.project is None and _along(wanted) is None:
        return columns(shape, wanted) + _where(conditions) + order + limit
    if query.project is None:
        ordered = columns(shape, apart(wanted)) + _where(conditions) + order + limit
        return around(shape, wanted, ordered, order)
    source = columns(shape, apart(wanted))
    mine = source + _where([f"{quoted(PROJECT)} = ?", *conditions]) + order + limit
    free = source + _where([f"{quoted(PROJECT)} IS NULL", *conditions]) + order + limit
    both = f"SELECT * FROM ({mine}) AS m UNION ALL SELECT * FROM ({free}) AS f{order}{limit}"
    return around(shape, wanted, both, order)


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
