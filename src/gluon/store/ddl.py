"""The wanted tables as statements that make or extend them.

In: `tables.Table`s and a `Dialect`. Out: SQL text, run by `install`. Invariant: a name here depends on
table and columns only, so what is there can be told by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gluon.objects import codec
from gluon.spi import tables
from gluon.store.dialect import Dialect


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Column names, quoted, with commas."""
    return ", ".join(quoted(n) for n in names)


def name_of(kind: str, table: str, columns: Iterable[str]) -> str:
    """The name of a constraint or index, short enough for every database."""
    mark = codec.digest("\0".join([table, *columns]).encode())[:10]
    return f"{kind}_{table[:40]}_{mark}"


def indexes_of(table: tables.Table) -> tuple[tuple[str, ...], ...]:
    """The plain indexes, with one for every reference that no other index begins with."""
    wanted = list(dict.fromkeys(table.indexes))
    for foreign in table.foreign:
        if not any(c[0] == foreign.column for c in (table.key, *table.unique, *wanted)):
            wanted.append((foreign.column,))
    return tuple(wanted)


def held(table: tables.Table) -> frozenset[str]:
    """The columns that a key, an index or a reference holds."""
    groups = (table.key, *table.unique, *indexes_of(table), *table.sparse)
    return frozenset(c for group in groups for c in group) | {f.column for f in table.foreign}


def in_a_cycle(wanted: Iterable[tables.Table]) -> frozenset[tuple[str, tables.ForeignKey]]:
    """References through which a table refers to itself, directly or by others."""
    by_name = {t.name: t for t in wanted}
    found = set()
    for table in by_name.values():
        for foreign in table.foreign:
            seen: set[str] = set()
            ahead = [foreign.table]
            while ahead:
                name = ahead.pop()
                if name not in seen and name in by_name:
                    seen.add(name)
                    ahead += [f.table for f in by_name[name].foreign]
            if table.name in seen:
                found.add((table.name, foreign))
    return frozenset(found)


class Ddl:
    """Statements of one dialect. `skipped` references are not declared."""

    def __init__(self, dialect: Dialect, skipped: frozenset[tuple[str, tables.ForeignKey]]) -> None:
        self._dialect = dialect
        self._skipped = skipped

    def skips(self, table: tables.Table, foreign: tables.ForeignKey) -> bool:
        return (table.name, foreign) in self._skipped

    def create(self, table: tables.Table, keys: dict[str, str]) -> str:
        """The table itself. `keys` has the key column of the tables referred to."""
        return self._create(table, keys, ())

    def create_free(self, table: tables.Table, keys: dict[str, str]) -> str:
        """The same, and it refers to nothing yet."""
        return self._create(table, keys, (), free=True)

    def refer(
        self, table: tables.Table, foreign: Sequence[tables.ForeignKey], keys: dict[str, str]
    ) -> list[str]:
        """What a table that is there is to refer to, beside what it refers to already."""
        if self._dialect.inline_foreign:
            return self._made_anew(table, keys) if foreign else []
        found = [self.add_foreign(table, one, keys) for one in foreign]
        return [sql + self._dialect.unchecked_foreign for sql in found if sql is not None]

    def _made_anew(self, table: tables.Table, keys: dict[str, str]) -> list[str]:
        """Where references can only be said with the table itself: the rows go over to one that says them."""
        name, copy = quoted(table.name), f"{table.name}__whole"
        columns = listed([c.name for c in table.columns])
        return [
            self.create(replace(table, name=copy), keys),
            f"INSERT INTO {quoted(copy)} ({columns}) SELECT {columns} FROM {name}",
            f"DROP TABLE {name}",
            f"ALTER TABLE {quoted(copy)} RENAME TO {name}",
            *(sql for _, _, _, sql in self.indexes(table)),
        ]

    def create_whole(self, table: tables.Table, keys: dict[str, str]) -> list[str]:
        """The table with its indexes, and (where they can be said with it) its references."""
        indexes = list(self.indexes(table))
        if not self._dialect.tables_whole:
            return [self.create(table, keys), *(sql for _, _, _, sql in indexes)]
        more = [f"{'UNIQUE ' * u}INDEX {quoted(n)} ({self._listing(table, c, u)})" for n, c, u, _ in indexes]
        more += [self._foreign(table, f, keys) for f in table.foreign if not self.skips(table, f)]
        return [self._create(table, keys, more)]

    def _create(
        self, table: tables.Table, keys: dict[str, str], more: Iterable[str], *, free: bool = False
    ) -> str:
        lines = [self._column(table, c, keys, free=free) for c in table.columns]
        lines.append(f"CONSTRAINT {quoted(name_of('pk', table.name, ()))} PRIMARY KEY ({listed(table.key)})")
        lines += more
        body = ",\n  ".join(lines)
        return f"CREATE TABLE {quoted(table.name)} (\n  {body}\n){self._dialect.create_suffix}"

    def add_column(self, table: tables.Table, column: tables.Column, keys: dict[str, str]) -> str:
        return f"ALTER TABLE {quoted(table.name)} ADD COLUMN {self._column(table, column, keys, added=True)}"

    def drop_index(self, table: tables.Table, name: str) -> str:
        where = f" ON {quoted(table.name)}" if self._dialect.ddl_commits else ""
        return f"DROP INDEX {quoted(name)}{where}"

    def has_length(self, table: tables.Table, column: tables.Column) -> bool:
        """Does the database limit this text by its type?"""
        return "(" in self._dialect.type_of(column, column.name in held(table))

    @property
    def unchecked_length(self) -> bool:
        return self._dialect.unchecked_length

    def retype(self, table: tables.Table, column: tables.Column) -> str:
        """Give a text the type that it would have in a new table."""
        kind = self._dialect.type_of(column, column.name in held(table))
        if self._dialect.name == "postgresql":
            return f"ALTER TABLE {quoted(table.name)} ALTER COLUMN {quoted(column.name)} TYPE {kind}"
        null = "" if column.nullable else " NOT NULL"
        return f"ALTER TABLE {quoted(table.name)} MODIFY COLUMN {quoted(column.name)} {kind}{null}"

    def add_foreign(
        self, table: tables.Table, foreign: tables.ForeignKey, keys: dict[str, str]
    ) -> str | None:
        """None where it was declared with its column, or is left out."""
        if self._dialect.inline_foreign or self.skips(table, foreign):
            return None
        return f"ALTER TABLE {quoted(table.name)} ADD {self._foreign(table, foreign, keys)}"

    def _foreign(self, table: tables.Table, foreign: tables.ForeignKey, keys: dict[str, str]) -> str:
        name = quoted(name_of("fk", table.name, (foreign.column,)))
        deferred = " DEFERRABLE INITIALLY DEFERRED" if self._dialect.deferred else ""
        return (
            f"CONSTRAINT {name} FOREIGN KEY ({quoted(foreign.column)})"
            f" REFERENCES {quoted(foreign.table)} ({quoted(keys[foreign.table])}){deferred}"
        )

    def release(self, table: str, columns: Iterable[str]) -> list[str]:
        """A table that nothing uses refers to nothing any more: what it referred to can be deleted."""
        name, copy = quoted(table), quoted(f"{table}__left")
        if self._dialect.inline_foreign:
            return [
                f"CREATE TABLE {copy} AS SELECT * FROM {name}",
                f"DROP TABLE {name}",
                f"ALTER TABLE {copy} RENAME TO {name}",
            ]
        word = "FOREIGN KEY" if self._dialect.ddl_commits else "CONSTRAINT"
        return [
            f"ALTER TABLE {name} DROP {word} IF EXISTS {quoted(name_of('fk', table, (c,)))}" for c in columns
        ]

    def indexes(self, table: tables.Table) -> Iterator[tuple[str, tuple[str, ...], bool, str]]:
        """(name, columns, unique, statement) of all indexes of a table."""
        kinds = (
            ("uq", tuple(dict.fromkeys(table.unique))),
            ("ix", indexes_of(table)),
            ("sx", table.sparse),
        )
        for kind, groups in kinds:
            for columns in groups:
                name = name_of(kind, table.name, columns)
                unique = kind == "uq"
                listing = self._listing(table, columns, unique)
                sql = f"CREATE {'UNIQUE ' * unique}INDEX {quoted(name)} ON {quoted(table.name)} ({listing})"
                if kind == "sx" and self._dialect.partial_indexes:
                    sql += f" WHERE {quoted(columns[0])} IS NOT NULL"
                yield name, columns, unique, sql

    def _column(
        self,
        table: tables.Table,
        column: tables.Column,
        keys: dict[str, str],
        *,
        added: bool = False,
        free: bool = False,
    ) -> str:
        text = f"{quoted(column.name)} {self._dialect.type_of(column, column.name in held(table))}"
        if added and column.default is not None:
            text += f" DEFAULT {literal(column.default)}"
        if not column.nullable or column.name in table.key:
            text += " NOT NULL"
        if self._dialect.inline_foreign:
            for foreign in table.foreign:
                if foreign.column == column.name and not free:
                    text += f" REFERENCES {quoted(foreign.table)} ({quoted(keys[foreign.table])})"
                    text += " DEFERRABLE INITIALLY DEFERRED"
        return text

    def _listing(self, table: tables.Table, columns: tuple[str, ...], unique: bool) -> str:
        return listed(columns) if unique else self._cut(table, columns)

    def _cut(self, table: tables.Table, columns: tuple[str, ...]) -> str:
        """The columns of an index in the order of lists, long texts by their beginning only if they are too long for it."""
        if self._dialect.null_is_most:  # lists have null first
            null = {c.name for c in table.columns if c.nullable and c.name not in table.key}
            return ", ".join(quoted(c) + " NULLS FIRST" * (c in null) for c in columns)
        limit = self._dialect.index_limit
        lengths = {c.name: c.length for c in table.columns if c.type is tables.ColumnType.TEXT}
        documents = {c.name for c in table.columns if c.type is tables.ColumnType.DOCUMENT}
        total = sum(lengths.get(c, 2) for c in columns)
        if not limit or (total <= limit and not documents.intersection(columns)):
            return listed(columns)
        share = limit // len(columns)
        parts = []
        for c in columns:
            long = c in documents or lengths.get(c, 0) > share
            parts.append(f"{quoted(c)}({share})" if long else quoted(c))
        return ", ".join(parts)


def literal(value: str | float | bool) -> str:
    """A default as SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else repr(value)
