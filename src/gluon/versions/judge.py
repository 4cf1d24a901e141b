"""Is a declared conversion sound? Does a body survive the way to the stored version and back?

In: the facts and both versions of an object type. Out: `Fault`s: what does not survive, and the cure.
A version with faults can still be read; writing through it would lose or invent something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gluon.model import conversions as facts
from gluon.model import types
from gluon.versions import converter


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`attribute` of the object type there (or here, where it is missing there)."""

    type: str
    attribute: str
    message: str
    hint: str


def faults(there: types.ObjectType, here: types.ObjectType, said: facts.TypeFacts) -> list[Fault]:
    """All that keeps the other version from being written through."""
    found = converter.origins(there, said)
    return [
        Fault(type=there.name, attribute=name, message=message, hint=hint)
        for name, message, hint in (
            *_unknown(there, said),
            *_places(there, here, found),
            *_shared(found),
            *_parts(found),
            *_missing(here, found),
        )
    ]


_Found = Iterator[tuple[str, str, str]]


def _unknown(there: types.ObjectType, said: facts.TypeFacts) -> _Found:
    for name in said.attributes:
        if name not in there.attributes:
            yield name, "that version has no such attribute", "leave it out"


def _places(there: types.ObjectType, here: types.ObjectType, found: dict[str, facts.Origin]) -> _Found:
    for name, origin in found.items():
        theirs = there.attributes[name]
        for target in converter.targets(origin):
            ours = here.attributes.get(target)
            if ours is None:
                yield name, f"the stored version has no {target}", "say where its value is, or fix it"
            elif isinstance(origin, facts.Renamed):
                yield from _alike(name, theirs, ours, origin)
            elif not (_is_text(theirs) and _is_text(ours)):
                yield name, f"only texts are joined and divided, {target} is {ours.type}", "rename it instead"
        if isinstance(origin, facts.Renamed) and (name == there.key) != (origin.name == here.key):
            yield name, "the key of one version is the key of the other", f"rename it to {here.key}"


def _alike(name: str, theirs: types.Attribute, ours: types.Attribute, origin: facts.Renamed) -> _Found:
    if theirs.value_type is not ours.value_type:
        yield (
            name,
            f"is {theirs.value_type} there and {ours.value_type} in the stored version",
            "a value keeps its type",
        )
        return
    written = dict.fromkeys((*(theirs.values or origin.values.values()), *origin.values))
    back = Counter(origin.values.get(value, value) for value in written)
    for value, times in back.items():
        if times > 1:
            yield name, f"{times} values become {value}", "give each a value of its own"
    if theirs.values and ours.values:
        after = {origin.values.get(v, v) for v in theirs.values}
        if strange := sorted(after - set(ours.values)):
            yield (
                name,
                f"the stored version does not take {', '.join(strange)}",
                "map them to values it takes",
            )
        if unsaid := sorted(set(ours.values) - after):
            yield name, f"nothing there stands for {', '.join(unsaid)}", "add a value there for each"
    if not _hold_the_same(theirs, ours):
        yield (
            name,
            "holds other values than in the stored version",
            "a list, map or object keeps what it is made of",
        )


def _hold_the_same(theirs: types.Attribute, ours: types.Attribute) -> bool:
    """Whether items and members, to any depth, are of one type and take the same words."""
    if theirs.members.keys() != ours.members.keys():
        return False
    inner = [(m, ours.members[name]) for name, m in theirs.members.items()]
    if theirs.items is not None and ours.items is not None:
        inner.append((theirs.items, ours.items))
    return all(
        a.value_type is b.value_type and set(a.values) == set(b.values) and _hold_the_same(a, b)
        for a, b in inner
    )


def _shared(found: dict[str, facts.Origin]) -> _Found:
    """Two attributes there for one here: which of them counts when both are written?"""
    whole = [o for o in found.values() if not isinstance(o, facts.Part)]
    taken = Counter(t for o in whole for t in converter.targets(o))
    divided = {o.name for o in found.values() if isinstance(o, facts.Part)}
    for name, origin in found.items():
        for target in converter.targets(origin):
            if taken[target] > 1 or (target in divided and not isinstance(origin, facts.Part)):
                yield name, f"another attribute stands for {target} as well", "one of them is enough"


def _parts(found: dict[str, facts.Origin]) -> _Found:
    by_target: dict[str, list[tuple[str, facts.Part]]] = {}
    for name, origin in found.items():
        if isinstance(origin, facts.Part):
            by_target.setdefault(origin.name, []).append((name, origin))
    for target, parts in by_target.items():
        name = parts[0][0]
        if sorted(p.index for _, p in parts) != list(range(len(parts))):
            yield name, f"the parts of {target} are not 0 to {len(parts) - 1}, each once", "number them so"
        if len({p.by for _, p in parts}) > 1:
            yield name, f"the parts of {target} are divided in different ways", "one `by` for all"


def _missing(here: types.ObjectType, found: dict[str, facts.Origin]) -> _Found:
    """A create through the other version must give all that the stored one asks for."""
    said = {t for o in found.values() for t in converter.targets(o)}
    for name, attribute in here.attributes.items():
        needed = attribute.required and attribute.default is None and not attribute.drawn
        if needed and name not in said and not (name == here.key and here.generated_key):
            yield name, "is required in the stored version and nothing there gives it", "give it a default"


def _is_text(attribute: types.Attribute) -> bool:
    return attribute.value_type in {types.AttributeType.STRING, types.AttributeType.ENUM}
