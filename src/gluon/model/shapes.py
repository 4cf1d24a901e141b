"""The static types of object types, for rules: `self` and `old` of each, and which paths are secret.

In: the object types of a model, complete or not yet checked. Out: `expressions.shapes`. Members are made when a
rule asks for them, as references go in circles. Called by the loader, and by the engine that judges rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gluon.expressions import shapes
from gluon.expressions.shapes import Shape
from gluon.model.types import Attribute, AttributeType, ObjectType

_PLAIN: Mapping[AttributeType, Shape] = {
    AttributeType.STRING: shapes.STRING,
    AttributeType.UUID: shapes.STRING,
    AttributeType.ENUM: shapes.STRING,
    AttributeType.INTEGER: shapes.INT,
    AttributeType.NUMBER: shapes.DOUBLE,
    AttributeType.BOOLEAN: shapes.BOOL,
}


def roots(types: Mapping[str, ObjectType], name: str) -> Mapping[str, Shape]:
    """What `self` and `old` are in a rule of object type `name`; `old` is null at create."""
    this = shapes.object_of(name, _members(types, name))
    return {"self": this, "old": shapes.nullable(this)}


def secret(types: Mapping[str, ObjectType], name: str) -> Callable[[tuple[str, ...]], bool]:
    """Whether a path of a rule of object type `name` (`self.service_id.password`) leads to or through a secret."""

    def hidden(path: tuple[str, ...]) -> bool:
        members: Mapping[str, Attribute] = types[name].attributes
        inside: Attribute | None = None
        for step in path[1:]:
            attribute = inside.items if step == "*" and inside else members.get(step)
            if attribute is None:
                return False
            if attribute.secret:
                return True
            inside, members = attribute, attribute.members
            if attribute.reference and attribute.reference in types:
                members = types[attribute.reference].attributes
        return False

    return hidden


def _members(types: Mapping[str, ObjectType], name: str) -> shapes.Members:
    made: dict[str, Shape] = {}

    def members() -> Mapping[str, Shape]:
        if not made and name in types:
            made.update({a.name: _shape(types, a) for a in types[name].attributes.values()})
        return made

    return members


def _shape(types: Mapping[str, ObjectType], attribute: Attribute) -> Shape:
    shape = _bare(types, attribute)
    return shapes.nullable(shape) if attribute.nullable else shape


def _bare(types: Mapping[str, ObjectType], attribute: Attribute) -> Shape:
    if attribute.reference:
        key = _PLAIN.get(attribute.value_type, shapes.STRING)
        return shapes.reference(attribute.reference, key, _members(types, attribute.reference))
    match attribute.type:
        case AttributeType.LIST:
            return shapes.list_of(_shape(types, attribute.items) if attribute.items else shapes.ANY)
        case AttributeType.MAP:
            return shapes.map_of(_shape(types, attribute.items) if attribute.items else shapes.ANY)
        case AttributeType.OBJECT:
            inside = {name: _shape(types, a) for name, a in attribute.members.items()}
            return shapes.object_of(attribute.name, lambda: inside)
    return _PLAIN[attribute.type]
