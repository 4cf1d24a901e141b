"""What the validation of one body costs: an object of twenty attributes of many types, language 2.0."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.measure import Figure, Plan, at_most, median
from gluon.model import fields, loader
from gluon.model.types import Attribute, AttributeType, Format, Kind, ObjectType

_MICROSECONDS = 5.0
_ID = "0e5c7d0a-4f0e-4c55-9f5c-3a8f1a0b2c3d"
_T, _F = AttributeType, Format
_SHAPE: Mapping[str, tuple[Any, AttributeType, Format | None, dict[str, Any]]] = {
    "id": (_ID, _T.UUID, None, {"primary": True}),
    "project_id": (_ID, _T.STRING, None, {"length": 64}),
    "name": ("a network", _T.STRING, None, {"length": 255, "required": True, "nullable": False}),
    "description": ("some words about it", _T.STRING, None, {"length": 255}),
    "zone": ("eu-west-1", _T.STRING, None, {"length": 32, "pattern": "[a-z0-9]+(-[a-z0-9]+)*"}),
    "enabled": (True, _T.BOOLEAN, None, {}),
    "shared": (False, _T.BOOLEAN, None, {"default": False}),
    "mtu": (1500, _T.INTEGER, None, {"minimum": 68, "maximum": 9000}),
    "vlan": (100, _T.INTEGER, _F.VLAN, {}),
    "vni": (70000, _T.INTEGER, _F.VNI, {}),
    "asn": (65000, _T.INTEGER, _F.ASN, {}),
    "share": (0.5, _T.NUMBER, None, {"minimum": 0, "maximum": 1}),
    "mode": ("routed", _T.ENUM, None, {"values": ("routed", "bridged")}),
    "mac_address": ("fa:16:3e:00:00:01", _T.STRING, _F.MAC, {"length": 255}),
    "gateway": ("192.0.2.1", _T.STRING, _F.IP, {"length": 255}),
    "import_target": ("65000:1", _T.STRING, _F.ROUTE_TARGET, {"length": 255}),
    "service_id": (_ID, _T.UUID, None, {}),
    "device_id": ("an instance", _T.STRING, None, {"length": 255}),
    "owner": ("compute:nova", _T.STRING, None, {"length": 255}),
    "status": ("ACTIVE", _T.ENUM, None, {"values": ("ACTIVE", "DOWN")}),
}


def _attribute(name: str) -> Attribute:
    _, kind, form, more = _SHAPE[name]
    return Attribute(
        name=name, type=kind, value_type=kind, format=form, value_format=form, kept=False, **more
    )


def object_type() -> ObjectType:
    """Twenty attributes."""
    return ObjectType(
        name="Thing",
        singular="thing",
        plural="things",
        kind=Kind.OTHER,
        attributes={name: _attribute(name) for name in _SHAPE},
        key="id",
        generated_key=True,
    )


def body() -> dict[str, Any]:
    """All of them, in normal form."""
    return {name: shape[0] for name, shape in _SHAPE.items()}


def run(plan: Plan) -> Sequence[Figure]:
    """The old language has the port that the other benches make."""
    new, wanted = fields.compile_fields(object_type()), body()
    (l3vpn,) = (m for m in loader.load_catalog() if m.name == "net-l3vpn" and m.file_version == "1.0")
    old = fields.compile_fields(l3vpn.types["Port"])
    port = {
        "id": _ID, "tenant_id": _ID, "name": "a port", "mac_address": "fa:16:3e:00:00:01", "mtu": 1500,
        "admin_state_up": True, "status": "ACTIVE", "vnic_type": "normal", "vlan_transparency": False,
    }  # fmt: skip
    return [
        at_most("20 attributes, 2.0", _rounds(plan, new, wanted), "µs", _MICROSECONDS),
        median("9 attributes, 1.0", _rounds(plan, old, port), "µs"),
    ]


def _rounds(plan: Plan, checks: fields.Fields, wanted: Mapping[str, Any]) -> list[float]:
    count = 2_000 if plan.quick else 10_000
    taken = []
    for _ in range(plan.rounds * 5):
        began = time.process_time()
        for _ in range(count):
            checks.check(wanted, partial=False)
        taken.append((time.process_time() - began) / count * 1e6)
    return taken
