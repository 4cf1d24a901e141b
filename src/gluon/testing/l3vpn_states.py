"""Named states of a world with L3VPNs, for walks from any to any of them.

In: nothing. Out: `STATES` of both versions of `net-l3vpn`, each a full content of the prefixes that a shim follows; `steps` from one
to another, to be shuffled. Values do not tell by which way a state was reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.objects import codec, keys, status
from gluon.particles import l3vpn
from gluon.testing import l3vpn_states_two

HERE = "h1"
THERE = "h2"
CONTROLLER = "tested"

BLUE = "b1b1b1b1-0000-0000-0000-000000000001"
RED = "4ed4ed4e-0000-0000-0000-000000000002"
P1 = "11111111-0000-0000-0000-000000000001"
P2 = "22222222-0000-0000-0000-000000000002"
P3 = "33333333-0000-0000-0000-000000000003"

State = Mapping[str, bytes]
"""Keys and values, as in etcd."""

Step = tuple[str, bytes | None]


def steps(before: State, after: State) -> list[Step]:
    """What to write (None: delete) to come from one state to another, in any order."""
    gone: list[Step] = [(key, None) for key in before if key not in after]
    return gone + [(key, value) for key, value in after.items() if before.get(key) != value]


def ports(state: State, host: str) -> frozenset[str]:
    """The ports that are to be plugged on a host."""
    parsed = [found for key in state if (found := keys.parse_binding(key)) is not None]
    return frozenset(found.port for found in parsed if found.host == host)


def _object(object_type: str, key: str, **body: Any) -> State:
    return {keys.proton(l3vpn.API, object_type, key): codec.encode({**body, "revision": 1})}


def _vpn(key: str, targets: str | None, **body: Any) -> State:
    return _object(l3vpn.SERVICE, key, id=key, name=key[:4], ipv4_family=targets, **body)


def _port(key: str, service: str, address: str, *, host: str = "", **body: Any) -> State:
    port = {"id": key, "mac_address": f"fa:16:3e:00:00:{key[:2]}", "admin_state_up": True, "mtu": 1400}
    found = {
        **_object(l3vpn.PORT, key, **{**port, **body}),
        **_object(l3vpn.INTERFACE, key, id=key, port_id=key, segmentation_type="none", segmentation_id=0),
        **_object(
            l3vpn.BINDING,
            key,
            interface_id=key,
            service_id=service,
            ipaddress=address,
            subnet_prefix=24,
            gateway=address.rpartition(".")[0] + ".1",
        ),
    }
    return {**found, **_bound(key, host)} if host else found


def _bound(port: str, host: str, **wanted: Any) -> State:
    value = status.WantedBinding(epoch=1, revision=1, controllers=(CONTROLLER,), **wanted)
    return {keys.binding(l3vpn.API, port, host): codec.encode(value)}


def _target(value: str, kind: str) -> State:
    return _object(l3vpn.AF_CONFIG, value, vrf_rt_value=value, vrf_rt_type=kind)


def _without(state: State, object_type: str, key: str) -> State:
    gone = keys.proton(l3vpn.API, object_type, key)
    return {k: v for k, v in state.items() if k != gone}


_BLUE = _vpn(BLUE, "65000:1")
_RED = _vpn(RED, "65000:2", route_distinguishers="65000:20")
_ONE = {**_BLUE, **_port(P1, BLUE, "10.1.1.5", host=HERE)}
_TWO = {**_ONE, **_port(P2, BLUE, "10.1.1.6", host=HERE)}
_OVERLAP = {**_TWO, **_RED, **_port(P3, RED, "10.1.1.5", host=HERE)}

_ONE_DOT_ZERO: Mapping[str, State] = {
    "not bound": {**_BLUE, **_port(P1, BLUE, "10.1.1.5")},
    "one port": _ONE,
    "two ports": _TWO,
    "overlapping addresses": _OVERLAP,
    "port without service": _without(_ONE, l3vpn.BINDING, P1),
    "service gone": _without(_ONE, l3vpn.SERVICE, BLUE),
    "port not there yet": _without(_ONE, l3vpn.PORT, P1),
    "interface gone": _without(_ONE, l3vpn.INTERFACE, P1),
    "other service": {**_BLUE, **_RED, **_port(P1, RED, "10.1.1.5", host=HERE)},
    "other address": {**_BLUE, **_port(P1, BLUE, "10.1.1.77", host=HERE)},
    "same address twice": {**_ONE, **_port(P2, BLUE, "10.1.1.5", host=HERE)},
    "addresses swapped": {
        **_BLUE,
        **_port(P1, BLUE, "10.1.1.6", host=HERE),
        **_port(P2, BLUE, "10.1.1.5", host=HERE),
    },
    "no targets": {**_TWO, **_vpn(BLUE, None)},
    "import only": {**_TWO, **_target("65000:1", "import_extcommunity")},
    "leaking": {**_OVERLAP, **_vpn(RED, "65000:2,65000:1")},
    "bad targets": {**_TWO, **_vpn(BLUE, "no target", route_distinguishers="neither")},
    "down by the admin": {**_TWO, **_port(P1, BLUE, "10.1.1.5", host=HERE, admin_state_up=False)},
    "on another host": {**_BLUE, **_port(P1, BLUE, "10.1.1.5", host=THERE)},
    "of another controller": {
        **_ONE,
        keys.binding(l3vpn.API, P1, HERE): codec.encode(
            status.WantedBinding(epoch=1, revision=1, controllers=("somebody-else",))
        ),
    },
    "migrating here": {
        **_BLUE,
        **_port(P1, BLUE, "10.1.1.5", host=THERE),
        **_bound(P1, HERE, active=False),
    },
}

STATES: Mapping[str, State] = {
    "empty": {},
    **{name: {**l3vpn_states_two.model("1.0"), **state} for name, state in _ONE_DOT_ZERO.items()},
    **l3vpn_states_two.states(_bound, vpns=(BLUE, RED), ports=(P1, P2, P3), here=HERE, there=THERE),
}
