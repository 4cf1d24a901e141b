"""The static types of object types, for rules: `self` and `old` of each, and which paths are secret.

In: the attributes of object types, complete or, while a model is checked, as far as they are clear. Out:
`expressions.shapes`. Members are made when a rule asks for them, as references go in circles. Called by
`check_rules`, and by the engine that judges rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gluon.expressions import shapes
from gluon.expressions.shapes import Shape
from gluon.model.types import Attribute, AttributeType, ObjectType

AttributesOf = Callable[[str], "Mapping[str, Attribute | None] | None"]
"""The attributes of an object type by its name, None for one that is not clear; None: there is no such type."""

_PLAIN: Mapping[AttributeType, Shape] = {
    AttributeType.STRING: shapes.STRING,
    AttributeType.UUID: shapes.STRING,
    AttributeType.ENUM: shapes.STRING,
    AttributeType.INTEGER: shapes.INT,
    AttributeType.NUMBER: shapes.DOUBLE,
    AttributeType.BOOLEAN: shapes.BOOL,
}


Closed = Callable[[str, str], bool]
"""Of an object type and its attribute: whether somebody may not read it."""


def roots(types: Mapping[str, ObjectType], name: str) -> Mapping[str, Shape]:
    """What `self` and `old` are in a rule of object type `name`; `old` is null at create."""
    return roots_of(lambda other: types[other].attributes if other in types else None, name)


def roots_of(attributes_of: AttributesOf, name: str) -> Mapping[str, Shape]:
    """The same of types that are still being checked: what is not clear fits everywhere."""
    this = shapes.object_of(name, _Members(attributes_of, name))
    return {"self": this, "old": shapes.nullable(this)}


def secret(
    types: Mapping[str, ObjectType], name: str, closed: Closed = lambda _type, _attribute: False
) -> Callable[[tuple[str, ...]], bool]:
    """Whether a path of a rule of object type `name` (`self.service_id.password`) leads to or through a secret, or
    what is `closed` to somebody."""

    def hidden(path: tuple[str, ...]) -> bool:
        owner = name
        members: Mapping[str, Attribute] = types[name].attributes
        inside: Attribute | None = None
        for step in path[1:]:
            attribute = inside.items if inside and inside.items else members.get(step)
            if attribute is None:
                return False
            if attribute.secret or (inside is None and closed(owner, step)):
                return True
            inside, members = attribute, attribute.members
            if attribute.reference and attribute.reference in types:
                owner, inside = attribute.reference, None
                members = types[owner].attributes
        return False

    return hidden


class _Members:
    """The members of an object type, made once, when first asked for."""

    def __init__(self, attributes_of: AttributesOf, name: str) -> None:
        self._attributes_of = attributes_of
        self._name = name
        self._made: Mapping[str, Shape] | None = None

    def __call__(self) -> Mapping[str, Shape]:
        if self._made is None:
            attributes = self._attributes_of(self._name) or {}
            self._made = {name: _shape(self._attributes_of, a) for name, a in attributes.items()}
        return self._made


def _shape(attributes_of: AttributesOf, attribute: Attribute | None) -> Shape:
    if attribute is None:
        return shapes.ANY
    shape = _bare(attributes_of, attribute)
    return shapes.nullable(shape) if attribute.nullable else shape


def _bare(attributes_of: AttributesOf, attribute: Attribute) -> Shape:
    if attribute.reference:
        if attributes_of(attribute.reference) is None:
            return shapes.ANY
        key = _PLAIN.get(attribute.value_type, shapes.STRING)
        return shapes.reference(attribute.reference, key, _Members(attributes_of, attribute.reference))
    match attribute.type:
        case AttributeType.LIST:
            return shapes.list_of(_shape(attributes_of, attribute.items), attribute.max_items)
        case AttributeType.MAP:
            return shapes.map_of(_shape(attributes_of, attribute.items), attribute.max_items)
        case AttributeType.OBJECT:
            inside = {name: _shape(attributes_of, a) for name, a in attribute.members.items()}
            return shapes.object_of(attribute.name, lambda: inside)
    return _PLAIN.get(attribute.type, shapes.ANY)
