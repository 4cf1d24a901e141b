"""Named states of a world with L3VPNs in version 2.0 of `net-l3vpn`, as `l3vpn_states` has those of 1.0.

In: the names of its objects. Out: `states`. A walk from a state of one version to one of the other is
what a shim sees when the stored model is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon.objects import codec, keys
from gluon.particles import l3vpn

State = Mapping[str, bytes]

_SUBNETS = [
    {"cidr": "10.1.1.0/24", "gateway": "10.1.1.1", "reserved": []},
    {"cidr": "10.2.2.0/24", "gateway": "10.2.2.1", "reserved": []},
    {"cidr": "2001:db8:1::/64", "gateway": "2001:db8:1::1", "reserved": []},
]
_ANYCAST = "198.51.100.1"


def model(version: str) -> State:
    """What a shim reads of the stored model."""
    document = {"name": l3vpn.API, "version": version, "types": {l3vpn.PORT: {"kind": "port"}}}
    return {keys.model(l3vpn.API): codec.encode(document)}


def states(
    bound: Callable[..., State], *, vpns: tuple[str, str], ports: tuple[str, str, str], here: str, there: str
) -> Mapping[str, State]:
    """`bound` writes a wanted binding of a port to a host."""
    blue, red = vpns
    p1, p2, p3 = ports

    def port(key: str, service: str, address: str | None, host: str = here, **body: Any) -> State:
        return {**_port(key), **_binding(key, service, address, **body), **bound(key, host)}

    plain = _vpn(blue, ipv4={"both": ["65000:1"]}, ipv6={"both": ["65000:6"]})
    star = _vpn(blue, hub_target="65000:10", spoke_target="65000:20", route_distinguisher="65000:7")
    one = {**plain, **port(p1, blue, "10.1.1.5")}
    two = {**one, **port(p2, blue, "10.1.1.6")}
    spokes = {**star, **port(p1, blue, "10.1.1.5", role="spoke"), **port(p2, blue, "10.1.1.6", role="spoke")}
    routed = [{"prefix": "172.16.0.0/12", "next_hop": "10.1.1.5"}, {"prefix": "0.0.0.0/0"}]
    found = {
        "one port": one,
        "two ports": two,
        "more addresses": {
            **two,
            **_binding(p1, blue, "10.1.1.5", more_addresses=["10.2.2.5", "2001:db8:1::5"]),
        },
        "a taken address": {**two, **_binding(p1, blue, "10.1.1.5", more_addresses=["10.1.1.6"])},
        "prefixes": {**two, **_binding(p1, blue, "10.1.1.5", static_routes=routed)},
        "anycast": {
            **plain,
            **port(p1, blue, "10.1.1.5", anycast_addresses=[_ANYCAST]),
            **port(p2, blue, "10.1.1.6", anycast_addresses=[_ANYCAST]),
        },
        "IPv6 only": {**plain, **port(p1, blue, "2001:db8:1::5")},
        "no address": {**plain, **port(p1, blue, None)},
        "hub and spokes": {**spokes, **port(p3, blue, "10.1.1.7", role="hub")},
        "spokes only": spokes,
        "hub and spoke of IPv6": {
            **star,
            **port(p1, blue, "2001:db8:1::5", role="spoke", static_routes=[{"prefix": "2001:db8:9::/48"}]),
            **port(p2, blue, "2001:db8:1::6", role="hub", static_routes=[{"prefix": "::/0"}]),
        },
        "hub elsewhere": {**spokes, **port(p3, blue, "10.1.1.7", host=there, role="hub")},
        "spoke became hub": {**spokes, **_binding(p1, blue, "10.1.1.5", role="hub")},
        "roles without targets": {**spokes, **plain},
        "two VPNs of one port": {
            **one,
            **_vpn(red, ipv4={"imported": ["65000:1"], "exported": ["65000:2"]}),
            **_binding(p1, red, "10.2.2.5"),
        },
        "one way": {**two, **_vpn(blue, ipv4={"imported": ["65000:1"]})},
    }
    return {f"2.0: {name}": {**model("2.0"), **state} for name, state in found.items()}


def _object(object_type: str, key: str, **body: Any) -> State:
    return {keys.proton(l3vpn.API, object_type, key): codec.encode({**body, "revision": 1})}


def _vpn(key: str, **body: Any) -> State:
    return _object(l3vpn.SERVICE, key, **{"id": key, "name": key[:4], "subnets": _SUBNETS, **body})


def _port(key: str) -> State:
    given = {"id": key, "mac_address": f"fa:16:3e:00:00:{key[:2]}", "admin_state_up": True, "mtu": 1400}
    segment = {"id": key, "port_id": key, "segmentation_type": "none", "segmentation_id": 0}
    return {**_object(l3vpn.PORT, key, **given), **_object(l3vpn.INTERFACE, key, **segment)}


def _binding(port: str, service: str, address: str | None, **body: Any) -> State:
    key = f"{port[:24]}{service[:12].replace('-', '0')}"
    given = {"id": key, "interface_id": port, "service_id": service, "ip_address": address, **body}
    return _object(l3vpn.BINDING, key, **given)
