"""The engine's own tables beside those of the models."""

from __future__ import annotations

from gluon import pools
from gluon.spi.tables import Column, ColumnType, Table

USAGE = "gluon_usage"
ANSWER = "gluon_answer"

TABLES = (
    Table(
        name=USAGE,
        columns=(
            Column(name="project", type=ColumnType.TEXT, length=64, nullable=False),
            Column(name="api", type=ColumnType.TEXT, nullable=False),
            Column(name="type", type=ColumnType.TEXT, length=64, nullable=False),
            Column(name="n", type=ColumnType.INTEGER, nullable=False),
        ),
        key=("project", "api", "type"),
    ),
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
"""`gluon_usage`: how many objects a project has of a type with a quota; project '' for none. `gluon_answer`: what a
client was told that sent an Idempotency-Key (`word`). And those of pools."""
