"""Which attributes of a service binding say the addresses that `fixed_ips` asks for.

In: a join, the network, its subnets, `fixed_ips`. Out: the binding's attributes. Raises `Fault`. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from gluon.neutron import faults, finding, shapes, subnets

_NO_ENDS = 2
"""Prefixes of so many addresses give all of them to machines (RFC 3021, RFC 6164)."""


def wanted(
    join: shapes.Join,
    place: finding.Place,
    found: Sequence[subnets.Subnet],
    fixed_ips: Sequence[Mapping[str, Any]] | None,
    *,
    new: bool,
) -> dict[str, Any]:
    """The attributes of a binding; `new`: one without `fixed_ips` takes an address from the service's pool, which a binding
    that is there does not."""
    if fixed_ips is None and not new:
        return {}
    if fixed_ips is None or (
        new and join.pooled and [*map(_named, fixed_ips)] == [None] and _only(found, fixed_ips[0])
    ):
        if join.address is None or join.pooled:
            return {}
        # For Nova that is no matter of the host: it neither tries others nor answers 500 to an attach.
        raise faults.Fault(
            409,
            "IpAddressGenerationFailure",
            f"No more IP addresses available on network {place.id}: {place.api} gives none, and the request names none.",
            "give fixed_ips=[{ip_address: ...}]; an empty list makes a port without an address",
        )
    if not fixed_ips:
        return _cleared(join)
    if join.address is None:
        raise faults.invalid(f"ports in network {place.id} have no addresses", "leave fixed_ips out")
    return _given(join, place, found, fixed_ips)


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
) -> dict[str, Any]:
    chosen: list[tuple[str, subnets.Subnet]] = []
    for one in fixed_ips:
        address = _named(one)
        if address is None:
            raise faults.invalid(
                f"which address of subnet {one.get('subnet_id')} is not said",
                "name ip_address; a new port without fixed_ips takes any of the network",
            )
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
        if any(_same(address, other) for other, _ in chosen):
            raise faults.bad(f"Invalid input for fixed_ips. Reason: Duplicate IP address '{address}'.")
        chosen.append((address, subnet))
    if len(chosen) > 1 and join.more is None:
        raise faults.invalid(f"a port in network {place.id} has one address", "name one")
    (first, subnet), more = chosen[0], [address for address, _ in chosen[1:]]
    values: dict[str, Any] = {str(join.address): first}
    if join.more is not None:
        values[join.more] = more
    if join.prefix is not None:
        values[join.prefix] = int(subnet.cidr.rpartition("/")[2])
    if join.gateway is not None:
        values[join.gateway] = subnet.gateway
    return values


def _is_an_end(address: str, subnet: subnets.Subnet) -> bool:
    """The address of the prefix itself, or that of all machines in it."""
    prefix, one = ipaddress.ip_network(subnet.cidr, strict=False), ipaddress.ip_address(address)
    if prefix.num_addresses <= _NO_ENDS:
        return False
    return one == prefix.network_address or (one.version == 4 and one == prefix.broadcast_address)


def _same(address: str, other: str | None) -> bool:
    return other is not None and ipaddress.ip_address(address) == ipaddress.ip_address(other)
