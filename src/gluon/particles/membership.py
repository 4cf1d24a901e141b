"""Who takes part in a service: ports, their interfaces, and the bindings of these to services.

In: the desired state and a `Shape`, which says what a proton calls them. Out: `Member`s and names of
objects. Pure, and total: what is missing or refers to nothing is left out. Called by the views of
protons (`l3vpn`, `l2`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.spi.backend import PortBinding, Ref, Stored, World
from gluon.values import uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Names of object types. `one_service`: a binding has the key of its interface, so there is one."""

    service: str
    binding: str
    interface: str = "Interface"
    port: str = "Port"
    one_service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One interface of a bound port that is bound to a service."""

    binding: Stored
    interface: Stored
    port: Stored
    bound: PortBinding

    @property
    def service(self) -> str:
        """The key of the service."""
        return key(self.binding.body.get("service_id"))


def key(value: Any) -> str:
    """A reference as the key of what it names: bodies hold a UUID as it was written."""
    try:
        return uuid.parse(str(value))
    except ValueError:
        return str(value)


def bindings_of(world: World, api: str, shape: Shape, interface: str) -> Sequence[Stored]:
    """The bindings of an interface to services."""
    if not shape.one_service:
        return world.where(api, shape.binding, "interface_id", interface)
    found = world.get(Ref(api, shape.binding, interface))
    return [found] if found else []


def of_service(world: World, api: str, shape: Shape, service: str, host: str | None) -> Iterator[Member]:
    """The members of a service on `host` (None: on any)."""
    for binding in world.where(api, shape.binding, "service_id", service):
        interface = world.get(Ref(api, shape.interface, _interface(shape, binding)))
        port = world.get(Ref(api, shape.port, key(interface.body.get("port_id")))) if interface else None
        if interface is None or port is None:
            continue
        for bound in world.bindings_of(port.ref):
            if host is None or bound.host == host:
                yield Member(binding=binding, interface=interface, port=port, bound=bound)


def of_port(world: World, api: str, shape: Shape, bound: PortBinding) -> Iterator[Member]:
    """What a bound port takes part in. Nothing while the port has not arrived."""
    if bound.port is None:
        return
    for interface in world.where(api, shape.interface, "port_id", bound.ref.key):
        for binding in bindings_of(world, api, shape, interface.ref.key):
            yield Member(binding=binding, interface=interface, port=bound.port, bound=bound)


def services_at(world: World, api: str, shape: Shape, host: str | None) -> frozenset[str]:
    """The keys of the services with a port that is wanted on `host` (None: on any)."""
    ports = {bound.ref.key for bound in world.bindings(api, host)}
    named = {service for port in ports for service in services_of_port(world, api, shape, port)}
    return frozenset(service for service in named if world.get(Ref(api, shape.service, service)))


def services_of(world: World, api: str, shape: Shape, object_type: str, name: str) -> frozenset[str]:
    """The keys of the services that a service, port, interface or binding is part of."""
    if object_type == shape.service:
        return frozenset({name})
    if object_type == shape.port:
        return services_of_port(world, api, shape, name)
    if object_type == shape.binding and not shape.one_service:
        binding = world.get(Ref(api, shape.binding, name))
        return frozenset({key(binding.body["service_id"])}) if _names(binding) and binding else frozenset()
    if object_type in {shape.interface, shape.binding}:
        return _services_of_interface(world, api, shape, name)
    return frozenset()


def services_of_port(world: World, api: str, shape: Shape, port: str) -> frozenset[str]:
    """The keys of the services that a port takes part in."""
    interfaces = world.where(api, shape.interface, "port_id", port)
    found = (_services_of_interface(world, api, shape, i.ref.key) for i in interfaces)
    return frozenset[str]().union(*found)


def port_of(world: World, api: str, shape: Shape, object_type: str, name: str) -> Ref | None:
    """The port that a port, interface or binding belongs to; None for any other object."""
    if object_type == shape.port:
        return Ref(api, shape.port, name)
    if object_type == shape.binding and not shape.one_service:
        binding = world.get(Ref(api, shape.binding, name))
        if binding is None:
            return None
        name = _interface(shape, binding)
    elif object_type not in {shape.interface, shape.binding}:
        return None
    interface = world.get(Ref(api, shape.interface, name))
    return Ref(api, shape.port, key(interface.body.get("port_id"))) if interface else None


def all_of(world: World, api: str, shape: Shape, service: str) -> frozenset[Ref]:
    """The service itself, its bindings, and their interfaces and ports."""
    found = {Ref(api, shape.service, service)}
    for binding in world.where(api, shape.binding, "service_id", service):
        interface = _interface(shape, binding)
        found |= {binding.ref, Ref(api, shape.interface, interface)}
        port = port_of(world, api, shape, shape.interface, interface)
        if port is not None:
            found.add(port)
    return frozenset(found)


def _interface(shape: Shape, binding: Stored) -> str:
    return binding.ref.key if shape.one_service else key(binding.body.get("interface_id"))


def _services_of_interface(world: World, api: str, shape: Shape, interface: str) -> frozenset[str]:
    bindings = bindings_of(world, api, shape, interface)
    return frozenset(key(b.body["service_id"]) for b in bindings if _names(b))


def _names(binding: Stored | None) -> bool:
    """Whether a binding says of which service it is."""
    return binding is not None and bool(binding.body.get("service_id"))
