"""The database as units of one batch see it: rows read under the writer lock, and changes so far.

In: rows that the session read, changes of units that were accepted. Out: answers to a unit's view,
and the plan of what to write. No I/O. Invariant: what is not known is never guessed (`NotLoaded`),
and an unaccepted unit leaves no trace.
"""

from __future__ import annotations

import bisect
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gluon.errors import GluonError
from gluon.spi import store
from gluon.store.shape import Catalog, Key, Shape, Values, taker

Change = tuple[store.Row, Values] | None
"""A row and its values in the order of the table's columns; None: deleted."""


class NotLoaded(Exception):
    """A unit looked at rows that were not read yet."""

    def __init__(self, *lookups: store.Lookup) -> None:
        super().__init__()
        self.lookups = lookups


class Needs:
    """Lookups to read, one group a (table, columns), without repetition."""

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[tuple[str, tuple[str, ...]], dict[Values, None]] = {}

    def add(self, lookup: store.Lookup) -> None:
        group = self.groups.get((lookup.table, lookup.columns))
        if group is None:
            group = self.groups[lookup.table, lookup.columns] = {}
        group[lookup.values] = None


@dataclass(slots=True)
class Plan:
    """The net effect of a batch, in the order in which foreign keys hold.

    `inserts`: keys known to be free; `upserts`: keys known to exist; `blind`: nobody looked.
    """

    deletes: list[tuple[Shape, list[Key]]] = field(default_factory=list)
    upserts: list[tuple[Shape, list[Values]]] = field(default_factory=list)
    blind: list[tuple[Shape, list[Values]]] = field(default_factory=list)
    inserts: list[tuple[Shape, list[Values]]] = field(default_factory=list)
    journal: list[Values] = field(default_factory=list)
    revision: int = 0

    def replaced(self) -> Plan:
        """The same effect by deleting every row before it is written, so that rows may swap unique values."""
        deletes = {shape: list(keys) for shape, keys in self.deletes}
        inserts: dict[Shape, list[Values]] = {}
        for shape, rows in (*self.upserts, *self.blind):
            places = [shape.columns.index(k) for k in shape.key]
            deletes.setdefault(shape, []).extend(tuple(row[n] for n in places) for row in rows)
            inserts.setdefault(shape, []).extend(rows)
        for shape, rows in self.inserts:
            inserts.setdefault(shape, []).extend(rows)
        by_rank = sorted(inserts.items(), key=lambda group: group[0].rank)
        down = sorted(deletes.items(), key=lambda group: -group[0].rank)
        return Plan(deletes=down, inserts=by_rank, journal=self.journal, revision=self.revision)


class _Table:
    """What is known of one table."""

    __slots__ = ("changed", "found", "indexes", "known", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.known: dict[Key, store.Row | None] = {}
        """Committed rows by key; None: no such row."""
        self.found: dict[tuple[str, ...], dict[Values, list[Key]]] = {}
        """Lookups that were read, and the keys of their rows, ordered."""
        self.changed: dict[Key, Change] = {}
        self.indexes: dict[tuple[str, ...], dict[Values, dict[Key, None]]] = {}
        """Changed rows by the columns that somebody looked up."""

    def has(self, columns: tuple[str, ...], values: Values) -> bool:
        if columns == self.shape.key:
            return values in self.known
        group = self.found.get(columns)
        return group is not None and values in group

    def current(self, key: Key) -> store.Row | None:
        """The row with a key that is known or changed."""
        if key in self.changed:
            change = self.changed[key]
            return change[0] if change else None
        return self.known[key]

    def change(self, key: Key, change: Change) -> None:
        for columns, index in self.indexes.items():
            old = self.changed.get(key)
            if old:
                index[taker(columns)(old[0])].pop(key, None)
            if change:
                index.setdefault(taker(columns)(change[0]), {})[key] = None
        self.changed[key] = change

    def forget(self, key: Key) -> None:
        """As if the row with this key had not been changed."""
        change = self.changed.pop(key)
        for columns, index in self.indexes.items():
            if change:
                index[taker(columns)(change[0])].pop(key, None)

    def settle(self) -> None:
        """What is changed is what the database has from now on."""
        for key, change in self.changed.items():
            before, after = self.known.get(key), change and change[0]
            for columns, group in self.found.items():
                values_of = taker(columns)
                there = group.get(values_of(before)) if before else None
                if there and key in there:
                    there.remove(key)
                if after and (there := group.get(values_of(after))) is not None:
                    bisect.insort(there, key)
            self.known[key] = after
        self.changed, self.indexes = {}, {}

    def changed_like(self, columns: tuple[str, ...], values: Values) -> Iterable[Key]:
        """Keys of changed rows in which `columns` equal `values`."""
        index = self.indexes.get(columns)
        if index is None:
            index = self.indexes[columns] = {}
            values_of = taker(columns)
            for key, change in self.changed.items():
                if change:
                    index.setdefault(values_of(change[0]), {})[key] = None
        return index.get(values, ())


Prepared = list[tuple[_Table, Key, Change]]
Undo = list[tuple[_Table, Key, bool, Change]]
"""Whether the row had been changed before, and how."""


Written = Mapping[str, Mapping[Key, Change]]
"""What a batch writes, by table."""


class Overlay:
    """Rows of one batch. `nul`: a text in this database may hold U+0000. `written`: by a batch before this one, which rows that
    are read may show or not."""

    __slots__ = ("_catalog", "_nul", "_tables", "_written")

    def __init__(self, catalog: Catalog, *, nul: bool, written: Written | None = None) -> None:
        self._catalog = catalog
        self._nul = nul
        self._written = written or {}
        self._tables: dict[str, _Table] = {}

    def _table(self, name: str) -> _Table:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _Table(self._catalog.shape(name))
        return table

    # -- reading ------------------------------------------------------------------------------

    def want(self, lookup: store.Lookup, needs: Needs) -> None:
        """Put the lookup into `needs` unless its rows are here or there can be none."""
        table = self._table(lookup.table)
        columns, values = lookup.columns, lookup.values
        if None in values or table.has(columns, values):
            return
        wanted = needs.groups.get((lookup.table, columns))
        if wanted is not None and values in wanted:
            return
        if table.shape.matchable(columns, values, nul=self._nul):
            needs.add(lookup)
        else:
            self.load(lookup.table, columns, (values,), ())

    def load(
        self, name: str, columns: tuple[str, ...], asked: Iterable[Values], rows: Iterable[store.Row]
    ) -> None:
        """Rows that the database holds for all lookups `asked`."""
        table = self._table(name)
        key_of = table.shape.key_of
        written = self._written.get(name)
        if written:
            asked = set(asked)
            rows = _after(table.shape, columns, asked, rows, written)
        if columns == table.shape.key:
            for key in asked:
                table.known.setdefault(key, None)
            for row in rows:
                table.known[key_of(row)] = row
            return
        group = table.found.setdefault(columns, {})
        for values in asked:
            group[values] = []
        values_of = taker(columns)
        for row in rows:
            key = key_of(row)
            table.known[key] = row
            group[values_of(row)].append(key)
        for values in asked:
            group[values].sort()

    def seed(self, name: str, rows: Mapping[Key, store.Row | None]) -> None:
        """Rows by key that are known to be in the database; None: no such row."""
        self._table(name).known.update(rows)

    def kept(self) -> Iterator[tuple[str, dict[Key, store.Row | None]]]:
        """What is known by key once all accepted writes are done, of the tables that are kept."""
        for name, table in self._tables.items():
            most = table.shape.table.kept
            if most and len(table.known) + len(table.changed) <= 2 * most:
                rows = {**table.known, **{key: change and change[0] for key, change in table.changed.items()}}
                if 0 < len(rows) <= most:
                    yield name, rows

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        """Raises `NotLoaded` with all that are not here."""
        needs = Needs()
        for lookup in lookups:
            self.want(lookup, needs)
        if needs.groups:
            raise NotLoaded(*(store.Lookup(t, c, v) for (t, c), group in needs.groups.items() for v in group))

    def get(self, name: str, *key: store.Value) -> store.Row | None:
        """Raises `NotLoaded`."""
        table = self._tables.get(name) or self._table(name)
        change = table.changed.get(key, table)
        if change is not table:
            return change[0] if change else None  # type: ignore[index]
        try:
            return table.known[key]
        except KeyError:
            self._absent(table, table.shape.key, key)
            return None

    def _absent(self, table: _Table, columns: tuple[str, ...], values: Values) -> None:
        """Returns if no row can have these values. Raises `NotLoaded`, or `GluonError` for a wrong use."""
        if len(columns) != len(values) or not all(c in table.shape.types for c in columns):
            raise GluonError(f"{table.shape.name} cannot be looked up by {', '.join(columns)}")
        if None in values or not table.shape.matchable(columns, values, nul=self._nul):
            return
        raise NotLoaded(store.Lookup(table.shape.name, columns, values))

    def rows(self, name: str, columns: tuple[str, ...], values: Values) -> Sequence[store.Row]:
        """Raises `NotLoaded`."""
        table = self._table(name)
        if columns == table.shape.key:
            row = self.get(name, *values)
            return () if row is None else (row,)
        group = table.found.get(columns)
        base = group.get(values) if group is not None else None
        if base is None:
            self._absent(table, columns, values)
            return ()
        if not table.changed:
            return [row for key in base if (row := table.known[key]) is not None]
        keys = dict.fromkeys(key for key in base if key not in table.changed)
        before = len(keys)
        keys.update(dict.fromkeys(table.changed_like(columns, values)))
        ordered = sorted(keys) if len(keys) > before else keys
        return [row for key in ordered if (row := table.current(key)) is not None]

    # -- changing -----------------------------------------------------------------------------

    def prepare(self, changes: store.Changes) -> Prepared:
        """Check the form of a unit's writes without doing them. Raises `GluonError`."""
        prepared: Prepared = []
        tables = self._tables
        for name, write in changes.writes:
            table = tables.get(name) or self._table(name)
            shape = table.shape
            if isinstance(write, tuple):
                if len(write) != len(shape.key):
                    raise GluonError(f"{name} has no key of {len(write)} columns")
                prepared.append((table, write, None))
                continue
            try:
                values = shape.values_of(write)
            except KeyError as error:
                raise GluonError(f"a row of {name} lacks column {error}") from None
            if len(write) != shape.width:
                raise GluonError(f"a row of {name} has columns that the table lacks")
            key = (write[shape.one],) if shape.one is not None else shape.key_of(write)
            prepared.append((table, key, (write, values)))
        return prepared

    @staticmethod
    def accept(prepared: Prepared) -> None:
        """Make a unit's writes visible to the units after it."""
        for table, key, change in prepared:
            if table.indexes:
                table.change(key, change)
            else:
                table.changed[key] = change

    def try_on(self, prepared: Prepared) -> Undo:
        """As `accept`, and what `take_off` needs."""
        undo: Undo = []
        for table, key, change in prepared:
            undo.append((table, key, key in table.changed, table.changed.get(key)))
            table.change(key, change)
        return undo

    @staticmethod
    def take_off(undo: Undo) -> None:
        """Back to what was before one or several `try_on`, in the order they came."""
        for table, key, changed, former in reversed(undo):
            if changed:
                table.change(key, former)
            else:
                table.forget(key)

    def settle(self) -> None:
        """What was accepted so far has been planned, and what comes is on top of it."""
        for table in self._tables.values():
            table.settle()

    def written(self) -> Written:
        """All accepted writes since `settle`."""
        return {name: table.changed for name, table in self._tables.items() if table.changed}

    def plan(self) -> Plan:
        """The net effect of all accepted writes since `settle`."""
        plan = Plan()
        for table in sorted(self._tables.values(), key=lambda t: t.shape.rank):
            if table.changed:
                _net(table, plan)
        plan.deletes.reverse()
        return plan


def _after(
    shape: Shape,
    columns: tuple[str, ...],
    asked: Container[Values],
    rows: Iterable[store.Row],
    written: Mapping[Key, Change],
) -> list[store.Row]:
    """Rows with these values of `columns`, once `written` is; however much of it they show already."""
    key_of, values_of = shape.key_of, taker(columns)
    found = [row for row in rows if key_of(row) not in written]
    return found + [change[0] for change in written.values() if change and values_of(change[0]) in asked]


def _net(table: _Table, plan: Plan) -> None:
    deletes: list[Key] = []
    upserts: list[Values] = []
    blind: list[Values] = []
    inserts: list[Values] = []
    known = table.known
    for key, change in table.changed.items():
        if key not in known:
            if change:
                blind.append(change[1])
            else:
                deletes.append(key)
        elif known[key] is None:
            if change:
                inserts.append(change[1])
        elif change:
            upserts.append(change[1])
        else:
            deletes.append(key)
    for rows, into in ((upserts, plan.upserts), (blind, plan.blind), (inserts, plan.inserts)):
        if rows:
            into.append((table.shape, rows))
    if deletes:
        plan.deletes.append((table.shape, deletes))
