"""What a body of `POST` or `PUT` of a port asks for, told in a proton's own attributes.

In: the body and the port type. Out: a `Wish`; `Fault`s for what Neutron has and a proton has not: nothing is ignored in
silence. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from gluon.model.types import Role
from gluon.neutron import asked as asking
from gluon.neutron import bodies, faults, ids, shapes
from gluon.neutron.asker import Asker
from gluon.objects import codec

ROLES = {
    "name": Role.NAME,
    "mac_address": Role.MAC,
    "device_id": Role.DEVICE,
    "device_owner": Role.DEVICE_OWNER,
    "binding:vnic_type": Role.VNIC_TYPE,
    "binding:host_id": Role.HOST,
}
_CLEARED = frozenset({Role.DEVICE, Role.DEVICE_OWNER, Role.HOST, Role.NAME})
"""Of these empty and null are the same: no value."""
_SET_BY_SERVICES = ("binding:host_id", "binding:profile")
PROJECT = ("tenant_id", "project_id")
LONGEST = 255

EMPTY: Mapping[str, Sequence[Any]] = {
    "security_groups": ([], None),
    "allowed_address_pairs": ([], None),
    "extra_dhcp_opts": ([], None),
    "qos_policy_id": (None,),
    "port_security_enabled": (False, None),
    "dns_name": ("", None),
    "dns_domain": ("", None),
    "tags": ([], None),
    "propagate_uplink_status": (True, False, None),
    "device_profile": (None,),
    "numa_affinity_policy": (None,),
    "hints": (None, {}),
}
"""What protons have no place for: the values that ask for nothing."""
_BOOLEANS = frozenset({"port_security_enabled", "propagate_uplink_status"})
_CURES = {
    "security_groups": "leave security_groups out; filter in the machine, or use a network of Neutron",
    "allowed_address_pairs": "give the port's binding more addresses through the API of its proton",
}
_READ_ONLY = frozenset({
    "id", "status", "created_at", "updated_at", "revision_number", "binding:vif_type", "binding:vif_details",
    "ip_allocation", "dns_assignment", "resource_request", "qos_network_policy_id", "hardware_offload_type",
})  # fmt: skip
USUAL: Mapping[str, Any] = {
    "status": "DOWN",
    "vnic_type": "normal",
    "mtu": bodies.MTU,
    "admin_state_up": True,
    "vlan_transparency": False,
}
"""By roles and names, what is required of a new port and Neutron's clients never say."""


class Wish(msgspec.Struct, frozen=True):
    """`values`: the port's attributes as a client of the proton would send them; `fixed_ips` None: nothing is said;
    `profile` None: likewise."""

    values: dict[str, Any]
    fixed_ips: Sequence[Mapping[str, Any]] | None
    profile: Mapping[str, Any] | None
    unbinds: bool


def made(asker: Asker, wire: shapes.Wire, body: Mapping[str, Any]) -> Wish:
    """Of a new port. `id` is for those who have made it known before."""
    _check(asker, wire, body, new=True)
    wish = _wish(wire, body)
    projects = {ids.stored_project(str(body[name])) for name in PROJECT if body.get(name)}
    if len(projects) > 1:
        raise faults.bad("'project_id' and 'tenant_id' do not match", "give one of them")
    name = wire.attribute(Role.PROJECT)
    if name is not None and projects:
        (wish.values[name],) = projects
    if body.get("id"):
        if not asker.serves:
            raise faults.bad("Attribute 'id' not allowed in POST", "only admins and services choose ids")
        wish.values[wire.resource.type.key] = body["id"]
    return wish


def changed(asker: Asker, wire: shapes.Wire, body: Mapping[str, Any], shown: bodies.Body) -> Wish:
    """Of a change. What is given as it is shown asks for nothing."""
    given = {
        n: v for n, v in body.items() if n not in (*_READ_ONLY, *PROJECT, "network_id") or shown.get(n) != v
    }
    _check(asker, wire, given, new=False)
    if not asker.serves:  # what he does not see he does not clear either
        given = {n: v for n, v in given.items() if n not in _SET_BY_SERVICES}
    return _wish(wire, given)


def _check(asker: Asker, wire: shapes.Wire, body: Mapping[str, Any], *, new: bool) -> None:
    hidden = [name for name in _SET_BY_SERVICES if name in body and not _asks_nothing(body[name])]
    if hidden and not asker.serves:
        rule = "create_port" if new else "update_port"
        raise faults.Fault(
            403, "PolicyNotAuthorized", f"(rule:{rule} and rule:{rule}:{hidden[0]}) is disallowed by policy"
        )
    for name, value in body.items():
        if name in EMPTY:
            is_told = value is not None and name in _BOOLEANS
            if (asking.truth(name, value) if is_told else value) not in EMPTY[name]:
                raise _no_place(wire, name)
        elif name in _READ_ONLY or (not new and name in (*PROJECT, "network_id")):
            if not (new and name == "id"):
                raise faults.bad(f"Attribute '{name}' not allowed in {'POST' if new else 'PUT'}")
        elif name not in KNOWN:
            raise faults.bad(f"Unrecognized attribute(s) '{name}'")
    for name in (*ROLES, *PROJECT, "id", "network_id", "description"):
        value = body.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST):
            raise faults.invalid(
                f"'{str(value)[:100]}' is not a valid string of at most {LONGEST} characters for {name}"
            )


KNOWN = frozenset(
    {
        *ROLES,
        *EMPTY,
        *PROJECT,
        "network_id",
        "fixed_ips",
        "binding:profile",
        "admin_state_up",
        "description",
        "id",
    }
)


def _asks_nothing(value: Any) -> bool:
    return value is None or value in ("", {})


def _no_place(wire: shapes.Wire, name: str) -> faults.Fault:
    return faults.invalid(
        f"ports of {wire.resource.api} have no {name}", _CURES.get(name, f"leave {name} out")
    )


def _wish(wire: shapes.Wire, body: Mapping[str, Any]) -> Wish:
    values: dict[str, Any] = {}
    kind = wire.resource.type
    for name, role in ROLES.items():
        if name in body:
            _set(wire, values, name, role, body[name])
    if "admin_state_up" in body:
        state, is_up = wire.admin_state, asking.truth("admin_state_up", body["admin_state_up"])
        if state is not None:
            values[state] = is_up
        elif not is_up:
            raise _no_place(wire, "admin_state_up")
    if "description" in body:
        if "description" in kind.attributes:
            values["description"] = body["description"]
        elif body["description"]:
            raise _no_place(wire, "description")
    profile = body.get("binding:profile", msgspec.UNSET)
    if profile is not msgspec.UNSET and not isinstance(profile, dict | None):
        raise faults.invalid("binding:profile is no object")
    unbinds = "binding:host_id" in body and not body["binding:host_id"]
    return Wish(values, _fixed_ips(body), None if profile is msgspec.UNSET else profile or {}, unbinds)


_FIXED = {"ip_address": "IP address", "subnet_id": "UUID"}


def _set(wire: shapes.Wire, values: dict[str, Any], name: str, role: Role, value: Any) -> None:
    attribute = wire.attribute(role)
    if role in _CLEARED and not value:
        value = None
    if attribute is not None:
        if value is None and role not in _CLEARED:
            return  # the usual one
        values[attribute] = value
    elif value:
        raise _no_place(wire, name)


def _fixed_ips(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    if "fixed_ips" not in body:
        return None
    given = body["fixed_ips"]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise faults.invalid("fixed_ips is no list of objects")
    for one in given:
        for name, value in one.items():
            if name not in _FIXED:
                raise faults.invalid(
                    f"'{name[:100]}' is not a valid key for fixed_ips", f"possible: {', '.join(_FIXED)}"
                )
            if not isinstance(value, str) or not value:
                raise faults.invalid(
                    f"'{str(value)[:100]}' is not a valid {_FIXED[name]}", f"give one, or leave {name} out"
                )
    return given


def profile_text(profile: Mapping[str, Any]) -> str:
    """A profile as the attribute holds it."""
    return codec.encode(profile).decode()


Fill = Callable[[str], Any]


def filled(wire: shapes.Wire, values: dict[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What a proton requires of a new port and Neutron's clients never say."""
    kind = wire.resource.type
    for name, attribute in kind.attributes.items():
        if name in values or not attribute.required or attribute.default is not None or attribute.drawn:
            continue
        role = next((role for role, held in kind.roles.items() if held == name), None)
        if role is not None and role.value in usual:
            values[name] = usual[role.value]
        elif name in usual:
            values[name] = usual[name]
    return values


def any_mac() -> str:
    """For protons that give none: of the range that OpenStack's ports are in."""
    return "fa:16:3e:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))
