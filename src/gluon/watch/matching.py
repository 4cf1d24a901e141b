"""The filters of a list, asked of bodies: the same objects match as in the database.

In: `spi.store.Filter`s and the attribute of each column. Out: a predicate of decoded bodies in normal form. Pure.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from gluon.spi.store import Filter, Match
from gluon.watch.kinds import Body

Matches = Callable[[Body], bool]

_ORDER: Mapping[Match, Callable[[Any, Any], bool]] = {
    Match.LESS: operator.lt,
    Match.AT_MOST: operator.le,
    Match.MORE: operator.gt,
    Match.AT_LEAST: operator.ge,
}


def compiled(filters: Sequence[Filter], names: Mapping[str, str]) -> Matches | None:
    """None: everything matches. `names`: the attribute of each column."""
    tests = [_test(one, names[one.column]) for one in filters]
    if not tests:
        return None
    return lambda body: all(test(body) for test in tests)


def _test(one: Filter, name: str) -> Matches:
    match, wanted = one.match, one.values
    value = wanted[0] if wanted else None
    if match is Match.EQUAL:
        return lambda body: body.get(name) in wanted
    if match is Match.UNLIKE:
        return lambda body: body.get(name) != value
    if match is Match.WITHIN:
        network = ip_network(str(value))
        return lambda body: _within(body.get(name), network)
    if match in _ORDER:
        compare = _ORDER[match]
        return lambda body: body.get(name) is not None and compare(body[name], value)
    part = str(value)
    if match is Match.CONTAINS:
        return lambda body: isinstance(body.get(name), str) and part in body[name]
    return lambda body: isinstance(body.get(name), str) and body[name].startswith(part)


def _within(value: Any, network: IPv4Network | IPv6Network) -> bool:
    if not isinstance(value, str):
        return False
    inner = ip_network(value)
    if isinstance(inner, IPv4Network):
        return isinstance(network, IPv4Network) and inner.subnet_of(network)
    return isinstance(network, IPv6Network) and inner.subnet_of(network)
