"""The engine's own tables beside those of the models."""

from __future__ import annotations

from gluon import pools
from gluon.spi import usage
from gluon.spi.tables import Column, ColumnType, Table

USAGE = usage.TABLE.name
ANSWER = "gluon_answer"

TABLES = (
    usage.TABLE,
    Table(
        name=ANSWER,
        columns=(
            Column(name="owner", type=ColumnType.TEXT, length=64, nullable=False),
            Column(name="word", type=ColumnType.TEXT, nullable=False),
            Column(name="digest", type=ColumnType.TEXT, length=64, nullable=False),
            Column(name="at", type=ColumnType.TEXT, length=32, nullable=False),
            Column(name="status", type=ColumnType.INTEGER, nullable=False),
            Column(name="tag", type=ColumnType.INTEGER, nullable=False),
            Column(name="body", type=ColumnType.DOCUMENT, nullable=True),
        ),
        key=("owner", "word"),
        indexes=(("at",),),
    ),
    *pools.TABLES,
)
"""`gluon_usage`: see `spi.usage`. `gluon_answer`: what a client was told that sent an Idempotency-Key (`word`). And
those of pools."""
