"""The JSON of a port that was just made, in a fifth of the time that `bodies.port` and its encoding take.

In: what `bodies.port` is given. Out: its body as JSON, byte for byte. Invariant: a Struct has the members of that body in their order;
what is the same of each new port stands in it as its default. Called by `quick`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gluon.model.types import Role
from gluon.neutron import bodies, ids, shapes
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import registry
from gluon.spi import store

_NEW = "DOWN"
_MADE = (
    "id", "name", "network_id", "tenant_id", "project_id", "mac_address", "admin_state_up", "device_id", "device_owner",
    "fixed_ips", "description", "binding:vnic_type", "ip_allocation", "created_at", "updated_at", "revision_number",
)  # fmt: skip
"""What is not the same of all, in the order of bodies."""
_RAW = {name: msgspec.Raw(codec.encode(value)) for name, value in bodies.BLANK.items()}
_USUAL: dict[str, Any] = {"status": msgspec.Raw(b'"DOWN"'), "binding:host_id": msgspec.Raw(b'""'), **_RAW}
