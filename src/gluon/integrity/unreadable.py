"""Rows that nobody can read: a text that is to be JSON and is none, a state or an operation that there is not.

In: a checkup that stumbled over one. Out: its findings. Called by `check`, and only then, as all tables are gone through once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gluon.arbiter import bindings
from gluon.arbiter import tables as arbiter_tables
from gluon.integrity.findings import Checkup, Kind
from gluon.objects import codec
from gluon.particles import tables as model_tables
from gluon.spi import store, tables
from gluon.store import fixed
from gluon.store.deciding import entry_of

ERRORS = (ValueError, LookupError, TypeError)
"""What reading such a row raises."""

_CURE = "restore a backup, or repair the row by hand with servers stopped; then look again, as not all was looked at"
_READ: Mapping[str, Callable[[store.Row], object]] = {
    arbiter_tables.BINDING: bindings.read,
    fixed.JOURNAL: lambda row: entry_of(tuple(row[c] for c in fixed.JOURNAL_COLUMNS)),
}
"""Rows that are more than their texts."""


async def find(checkup: Checkup) -> bool:
    """Whether there is any."""
    before = checkup.total
    own = (*fixed.TABLES, *arbiter_tables.TABLES)
    for table in (*(t for t in own if t.name in _READ), *model_tables.tables_of(checkup.models)):
        documents = [c.name for c in table.columns if c.type is tables.ColumnType.DOCUMENT]
        if table.name not in checkup.picture.there or not documents:
            continue
        async for chunk in checkup.picture.scan(table):
            for row in chunk:
                for why in _wrong(table.name, documents, row):
                    key = ", ".join(str(row[c]) for c in table.key)
                    checkup.find(Kind.SCHEMA, table.name, f"{table.name} {key}", why, _CURE)
    return checkup.total > before


def _wrong(name: str, documents: list[str], row: store.Row) -> Iterator[str]:
    """Not the text itself: it may be a secret."""
    fine = True
    for column in documents:
        try:
            codec.decode("null" if row[column] is None else str(row[column]))
        except ValueError:
            fine = False
            yield f"its {column} cannot be read: it is no JSON"
    if fine and name in _READ:
        try:
            _READ[name](row)
        except ERRORS as error:
            yield f"it cannot be read: {error}"
