"""The tables that the store needs for itself: writer state, models and the journal.

In: a `Dialect`. Out: `tables.Table`s made like all others, and statements to fill a new database.
Used by `install`. `gluon_writer` has one row; the journal's key is the order of commits.
"""

from __future__ import annotations

from gluon.spi import tables, upgrade

WRITER = "gluon_writer"
SCHEMA = "gluon_schema"
JOURNAL = "journal"
RESTORING = "gluon_restore"
"""A table that is there while a restore is not complete, where changes of the schema commit by themselves."""


def _text(name: str, length: int = 255, *, nullable: bool = False) -> tables.Column:
    return tables.Column(name=name, type=tables.ColumnType.TEXT, length=length, nullable=nullable)


def _integer(name: str) -> tables.Column:
    return tables.Column(name=name, type=tables.ColumnType.INTEGER, nullable=False)


def _document(name: str, *, nullable: bool) -> tables.Column:
    return tables.Column(name=name, type=tables.ColumnType.DOCUMENT, nullable=nullable)


TABLES = (
    tables.Table(
        name=WRITER,
        columns=(_integer("id"), _integer("revision"), _integer("epoch"), _text("incarnation", 64)),
        key=("id",),
    ),
    tables.Table(
        name=SCHEMA,
        columns=(
            _text("api"),
            _text("version", 64),
            _text("digest", 128),
            _document("document", nullable=False),
            _integer("epoch"),
            _text("state", 32),
            _text("loaded_at", 26),
            _text("loaded_by", nullable=True),
        ),
        key=("api",),
    ),
    tables.Table(
        name=JOURNAL,
        columns=(
            _integer("revision"),
            _integer("n"),
            _text("op", 16),
            _text("api"),
            _text("type"),
            _text("key", 1024),
            _text("project", nullable=True),
            _text("who"),
            _text("request_id"),
            tables.Column(name="intent", type=tables.ColumnType.BOOLEAN, nullable=False),
            _document("old", nullable=True),
            _document("new", nullable=True),
            _text("at", 26),
        ),
        key=("revision", "n"),
    ),
    upgrade.PROGRESS,
)
JOURNAL_COLUMNS = tuple(c.name for c in TABLES[2].columns)
