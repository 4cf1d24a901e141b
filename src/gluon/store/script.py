"""The tables of a model as a script: what `install` runs on a database that has Gluon's own tables only.

In: wanted tables, the kind of a database. Out: SQL text. Nothing is connected; called by `gluon model export`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from gluon.spi import tables
from gluon.store import compare
from gluon.store.dialect import Dialect

DATABASES = {"sqlite": "sqlite", "postgresql": "postgres", "mysql": "mysql"}
"""Kind of database, and the module of its driver."""


_FIRST = {"mysql": ("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')",)}
"""What a client has to say that Gluon's own sessions say when they begin."""


def dialect(database: str) -> Dialect:
    """Raises `GluonError` where the driver is not installed."""
    found: Dialect = importlib.import_module(f"gluon.store.{DATABASES[database]}").DIALECT
    return found


def script(wanted: Iterable[tables.Table], database: str) -> str:
    """The statements in the order in which they are run."""
    return "".join(
        f"{statement};\n" for statement in (*_FIRST.get(database, ()), *statements(wanted, database))
    )


def statements(wanted: Iterable[tables.Table], database: str) -> list[str]:
    """One by one, for a connection of Gluon's own."""
    return compare.compare(wanted, {}, dialect(database)).statements
