"""The options of a PE, read once from the shim's configuration into a frozen value.

In: `Setting.options` (a TOML table). Out: `Config`, or `GiveUp` that names the option. An option
that nobody reads is an error too: it is mostly a misspelling of one that matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.backends.bgp_mpls.labels import LabelRange
from gluon.backends.bgp_mpls.speaker import Peer
from gluon.errors import GiveUp
from gluon.values import ip

OVERHEAD = 28
"""Bytes that MPLS in GRE adds: outer IPv4, GRE, one label (RFC 4023)."""

_DEFAULT_LABELS = LabelRange(first=10000, last=75534)
_PEER_OPTIONS = {"address", "asn", "passive", "reflector_client", "local_address", "hold_time", "multihop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One PE. `router_id` is also its tunnel address: the underlay knows the way to it."""

    router_id: str
    asn: int
    peers: tuple[Peer, ...] = ()
    labels: LabelRange = _DEFAULT_LABELS
    ovsdb: str = "unix:/run/openvswitch/db.sock"
    ovs_rundir: str = "/run/openvswitch"
    speaker: str = "unix:/run/gobgp.sock"
    bgp_port: int = 179
    bridge: str = "br-mpls"
    tunnel: str = "mpls0"
    encapsulation: str = "gre"
    underlay_mtu: int = 1500

    @property
    def mtu(self) -> int:
        """The longest packet of a VM that fits the tunnel."""
        return self.underlay_mtu - OVERHEAD


def read(options: Mapping[str, Any]) -> Config:
    """Raises `GiveUp` with reason `InvalidConfiguration`, naming every wrong option."""
    wrong: list[str] = []
    rest = dict(options)

    def take(name: str, kind: type, default: Any) -> Any:
        value = rest.pop(name, default)
        if not isinstance(value, kind) or isinstance(value, bool):
            wrong.append(f"{name} = {value!r} is not {'a number' if kind is int else 'a text'}")
            return default
        return value

    router_id = _address(take("router_id", str, ""), "router_id", wrong)
    asn = take("asn", int, 0)
    if not 1 <= asn <= 0xFFFFFFFF:
        wrong.append(f"asn = {asn} is no AS number")
    peers = _peers(rest.pop("peers", ()), asn, wrong)
    reflectors = _peers(rest.pop("reflectors", ()), asn, wrong)
    labels = _labels(take("labels", str, str(_DEFAULT_LABELS)), wrong)
    defaults = Config(router_id="", asn=0)
    texts = ("ovsdb", "ovs_rundir", "speaker", "bridge", "tunnel", "encapsulation")
    taken = {name: take(name, str, getattr(defaults, name)) for name in texts}
    numbers = {name: take(name, int, getattr(defaults, name)) for name in ("bgp_port", "underlay_mtu")}
    if taken["encapsulation"] != "gre":
        wrong.append(f"encapsulation = {taken['encapsulation']!r}: only gre (MPLS in GRE) is known")
    wrong += [f"{name} is no option of bgp_mpls" for name in rest]
    if wrong:
        raise GiveUp("; ".join(wrong), reason="InvalidConfiguration")
    return Config(
        router_id=router_id, asn=asn, peers=(*reflectors, *peers), labels=labels, **taken, **numbers
    )


def _peers(given: Any, asn: int, wrong: list[str]) -> tuple[Peer, ...]:
    """Each an address, or a table with `address` and more. Without `asn` a peer is of our AS."""
    found = []
    if isinstance(given, str) or not isinstance(given, Sequence):
        wrong.append(f"{given!r} is not a list of BGP peers")
        return ()
    for entry in given:
        values: dict[str, Any] = {"address": entry} if isinstance(entry, str) else dict(entry)
        unknown = sorted(values.keys() - _PEER_OPTIONS)
        wrong += [f"{name} is no option of a BGP peer" for name in unknown]
        address = _address(str(values.get("address", "")), "address of a BGP peer", wrong)
        if not unknown and address:
            found.append(Peer(**{"asn": asn, **values, "address": address}))
    return tuple(found)


def _labels(text: str, wrong: list[str]) -> LabelRange:
    try:
        return LabelRange.parse(text)
    except ValueError as error:
        wrong.append(str(error))
        return LabelRange(first=16, last=16)


def _address(text: str, what: str, wrong: list[str]) -> str:
    try:
        return ip.parse_v4(text)
    except ValueError as error:
        wrong.append(f"{what}: {error}")
        return ""
