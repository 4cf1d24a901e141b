"""Subnets: the prefixes of a service, or, where it says none, those of its bindings.

In: rows of services and bindings. Out: `Subnet`s. An address belongs to the longest prefix that holds it. Pure.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from gluon.neutron import ids, shapes
from gluon.proton import referring
from gluon.spi import store


class Subnet(msgspec.Struct, frozen=True):
    id: str
    network: str
    cidr: str
    gateway: str | None = None
    dns: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return 6 if ":" in self.cidr else 4


@lru_cache(maxsize=65536)
def prefix_of(address: str, length: int | None) -> str | None:
    """The prefix that an address with this length lies in; None for what is no address."""
    try:
        whole = address if length is None else f"{address}/{length}"
        return str(ipaddress.ip_network(whole, strict=False))
    except ValueError:
        return None


class _Range(msgspec.Struct, frozen=True):
    """The addresses of a prefix."""

    version: int
    first: int
    last: int


@lru_cache(maxsize=65536)
def _range(cidr: str) -> _Range:
    parsed = ipaddress.ip_network(cidr, strict=False)
    return _Range(parsed.version, int(parsed.network_address), int(parsed.broadcast_address))


def holding(found: Sequence[Subnet], address: str) -> Subnet | None:
    """The subnet that an address belongs to."""
    version = 6 if ":" in address else 4
    try:
        if version == 4:
            number = int.from_bytes(socket.inet_pton(socket.AF_INET, address))
        else:
            number = int.from_bytes(socket.inet_pton(socket.AF_INET6, address.partition("%")[0]))
    except (OSError, ValueError):
        return None
    best: tuple[int, Subnet] | None = None
    for one in found:
        held = _range(one.cidr)
        if held.version == version and held.first <= number <= held.last:
            size = held.last - held.first
            if best is None or size < best[0]:
                best = size, one
    return None if best is None else best[1]


def of_service(net: shapes.Net, network: str, row: store.Row) -> tuple[Subnet, ...]:
    """Those that a service says; `row`: at least the columns that say them."""
    return _of_texts(net, network, tuple([row[head] for head in net.heads]))


@lru_cache(maxsize=4096)
def _of_texts(net: shapes.Net, network: str, texts: tuple[store.Value, ...]) -> tuple[Subnet, ...]:
    row: store.Row = dict(zip(net.heads, texts, strict=True))
    found: dict[str, Subnet] = {}
    for path in net.paths["subnets"]:
        for item in _items(net, row, path):
            for cidr in _texts(item, path[1:]):
                gateways = _beside(net, row, path, item, "gateway")
                dns = _beside(net, row, path, item, "dns")
                found.setdefault(cidr, _made(network, cidr, gateways, dns))
    return tuple(found.values())


def of_bindings(network: str, lines: Iterable[Sequence[store.Value]]) -> tuple[Subnet, ...]:
    """Those of bindings, each as address, length of its prefix, gateway."""
    found: dict[str, Subnet] = {}
    for address, length, gateway in lines:
        if address is None:
            continue
        cidr = prefix_of(str(address), None if length is None else int(length))
        if cidr is not None and (cidr not in found or (found[cidr].gateway is None and gateway)):
            found[cidr] = _made(network, cidr, [str(gateway)] if gateway else [], [])
    return tuple(found[cidr] for cidr in sorted(found))


def _made(network: str, cidr: str, gateways: Sequence[str], dns: Sequence[str]) -> Subnet:
    family = ":" in cidr
    gateway = next((g for g in gateways if (":" in g) == family), None)
    return Subnet(ids.subnet(network, cidr), network, cidr, gateway, tuple(dns))


def _items(net: shapes.Net, row: store.Row, path: tuple[str, ...]) -> list[Any]:
    """The items of the list that a path goes into, or the value itself."""
    value = value_of(net, row, path[0])
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _beside(net: shapes.Net, row: store.Row, path: tuple[str, ...], item: Any, key: str) -> list[str]:
    """What another path says of the same item, or of all of them."""
    found: list[str] = []
    for other in net.paths[key]:
        if other[0] == path[0]:
            found += _texts(item, other[1:])
        else:
            found += _texts(value_of(net, row, other[0]), other[1:])
    return found


def value_of(net: shapes.Net, row: store.Row, attribute: str) -> Any:
    """An attribute's value as plain data."""
    records = net.resource.records
    value = row[records.column(attribute)]
    return referring.plain(value) if attribute in records.nested else value


def _texts(value: Any, path: Sequence[str]) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, path)]
    if isinstance(value, dict):
        return _texts(value.get(path[0]), path[1:]) if path else []
    return [str(value)] if not path else []


def first(net: shapes.Net, row: store.Row, key: str) -> Any:
    """The first value that is said for a key such as `mtu`; None for none."""
    for path in net.paths[key]:
        value = value_of(net, row, path[0])
        for name in path[1:]:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None
