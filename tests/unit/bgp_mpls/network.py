"""A small network by hand: VPNs, ports and where they are, as a `World` for the backend."""

from __future__ import annotations

import dataclasses
from typing import Any

from gluon.backends.bgp_mpls import config, desired
from gluon.backends.bgp_mpls.labels import Numbers
from gluon.backends.bgp_mpls.learnt import Learnt
from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.shim.world import MemoryWorld, stored
from gluon.spi.backend import PortBinding, Ref
from gluon.values.route_target import RouteDistinguisher, RouteTarget

HOST = "a"
ROUTER = "192.0.2.1"


class Network:
    """The world, with verbs that say what a user does."""

    def __init__(self) -> None:
        self.world = MemoryWorld()

    def put(self, object_type: str, key: str, **body: Any) -> None:
        self.world.put(stored(l3vpn.API, object_type, key, {"revision": 1, **body}))

    def vpn(self, key: str, targets: str = "", rd: str = "") -> None:
        self.put(l3vpn.SERVICE, key, id=key, name=key, ipv4_family=targets, route_distinguishers=rd)

    def target(self, target: str, kind: str) -> None:
        self.put(l3vpn.AF_CONFIG, target, vrf_rt_value=target, vrf_rt_type=kind)

    def port(self, key: str, *, host: str = HOST, number: int = 1, **body: Any) -> None:
        """A port with its default interface, bound to `host`."""
        values = {"id": key, "mac_address": mac(number), "mtu": 1400, "admin_state_up": True, **body}
        self.put(l3vpn.PORT, key, **values)
        self.interface(key, key)
        self.bind(key, host)

    def interface(self, key: str, port: str, kind: str = "none") -> None:
        self.put(l3vpn.INTERFACE, key, id=key, port_id=port, segmentation_type=kind, segmentation_id=0)

    def bind(self, port: str, host: str, **wanted: Any) -> None:
        values: dict[str, Any] = {"epoch": 1, "revision": 1, **wanted}
        self.world.put_binding(l3vpn.API, port, host, status.WantedBinding(**values))

    def join(self, interface: str, vpn: str, address: str, gateway: str = "") -> None:
        self.put(
            l3vpn.BINDING,
            interface,
            interface_id=interface,
            service_id=vpn,
            ipaddress=address,
            subnet_prefix=24,
            gateway=gateway,
        )

    def attach(self, port: str, vpn: str, address: str, *, number: int = 1, host: str = HOST) -> None:
        """All of it: port, default interface, binding to the host, membership in the VPN."""
        self.port(port, number=number, host=host)
        self.join(port, vpn, address, gateway="10.1.1.1")

    def binding(self, port: str, host: str = HOST) -> PortBinding:
        found = self.world.binding(Ref(l3vpn.API, l3vpn.PORT, port), host)
        assert found is not None
        return found


def mac(number: int) -> str:
    return f"02:00:00:00:00:{number:02x}"


def settings(**options: Any) -> config.Config:
    return config.read({"router_id": ROUTER, "asn": 65000, "labels": "1000-1999", **options})


def facts(*ports: str, **values: Any) -> desired.Facts:
    """Facts with these ports plugged: the first at OpenFlow port 11, and so on."""
    given = values.pop("config", None) or settings()
    made = desired.Facts(
        config=given,
        numbers=Numbers(given.labels),
        learnt=Learnt(ROUTER),
        plugs={port: 11 + i for i, port in enumerate(ports)},
        tunnel=1,
        speaker=True,
    )
    return dataclasses.replace(made, **values)


def remote(prefix: str, *targets: str, pe: str = "192.0.2.2", label: int = 5000, rd: str = "") -> VpnRoute:
    return VpnRoute(
        rd=RouteDistinguisher.parse(rd or f"{pe}:1"),
        prefix=prefix,
        label=label,
        next_hop=pe,
        route_targets=frozenset(map(RouteTarget.parse, targets)),
    )


def table(*routes: VpnRoute) -> dict[RouteKey, VpnRoute]:
    return {route.key: route for route in routes}
