"""The engine's own tables beside those of the models."""

from __future__ import annotations

from gluon import pools
from gluon.spi import networks, usage
from gluon.spi.tables import Column, ColumnType, Table

USAGE = usage.TABLE.name
QUOTA = usage.LIMITS.name
ANSWER = "gluon_answer"
CHANGESET = "gluon_changeset"
CONTENT = "gluon_changeset_content"
PLAN = "gluon_plan"

TABLES = (
    usage.TABLE,
    usage.LIMITS,
    networks.TABLE,
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
    Table(
        name=CHANGESET,
        columns=(
            Column(name="id", type=ColumnType.TEXT, length=36, nullable=False),
            Column(name="revision", type=ColumnType.INTEGER, nullable=False),
            Column(name="at", type=ColumnType.TEXT, length=32, nullable=False),
            Column(name="who", type=ColumnType.TEXT, nullable=False),
            Column(name="project", type=ColumnType.TEXT, nullable=True),
            Column(name="request_id", type=ColumnType.TEXT, nullable=False),
            Column(name="name", type=ColumnType.TEXT, nullable=False),
            Column(name="description", type=ColumnType.DOCUMENT, nullable=False),
            Column(name="apis", type=ColumnType.TEXT, length=4096, nullable=False),
            Column(name="counts", type=ColumnType.TEXT, nullable=False),
            Column(name="undoes", type=ColumnType.TEXT, length=36, nullable=True),
        ),
        key=("id",),
        indexes=(("project", "revision"), ("revision",), ("undoes",)),
    ),
    Table(
        name=CONTENT,
        columns=(
            Column(name="id", type=ColumnType.TEXT, length=36, nullable=False),
            Column(name="document", type=ColumnType.DOCUMENT, nullable=False),
        ),
        key=("id",),
    ),
    Table(
        name=PLAN,
        columns=(
            Column(name="id", type=ColumnType.TEXT, length=36, nullable=False),
            Column(name="project", type=ColumnType.TEXT, nullable=True),
            Column(name="who", type=ColumnType.TEXT, nullable=False),
            Column(name="at", type=ColumnType.TEXT, length=32, nullable=False),
            Column(name="document", type=ColumnType.DOCUMENT, nullable=False),
        ),
        key=("id",),
        indexes=(("at",), ("project",)),
    ),
    *pools.TABLES,
)
"""`gluon_usage`, `gluon_quota`: see `spi.usage`; `gluon_network`: see `spi.networks`. `gluon_answer`: what a client was told that sent an Idempotency-Key (`word`).
`gluon_changeset`: what was done by change sets, for ever, and in `gluon_changeset_content` to which objects.
`gluon_plan`: change sets that were only planned; with the request, so with its secrets, for an hour. And those of
pools."""
