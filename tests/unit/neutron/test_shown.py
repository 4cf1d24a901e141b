"""A port that was just made is told as it is told ever after."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.model import loader
from gluon.model.find import CATALOG
from gluon.neutron import bodies, ports, shapes, shown
from gluon.neutron.asker import Asker
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton.registry import Registry
from gluon.spi import networks, store
from gluon.spi.policy import Caller

PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
SUBNETS = '[{"cidr":"192.0.2.0/24","gateway":null,"dns_servers":[],"reserved":[]}]'
NONE: frozenset[str] = frozenset()


def row(kind: Any, project: str | None, **values: Any) -> store.Row:
    given = {**kind.resource.fields.defaults, "id": "5f0e6a7c-3c56-4d2e-9d5b-8a1f3f6f2b11", **values}
    made: store.Row = kind.resource.records.row(given, {}, revision=7, now="2026-11-21T10:11:12.131415")
    return {**made, tables.PROJECT: project}


def asker(*, serves: bool) -> Asker:
    return Asker(None, Caller(user="u", project=PROJECT), "req", lambda *_: serves)  # type: ignore[arg-type]


def told(
    wire: shapes.Wire, port: store.Row, attached: bodies.Attached | None, hidden: frozenset[str]
) -> None:
    """Whoever asks."""
    for serves in (True, False):
        whole = ports.seen(asker(serves=serves), bodies.port(wire, port, "DOWN", attached, hidden))
        assert shown.document(wire, port, "DOWN", attached, hidden, serves=serves) == codec.encode(whole)


@pytest.mark.parametrize("hidden", [NONE, frozenset({"name", "mac_address", "host_id", "profile"})])
@pytest.mark.parametrize("project", [PROJECT, None, "some project"])
def test_in_a_network(hidden: frozenset[str], project: str | None) -> None:
    found = shapes.compiled(Registry(loader.load([CATALOG / "net-l2"])))
    wire = found.wires["net-l2", "Port"]
    (join,) = wire.joins
    service = row(join.net, project, name="blue", subnets=[]) | {"subnets": SUBNETS}
    network = networks.network_id("net-l2", "Network", service["id"])
    named = {"name": "éth", "device_id": "vm", "device_owner": "compute:nova", "description": "d"}
    for values in ({}, {**named, "profile": '{"a":1}', "host_id": "h", "vif_details": "{}"}):
        port = row(wire, project, **{n: v for n, v in values.items() if n in wire.resource.type.attributes})
        for address, more in (("192.0.2.9", []), (None, []), ("192.0.2.9", ["192.0.2.7", "198.51.100.1"])):
            bound = row(join, project, service_id=service["id"], ip_address=address, more_addresses=more)
            told(wire, port, ports.placed(join, bound, network, service), hidden)
        told(wire, port, None, hidden)


def test_of_1_0() -> None:
    found = shapes.compiled(Registry(loader.load([CATALOG / "net-l3vpn"])))
    wire = found.wires["net-l3vpn", "Port"]
    (join,) = wire.joins
    for state, profile in ((True, '{"a":[1]}'), (False, "[1]"), (None, "")):
        port = row(wire, PROJECT, admin_state_up=state, profile=profile, mac_address="fa:16:3e:00:00:01")
        bound = row(join, PROJECT, ipaddress="10.0.0.1", subnet_prefix=24)
        told(wire, port, ports.placed(join, bound, "a network", None), NONE)
