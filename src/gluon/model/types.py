"""What a loaded model is: frozen data, the same for every version of the language.

Made by `model.loader`, read by everybody else. Engines ask for roles and kinds, never for the
names that a model happens to use (`tenant_id` is 1.0's name of the role `project`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AttributeType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UUID = "uuid"
    ENUM = "enum"
    REFERENCE = "reference"


class Format(StrEnum):
    """Formats of strings (and of integers)."""

    DATE_TIME = "date-time"
    JSON = "json"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    MAC = "mac"
    URI = "uri"
    EMAIL = "email"
    INT32 = "int32"
    INT64 = "int64"


class Role(StrEnum):
    """What an attribute means to the engines. Given by the base objects, by attribute name there."""

    PROJECT = "project"
    NAME = "name"
    PORT = "port"
    INTERFACE = "interface"
    SERVICE = "service"
    HOST = "host"
    DEVICE = "device"
    DEVICE_OWNER = "device_owner"
    MAC = "mac"
    STATUS = "status"
    VNIC_TYPE = "vnic_type"
    PROFILE = "profile"
    VIF_TYPE = "vif_type"
    VIF_DETAILS = "vif_details"
    SEGMENTATION_TYPE = "segmentation_type"
    SEGMENTATION_ID = "segmentation_id"


class Kind(StrEnum):
    """Which part of the base pattern an object type plays: Port 1-* Interface 1-* ServiceBinding *-1 Service."""

    PORT = "port"
    INTERFACE = "interface"
    SERVICE = "service"
    BINDING = "binding"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of an object type, after inheritance.

    `length` in characters (strings: 255 where the model gives none); `minimum`/`maximum` inclusive;
    `reference` is the object type referred to, whose key's type and format the value takes:
    `value_type`/`value_format` are those (for all other types: its own), and length, values and
    limits are the key's too.
    """

    name: str
    type: AttributeType
    description: str = ""
    required: bool = False
    primary: bool = False
    length: int | None = None
    format: Format | None = None
    values: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    reference: str | None = None
    value_type: AttributeType
    value_format: Format | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """One kind of object of a model.

    `attributes` keeps the order of declaration, inherited first, the key included. `key` is the
    attribute in the URL. `generated_key`: the server makes a uuid where the body gives none.
    `unique` lists further unique constraints, each a tuple of attribute names. `parent` is the
    object type whose URL nests this one, `parent_key` the attribute that refers to it.
    `policies` maps `create|delete|get|list|update` to a rule in the `oslo.policy` language.
    """

    name: str
    singular: str
    plural: str
    kind: Kind
    description: str = ""
    attributes: Mapping[str, Attribute]
    key: str
    generated_key: bool
    unique: tuple[tuple[str, ...], ...] = ()
    parent: str | None = None
    parent_key: str | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[Role, str] = field(default_factory=dict)

    def role(self, role: Role) -> str | None:
        """The attribute that plays `role` here, or None."""
        return self.roles.get(role)

    @property
    def references(self) -> tuple[Attribute, ...]:
        """The attributes that refer to other objects."""
        return tuple(a for a in self.attributes.values() if a.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One proton's model: `/proton/<name>/v<version>/…`.

    `digest` is a hex digest of the merged content (independent of comments and file layout);
    `source` names where it came from, for people.
    """

    file_version: str
    name: str
    version: str
    description: str = ""
    author: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, ObjectType]
    digest: str
    source: str = ""

    def of_kind(self, kind: Kind) -> tuple[ObjectType, ...]:
        """All object types of `kind`, in order of declaration."""
        return tuple(t for t in self.types.values() if t.kind is kind)

    def referrers(self, name: str) -> tuple[tuple[ObjectType, Attribute], ...]:
        """Every (object type, attribute) of this model that refers to object type `name`."""
        return tuple((t, a) for t in self.types.values() for a in t.references if a.reference == name)
