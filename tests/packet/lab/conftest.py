"""Two hosts, each with Open vSwitch and gobgpd, a route reflector, one Ethernet between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gluon.testing.lab import GobgpDaemon, Host, Lab, OvsInstance, RouteReflector, needs, unmet_needs

ASN = 65000
REFLECTOR = "192.0.2.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pe:
    """One host of the lab."""

    host: Host
    address: str
    switch: OvsInstance
    gobgpd: GobgpDaemon


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    lab: Lab
    core: Host
    a: Pe
    b: Pe
    reflector: RouteReflector


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An empty lab."""
    if why := unmet_needs(*needs.SWITCH, *needs.SPEAKER):
        pytest.skip(why)
    with Lab() as lab:
        yield lab


@pytest.fixture(params=["frr", "gobgpd"])
def network(lab: Lab, request: pytest.FixtureRequest) -> Network:
    """Everything started, the reflector last, so that its first dial succeeds."""
    with_frr = request.param == "frr"
    if with_frr and (why := unmet_needs("bgpd")):
        pytest.skip(why)
    a, b, middle = lab.host("a"), lab.host("b"), lab.host("reflector")
    core = lab.segment("core", a, b, middle)
    pes = [start_pe(host, f"192.0.2.{number}") for number, host in enumerate((a, b), start=1)]
    middle.address("eth0", f"{REFLECTOR}/24")
    reflector = RouteReflector(
        middle, router_id=REFLECTOR, clients=[pe.address for pe in pes], asn=ASN, frr=with_frr
    )
    reflector.start()
    return Network(lab=lab, core=core, a=pes[0], b=pes[1], reflector=reflector)


def start_pe(host: Host, address: str) -> Pe:
    switch, gobgpd = OvsInstance(host), GobgpDaemon(host)
    switch.start()
    switch.underlay("eth0", f"{address}/24")
    gobgpd.start()
    return Pe(host=host, address=address, switch=switch, gobgpd=gobgpd)
