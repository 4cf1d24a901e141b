"""Is this VIF something that Nova's os-vif, or its libvirt driver, understands? Replies of shims are hostile input.

In: the type and details that shims answered, the port's vnic_type. Out: what is wrong with it, or nothing. `KINDS` says of each
type what its details must and may have. Pure; called by `replies`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.objects import codec

MAX_DETAILS = 16 * 1024
MAX_DEPTH = 4

LONGEST_BRIDGE = 14
"""Characters of a bridge's name that Nova keeps: what is longer would be another bridge."""
BAREMETAL = "baremetal"
_LAST_VLAN = 4095

Check = Callable[[Any], str]
"""What a value has to be, if it is not; else empty."""


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value else "a text"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _bridge(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "a text"
    return (
        f"of at most {LONGEST_BRIDGE} characters, as Nova cuts it off there"
        if len(value) > LONGEST_BRIDGE
        else ""
    )


def _vlan(value: Any) -> str:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    good = type(number) is int and 0 <= number <= _LAST_VLAN
    return "" if good else f"a number from 0 to {_LAST_VLAN}"


def _one_of(*words: str) -> Check:
    return lambda value: "" if value in words else f"one of {', '.join(words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Details that a type must have, and what those that it may have must be; others are the backend's own."""

    needs: Mapping[str, Check] = field(default_factory=dict)
    knows: Mapping[str, Check] = field(default_factory=dict)
    vnic_type: str = ""
    """The only one that it is for."""


_OVS = {
    "bridge_name": _bridge,
    "port_filter": _flag,
    "ovs_hybrid_plug": _flag,
    "ovs_create_tap": _flag,
    "datapath_type": _one_of("system", "netdev"),
}
_MODE = _one_of("client", "server")
_PLUGS = {"vhostuser_ovs_plug": _flag, "vhostuser_fp_plug": _flag, "vhostuser_vrouter_plug": _flag}

KINDS: Mapping[str, Kind] = {
    "ovs": Kind(knows=_OVS),
    "vhostuser": Kind(needs={"vhostuser_socket": _text}, knows={**_OVS, **_PLUGS, "vhostuser_mode": _MODE}),
    "tap": Kind(knows={"port_filter": _flag, "mac_address": _text}),
    "hw_veb": Kind(needs={"vlan": _vlan}),
    "hostdev_physical": Kind(knows={"vlan": _vlan}),
    "macvtap": Kind(
        needs={
            "macvtap_source": _text,
            "macvtap_mode": _one_of("bridge", "vepa", "private", "passthrough"),
            "physical_interface": _text,
        },
        knows={"vlan": _vlan},
    ),
    "ib_hostdev": Kind(knows={"vlan": _vlan}),
    "vrouter": Kind(knows={"vhostuser_mode": _MODE, "vhostuser_socket": _text}),
    "agilio_ovs": Kind(knows={**_OVS, "vhostuser_mode": _MODE, "vhostuser_socket": _text}),
    "802.1qbh": Kind(needs={"profileid": _text}),
    "other": Kind(vnic_type=BAREMETAL),
}
"""`vif_type` values of nova/network/model.py that a shim may answer. Never `bridge`, which Nova does not know any more, and
with which an older one makes the hypervisor build a bridge of its own. `other` is what Ironic's ports have."""

TYPES = frozenset(name for name, kind in KINDS.items() if not kind.vnic_type)
"""Those that Nova plugs."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    name: tuple(kind.needs) for name, kind in KINDS.items() if kind.needs
}


def problem(vif_type: str, details: Mapping[str, Any], vnic_type: str = "normal") -> str:
    """What is wrong with a reply; empty if it can be believed."""
    kind = KINDS.get(vif_type)
    if kind is None:
        return f"vif_type '{vif_type[:64]}' is none of {', '.join(sorted(TYPES))}"
    if kind.vnic_type and kind.vnic_type != vnic_type:
        return f"vif_type '{vif_type}' is for vnic_type {kind.vnic_type}, and the port has {vnic_type[:64]}"
    for name in kind.needs:
        if details.get(name) is None:
            return f"vif_details of vif_type '{vif_type}' need {name}"
    for name, check in (*kind.needs.items(), *kind.knows.items()):
        value = details.get(name)
        if value is not None and (wanted := check(value)):
            return f"vif_details.{name} has to be {wanted}"
    return problem_of_part(vif_type, details)


def problem_of_part(vif_type: str, details: Mapping[str, Any]) -> str:
    """The same for the reply of one of several controllers, which need not name a type, nor all details of it."""
    if vif_type and vif_type not in KINDS:
        return problem(vif_type, details)
    if _depth(details) > MAX_DEPTH:
        return f"vif_details nest deeper than {MAX_DEPTH}"
    size = len(codec.encode(details))
    return f"vif_details have {size} bytes, at most {MAX_DETAILS}" if size > MAX_DETAILS else ""


def _depth(value: object, level: int = 0) -> int:
    if level > MAX_DEPTH:
        return level
    inner = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    )
    return max((_depth(v, level + 1) for v in inner), default=level)
