"""The bindings of one port as Neutron's, for live migration.

In: an asker, a port's id, a host. Out: bodies. Only admins and services see or change them. Called by `api.neutron`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from gluon import errors
from gluon.arbiter import alternates, bindings
from gluon.model.types import Role
from gluon.neutron import bodies, faults, ids
from gluon.neutron.asker import Asker
from gluon.neutron.ports import Ports
from gluon.proton import units

_NAMES = {
    alternates.EXISTS: "PortBindingAlreadyExists",
    alternates.ACTIVE: "PortBindingAlreadyActive",
    alternates.FAILED: "PortBindingError",
}
_LONGEST = 255
VNIC_TYPES = frozenset({
    "accelerator-direct", "accelerator-direct-physical", "baremetal", "direct", "direct-physical", "macvtap", "normal",
    "remote-managed", "smart-nic", "vdpa", "virtio-forwarder",
})  # fmt: skip
_T = TypeVar("_T")


class Bindings:
    """Bindings of the ports that the caller may see."""

    def __init__(self, others: alternates.Alternates, ports: Ports) -> None:
        self._others = others
        self._ports = ports

    async def all(self, asker: Asker, key: str) -> list[bodies.Body]:
        context = await self._context(asker, key)
        return [shown(one) for one in await self._others.all(context, key)]

    async def get(self, asker: Asker, key: str, host: str) -> bodies.Body:
        context = await self._context(asker, key)
        return shown(await _named(key, host, lambda: self._others.one(context, key, host)))

    async def add(self, asker: Asker, key: str, body: Mapping[str, Any]) -> bodies.Body:
        """One more, bound; it carries no traffic until it is activated."""
        context = await self._context(asker, key)
        host = body.get("host")
        if not isinstance(host, str) or not 0 < len(host) <= _LONGEST or "\0" in host:
            raise faults.invalid("'host' is not the name of a host", f"give 1 to {_LONGEST} characters")
        vnic, profile = _checked(context, body, {"project_id", "tenant_id"})
        made = await _named(
            key,
            host,
            lambda: self._others.add(context, key, host, vnic_type=vnic or "normal", profile=profile),
        )
        return shown(made)

    async def change(self, asker: Asker, key: str, host: str, body: Mapping[str, Any]) -> bodies.Body:
        """`host` in the body counts for nothing, as in Neutron."""
        context = await self._context(asker, key)
        vnic, profile = _checked(context, body, set())
        if "profile" in body:
            profile = profile or {}
        made = await _named(
            key, host, lambda: self._others.change(context, key, host, vnic_type=vnic, profile=profile)
        )
        return shown(made)

    async def activate(self, asker: Asker, key: str, host: str) -> bodies.Body:
        context = await self._context(asker, key)
        return shown(await _named(key, host, lambda: self._others.activate(context, key, host)))

    async def remove(self, asker: Asker, key: str, host: str) -> None:
        context = await self._context(asker, key)
        await _named(key, host, lambda: self._others.remove(context, key, host))

    async def _context(self, asker: Asker, key: str) -> units.Context:
        found = await self._ports.get(asker, key)
        if not asker.serves:
            raise faults.Fault(403, "PolicyNotAuthorized", "rule:get_port_binding is disallowed by policy")
        return asker.context(found.wire.resource)


def _checked(
    context: units.Context, body: Mapping[str, Any], more: set[str]
) -> tuple[str | None, dict[str, Any] | None]:
    """The type and the profile of a body. `more`: what may stand there too."""
    vnic, profile = body.get("vnic_type"), body.get("profile")
    if not isinstance(vnic, str | None) or (vnic and vnic not in _vnic_types(context)):
        known = ", ".join(sorted(_vnic_types(context)))
        raise faults.invalid(f"'{str(vnic)[:100]}' is no vnic_type", f"possible: {known}")
    if not isinstance(profile, dict | None):
        raise faults.invalid("profile is no object")
    wrong = sorted(body.keys() - {"host", "vnic_type", "profile"} - more)
    if wrong:
        raise faults.bad(f"Unrecognized attribute(s) '{wrong[0]}'")
    return vnic or None, profile


def _vnic_types(context: units.Context) -> frozenset[str]:
    """Neutron's, and those that the port's own type has beside."""
    kind = context.resource.type
    name = kind.role(Role.VNIC_TYPE)
    return VNIC_TYPES.union(kind.attributes[name].values) if name else VNIC_TYPES


async def _named(key: str, host: str, act: Callable[[], Awaitable[_T]]) -> _T:
    try:
        return await act()
    except errors.NotFound as refused:
        text = f"Binding for port {key} for host {host} could not be found."
        raise faults.Fault(404, "PortBindingNotFound", text, refused.hint) from None
    except errors.Conflict as refused:
        if refused.code not in _NAMES:
            raise
        raise faults.Fault(409, _NAMES[refused.code], str(refused), refused.hint) from None


def shown(binding: bindings.Binding) -> bodies.Body:
    failed = binding.state is bindings.State.FAILED
    return {
        "host": binding.host,
        "vif_type": bindings.BINDING_FAILED if failed else binding.vif_type or bodies.UNBOUND,
        "vif_details": dict(binding.vif_details),
        "vnic_type": binding.vnic_type,
        "profile": dict(binding.profile),
        "status": "ACTIVE" if binding.active else "INACTIVE",
        "project_id": ids.shown_project(binding.project),
    }
