"""Bodies that the model takes, made from the model: the examples of the reference page.

In: a model. Out: a create for each object type, in an order in which each finds what it refers to. Invariant: all of
them together can be sent to an empty server, in this order, and taken back in the reverse one. An example of the
model goes before what is made up here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from gluon.model.types import Attribute, AttributeType, Format, Model, ObjectType, Role

Body = dict[str, Any]

PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"

_SPACE = uuid.UUID("5c0f3a52-6d5e-4a4b-9f0c-1a2b3c4d5e6f")
_FORMATS: Mapping[Format, Any] = {
    Format.DATE_TIME: "2030-01-31T12:00:00Z",
    Format.JSON: "{}",
    Format.IPV4: "192.0.2.10",
    Format.IPV6: "2001:db8::10",
    Format.IP: "192.0.2.10",
    Format.CIDR: "192.0.2.0/24",
    Format.MAC: "fa:16:3e:00:00:01",
    Format.URI: "https://example.net/",
    Format.EMAIL: "noc@example.net",
    Format.VLAN: 100,
    Format.VNI: 10000,
    Format.ASN: 65000,
    Format.MPLS_LABEL: 1000,
    Format.ROUTE_TARGET: "65000:1",
    Format.ROUTE_DISTINGUISHER: "65000:1",
}


def creates(model: Model) -> dict[str, Body]:
    """A body by object type. A type whose required references form a circle is left out."""
    made: dict[str, Body] = {}
    left = dict(model.types)
    while ready := [t for t in left.values() if _needs(t) <= made.keys()]:
        for object_type in ready:
            made[object_type.name] = _Maker(model, object_type, made).body()
            del left[object_type.name]
    return made


def harmless(object_type: ObjectType, example: Mapping[str, Any]) -> Body:
    """An example of the model without the secrets that a body may do without."""
    hidden = {a.name for a in object_type.attributes.values() if a.secret and not a.required}
    return {name: value for name, value in example.items() if name not in hidden}


def changes(object_type: ObjectType) -> Body | None:
    """A body that changes such an object and breaks no rule that is seen from here; None: there is none."""
    for name in (object_type.role(Role.NAME), "description"):
        attribute = object_type.attributes.get(name or "")
        if attribute is None or attribute.type is not AttributeType.STRING:
            continue
        bound = attribute.immutable or attribute.read_only or attribute.primary or attribute.min_length
        if not (bound or attribute.pattern or attribute.format):
            return {attribute.name: "renamed"[: attribute.length]}
    return None


def _needs(object_type: ObjectType) -> set[str]:
    """The types that an object cannot be without."""
    found = {a.reference for a in object_type.references if a.reference and a.required}
    return found | {link.target for link in object_type.links if object_type.attributes[link.top].required}


def _is_told(attribute: Attribute) -> bool:
    """Is the value worth a word? What is needed is, and a name."""
    if attribute.default is not None or attribute.drawn:
        return False
    return attribute.required or attribute.primary or attribute.role is Role.NAME


class _Maker:
    """Makes the body of one object; `made` has those that it may refer to."""

    def __init__(self, model: Model, owner: ObjectType, made: Mapping[str, Body]) -> None:
        self._model = model
        self._owner = owner
        self._made = made

    def body(self) -> Body:
        owner = self._owner
        given = owner.examples[0] if owner.examples else {}
        body: Body = {}
        for name, attribute in owner.attributes.items():
            if attribute.read_only or (attribute.secret and not attribute.required):
                continue
            if attribute.reference:
                if attribute.reference in self._made:
                    body[name] = self._key_of(attribute.reference)
            elif name == owner.key and owner.generated_key:
                body[name] = str(uuid.uuid5(_SPACE, f"{self._model.name}/{owner.name}"))
            elif name in given:
                body[name] = given[name]
            elif attribute.role is Role.PROJECT:
                body[name] = PROJECT
            elif attribute.example is not None or (not given and _is_told(attribute)):
                body[name] = self._value(attribute)
        return body

    def _key_of(self, name: str) -> Any:
        return self._made[name][self._model.types[name].key]

    def _value(self, attribute: Attribute) -> Any:
        if attribute.reference:
            return self._key_of(attribute.reference)
        if attribute.example is not None:
            return attribute.example
        match attribute.value_type:
            case AttributeType.BOOLEAN:
                return True
            case AttributeType.ENUM:
                return attribute.values[0]
            case AttributeType.UUID:
                return str(uuid.uuid5(_SPACE, attribute.name))
            case AttributeType.INTEGER | AttributeType.NUMBER:
                return _number(attribute)
            case AttributeType.LIST:
                return (
                    [self._value(attribute.items)] * max(attribute.min_items or 0, 1)
                    if attribute.items
                    else []
                )
            case AttributeType.MAP:
                return {"a": self._value(attribute.items)} if attribute.items and attribute.min_items else {}
            case AttributeType.OBJECT:
                return {m.name: self._value(m) for m in attribute.members.values() if _is_told(m)}
            case _:
                return _text(attribute, self._owner)


def _number(attribute: Attribute) -> Any:
    wanted = _FORMATS.get(attribute.format, 1500) if attribute.format else 1500
    if attribute.role is Role.SEGMENTATION_ID:
        wanted = 0
    if attribute.maximum is not None:
        wanted = min(wanted, attribute.maximum)
    return wanted if attribute.minimum is None else max(wanted, attribute.minimum)


def _text(attribute: Attribute, owner: ObjectType) -> str:
    if attribute.format in {Format.IPV4, Format.IP} and attribute.name.startswith(("peer", "remote")):
        return "192.0.2.20"
    if attribute.format:
        return str(_FORMATS[attribute.format])
    text = f"{owner.singular}-1" if attribute.role is Role.NAME or attribute.primary else "example"
    if "rt" in attribute.name.split("_"):
        text = "65000:1"
    return text.ljust(attribute.min_length or 0, "x")[: attribute.length]
