"""What to say of ports and VPNs. Pure in the desired state, the facts and what was last programmed.

A port is up when it is plugged, its flows are in, and its route is announced (where its VPN
exports any). Conditions: `Plugged`, `Programmed`, `Announced`, with the reason for a False.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gluon.backends.bgp_mpls import desired
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.spi.backend import ObjectStatus

PLUGGED = "Plugged"
ANNOUNCED = "Announced"
MTU = "MtuFits"
SESSIONS = "BgpSessions"


def of_port(
    here: desired.Local, facts: desired.Facts, port: str, programmed: Mapping[str, Any]
) -> ObjectStatus:
    """`programmed`: rows by key, as last read back or written."""
    conditions = [_plugged(facts, port)]
    attached = [
        (vrf, attachment)
        for vrf in here.vrfs.values()
        for attachment in vrf.attachments
        if attachment.port == port
    ]
    if not attached:
        conditions.append(_no(status.PROGRAMMED, "NoService", "no VpnBinding of the port names a VPN"))
        return ObjectStatus(conditions=tuple(conditions))
    found = [_attachment(here, facts, vrf, a, programmed) for vrf, a in attached]
    conditions += _worst(found)
    if attached[0][1].mtu > facts.config.mtu:
        conditions.append(
            _no(MTU, "TooLong", f"the port's mtu is {attached[0][1].mtu}, {facts.config.mtu} fit the tunnel")
        )
    return ObjectStatus(
        conditions=tuple(conditions),
        up=all(c.status == "True" for c in conditions if c.type != MTU),
    )


def of_service(
    here: desired.Local, facts: desired.Facts, service: str, programmed: Mapping[str, Any]
) -> ObjectStatus | None:
    """None: the VPN has no attachment on this host."""
    vrfs = here.of_service(service)
    if not vrfs:
        return None
    conditions = [l3vpn.routing_condition(vrf) for vrf in vrfs]
    routing = next((c for c in conditions if c.status != "True"), conditions[0])
    tables = [(vrf, family) for vrf in vrfs for family in desired.families(vrf)]
    if any(_number(facts, vrf, family) is None for vrf, family in tables):
        text = f"all {facts.config.labels.numbers} labels are in use"
        return ObjectStatus(conditions=(_no(status.READY, "NoLabel", text), routing))
    rows = {key: row for vrf in vrfs for key, row in desired.vrf_rows(here, facts, vrf.table).items()}
    if any(programmed.get(key) != row for key, row in rows.items()):
        ready = _no(status.READY, "NotProgrammed", "not all flows and routes are programmed yet")
    elif not facts.speaker:
        ready = _no(status.READY, *facts.trouble)
    else:
        ready = _yes(status.READY, "; ".join(_exchange(facts, *one, rows) for one in tables))
    return ObjectStatus(conditions=(ready, routing, *_sessions(facts)), up=ready.status == "True")


def _exchange(facts: desired.Facts, vrf: l3vpn.Vrf, family: l3vpn.Family, rows: Mapping[str, Any]) -> str:
    """What a VRF announces and has learnt."""
    label = facts.config.labels.label(_number(facts, vrf, family) or 0)
    own = sum(isinstance(row, VpnRoute) and row.label == label for row in rows.values())
    learnt = len(facts.learnt.imported(vrf.targets(family).imported, family))
    role = "" if vrf.role is l3vpn.Role.MEMBER else f"{vrf.role}s: "
    kind = "" if family is l3vpn.Family.V4 else "IPv6 "
    return f"{role}{kind}label {label}, {own} routes announced, {learnt} imported"


def _number(facts: desired.Facts, vrf: l3vpn.Vrf, family: l3vpn.Family) -> int | None:
    return facts.numbers.get(desired.number_name(vrf.table, family))


def _attachment(
    here: desired.Local,
    facts: desired.Facts,
    vrf: l3vpn.Vrf,
    attachment: l3vpn.Attachment,
    programmed: Mapping[str, Any],
) -> list[status.Condition]:
    obstacle = desired.obstacle(here, vrf, attachment)
    if obstacle is not None:
        return [_no(status.PROGRAMMED, *obstacle)]
    used = [f for f in l3vpn.Family if any(route.family is f for route in attachment.routes)]
    numbers = {family: _number(facts, vrf, family) for family in used}
    if None in numbers.values():
        return [_no(status.PROGRAMMED, "NoLabel", "no label is left for the VPN")]
    if attachment.port not in facts.plugs:
        return [_no(status.PROGRAMMED, "NotPlugged"), _no(ANNOUNCED, "NotPlugged")]
    places = [
        (family, number, place)
        for family, number in numbers.items()
        for place in desired.placed(here, facts, vrf, family)
        if number is not None and place.attachment == attachment
    ]
    held = {route for _, _, place in places for route in place.routes}
    taken = [r.destination for r in attachment.routes if r.kind is l3vpn.Kind.ADDRESS and r not in held]
    if taken:
        return [_no(status.PROGRAMMED, "AddressTaken", f"another port here has {', '.join(taken)}")]
    made = (flow for f, n, place in places for flow in desired.attachment_flows(vrf, f, n, place))
    if any(programmed.get(key) != row for key, row in desired.rows(made).items()):
        return [_no(status.PROGRAMMED, "Pending", "flows are not in the switch")]
    wanted = [
        route
        for family, number, place in places
        for route in desired.announcements(
            facts,
            vrf.targets(family),
            number,
            desired.route_distinguisher(here, facts, vrf, number),
            place,
        )
    ]
    return [_yes(status.PROGRAMMED), _announced(facts, wanted, bool(held), programmed)]


def _announced(
    facts: desired.Facts, wanted: list[VpnRoute], has_routes: bool, programmed: Mapping[str, Any]
) -> status.Condition:
    if not wanted:
        why = "the VPN exports no routes" if has_routes else "other ports here have all of its routes"
        return status.Condition(type=ANNOUNCED, status="True", reason="NothingToAnnounce", message=why)
    if not facts.speaker:
        return _no(ANNOUNCED, *facts.trouble)
    for route in wanted:
        if programmed.get(desired.key_of(route)) != route:
            return _no(ANNOUNCED, "Pending", f"{route.prefix} is not announced")
    first, more = wanted[0], f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
    return _yes(ANNOUNCED, f"{first.prefix}{more} as {first.rd} with label {first.label}")


def _sessions(facts: desired.Facts) -> list[status.Condition]:
    """Whether anybody hears what is announced; nothing where no peer is configured."""
    if not facts.config.peers or not facts.speaker:
        return []
    if facts.sessions_down:
        down = ", ".join(sorted(facts.sessions_down))
        return [_no(SESSIONS, "NotEstablished", f"no BGP session with {down}")]
    return [_yes(SESSIONS)]


def _worst(found: list[list[status.Condition]]) -> list[status.Condition]:
    """Of several attachments the conditions of the first that is not well."""
    return next((cs for cs in found if any(c.status != "True" for c in cs)), found[0])


def _plugged(facts: desired.Facts, port: str) -> status.Condition:
    ofport = facts.plugs.get(port)
    if not facts.switch:
        return _no(PLUGGED, "NoSwitch", "ovs-vswitchd does not answer")
    if ofport is None:
        text = f"no interface of {facts.config.bridge} has external_ids:iface-id={port}"
        return _no(PLUGGED, "NotPlugged", text)
    return _yes(PLUGGED, f"OpenFlow port {ofport}")


def _yes(type: str, message: str = "") -> status.Condition:
    return status.Condition(type=type, status="True", reason="Ready", message=message)


def _no(type: str, reason: str, message: str = "") -> status.Condition:
    no: Literal["False"] = "False"
    return status.Condition(type=type, status=no, reason=reason, message=message)
