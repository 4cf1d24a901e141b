"""What differs between the databases in schema and SQL text, as data.

In: nothing. Out: `Dialect`, one constant in each driver's file. `ddl`, `install` and `readers` make
their statements with it, so that they are written once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from gluon.spi import tables

Network = IPv4Network | IPv6Network
Condition = tuple[str, tuple[str | int, ...]]
"""SQL text and its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of database."""

    name: str
    type_of: Callable[[tables.Column, bool], str]
    """The SQL type of a column; the flag says whether a key or an index holds it."""
    index_limit: int
    """Characters of text that one index takes; 0: enough for all."""
    clock: str
    """An expression: UTC now, as `View.now`."""
    columns_sql: str
    """Rows of (table, column, type, nullable, place in the key or 0), in stored order."""
    indexes_sql: str
    """Rows of (table, name of an index or unique constraint)."""
    foreign_sql: str
    """Rows of (table, column, table referred to)."""
    nul: bool = True
    """A text may hold U+0000."""
    ways: int = 2
    """How many ways of writing a plan there are to try: as it is, then with each row deleted first."""
    deferred: bool = True
    """References are checked at COMMIT; else at each row, and those that form a cycle are left out."""
    inline_foreign: bool = False
    """References can only be declared with their column."""
    create_suffix: str = ""
    unchecked_length: bool = False
    """Lengths are words only: a column may grow without a change."""
    advance: str = "UPDATE gluon_writer SET revision = revision + 1 WHERE id = 1"
    """A statement that uses up a revision, under the lock."""
    analyze: str = ""
    """What counts a table anew in the midst of a transaction, before its name; empty: nothing needs it."""
    restart: str = ""
    """A statement that lets revisions go on after `?`, where `gluon_writer` does not count them."""
    fixed: tuple[str, ...] = ()
    """Statements to run when the fixed tables are made."""
    fixed_gone: tuple[str, ...] = ()
    """Statements that take back what `fixed` made."""
    others: str = ""
    """A query: how many other connections of servers there are; none where the file is locked for one process."""
    broken_references: str = ""
    """A query: rows that refer to nothing, where references are declared with their columns."""
    hurry: str
    """A statement: this connection waits for no lock longer than a second, and may fill tables in any order."""
    alone: str
    """A query: true if this connection now holds the lock of upgrades."""
    online: tuple[str, str] = ("", "")
    """Words behind INDEX and at the end that let an index be made while its table is used."""
    broken_index: str = ""
    """A query by name: a row if there is such an index, left over by a build that failed."""
    unchecked_foreign: str = ""
    """Words behind a reference that is declared without a look at the rows that are there."""
    unvalidated: str = ""
    """A query: rows of (table, name of a reference that was declared so and whose old rows nobody has looked at)."""
    drop_suffix: str = ""
    ddl_commits: bool = False
    """A change of the schema ends the transaction that it is in."""
    tables_whole: bool = False
    """A table is made with its indexes and references in one statement, as each is a commit."""
    contains: str = "INSTR({}, ?) > 0"
    """That a column contains a text, by code points."""
    characters: str = "LENGTH({})"
    """How many a text has."""
    within: Callable[[str, Network], Condition]
    """That the address or prefix in a column lies in a prefix."""
    has_booleans: bool = False
    """Truth is a type of its own; else 0 and 1 are read."""
    has_row_arrays: bool = False
    """Rows of several tables may come as arrays in one row."""
    partial_indexes: bool = True
    """An index may hold some of the rows."""
    null_is_most: bool = False
    """Null sorts after all values, unless the statement says otherwise."""
