"""Callbacks of Neutron's registry, by which Gluon is asked before Neutron writes anything of a port that is Gluon's.

Made, changed, deleted: the registry tells of each outside of any transaction, with what Neutron knows of the port already, so
that whose it is costs no statement. A refusal becomes Neutron's answer. What Gluon answered is kept in the request's context (`said`) for
the shadow that is written next. Called by Neutron's registry; `driver` subscribes.
"""

from __future__ import annotations

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import allowedaddresspairs, port_security
from neutron_lib.callbacks import events, registry, resources

from gluon.hosted import faults, ids, said
from gluon.hosted.face import Body, Face

_LAST = 99_999_999
"""After those who may refuse."""
_NOT_SENT = frozenset({"status", "standard_attr_id", "network", "bulk", "tags", "dns_name", "dns_domain"})
"""Neutron's own, of the row: Nova sends `dns_name` with each bind where Neutron has names."""
_EMPTY: dict[str, Any] = {"fixed_ips": [], "security_groups": [], allowedaddresspairs.ADDRESS_PAIRS: []}
"""What a shadow has none of: Neutron would allocate, filter and check."""


class Asking:
    """Of one process."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def subscribe(self) -> None:
        for resource, event, callback in (
            (resources.PORT, events.BEFORE_CREATE, self.before_create),
            (resources.PORT, events.BEFORE_UPDATE, self.before_update),
            (resources.PORT, events.BEFORE_DELETE, self.before_delete),
            (resources.NETWORK, events.BEFORE_DELETE, self.refuse_network),
            (resources.SUBNET, events.BEFORE_CREATE, self.refuse_subnet),
            (resources.SUBNET, events.BEFORE_UPDATE, self.refuse_subnet),
            (resources.SUBNET, events.BEFORE_DELETE, self.refuse_subnet),
        ):
            registry.subscribe(callback, resource, event, _LAST)

    def before_create(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        attributes: Body = payload.states[0]
        if not ids.is_gluons(attributes.get("network_id")):
            return
        context = payload.context
        if said.follows(context):
            return
        made = said.one(context)
        if made:
            answer = made[0]
        else:
            answer = self._face.create_port(context, asked(attributes, new=True))
            if made is not None:
                made.append(answer)
        said.keep(context, answer["id"], answer)
        attributes.update(as_shadow(answer))
        _empty(attributes)

    def before_update(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        before = payload.states[0]
        if not ids.is_gluons(before["network_id"]) or len(payload.states) < 2:
            return
        attributes: Body = payload.states[1]
        context = payload.context
        if said.follows(context):
            return
        # A status that is copied and a binding that is written are told of in the same way, with an id.
        if "id" in attributes:
            self._activate(context, before["id"], payload.metadata or {})
            return
        said.keep(context, before["id"], self._face.update_port(context, before["id"], asked(attributes)))
        for name in _EMPTY:
            attributes.pop(name, None)

    def _activate(self, context: Any, port: str, metadata: Body) -> None:
        """Where another binding than the active one is written, it is made the active one."""
        old, new = metadata.get("orig_binding"), metadata.get("new_binding")
        if old is not None and new is not None and old.host != new.host:
            self._face.activate(context, port, new.host)

    def before_delete(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        port = (payload.metadata or {}).get("port")
        if port is not None and ids.is_gluons(port["network_id"]) and not said.follows(payload.context):
            self._face.delete_port(payload.context, port["id"])

    def refuse_network(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        if ids.is_gluons(payload.resource_id) and not said.follows(payload.context):
            raise faults.not_here(f"network {payload.resource_id}")

    def refuse_subnet(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        if said.follows(payload.context):
            return
        named = [payload.resource_id] if payload.resource_id else []
        for state in (*payload.states, payload.desired_state):
            if isinstance(state, dict):
                named += [state.get("network_id"), state.get("id")]
        if any(ids.is_gluons(one) for one in named):
            raise faults.not_here("the subnet")


def asked(attributes: Body, *, new: bool = False) -> Body:
    """What the user said, without what Neutron filled in."""
    return {
        name: value
        for name, value in attributes.items()
        if value is not constants.ATTR_NOT_SPECIFIED
        and name not in _NOT_SENT
        and not (new and (value is None or name == "id" or (value == [] and name != "fixed_ips")))
    }


def as_shadow(answer: Body) -> Body:
    """The columns of a port's row."""
    names = (
        "id",
        "mac_address",
        "name",
        "admin_state_up",
        "status",
        "device_id",
        "device_owner",
        "project_id",
    )
    return {name: answer[name] for name in names if name in answer}


def _empty(attributes: Body) -> None:
    attributes.update({name: list(value) for name, value in _EMPTY.items()})
    if port_security.PORTSECURITY in attributes:
        attributes[port_security.PORTSECURITY] = False
