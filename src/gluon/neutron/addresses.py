"""Which attributes of a service binding say the addresses that `fixed_ips` asks for.

In: a join, the network, its subnets, `fixed_ips`. Out: the binding's attributes, and the subnets that others of them are drawn
from. Raises `Fault`. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gluon.neutron import faults, finding, shapes, subnets
from gluon.proton import supplies

_NO_ENDS = 2
"""Prefixes of so many addresses give all of them to machines (RFC 3021, RFC 6164)."""


class Wanted(msgspec.Struct, frozen=True):
    """`values` of a binding; `draws`: what else it is given."""

    values: dict[str, Any] = {}
    draws: supplies.Draws | None = None

    def __bool__(self) -> bool:
        return bool(self.values)


def wanted(
    join: shapes.Join,
    place: finding.Place,
    found: Sequence[subnets.Subnet],
    fixed_ips: Sequence[Mapping[str, Any]] | None,
    *,
    new: bool,
) -> Wanted:
    """The attributes of a binding; `new`: one without `fixed_ips` takes an address of each family from the service's pool,
    which a binding that is there does not."""
    if fixed_ips is None and not new:
        return Wanted()
    if fixed_ips is None or (
        new and join.pooled and [*map(_named, fixed_ips)] == [None] and _only(found, fixed_ips[0])
    ):
        if join.address is None or join.pooled:
            return Wanted(draws=join.each)
        # For Nova that is no matter of the host: it neither tries others nor answers 500 to an attach.
        raise faults.Fault(
            409,
            "IpAddressGenerationFailure",
            f"No more IP addresses available on network {place.id}: {place.api} gives none, and the request names none.",
            "give fixed_ips=[{ip_address: ...}]; an empty list makes a port without an address",
        )
    if not fixed_ips:
        return Wanted(_cleared(join))
    if join.address is None:
        raise faults.invalid(f"ports in network {place.id} have no addresses", "leave fixed_ips out")
    return _given(join, place, found, fixed_ips, new=new)


def kept(held: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """`asked` of a port with the addresses `held`: a subnet alone means the one that it has there already."""
    left = [one for one in held if one["ip_address"] not in map(_named, asked)]
    found: list[Mapping[str, Any]] = []
    for one in asked:
        subnet = None if _named(one) else one.get("subnet_id")
        same = next((had for had in left if had["subnet_id"] == subnet), None)
        if same is not None:
            left.remove(same)
        found.append(one if same is None else same)
    return found


def _named(one: Mapping[str, Any]) -> str | None:
    return one.get("ip_address") or None


def _only(found: Sequence[subnets.Subnet], one: Mapping[str, Any]) -> bool:
    """Whether the pool can only give an address of the subnet that is asked for."""
    return one.get("subnet_id") is None or [s.id for s in found] == [one["subnet_id"]]


def _cleared(join: shapes.Join) -> dict[str, Any]:
    names = [n for n in (join.address, join.prefix, join.gateway) if n is not None]
    return {**dict.fromkeys(names), **({join.more: []} if join.more else {})}


def _given(
    join: shapes.Join,
    place: finding.Place,
    found: Sequence[subnets.Subnet],
    fixed_ips: Sequence[Mapping[str, Any]],
    *,
    new: bool,
) -> Wanted:
    chosen: list[tuple[str | None, subnets.Subnet]] = []
    for one in fixed_ips:
        address = _named(one)
        if address is None:
            chosen.append((None, _drawn(join, place, found, one, first=not chosen)))
            continue
        subnet = subnets.holding(found, address)
        if subnet is None:
            raise faults.Fault(
                400,
                "InvalidIpForNetwork",
                f"IP address {address} is not a valid IP for any of the subnets on the specified network.",
            )
        if one.get("subnet_id") not in (None, subnet.id) or _is_an_end(address, subnet):
            raise faults.Fault(
                400, "InvalidIpForSubnet", f"IP address {address} is not a valid IP for the specified subnet."
            )
        if chosen and _same(address, subnet.gateway):  # the pool says it of the first one
            raise faults.Fault(
                400, "InvalidIpForNetwork", f"IP address {address} is the gateway of its subnet."
            )
        if any(_same(address, other) for other, _ in chosen if other is not None):
            raise faults.bad(f"Invalid input for fixed_ips. Reason: Duplicate IP address '{address}'.")
        chosen.append((address, subnet))
    if len(chosen) > 1 and join.more is None:
        raise faults.invalid(f"a port in network {place.id} has one address", "name one")
    most = join.resource.type.attributes[join.more].max_items if join.more is not None else None
    if most is not None and len(chosen) > most + 1:
        raise faults.invalid(f"a port in network {place.id} has at most {most + 1} addresses")
    (first, subnet), more = chosen[0], [address for address, _ in chosen[1:] if address is not None]
    values: dict[str, Any] = {} if first is None and new else {str(join.address): first}
    ranges = {str(join.address): [subnet.cidr]} if first is None else {}
    if join.more is not None:
        values[join.more] = more
        ranges[join.more] = [one.cidr for address, one in chosen[1:] if address is None]
    if join.prefix is not None:
        values[join.prefix] = int(subnet.cidr.rpartition("/")[2])
    if join.gateway is not None:
        values[join.gateway] = subnet.gateway
    if not any(ranges.values()):
        return Wanted(values)
    return Wanted(values, supplies.Draws(first=str(join.address), others=join.more, ranges=ranges))


def _drawn(
    join: shapes.Join,
    place: finding.Place,
    found: Sequence[subnets.Subnet],
    one: Mapping[str, Any],
    *,
    first: bool,
) -> subnets.Subnet:
    """The subnet that an address is drawn from; the first one is the binding's own, others go into a list."""
    named = one.get("subnet_id")
    subnet = next((subnet for subnet in found if subnet.id == named), None)
    if named is not None and subnet is None:
        raise faults.invalid(f"network {place.id} has no subnet {named}")
    if subnet is None or not (join.pooled if first else join.each):
        raise faults.invalid(
            f"which address of {'which subnet' if named is None else f'subnet {named}'} is not said",
            "name ip_address",
        )
    return subnet


def _is_an_end(address: str, subnet: subnets.Subnet) -> bool:
    """The address of the prefix itself, or that of all machines in it."""
    prefix, one = ipaddress.ip_network(subnet.cidr, strict=False), ipaddress.ip_address(address)
    if prefix.num_addresses <= _NO_ENDS:
        return False
    return one == prefix.network_address or (one.version == 4 and one == prefix.broadcast_address)


def _same(address: str, other: str | None) -> bool:
    return other is not None and ipaddress.ip_address(address) == ipaddress.ip_address(other)
