"""What the objects of `net-l2` mean: networks and who is in them, by MAC address and tag.

In: the desired state. Out: frozen `Network` views. Pure, and total: text that means nothing ends up in
`problems`. One port has one network for its untagged traffic and one for each tag: where several
interfaces of a port claim the same, the port's default interface has it, then the first by key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gluon.particles import membership, reading
from gluon.spi.backend import Ref, Stored, World
from gluon.values import ip, mac

API = "net-l2"
VERSIONS = ("2.0",)
PORT = "Port"
INTERFACE = "Interface"
SERVICE = "Network"
BINDING = "Attachment"

SHAPE = membership.Shape(service=SERVICE, binding=BINDING)
_LAST_VLAN = 4094


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Attachment:
    """One interface of a bound port inside a network. `tag` 0: its untagged frames. `addresses` may be
    none: frames are delivered by MAC address."""

    port: str
    interface: str
    host: str
    mac: str
    tag: int = 0
    addresses: tuple[str, ...] = ()
    admin_up: bool = True
    active: bool = True
    problems: tuple[str, ...] = ()

    @property
    def switched(self) -> bool:
        """Whether frames are to be delivered to it."""
        return bool(self.mac) and self.admin_up and self.active and not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One broadcast domain."""

    service: str
    name: str
    revision: int
    vni: int = 0
    attachments: tuple[Attachment, ...] = ()


def network(world: World, service: str, host: str | None = None) -> Network | None:
    """The network `service` with the attachments bound to `host` (None: to any). None: no such network."""
    found = world.get(Ref(API, SERVICE, service))
    if found is None:
        return None
    joined = membership.of_service(world, API, SHAPE, service, host)
    return Network(
        service=found.ref.key,
        name=str(found.body.get("name") or ""),
        revision=found.revision,
        vni=reading.number(found.body.get("vni")),
        attachments=_attachments(world, joined),
    )


def attachments_of_port(
    world: World, port: str, host: str | None = None
) -> tuple[tuple[str, Attachment], ...]:
    """The networks of one port, each with the attachment there."""
    here = [bound for bound in world.bindings_of(Ref(API, PORT, port)) if host in {None, bound.host}]
    joined = [member for bound in here for member in membership.of_port(world, API, SHAPE, bound)]
    there = [member for member in joined if world.get(Ref(API, SERVICE, member.service)) is not None]
    return tuple(sorted((member.service, _attachment(world, member)) for member in there))


def services_of(world: World, object_type: str, key: str) -> frozenset[str]:
    """The keys of the networks that may depend on this object: all of its port, as they share its tags."""
    if object_type == SERVICE:
        return frozenset({key})
    port = port_of(world, object_type, key)
    own = membership.services_of(world, API, SHAPE, object_type, key)
    return own | membership.services_of_port(world, API, SHAPE, port.key) if port else own


def port_of(world: World, object_type: str, key: str) -> Ref | None:
    """The port that a port, interface or attachment belongs to; None for any other object."""
    return membership.port_of(world, API, SHAPE, object_type, key)


def members(world: World, service: str) -> frozenset[Ref]:
    """The network itself, its attachments, and their interfaces and ports."""
    return membership.all_of(world, API, SHAPE, service)


def _attachments(world: World, joined: Iterable[membership.Member]) -> tuple[Attachment, ...]:
    return tuple(sorted(_attachment(world, member) for member in joined))


def _attachment(world: World, member: membership.Member) -> Attachment:
    problems: list[str] = []
    binding, port = member.binding.body, member.port.body
    ether = reading.parse(mac.parse, port.get("mac_address"), "mac_address", problems)
    lists = (reading.items(binding.get(name)) for name in ("more_addresses", "shared_addresses"))
    given = [binding.get("ip_address"), *(one for items in lists for one in items)]
    addresses = reading.parse_all(ip.parse_plain, given, "ip_address", problems)
    tag = _tag(member.interface)
    if tag is None:
        problems.append(
            f"segmentation_type {member.interface.body.get('segmentation_type')!r} with segmentation_id "
            f"{member.interface.body.get('segmentation_id')!r} is not served"
        )
    elif not ether:
        problems.append("the port has no mac_address")
    elif (first := _claimant(world, member, tag)) != member.binding.ref.key:
        kind = f"frames with tag {tag}" if tag else "untagged frames"
        problems.append(f"the port's {kind} belong to attachment {first}")
    return Attachment(
        port=member.port.ref.key,
        interface=member.interface.ref.key,
        host=member.bound.host,
        mac=ether,
        tag=tag or 0,
        addresses=tuple(addresses),
        admin_up=port.get("admin_state_up") is not False,
        active=member.bound.wanted.active,
        problems=tuple(problems),
    )


def _claimant(world: World, member: membership.Member, tag: int) -> str:
    """The binding that has a tag of a port."""
    claims = [
        (other.interface.ref.key != member.port.ref.key, other.interface.ref.key, other.binding.ref.key)
        for other in membership.of_port(world, API, SHAPE, member.bound)
        if _tag(other.interface) == tag and world.get(Ref(API, SERVICE, other.service)) is not None
    ]
    return min(claims)[2] if claims else member.binding.ref.key


def _tag(interface: Stored) -> int | None:
    """0: untagged. None: a segmentation that is none of a VLAN's."""
    kind = str(interface.body.get("segmentation_type") or "none")
    tag = reading.number(interface.body.get("segmentation_id"))
    if kind == "none":
        return 0
    return tag if kind == "vlan" and 1 <= tag <= _LAST_VLAN else None
