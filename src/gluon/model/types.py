"""What a loaded model is: frozen data, the same for every version of the language.

Made by `model.loader`, read by everybody else. Engines ask for roles and kinds, never for the
names that a model happens to use (`tenant_id` is 1.0's name of the role `project`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gluon.model import conversions


class AttributeType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UUID = "uuid"
    ENUM = "enum"
    REFERENCE = "reference"
    LIST = "list"
    MAP = "map"
    OBJECT = "object"


class Format(StrEnum):
    """Formats of strings and integers. Version 2.0 writes those of the domain as types: `type: vlan`."""

    DATE_TIME = "date-time"
    JSON = "json"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    MAC = "mac"
    URI = "uri"
    EMAIL = "email"
    INT32 = "int32"
    INT64 = "int64"
    IP = "ip"
    CIDR = "cidr"
    VLAN = "vlan"
    VNI = "vni"
    ASN = "asn"
    MPLS_LABEL = "mpls_label"
    ROUTE_TARGET = "route_target"
    ROUTE_DISTINGUISHER = "route_distinguisher"


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


class OnDelete(StrEnum):
    """What happens to a referrer when the object that it refers to is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"
    UNSET = "unset"


class Scope(StrEnum):
    """Among which objects a value is unique."""

    PROJECT = "project"
    GLOBAL = "global"


class HookPoint(StrEnum):
    """When a hook runs: inside the decision (pure), before the lock (may do I/O), from the journal (durable)."""

    CHECK = "check"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """From which pool a value is taken where the body gives none.

    `through` names the reference of this object type whose object has the pool; None: the model's own pool.
    """

    name: str
    through: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A supply of values, one for the model or one for each object of a type.

    `type` is that of an attribute that takes from it. `ranges` are texts: `low-high`, one value, or a
    prefix. `source` and `exclude` are paths of attributes of the object that has the pool (`subnets.cidr`),
    whose values are ranges too; `exclude` may also hold ranges. `template` turns a number of `ranges`
    into a text, `{}` standing for the number. `rest` in seconds: how long a released value is not given again.
    `open`: a value outside of all that may be wished for.
    """

    name: str
    type: AttributeType
    format: Format | None = None
    ranges: tuple[str, ...] = ()
    source: str | None = None
    exclude: tuple[str, ...] = ()
    template: str | None = None
    rest: int = 30
    open: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """No two objects have the same values in `attributes`; a null among them never counts."""

    attributes: tuple[str, ...]
    scope: Scope = Scope.GLOBAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule: `rule` is an expression that must be true of the object; `at` is the attribute to blame.

    `write_only`: judged only when the object itself is written, not when one that it refers to changes.
    """

    rule: str
    message: str
    at: str | None = None
    write_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of an object type, after inheritance.

    `length` in characters (strings: 255 where the model gives none); `minimum`/`maximum` inclusive;
    `reference` is the object type referred to, whose key's type and format the value takes:
    `value_type`/`value_format` are those (for all other types: its own), and length, values and
    limits are the key's too. `items` describes the elements of a list or the values of a map,
    `members` those of a nested object. `nullable`: null may be stored. `immutable`: fixed after create;
    `read_only`: set by the server only; `secret`: taken, and never shown. `pool`: where an absent value
    comes from, and to which the items of a list belong. `listed_as`: the path under the object referred to that lists the referrers. `policies` maps `get|set`
    to the rule that must be true too. `indexed`: lists are filtered and sorted by it. `kept`: answers show what the client wrote (1.0), not the normal form.
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
    items: Attribute | None = None
    members: Mapping[str, Attribute] = field(default_factory=dict)
    default: Any = None
    nullable: bool = True
    immutable: bool = False
    read_only: bool = False
    secret: bool = False
    pattern: str | None = None
    min_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    on_delete: OnDelete = OnDelete.RESTRICT
    pool: PoolUse | None = None
    listed_as: str | None = None
    indexed: bool = False
    renamed_from: str | None = None
    example: Any = None
    policies: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True

    @property
    def drawn(self) -> bool:
        """Whether a pool gives a value where the body has none. To a list it gives what is wished for, and nothing else."""
        return self.pool is not None and self.type is not AttributeType.LIST


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`POST …/<key>/<name>`: what it takes and gives, and the entry point that does it."""

    name: str
    hook: str
    description: str = ""
    takes: Mapping[str, Attribute] = field(default_factory=dict)
    gives: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """One kind of object of a model.

    `attributes` keeps the order of declaration, inherited first, the key included. `key` is the
    attribute in the URL. `generated_key`: the server makes a uuid where the body gives none.
    `unique` lists further unique constraints. `parent` is the object type whose URL nests this one,
    `parent_key` the attribute that refers to it. `policies` maps `create|delete|get|list|update` (and
    actions) to a rule in the `oslo.policy` language. `quota` is the most that a project has by default.
    `hooks` names entry points. `neutron` says which attributes the Neutron face shows as what. `table`
    is said by the database, never by a file: the table that holds the objects, where that is not the one of
    the type's name.
    """

    name: str
    singular: str
    plural: str
    kind: Kind
    description: str = ""
    attributes: Mapping[str, Attribute]
    key: str
    generated_key: bool
    unique: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    pools: Mapping[str, Pool] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    hooks: Mapping[HookPoint, tuple[str, ...]] = field(default_factory=dict)
    quota: int | None = None
    neutron: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Mapping[str, Any], ...] = ()
    parent: str | None = None
    parent_key: str | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[Role, str] = field(default_factory=dict)
    table: str = ""

    def role(self, role: Role) -> str | None:
        """The attribute that plays `role` here, or None."""
        return self.roles.get(role)

    @property
    def references(self) -> tuple[Attribute, ...]:
        """The attributes that are themselves a reference; those inside lists and objects are `links`."""
        return tuple(a for a in self.attributes.values() if a.reference)

    @property
    def links(self) -> tuple[Link, ...]:
        """The references inside lists, maps and nested objects."""
        return tuple(
            link for a in self.attributes.values() if a.type in NESTED for link in _links(a, (a.name,))
        )


NESTED = frozenset({AttributeType.LIST, AttributeType.MAP, AttributeType.OBJECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A reference inside a nested value: `path` from the attribute down, `*` for every item."""

    path: tuple[str, ...]
    target: str
    attribute: Attribute

    @property
    def top(self) -> str:
        """The attribute of the object type that holds it."""
        return self.path[0]


def _links(attribute: Attribute, path: tuple[str, ...]) -> tuple[Link, ...]:
    if attribute.reference:
        return (Link(path=path, target=attribute.reference, attribute=attribute),)
    inner = [(m, (*path, m.name)) for m in attribute.members.values()]
    if attribute.items:
        inner.append((attribute.items, (*path, "*")))
    return tuple(link for a, p in inner for link in _links(a, p))


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Another version of a proton, and how its bodies are made of the stored ones.

    `types` by name there; those of which nothing is said have the same name here. Dates (ISO 8601):
    `deprecated` since when clients should leave it (RFC 9745), `sunset` when it may be gone (RFC 8594).
    """

    model: Model
    deprecated: str | None = None
    sunset: str | None = None
    types: Mapping[str, conversions.TypeFacts] = field(default_factory=dict)

    @property
    def state(self) -> conversions.State:
        """What the roots say of it."""
        return conversions.State.DEPRECATED if self.deprecated else conversions.State.SUPPORTED

    def here(self, name: str) -> conversions.TypeFacts:
        """What is said of an object type there."""
        return self.types.get(name) or conversions.TypeFacts(name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One proton's model: `/proton/<name>/v<version>/…`.

    `versions` are the others that are served from the same objects: this one is stored.
    `digest` is a hex digest of the merged content (independent of comments and file layout);
    `source` names where it came from, for people.
    """

    file_version: str
    name: str
    version: str
    description: str = ""
    author: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, ObjectType]
    pools: Mapping[str, Pool] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()
    digest: str
    source: str = ""

    def referrers(self, name: str) -> tuple[tuple[ObjectType, Attribute], ...]:
        """Every (object type, attribute) that is a reference to object type `name`; links are not among them."""
        return tuple((t, a) for t in self.types.values() for a in t.references if a.reference == name)
