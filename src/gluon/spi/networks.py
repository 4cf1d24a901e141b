"""Which service of a proton is which network: the table that leads from a network's id back to the service.

Written by units that make and delete services. Invariant: an id is made of the service's place and key alone, so nobody can
choose that of another's service, and it never changes.
"""

from __future__ import annotations

import uuid
from functools import lru_cache

from gluon.spi import store
from gluon.spi.tables import Column, ColumnType, Table

TABLE = Table(
    name="gluon_network",
    columns=(
        Column(name="id", type=ColumnType.TEXT, length=36, nullable=False),
        Column(name="api", type=ColumnType.TEXT, nullable=False),
        Column(name="object_type", type=ColumnType.TEXT, length=64, nullable=False),
        Column(name="object_key", type=ColumnType.TEXT, nullable=False),
    ),
    key=("id",),
)
_SPACE = uuid.UUID("6b1f5d0e-6b64-4f0c-9d2b-37c1a4e2f9b3")


@lru_cache(maxsize=65536)
def network_id(api: str, object_type: str, key: object) -> str:
    """The id of the network that a service is."""
    return str(uuid.uuid5(_SPACE, f"{api}/{object_type}/{key}"))


def row(api: str, object_type: str, key: object) -> store.Row:
    """The row of the network that a service is."""
    found = network_id(api, object_type, key)
    return {"id": found, "api": api, "object_type": object_type, "object_key": str(key)}
