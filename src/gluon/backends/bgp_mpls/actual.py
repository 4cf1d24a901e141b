"""Reads back what is programmed, as the rows that `desired` computes.

In: the switch, and what the speaker holds. Out: rows by scope: all flows with our mark, the kept numbers, and
the routes announced with our tunnel address and a label of our range. What carries a number that
no VPN has comes under a scope of its own (`stray/<number>`), which nothing wants. A daemon
that is known to be away holds nothing; the database of the switch must answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gluon.backends.bgp_mpls import desired, flows
from gluon.backends.bgp_mpls.config import Config
from gluon.backends.bgp_mpls.ovs import Switch
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.backends.bgp_mpls.speaker import RouteTable

NUMBER = "gluon-vrf-"
"""Prefix of the keys in the bridge's `external_ids`: `gluon-vrf-<number>` has the name of the VRF."""

_NUMBER = re.compile(rf"{NUMBER}([0-9]{{1,5}})").fullmatch


def kept_numbers(external_ids: Mapping[str, str]) -> dict[int, str]:
    """Number to VRF, as kept in the switch's database."""
    matches = ((_NUMBER(key), table) for key, table in external_ids.items())
    return {int(found[1]): table for found, table in matches if found}


async def read(
    switch: Switch, routes: RouteTable | None, config: Config, *, dead: bool = False
) -> dict[str, dict[str, desired.Row]]:
    """All our rows by scope. `routes` is what the speaker holds, None: it is away; `dead`: vswitchd is.

    Raises `TryLater`.
    """
    numbers = kept_numbers(await switch.external_ids())
    found: dict[str, dict[str, desired.Row]] = {}

    def add(scope: str, row: desired.Row) -> None:
        found.setdefault(scope, {})[desired.key_of(row)] = row

    def scope_of(number: int | None) -> str:
        if number == 0:
            return desired.BRIDGE
        name = numbers.get(number) if number is not None else None
        return f"stray/{number}" if name is None else desired.scope_of(desired.table_of_number(name))

    for number, name in numbers.items():
        add(scope_of(number), desired.KeptNumber(number=number, name=name))
    if config.tunnel in await switch.interfaces():
        add(desired.BRIDGE, desired.bridge_row(config))
    for flow in [] if dead else await _flows(switch):
        add(scope_of(flow.vrf), flow)
    if routes is not None:
        for route in routes.own.values():
            if is_ours(route, config):
                add(scope_of(config.labels.number(route.label)), route)
    return found


def is_ours(route: VpnRoute, config: Config) -> bool:
    """Whether a route of this gobgpd is one that we announce: others may use the same daemon."""
    return route.next_hop == config.router_id and config.labels.number(route.label) is not None


async def _flows(switch: Switch) -> list[flows.Flow]:
    parsed = (flows.parse(flow.text, flow.cookie) for flow in await switch.dump_flows())
    return [flow for flow in parsed if flow.ours]
