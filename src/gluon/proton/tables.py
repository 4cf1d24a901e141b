"""The engine's own tables beside those of the models."""

from __future__ import annotations

from gluon import pools
from gluon.spi.tables import Column, ColumnType, Table

USAGE = "gluon_usage"

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
    *pools.TABLES,
)
"""`gluon_usage`: how many objects a project has of a type with a quota; project '' for none. And those of pools."""
