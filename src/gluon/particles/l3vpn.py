"""What the objects of `net-l3vpn` mean, in either version: VRFs with their targets and attachments.

In: the desired state (`spi.backend.World`) and a proton's name. The stored version of the model, which is
the only one in etcd, says how the objects are read; 1.0 while it is not known.
Out: frozen `Vrf` views. Pure, and total: text that means nothing ends up in `Vrf.problems`, never
in an exception. Called by every backend that serves L3VPNs, so that all of them agree on who is a
member of a VPN and which routes it imports and exports.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Protocol

from gluon.objects import status
from gluon.particles import l3vpn_one, l3vpn_two, membership
from gluon.particles.vrf import Attachment, Family, Kind, Role, Route, Vrf, family_of
from gluon.spi.backend import Ref, Stored, World

__all__ = [
    "AF_CONFIG",
    "API",
    "BINDING",
    "INTERFACE",
    "PORT",
    "REMOTE_ROUTES",
    "SERVICE",
    "VERSIONS",
    "Attachment",
    "Family",
    "Kind",
    "Role",
    "Route",
    "Vrf",
    "attached_services",
    "attachments_of_port",
    "family_of",
    "members",
    "port_of",
    "routing_condition",
    "services_of",
    "vrf",
    "vrfs",
    "vrfs_at",
]

API = "net-l3vpn"
VERSIONS = ("1.0", "2.0")
PORT = "Port"
INTERFACE = "Interface"
SERVICE = "VpnService"
BINDING = "VpnBinding"
AF_CONFIG = l3vpn_one.AF_CONFIG

REMOTE_ROUTES = "RemoteRoutes"
"""Condition type of a service: does it exchange routes with other hosts?"""


class Reader(Protocol):
    """How the objects of one version are read."""

    SHAPE: membership.Shape

    def service(self, world: World, api: str, found: Stored, /) -> Vrf: ...

    def attachment(self, found: Stored, member: membership.Member, /) -> Attachment: ...

    def services_by_target(self, world: World, api: str, object_type: str, key: str, /) -> frozenset[str]: ...


def vrf(world: World, api: str, service: str, host: str | None = None) -> Vrf | None:
    """The VPN `service` with the attachments bound to `host` (None: to any). None: no such service."""
    found = world.get(Ref(api, SERVICE, service))
    return _with_members(world, api, found, host) if found else None


def vrfs(world: World, api: str, host: str | None = None) -> tuple[Vrf, ...]:
    """All VPNs, ordered by key, those without attachments too."""
    return tuple(_with_members(world, api, found, host) for found in world.all(api, SERVICE))


def vrfs_at(world: World, api: str, host: str) -> dict[str, Vrf]:
    """The VPNs with an attachment on `host`, by key in order. It costs what the ports of that host do,
    however many members the VPNs have elsewhere."""
    reader = _reader(world, api)
    joined: dict[str, list[membership.Member]] = {}
    for bound in world.bindings(api, host):
        for member in membership.of_port(world, api, reader.SHAPE, bound):
            joined.setdefault(member.service, []).append(member)
    services = ((world.get(Ref(api, SERVICE, key)), joined[key]) for key in sorted(joined))
    return {found.ref.key: _view(world, api, found, held) for found, held in services if found}


def attached_services(world: World, api: str, host: str | None = None) -> frozenset[str]:
    """The keys of the services with a port that is wanted on `host` (None: on any)."""
    return membership.services_at(world, api, _reader(world, api).SHAPE, host)


def port_of(world: World, api: str, object_type: str, key: str) -> Ref | None:
    """The port that a port, interface or service binding belongs to; None for any other object."""
    return membership.port_of(world, api, _reader(world, api).SHAPE, object_type, key)


def services_of(world: World, api: str, object_type: str, key: str) -> frozenset[str]:
    """The keys of the services whose VRF may depend on this object (which may be gone)."""
    reader = _reader(world, api)
    found = membership.services_of(world, api, reader.SHAPE, object_type, key)
    return found | reader.services_by_target(world, api, object_type, key)


def attachments_of_port(
    world: World, api: str, port: str, host: str | None = None
) -> tuple[tuple[str, Attachment], ...]:
    """The services of one port, each with the attachment there, without reading all of the service."""
    reader = _reader(world, api)
    here = [bound for bound in world.bindings_of(Ref(api, PORT, port)) if host in {None, bound.host}]
    joined = [member for bound in here for member in membership.of_port(world, api, reader.SHAPE, bound)]
    services = ((world.get(Ref(api, SERVICE, member.service)), member) for member in joined)
    return tuple(sorted((found.ref.key, reader.attachment(found, m)) for found, m in services if found))


def members(world: World, api: str, service: str) -> frozenset[Ref]:
    """The service itself, its service bindings, and their interfaces and ports."""
    return membership.all_of(world, api, _reader(world, api).SHAPE, service)


def routing_condition(view: Vrf) -> status.Condition:
    """What to tell the owner of a VPN about its exchange of routes with other hosts."""
    if view.problems:
        return _told("False", "InvalidValue", "; ".join(view.problems))
    imports = [target for one in view.by_role() for f in Family for target in one.targets(f).imported]
    exports = [target for one in view.by_role() for f in Family for target in one.targets(f).exported]
    if not imports and not exports:
        where = "neither ipv4 nor ipv6 names a" if view.says_families else "ipv4_family names no"
        return _told(
            "False", "NoRouteTarget", f"{where} route target: no routes are exchanged with other hosts"
        )
    if not imports or not exports:
        way, other = ("export", "imported") if exports else ("import", "exported")
        return _told("True", "OneWay", f"all route targets are {way} only: no routes are {other}")
    return _told("True", "RouteTargets", "")


def _told(state: str, reason: str, message: str) -> status.Condition:
    return status.Condition(
        type=REMOTE_ROUTES, status="True" if state == "True" else "False", reason=reason, message=message
    )


def _reader(world: World, api: str) -> Reader:
    """That of the stored version."""
    return l3vpn_two if world.model_version(api).partition(".")[0] == "2" else l3vpn_one


def _with_members(world: World, api: str, found: Stored, host: str | None) -> Vrf:
    shape = _reader(world, api).SHAPE
    return _view(world, api, found, membership.of_service(world, api, shape, found.ref.key, host))


def _view(world: World, api: str, found: Stored, joined: Iterable[membership.Member]) -> Vrf:
    reader = _reader(world, api)
    attachments = sorted(reader.attachment(found, member) for member in joined)
    return dataclasses.replace(reader.service(world, api, found), attachments=tuple(attachments))
