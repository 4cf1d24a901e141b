"""Ids that never change, and lead back to what they stand for."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gluon.neutron import ids, subnets
from gluon.spi import networks

PROJECT = "5f0e6a7c-3c56-4d2e-9d5b-8a1f3f6f2b11"


def test_they_are_the_same_in_every_version() -> None:
    """Nova keeps them for as long as a server lives."""
    network = networks.network_id("net-l3vpn", "VpnService", "7f6a1b52-0000-4000-8000-000000000001")
    assert network == "310a383e-a316-5cd5-92a6-c126a5b27f37"
    assert ids.subnet(network, "10.1.1.0/24") == "310a383e-a316-5cd5-6a1b-5a41342e583e"
    assert ids.plain_network("net-l3vpn", PROJECT) == "f0bcd5cf-9ce9-18ca-2547-1e8389126c34"


@given(st.uuids(), st.text(min_size=1, max_size=20))
def test_the_network_of_a_project_leads_back_to_it(project: uuid.UUID, api: str) -> None:
    assert ids.project_of(ids.plain_network(api, str(project)), api) == str(project)


def test_that_of_ports_without_a_project() -> None:
    assert ids.project_of(ids.plain_network("a", None), "a") is None
    assert ids.plain_network("a", None) != ids.plain_network("b", None)


@given(st.uuids(), st.ip_addresses())
def test_a_subnet_begins_as_its_network(network: uuid.UUID, address: object) -> None:
    found = ids.subnet(str(network), f"{address}/20")
    assert found[: ids.HALF] == str(network)[: ids.HALF]
    assert str(uuid.UUID(found)) == found


def test_projects_are_shown_as_keystone_writes_them() -> None:
    assert ids.shown_project(PROJECT) == PROJECT.replace("-", "")
    assert ids.stored_project(PROJECT.replace("-", "")) == PROJECT
    assert ids.shown_project("default") == "default"
    assert ids.shown_project(None) == ""


def test_subnets_of_bindings() -> None:
    found = subnets.of_bindings(
        PROJECT,
        [
            ("10.1.1.5", 24, None),
            ("10.1.1.9", 24, "10.1.1.1"),
            ("10.2.0.7", 16, "fe80::1"),
            ("2001:db8::5", 64, None),
            (None, 24, "10.9.9.9"),
            ("no address", 24, None),
            ("192.0.2.7", None, None),
        ],
    )
    assert [(s.cidr, s.gateway) for s in found] == [
        ("10.1.1.0/24", "10.1.1.1"),
        ("10.2.0.0/16", None),
        ("192.0.2.7/32", None),
        ("2001:db8::/64", None),
    ]
    held = subnets.holding(found, "10.1.1.77")
    assert held is not None
    assert held.cidr == "10.1.1.0/24"
    assert subnets.holding(found, "10.3.0.1") is None
    assert subnets.holding(found, "nothing") is None
