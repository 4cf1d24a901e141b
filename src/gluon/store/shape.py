"""A table made ready for work: how to take key and values out of a row, and its place among others.

In: the wanted tables and the order of columns in the database. Out: a `Catalog` of `Shape`s, which
is replaced as a whole when the schema changes. Invariant: a table's `rank` is above that of every
table it refers to, where references form no cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter

from gluon.errors import GluonError
from gluon.spi import store, tables

Key = tuple[store.Value, ...]
Values = tuple[store.Value, ...]

PROJECT = "_project"
"""The column that says whose a row is."""

_INT64 = 1 << 63


def taker(names: Sequence[str]) -> Callable[[store.Row], Values]:
    """A function that takes these columns out of a row, always as a tuple. Raises `KeyError`."""
    if len(names) == 1:
        name = names[0]
        return lambda row: (row[name],)
    return itemgetter(*names)


class Shape:
    """One table. `columns` are the wanted ones; `stored` all that the table has, in its order."""

    __slots__ = (
        "blind_upsert",
        "booleans",
        "columns",
        "key",
        "key_of",
        "name",
        "one",
        "rank",
        "served",
        "stored",
        "table",
        "texts",
        "types",
        "values_of",
        "width",
    )

    def __init__(self, table: tables.Table, stored: Sequence[str], rank: int) -> None:
        self.table = table
        self.name = table.name
        self.columns = tuple(c.name for c in table.columns)
        self.stored = tuple(stored)
        self.types = {c.name: c.type for c in table.columns}
        self.key = table.key
        self.one = table.key[0] if len(table.key) == 1 else None
        """The column of the key, if it is one alone."""
        self.key_of = taker(table.key)
        self.values_of = taker(self.columns)
        self.width = len(self.columns)
        self.booleans = tuple(c.name for c in table.columns if c.type is tables.ColumnType.BOOLEAN)
        self.rank = rank
        self.served = {False: table.served(), True: table.served(PROJECT)}
        """Columns by which an index finds rows: of all, and of one project."""
        self.texts: dict[object, str] = {}
        """Statements on this table, by whatever their maker calls them."""
        self.blind_upsert = False
        """Rows of this table are put without a look at what is stored, and sometimes exist."""

    def row(self, values: Sequence[store.Value]) -> store.Row:
        """A row of values in the order of `columns`, as the driver gave them."""
        row = dict(zip(self.columns, values, strict=True))
        for name in self.booleans:
            value = row[name]
            row[name] = None if value is None else bool(value)
        return row

    def with_booleans(
        self, columns: Sequence[object], rows: Sequence[Sequence[store.Value]], first: int = 0
    ) -> Sequence[Sequence[store.Value]]:
        """Rows as the driver gave them, with truth values for 0 and 1. `first`: where this table's columns begin."""
        places = [n for n, name in enumerate(columns, first) if name in self.booleans]
        if not places:
            return rows
        found = [list(row) for row in rows]
        for row in found:
            for n in places:
                value = row[n]
                row[n] = None if value is None else bool(value)
        return found

    def matchable(self, columns: Sequence[str], values: Sequence[store.Value], *, nul: bool) -> bool:
        """Could a stored row equal these values at all?

        What could not is never sent: databases convert types, fail, or find a text equal to 0. `nul`
        says whether a text may hold U+0000.
        """
        return all(_fits(self.types[c], v, nul=nul) for c, v in zip(columns, values, strict=True))


def _fits(kind: tables.ColumnType, value: store.Value, *, nul: bool) -> bool:
    if isinstance(value, str):
        return (
            kind in (tables.ColumnType.TEXT, tables.ColumnType.DOCUMENT)
            and (nul or "\0" not in value)
            and (value.isascii() or _encodes(value))
        )
    if isinstance(value, bool):
        return kind is tables.ColumnType.BOOLEAN
    if isinstance(value, int):
        number = kind in (tables.ColumnType.INTEGER, tables.ColumnType.NUMBER)
        return number and -_INT64 <= value < _INT64
    return isinstance(value, float) and kind is tables.ColumnType.NUMBER


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Catalog:
    """The tables of one schema epoch."""

    __slots__ = ("_former", "_shapes", "epoch")

    def __init__(self, epoch: int, shapes: Mapping[str, Shape]) -> None:
        self.epoch = epoch
        self._shapes = dict(shapes)
        self._former: Mapping[str, Shape] = {}

    def shape(self, table: str) -> Shape:
        """Raises `GluonError` for a table that nobody installed."""
        try:
            return self._shapes[table]
        except KeyError:
            raise GluonError(f"no table {table} was installed") from None

    def follow(self, former: Catalog) -> bool:
        """Tables of the epoch before may still be read by who has just begun to; what is known of those that stay
        as they are is kept. Returns whether one of them is another now, or gone."""
        self._former = former._shapes
        differ = False
        for name, new in self._shapes.items():
            old = former._shapes.get(name)
            if old is None:
                continue
            if old.stored == new.stored and (old.table is new.table or old.table == new.table):
                old.rank = new.rank
                self._shapes[name] = old
            else:
                differ = True
        return differ or not former._shapes.keys() <= self._shapes.keys()

    def readable(self, table: str) -> Shape:
        """As `shape`, also of the epoch before."""
        former = self._former.get(table)
        return former if former is not None and table not in self._shapes else self.shape(table)


def catalog(epoch: int, wanted: Iterable[tables.Table], stored: Mapping[str, Sequence[str]]) -> Catalog:
    """`stored` has the columns of each table in the order of the database."""
    ordered = in_order(wanted)
    return Catalog(epoch, {t.name: Shape(t, stored[t.name], rank) for rank, t in enumerate(ordered)})


def in_order(wanted: Iterable[tables.Table]) -> list[tables.Table]:
    """The tables such that each follows those it refers to; cycles are cut at their later reference."""
    by_name = {t.name: t for t in wanted}
    ordered: dict[str, tables.Table] = {}
    entered: set[str] = set()
    for first in by_name:
        stack = [(first, False)]
        while stack:
            name, done = stack.pop()
            if done:
                ordered[name] = by_name[name]
            elif name not in entered:
                entered.add(name)
                stack.append((name, True))
                stack += [(f.table, False) for f in by_name[name].foreign if f.table in by_name]
    return list(ordered.values())
