"""What the base objects mean: which kind a type is, which roles its attributes play.

The one place that knows 1.0's names of attributes; 2.0 writes roles in the file. Engines ask for
kinds and roles.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon.model.fieldtypes import OLD
from gluon.model.resolve import ObjectType
from gluon.model.types import Kind, Role

KINDS: Mapping[str, Kind] = {
    "BasePort": Kind.PORT,
    "BaseInterface": Kind.INTERFACE,
    "BaseService": Kind.SERVICE,
    "BaseServiceBinding": Kind.BINDING,
}

_PROJECT = "tenant_id"

ROLES: Mapping[str, Mapping[str, Role]] = {
    "BaseObject": {"name": Role.NAME},
    "BasePort": {
        "mac_address": Role.MAC,
        "status": Role.STATUS,
        "vnic_type": Role.VNIC_TYPE,
        "profile": Role.PROFILE,
        "device_id": Role.DEVICE,
        "device_owner": Role.DEVICE_OWNER,
        "host_id": Role.HOST,
        "vif_type": Role.VIF_TYPE,
        "vif_details": Role.VIF_DETAILS,
    },
    "BaseInterface": {
        "port_id": Role.PORT,
        "segmentation_type": Role.SEGMENTATION_TYPE,
        "segmentation_id": Role.SEGMENTATION_ID,
    },
    "BaseServiceBinding": {"interface_id": Role.INTERFACE, "service_id": Role.SERVICE},
}


def kind_of(object_type: ObjectType) -> Kind:
    """The kind of the nearest base object that has one."""
    return next((KINDS[base] for base in object_type.bases if base in KINDS), Kind.OTHER)


def roles_of(object_type: ObjectType, version: str) -> dict[Role, str]:
    """Role → attribute. In 1.0 an attribute plays a role if the base object that gives it declared the name."""
    roles = {}
    for name, attribute in object_type.attributes.items():
        if version == OLD:
            role = Role.PROJECT if name == _PROJECT else ROLES.get(attribute.origin, {}).get(name)
        else:
            said = attribute.merged.role
            role = Role(said.value) if said else None
        if role:
            roles[role] = name
    return roles
