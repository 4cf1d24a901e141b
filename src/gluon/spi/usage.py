"""How many objects each project has of the types with a quota, and how many it may have where an operator said so.

Invariant: a row equals the number of rows it counts; where there is none, the project has no object, or the type no
quota. Written by units of `proton`, and counted anew by the store when it records a model.
"""

from __future__ import annotations

from gluon.spi.tables import Column, ColumnType, Table

TABLE = Table(
    name="gluon_usage",
    columns=(
        Column(name="project", type=ColumnType.TEXT, length=64, nullable=False),
        Column(name="api", type=ColumnType.TEXT, nullable=False),
        Column(name="type", type=ColumnType.TEXT, length=64, nullable=False),
        Column(name="n", type=ColumnType.INTEGER, nullable=False),
    ),
    key=("project", "api", "type"),
    kept=1000,
)
"""Project '' for what belongs to none."""

LIMITS = Table(
    name="gluon_quota",
    columns=(
        Column(name="project", type=ColumnType.TEXT, length=64, nullable=False),
        Column(name="api", type=ColumnType.TEXT, nullable=False),
        Column(name="type", type=ColumnType.TEXT, length=64, nullable=False),
        Column(name="most", type=ColumnType.INTEGER, nullable=False),
    ),
    key=("project", "api", "type"),
    kept=1000,
)
"""What counts in the place of the model's quota; -1: no limit."""
UNLIMITED = -1
