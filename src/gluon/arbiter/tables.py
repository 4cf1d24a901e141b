"""The arbiter's own tables. `gluon_binding` is the only truth of a port binding."""

from __future__ import annotations

from gluon.spi.tables import Column, ColumnType, Table

PORT = "gluon_port"
BINDING = "gluon_binding"
STATUS = "gluon_status"
HISTORY = "gluon_binding_history"

PORT_ID = "port_id"
OF_OBJECT = ("api", "object_type", "object_key")
"""The columns of `gluon_status` that name an object."""


def _text(name: str, length: int = 255, *, nullable: bool = True) -> Column:
    return Column(name=name, type=ColumnType.TEXT, length=length, nullable=nullable)


def _number(name: str) -> Column:
    return Column(name=name, type=ColumnType.NUMBER)


def _integer(name: str) -> Column:
    return Column(name=name, type=ColumnType.INTEGER, nullable=False)


def _document(name: str) -> Column:
    return Column(name=name, type=ColumnType.DOCUMENT)


TABLES = (
    Table(
        name=PORT,
        columns=(
            _text("id", 64, nullable=False),
            _text("owner", 64, nullable=False),
            _text("api", nullable=False),
            _text("object_type", 64, nullable=False),
            _text("project", 64),
            _text("network_id", 64),
            _text("device_id"),
            _text("device_owner"),
            _text("host"),
            _text("mac"),
            _text("name"),
            _text("status", 16, nullable=False),
            _integer("revision"),
        ),
        # A port is made without device and host, and pays for neither. An index by what every port has (project, name,
        # mac) would cost a create 1 µs of the database's CPU or more: such lists read all ports, 100,000 in some 20 ms.
        key=("id",),
        sparse=(("device_id",), ("host",)),
    ),
    Table(
        name=BINDING,
        columns=(
            _text(PORT_ID, 64, nullable=False),
            _text("host", nullable=False),
            _text("api", nullable=False),
            _text("object_type", 64, nullable=False),
            _text("project", 64),
            Column(name="active", type=ColumnType.BOOLEAN, nullable=False),
            _integer("epoch"),
            _text("state", 16, nullable=False),
            _text("reason", 64),
            _text("message", 2048),
            _text("vnic_type", 32),
            _text("device_id"),
            _document("profile"),
            _document("controllers"),
            _document("tried"),
            _text("vif_type", 64),
            _document("vif_details"),
            _number("deadline"),
            _text("since", 26, nullable=False),
            _document("levels"),
            _document("answers"),
        ),
        key=(PORT_ID, "host"),
        indexes=(("state", "deadline"),),
    ),
    Table(
        name=STATUS,
        columns=(
            _text("api", 64, nullable=False),
            _text("object_type", 64, nullable=False),
            _text("object_key", nullable=False),
            _text("controller", 64, nullable=False),
            _text("shard", nullable=False),
            _integer("observed_revision"),
            Column(name="report", type=ColumnType.DOCUMENT, nullable=False),
            _integer("revision"),
        ),
        key=(*OF_OBJECT, "controller", "shard"),
    ),
    Table(name=HISTORY, columns=(_text(PORT_ID, 64, nullable=False), _document("entries")), key=(PORT_ID,)),
)
