"""Where the objects of a model are found: every path of every object type, with what each may be asked.

In: a model. Out: `Place`s, in the order in which people read them. OpenAPI and the reference page are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gluon.model.types import Attribute, Model, ObjectType


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A key inside a path: the name it has there, and whose key it is."""

    parameter: str
    owner: ObjectType


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The collection of `type` at `path`; `above` are the keys in it.

    `listed`: a back-reference, which only lists the objects whose `via` names the last of those keys. `under` tells
    several places of one type apart, in names: `port` for `/ports/{port_id}/interfaces`.
    """

    type: ObjectType
    path: str
    above: tuple[Segment, ...] = ()
    listed: bool = False
    via: str | None = None
    under: str = ""

    @property
    def key(self) -> str:
        """The parameter of the object's own key, unlike all before it."""
        taken = {s.parameter for s in self.above}
        name = self.type.key
        while name in taken:
            name = f"{self.type.singular}_{name}"
        return name

    @property
    def one(self) -> str:
        """The path of one object."""
        return f"{self.path}/{{{self.key}}}"


def base(model: Model) -> str:
    """The path that all others begin with."""
    return f"/proton/{model.name}/v{model.version}"


def old(model: Model) -> bool:
    """Is it one of 1.0, which nests two deep and never looks whether the parent is there?"""
    return model.file_version == "1.0"


def places(model: Model, object_type: ObjectType) -> tuple[Place, ...]:
    """Its own collection, those below its parents, and the back-references that list it."""
    own = Place(type=object_type, path=f"{base(model)}/{object_type.plural}")
    nested = [
        Place(
            type=object_type,
            path=f"{base(model)}/{_joined(chain)}/{object_type.plural}",
            above=chain,
            under="-".join(s.owner.singular for s in chain),
        )
        for chain in _chains(model, object_type)
    ]
    return (own, *nested, *_listings(model, object_type))


def _chains(model: Model, object_type: ObjectType) -> Iterator[tuple[Segment, ...]]:
    """The parents of a type: the nearest alone, then with its own parent before it, and so on."""
    chain: tuple[Segment, ...] = ()
    deepest = 1 if old(model) else len(model.types)
    below, seen = object_type, {object_type.name}
    while below.parent and below.parent_key and below.parent not in seen and len(chain) < deepest:
        above = model.types[below.parent]
        seen.add(above.name)
        chain = (Segment(parameter=_free(below.parent_key, above, chain), owner=above), *chain)
        yield chain
        below = above


def _free(name: str, owner: ObjectType, chain: tuple[Segment, ...]) -> str:
    taken = {s.parameter for s in chain}
    while name in taken:
        name = f"{owner.singular}_{name}"
    return name


def _joined(chain: tuple[Segment, ...]) -> str:
    return "/".join(f"{s.owner.plural}/{{{s.parameter}}}" for s in chain)


def _listings(model: Model, object_type: ObjectType) -> Iterator[Place]:
    for path, attribute in references(object_type):
        if attribute.listed_as and attribute.reference:
            target = model.types[attribute.reference]
            yield Place(
                type=object_type,
                path=f"{base(model)}/{target.plural}/{{{target.key}}}/{attribute.listed_as}",
                above=(Segment(parameter=target.key, owner=target),),
                listed=True,
                via=path,
                under=f"{target.singular}-{attribute.listed_as}",
            )


def references(object_type: ObjectType) -> Iterator[tuple[str, Attribute]]:
    """Every reference, inside lists and objects too, with where it stands."""
    yield from ((a.name, a) for a in object_type.references)
    yield from ((".".join(link.path).replace(".*", "[]"), link.attribute) for link in object_type.links)
