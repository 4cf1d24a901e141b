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
        conditions=tuple(conditions), up=all(c.status == "True" for c in conditions if c.type != MTU)
    )


def of_service(
    here: desired.Local, facts: desired.Facts, service: str, programmed: Mapping[str, Any]
) -> ObjectStatus | None:
    """None: the VPN has no attachment on this host."""
    vrf = here.vrfs.get(service)
    if vrf is None:
        return None
    number = facts.numbers.get(service)
    if number is None:
        text = f"all {facts.config.labels.numbers} labels are in use"
        return ObjectStatus(conditions=(_no(status.READY, "NoLabel", text), l3vpn.routing_condition(vrf)))
    rows = desired.vrf_rows(here, facts, service)
    if any(programmed.get(key) != row for key, row in rows.items()):
        ready = _no(status.READY, "NotProgrammed", "not all flows and routes are programmed yet")
    elif not facts.speaker:
        ready = _no(status.READY, *facts.trouble)
    else:
        own = sum(isinstance(row, VpnRoute) for row in rows.values())
        learnt = len(facts.learnt.imported(vrf.import_targets))
        ready = _yes(
            status.READY,
            f"label {facts.config.labels.label(number)}, {own} routes announced, {learnt} imported",
        )
    conditions = (ready, l3vpn.routing_condition(vrf), *_sessions(facts))
    return ObjectStatus(conditions=conditions, up=ready.status == "True")


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
    number = facts.numbers.get(vrf.service)
    if number is None:
        return [_no(status.PROGRAMMED, "NoLabel", "no label is left for the VPN")]
    if attachment.port not in facts.plugs:
        return [_no(status.PROGRAMMED, "NotPlugged"), _no(ANNOUNCED, "NotPlugged")]
    place = next((p for p in desired.placed(here, facts, vrf) if p.attachment == attachment), None)
    if place is None:
        return [_no(status.PROGRAMMED, "AddressTaken", f"another port here has {attachment.address}")]
    wanted = desired.rows(desired.attachment_flows(number, place))
    if any(programmed.get(key) != row for key, row in wanted.items()):
        return [_no(status.PROGRAMMED, "Pending", "flows are not in the switch")]
    return [_yes(status.PROGRAMMED), _announced(here, facts, vrf, number, place, programmed)]


def _announced(
    here: desired.Local,
    facts: desired.Facts,
    vrf: l3vpn.Vrf,
    number: int,
    place: desired.Placed,
    programmed: Mapping[str, Any],
) -> status.Condition:
    if not vrf.export_targets:
        return status.Condition(
            type=ANNOUNCED, status="True", reason="NothingToAnnounce", message="the VPN exports no routes"
        )
    if not facts.speaker:
        return _no(ANNOUNCED, *facts.trouble)
    rd = desired.route_distinguisher(here, facts, vrf, number)
    route = desired.announcement(facts, vrf, number, rd, place)
    if programmed.get(desired.key_of(route)) != route:
        return _no(ANNOUNCED, "Pending", f"{route.prefix} is not announced")
    return _yes(ANNOUNCED, f"{route.prefix} as {route.rd} with label {route.label}")


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
