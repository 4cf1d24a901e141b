"""SQL text of a page: rows that pass filters, in any order, from where the page before it ended.

In: a dialect, a shape, a `spi.store.Select`. Out: a statement with its arguments, None where no row can match.
Texts are not kept: there is no end of combinations. Called by `sql`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from gluon.spi import store
from gluon.spi.store import Match
from gluon.store import texts
from gluon.store.ddl import quoted
from gluon.store.dialect import Dialect
from gluon.store.shape import PROJECT, Shape, Values

Part = tuple[str, Values]
"""A condition and its arguments."""

Read = tuple[str, Values, bool]
"""A statement, its arguments, and whether it may look at a whole table."""

_SIGNS = {Match.LESS: "<", Match.AT_MOST: "<=", Match.MORE: ">", Match.AT_LEAST: ">="}
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
NEVER: Part = ("1 = 0", ())


def read(dialect: Dialect, shape: Shape, query: store.Select, wanted: texts.Wanted = ()) -> Read | None:
    """The statement of a page; the texts of plain ones are kept."""
    if query.filters or query.order:
        found = page(dialect, shape, query, wanted)
        return found and (*found, reads_all(shape, query))
    given = [*query.equals, *((shape.key[0], key) for _, key in texts.start(query))]
    if query.project is not None:
        given.append((PROJECT, query.project))
    if not shape.matchable([name for name, _ in given], [value for _, value in given], nul=dialect.nul):
        return None
    return *texts.select(shape, query, wanted), False


def reads_all(shape: Shape, query: store.Select) -> bool:
    """Whether it may look at every row of a project or a table: no index leads to those that pass, or is their order."""
    served = shape.served[query.project is not None]
    exact = [name for name, _ in query.equals]
    exact += [f.column for f in query.filters if f.match in (Match.EQUAL, Match.BEGINS)]
    if not served.isdisjoint(exact):
        return False
    return bool(query.filters) or bool(query.order and query.order[0].column not in served)


def page(dialect: Dialect, shape: Shape, query: store.Select, wanted: texts.Wanted = ()) -> Part | None:
    """The rows themselves. As in `texts.select`, those of a project and those of none are two ordered reads, and so are
    those with a value in the first column and those without: no database begins to read an index where an OR says."""
    found = _conditions(dialect, shape, query)
    if found is None:
        return None
    order = _order(shape, query)
    found += [(f"{quoted(shape.key[0])} {sign} ?", (key,)) for sign, key in texts.start(query)]
    every: list[tuple[list[Part], Sequence[store.Order]]] = [(found, order)]
    if query.start is not None:
        every = [([*found, part], by) for part, by in _following(dialect, shape, order, query.start)]
    if query.project is not None:
        project = quoted(PROJECT)
        whose: list[Part] = [(f"{project} = ?", (query.project,)), (f"{project} IS NULL", ())]
        every = [([part, *read], by) for part in whose for read, by in every]
    most, limit = ("", ()) if query.limit is None else (" LIMIT ?", (query.limit,))
    source, sort = texts.columns(shape, texts.apart(wanted)), _sort(dialect, shape, order)
    reads: list[str] = []
    args: Values = ()
    for read, by in every:
        where, values = _all(read)
        reads.append(f"{source}{where}{_sort(dialect, shape, by)}{most}")
        args += values + limit
    if len(reads) == 1:
        return texts.around(shape, wanted, reads[0], sort), args
    parts = " UNION ALL ".join(f"SELECT * FROM ({read}) AS r{n}" for n, read in enumerate(reads))
    return texts.around(shape, wanted, f"{parts}{sort}{most}", sort), args + limit


def count(dialect: Dialect, shape: Shape, query: store.Select) -> Read | None:
    """Their number."""
    found = _conditions(dialect, shape, query)
    if found is None:
        return None
    if query.project is not None:
        project = quoted(PROJECT)
        found.append((f"({project} = ? OR {project} IS NULL)", (query.project,)))
    where, args = _all(found)
    return f"SELECT COUNT(*) FROM {quoted(shape.name)}{where}", args, True


def _all(parts: Iterable[Part]) -> Part:
    texts_: list[str] = []
    args: list[store.Value] = []
    for text, values in parts:
        texts_.append(text)
        args += values
    return (f" WHERE {' AND '.join(texts_)}" if texts_ else ""), tuple(args)


def _conditions(dialect: Dialect, shape: Shape, query: store.Select) -> list[Part] | None:
    """None: no row can match. A value that no row can hold is never sent; see `Shape.matchable`."""
    found: list[Part] = []
    given = (*query.equals, *([(PROJECT, query.project)] if query.project is not None else []))
    if not shape.matchable([n for n, _ in given], [v for _, v in given], nul=dialect.nul):
        return None
    found += [(f"{quoted(name)} = ?", (value,)) for name, value in query.equals]
    for one in query.filters:
        part = _filter(dialect, shape, one)
        if part == NEVER:
            return None
        found.append(part)
    return found


def _filter(dialect: Dialect, shape: Shape, one: store.Filter) -> Part:
    column, match = quoted(one.column), one.match
    if match is Match.EQUAL:
        return _equal(dialect, shape, one)
    (value,) = one.values
    fits = shape.matchable((one.column,), one.values, nul=dialect.nul)
    if match is Match.UNLIKE:
        if value is None:
            return f"{column} IS NOT NULL", ()
        return (f"({column} <> ? OR {column} IS NULL)", (value,)) if fits else ("1 = 1", ())
    if not fits:
        return NEVER
    if match in _SIGNS:
        return f"{column} {_SIGNS[match]} ?", (value,)
    if match is Match.CONTAINS:
        return dialect.contains.format(column), (value,)
    if match is Match.WITHIN:
        return dialect.within(column, ip_network(str(value)))
    end = _after_all(str(value))
    if end is None:
        return f"{column} >= ?", (value,)
    return f"({column} >= ? AND {column} < ?)", (value, end)


def _equal(dialect: Dialect, shape: Shape, one: store.Filter) -> Part:
    column = quoted(one.column)
    values = [
        v for v in one.values if v is not None and shape.matchable((one.column,), (v,), nul=dialect.nul)
    ]
    either = []
    if len(values) == 1:
        either.append(f"{column} = ?")
    elif values:
        either.append(f"{column} IN ({', '.join('?' * len(values))})")
    if None in one.values:
        either.append(f"{column} IS NULL")
    if not either:
        return NEVER
    return (f"({' OR '.join(either)})" if len(either) > 1 else either[0]), tuple(values)


def _after_all(start: str) -> str | None:
    """The least text above all that begin with `start`; None if there is none. An index serves such a range."""
    while start:
        last = ord(start[-1]) + 1
        if last in _SURROGATES:
            last = _SURROGATES.stop
        if last <= _LAST:
            return start[:-1] + chr(last)
        start = start[:-1]
    return None


def _order(shape: Shape, query: store.Select) -> list[store.Order]:
    """Up to the key, which goes the way of what it decides: an index is read to one side."""
    found: list[store.Order] = []
    back = bool(query.order) and query.order[-1].descending
    for one in (*query.order, *(store.Order(column=name, descending=back) for name in shape.key)):
        if one.column not in {o.column for o in found}:
            found.append(one)
        if set(shape.key) <= {o.column for o in found}:
            break
    return found


def _sort(dialect: Dialect, shape: Shape, order: Sequence[store.Order]) -> str:
    return f" ORDER BY {', '.join(_sorted_by(dialect, shape, one) for one in order)}"


def _sorted_by(dialect: Dialect, shape: Shape, one: store.Order) -> str:
    text = quoted(one.column) + (" DESC" if one.descending else "")
    if dialect.null_is_most and one.column in _nullable(shape):
        text += " NULLS LAST" if one.descending else " NULLS FIRST"
    return text


def _nullable(shape: Shape) -> frozenset[str]:
    return frozenset(c.name for c in shape.table.columns if c.nullable and c.name not in shape.key)


def _following(
    dialect: Dialect, shape: Shape, order: Sequence[store.Order], start: store.Row
) -> list[tuple[Part, Sequence[store.Order]]]:
    """Behind `start`: in the first column, or as good in it and behind in the next, and so on; each part a read in its
    own order. Those without a value in the first column differ by the others alone: MariaDB sorts them, unless the
    order leaves it out, and PostgreSQL if it does."""
    first, value = order[0], start[order[0].column]
    column, nullable = quoted(first.column), _nullable(shape)
    empty = order if dialect.null_is_most else order[1:]
    if value is None:
        rest, args = _behind_all(order[1:], start, nullable)
        others: Part = (f"({column} IS NULL AND {rest})", args)
        return (
            [(others, empty)]
            if first.descending
            else [(others, empty), ((f"{column} IS NOT NULL", ()), order)]
        )
    part = _behind_all(order, start, nullable - {first.column})
    if len(order) > 1:
        part = (f"({column} {'<=' if first.descending else '>='} ? AND {part[0]})", (value, *part[1]))
    if first.descending and first.column in nullable:
        return [(part, order), ((f"{column} IS NULL", ()), empty)]
    return [(part, order)]


def _behind_all(order: Sequence[store.Order], start: store.Row, nullable: frozenset[str]) -> Part:
    ways: list[str] = []
    same: list[str] = []
    args: list[store.Value] = []
    held: list[store.Value] = []
    for one in order:
        column, value = quoted(one.column), start[one.column]
        behind = _behind(one, value, nullable=one.column in nullable)
        if behind is not None:
            ways.append(" AND ".join([*same, behind]))
            args += held + ([value] if "?" in behind else [])
        same.append(f"{column} IS NULL" if value is None else f"{column} = ?")
        held += [] if value is None else [value]
    return f"(({') OR ('.join(ways)}))", tuple(args)


def _behind(one: store.Order, value: store.Value, *, nullable: bool) -> str | None:
    """Behind a value in one column; None where nothing is."""
    column = quoted(one.column)
    if value is None:
        return None if one.descending else f"{column} IS NOT NULL"
    if not one.descending:
        return f"{column} > ?"
    return f"({column} < ? OR {column} IS NULL)" if nullable else f"{column} < ?"
