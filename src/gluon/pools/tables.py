"""The tables of pools. Nothing outside of this room reads or writes them.

A value has a row from the first time it is given: held (`holder`), or released (`slot`, its place in the
queue of released values). A value without a row was never given.
"""

from __future__ import annotations

from gluon.spi.tables import Column, ColumnType, Table

POOL = "gluon_pool"
VALUE = "gluon_pool_value"
BLOCK = "gluon_pool_block"

ID_LENGTH = 255
OF_POOL = ("pool",)
OF_CHUNK = ("pool", "chunk")


def _text(name: str, length: int = 255, *, nullable: bool = False) -> Column:
    return Column(name=name, type=ColumnType.TEXT, length=length, nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> Column:
    return Column(name=name, type=ColumnType.INTEGER, nullable=nullable)


TABLES = (
    Table(
        name=POOL,
        columns=(
            _text("id", ID_LENGTH),
            _text("digest", 32),
            _text("size", 40),
            _text("next", 40),
            _integer("fresh_height"),
            _integer("head"),
            _integer("tail"),
            _integer("hole_height"),
            _integer("queued"),
            _integer("held"),
            _integer("outside"),
        ),
        key=("id",),
        kept=1000,
    ),
    Table(
        name=VALUE,
        columns=(
            _text("pool", ID_LENGTH),
            _text("value", 128),
            _text("holder", nullable=True),
            _text("project", 64, nullable=True),
            _text("free_at", 26, nullable=True),
            _integer("slot", nullable=True),
            _integer("chunk", nullable=True),
            Column(name="outside", type=ColumnType.BOOLEAN, nullable=False),
        ),
        key=("pool", "value"),
        indexes=(OF_CHUNK,),
    ),
    Table(
        name=BLOCK,
        columns=(_text("pool", ID_LENGTH), _text("block", 48), _text("bits", 64)),
        key=("pool", "block"),
        kept=1000,
    ),
)
