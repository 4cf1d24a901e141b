"""What the shipped models are to Neutron, and what becomes of rows of models that nobody here has."""

from __future__ import annotations

import pytest

from gluon import errors
from gluon.model import loader
from gluon.model.find import CATALOG
from gluon.neutron import shapes
from gluon.proton import supplies
from gluon.proton.registry import Registry
from gluon.spi import store


def shaped(*names: str) -> shapes.Shapes:
    return shapes.compiled(Registry(loader.load([CATALOG / name for name in names])))


def test_a_vpn_of_1_0() -> None:
    found = shaped("net-l3vpn")
    wire = found.wires["net-l3vpn", "Port"]
    (join,) = wire.joins
    assert (join.interface, join.service) == ("interface_id", "service_id")
    assert wire.wanted[len(wire.columns) :] == (
        store.Beside(table="net_l3vpn_Interface", key="id", column="port_id", missing=""),
        join.along,
    )
    assert (join.address, join.prefix, join.gateway, join.pooled) == (
        "ipaddress",
        "subnet_prefix",
        "gateway",
        False,
    )
    assert join.each is None
    assert not join.net.has_subnets
    assert found.feeders["net-l3vpn", "VpnService"] == ((wire, join),)


def test_a_network_with_pools() -> None:
    found = shaped("net-l2")
    (join,) = found.wires["net-l2", "Port"].joins
    assert (join.address, join.more, join.pooled, join.prefix) == ("ip_address", "more_addresses", True, None)
    assert join.each == supplies.Draws(first="ip_address", others="more_addresses")
    net = found.nets["net-l2", "Network"]
    assert net.paths["subnets"] == (("subnets", "cidr"),)
    assert net.paths["dns"] == (("subnets", "dns_servers"),)


def test_a_vpn_of_2_0_has_room_for_an_address_of_each_family() -> None:
    (join,) = shaped("net-l3vpn-2.0").wires["net-l3vpn", "Port"].joins
    assert join.each == supplies.Draws(first="ip_address", others="more_addresses")


def test_a_service_that_no_port_can_be_in() -> None:
    """It is no network: Nova would take it for one to boot on."""
    found = shaped("ietf-sfc")
    assert found.nets == {}
    assert ("ietf-sfc", "ServiceFunction") in found.types


def test_a_type_that_nobody_knows_is_looked_for_once() -> None:
    """Another process may have loaded it; what is still unknown after a look was retired."""
    known = shapes.Known(lambda: models)
    models = Registry(loader.load([CATALOG / "net-l2"]))
    known.check([("net-l2", "Port"), ("net-l2", "Network")])
    with pytest.raises(errors.StaleModel):
        known.check([("net-l2", "Port"), ("net-gone", "Port")])
    known.check([("net-l2", "Port"), ("net-gone", "Port")])
    with pytest.raises(errors.StaleModel):
        known.check([("net-other", "Port"), ("net-gone", "Port")])
    models = Registry(loader.load([CATALOG / "net-l2", CATALOG / "net-l3vpn"]))
    known.check([("net-l3vpn", "Port")])
