"""The differences of one attribute, each judged: what it asks of stored objects and of clients.

In: the attribute as it was and as it is to be. Out: `Change`s. `JUDGES` has a row for every fact of an
attribute, so that a fact new to the language cannot be forgotten. Pure; called by `diff`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gluon.evolve import plain, values
from gluon.evolve.changes import GIVEN_BACK, Change, Impact
from gluon.model.fieldtypes import RANGES
from gluon.model.types import Attribute, AttributeType, Format, PoolUse, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one difference means; `Change` without its place."""

    impact: Impact
    reason: str
    cure: str = ""
    breaking: bool = False
    stored: bool = False


Judge = Callable[[Attribute, Attribute], Judgement | None]

_ANOTHER = "add an attribute of another name, fill it, and drop this one later"


def _fine(reason: str, *, breaking: bool = False) -> Judgement:
    return Judgement(impact=Impact.COMPATIBLE, reason=reason, breaking=breaking)


def _look(reason: str) -> Judgement:
    return Judgement(impact=Impact.VALIDATION, reason=reason, breaking=True)


def allows_null(attribute: Attribute) -> bool:
    """Whether null may be stored: 1.0 says `required` and means that, 2.0 says each on its own."""
    return not attribute.required if attribute.kept else attribute.nullable


def limits(attribute: Attribute) -> tuple[float | None, float | None]:
    """The lowest and highest number that an attribute takes; None: no limit."""
    low: float | None = attribute.minimum
    high: float | None = attribute.maximum
    if attribute.value_type is AttributeType.INTEGER:
        least, most = RANGES[attribute.value_format or Format.INT64]
        low = least if low is None else max(least, low)
        high = most if high is None else min(most, high)
    return low, high


# -- type ------------------------------------------------------------------------------------


def _typed(a: Attribute) -> str:
    if a.reference:
        return f"reference to {a.reference}"
    format_ = a.value_format or a.format
    return f"{a.type.value} ({format_.value})" if format_ else a.type.value


def _type(old: Attribute, new: Attribute) -> Judgement | None:
    if old.reference and new.reference and old.reference != new.reference:
        return Judgement(
            impact=Impact.REFUSED, stored=True, breaking=True, cure=_ANOTHER,
            reason=f"stored objects refer to objects of {old.reference}",
        )  # fmt: skip
    if new.reference and not old.reference:
        return Judgement(
            impact=Impact.REFUSED, stored=True, breaking=True, cure=_ANOTHER,
            reason=f"a stored value need not be the key of an object of {new.reference}",
        )  # fmt: skip
    if values.converter(old, new) is None:
        return Judgement(
            impact=Impact.REFUSED, stored=True, breaking=True, cure=_ANOTHER,
            reason=f"no {_typed(old)} says what {_typed(new)} it would be",
        )  # fmt: skip
    if old.type is not new.type or old.value_type is not new.value_type or old.reference != new.reference:
        return Judgement(
            impact=Impact.MIGRATION, breaking=True,
            reason="stored values are converted; one that has no form in the new type stops it",
        )  # fmt: skip
    return _format(old, new)


def _format(old: Attribute, new: Attribute) -> Judgement | None:
    if old.value_format is new.value_format and old.format is new.format:
        return None
    if old.value_type is AttributeType.INTEGER:
        (low, high), (least, most) = (_range(a.value_format) for a in (old, new))
        if least <= low and most >= high:
            return _fine("every stored value is one of the new format")
        return _look("a stored value may be outside the new format")
    if new.value_format is None:
        return _fine("any text will do now")
    return Judgement(
        impact=Impact.MIGRATION, breaking=True,
        reason="stored texts are put in the new format's normal form; one that is none stops it",
    )  # fmt: skip


def _range(format_: Format | None) -> tuple[int, int]:
    return RANGES.get(format_ or Format.INT64, RANGES[Format.INT64])


# -- limits ----------------------------------------------------------------------------------


def _upper(name: str) -> Judge:
    """A limit above: more is fine, less has to be looked at."""

    def judge(old: Attribute, new: Attribute) -> Judgement:
        was, is_ = getattr(old, name), getattr(new, name)
        if is_ is None or (was is not None and is_ >= was):
            return _fine("the limit is wider")
        return _look("a stored value may be over the limit")

    return judge


def _lower(name: str) -> Judge:
    def judge(old: Attribute, new: Attribute) -> Judgement:
        was, is_ = getattr(old, name), getattr(new, name)
        if is_ is None or (was is not None and is_ <= was):
            return _fine("the limit is wider")
        return _look("a stored value may be below the limit")

    return judge


def _number(side: int) -> Judge:
    """Limits that say no more than the format does change nothing."""

    def judge(old: Attribute, new: Attribute) -> Judgement:
        was, is_ = limits(old)[side], limits(new)[side]
        if is_ is None or (was is not None and (is_ <= was if side == 0 else is_ >= was)):
            return _fine("the limit is as wide or wider")
        return _look(f"a stored value may be {'below' if side == 0 else 'over'} the limit")

    return judge


def _values(old: Attribute, new: Attribute) -> Judgement:
    gone = [v for v in old.values if v not in new.values]
    if gone:
        return _look(f"an object may have {', '.join(gone)} stored")
    return _fine("every value that was one still is")


def _pattern(old: Attribute, new: Attribute) -> Judgement:
    return _fine("any text will do now") if new.pattern is None else _look("a stored text may not match")


def _unique_items(old: Attribute, new: Attribute) -> Judgement:
    return (
        _look("a stored list may repeat an item") if new.unique_items else _fine("items may be repeated now")
    )


# -- presence --------------------------------------------------------------------------------


def _null(old: Attribute, new: Attribute) -> Judgement:
    """`required`, `nullable` and the language: may a stored object have no value?"""
    demanding = new.required and not old.required and new.default is None
    if not allows_null(old) or allows_null(new):
        return _fine("every stored value will do", breaking=demanding)
    if new.default is not None:
        return Judgement(
            impact=Impact.MIGRATION, breaking=demanding, reason="objects without a value get the default"
        )
    return _look("an object may be stored without a value")


def _kept(old: Attribute, new: Attribute) -> Judgement:
    null = _null(old, new)
    if null.impact is not Impact.COMPATIBLE:
        return null
    return _fine("answers show values in another form", breaking=True)


def _name(old: Attribute, new: Attribute) -> Judgement:
    if old.pool is not None and new.pool is not None:
        return Judgement(
            impact=Impact.REFUSED, stored=True, breaking=True, cure="keep the name",
            reason="the pool knows who has its values by the old name, and would never get them back",
        )  # fmt: skip
    return Judgement(
        impact=Impact.MIGRATION, breaking=True, reason="stored objects have it under the old name"
    )


def _pool(old: Attribute, new: Attribute) -> Judgement:
    if new.pool is None:
        return Judgement(impact=Impact.VALIDATION, reason=GIVEN_BACK)
    return Judgement(
        impact=Impact.VALIDATION, breaking=True,
        reason="the values that are stored are the pool's from now on; one that somebody else has stops it",
    )  # fmt: skip


def _secret(old: Attribute, new: Attribute) -> Judgement:
    if new.secret:
        return _fine("answers show null from now on", breaking=True)
    return Judgement(
        impact=Impact.REFUSED, stored=True, cure=_ANOTHER, reason="what was given as a secret would be shown"
    )


def _role(old: Attribute, new: Attribute) -> Judgement:
    if Role.PROJECT in {old.role, new.role}:
        return Judgement(
            impact=Impact.REFUSED, stored=True, breaking=True, reason="whose the stored objects are would change",
            cure="keep the role project where it is",
        )  # fmt: skip
    return _fine("from now on the engines see it so", breaking=True)


def _when(true: str, false: str, name: str, *, breaking: bool) -> Judge:
    """A flag; `breaking`: setting it may fail clients."""

    def judge(old: Attribute, new: Attribute) -> Judgement:
        flag = bool(getattr(new, name))
        return _fine(true if flag else false, breaking=breaking and flag)

    return judge


def _always(reason: str, *, breaking: bool = False) -> Judge:
    return lambda old, new: _fine(reason, breaking=breaking)


def _elsewhere(old: Attribute, new: Attribute) -> None:
    """Judged with another fact, or below."""


_WORDS = "words for people"

JUDGES: Mapping[str, Judge] = {
    "name": _name,
    "type": _type,
    "format": _elsewhere,
    "reference": _elsewhere,
    "value_type": _elsewhere,
    "value_format": _elsewhere,
    "description": _always(_WORDS),
    "example": _always(_WORDS),
    "required": _null,
    "nullable": _null,
    "primary": _elsewhere,
    "length": _upper("length"),
    "min_length": _lower("min_length"),
    "values": _values,
    "minimum": _number(0),
    "maximum": _number(1),
    "min_items": _lower("min_items"),
    "max_items": _upper("max_items"),
    "unique_items": _unique_items,
    "pattern": _pattern,
    "role": _role,
    "items": _elsewhere,
    "members": _elsewhere,
    "default": _always("for objects made from now on"),
    "immutable": _when("no change any more", "may be changed", "immutable", breaking=True),
    "read_only": _when("set by the server only", "clients may set it", "read_only", breaking=True),
    "secret": _secret,
    "on_delete": _always("for deletes from now on", breaking=True),
    "pool": _pool,
    "indexed": _when(
        "an index is built", "the index stays until the table is copied", "indexed", breaking=False
    ),
    "listed_as": lambda old, new: _fine("another path", breaking=old.listed_as is not None),
    "policies": _always("other callers are allowed", breaking=True),
    "renamed_from": _always("said for the change itself"),
    "kept": _kept,
}
"""By the name of the fact. `type` speaks for the four facts that a type is made of."""

_TYPE = ("type", "format", "reference", "value_type", "value_format")
_OF_A_TYPE = frozenset({
    "length", "min_length", "values", "minimum", "maximum", "min_items", "max_items", "unique_items", "pattern",
})  # fmt: skip
"""What each type has of its own: of another type it is no difference, but part of the conversion."""


def changes(old: Attribute, new: Attribute, object_type: str, path: str) -> Iterator[Change]:
    """All differences of one attribute and what is nested in it."""
    asked = set()
    retyped = old.type is not new.type or old.value_type is not new.value_type
    for known, judge in JUDGES.items():
        name = "type" if known in _TYPE else known
        if retyped and name in _OF_A_TYPE:
            continue
        fact = _typed if name == "type" else _fact(name)
        differs = (
            any(getattr(old, n) != getattr(new, n) for n in _TYPE)
            if name == "type"
            else not plain.same(fact(old), fact(new))
        )
        if name in asked or not differs or (name == "renamed_from" and new.renamed_from == old.name):
            continue
        asked.add(name)
        said = (_type if name == "type" else judge)(old, new)
        if said is not None:
            yield _change(said, object_type, path, name, fact(old), fact(new))
    if old.items is not None and new.items is not None:
        yield from changes(old.items, new.items, object_type, f"{path}[]")
    if old.type is AttributeType.OBJECT and new.type is AttributeType.OBJECT:
        yield from members(old.members, new.members, object_type, path)


def members(
    old: Mapping[str, Attribute], new: Mapping[str, Attribute], object_type: str, path: str
) -> Iterator[Change]:
    """Differences of the members of a nested object, whose stored documents are rewritten."""
    taken = set()
    for member in new.values():
        before = values.source(old, member)
        where = f"{path}.{member.name}"
        if before is not None:
            taken.add(before)
            yield from changes(old[before], member, object_type, where)
        elif not allows_null(member) and member.default is None:
            yield missing(member, object_type, where)
        else:
            said = Judgement(
                impact=Impact.MIGRATION,
                breaking=member.required and member.default is None,
                reason=f"stored documents are rewritten with {_show(member.default) or 'null'} for it",
            )
            yield _change(said, object_type, where, "added", "", _typed(member))
    for name in old:
        if name not in taken:
            said = Judgement(
                impact=Impact.MIGRATION, breaking=True, reason="stored documents are rewritten without it"
            )
            yield _change(said, object_type, f"{path}.{name}", "removed", _typed(old[name]), "")


def missing(new: Attribute, object_type: str, path: str) -> Change:
    """An attribute that stored objects would have to have, and have not."""
    said = Judgement(
        impact=Impact.REFUSED, stored=True, breaking=True, reason="stored objects have no value for it",
        cure="give it a default, or add it as nullable, fill it, and forbid null then",
    )  # fmt: skip
    return _change(said, object_type, path, "added", "", f"{_typed(new)}, never null")


def added(new: Attribute, object_type: str) -> Change:
    """An attribute that was not there."""
    if not allows_null(new) and new.default is None:
        return missing(new, object_type, new.name)
    if new.default is None:
        return _change(
            _fine("stored objects have none", breaking=new.required),
            object_type,
            new.name,
            "added",
            "",
            _typed(new),
        )
    said = _fine("stored objects get the default")
    return _change(said, object_type, new.name, "added", "", f"{_typed(new)}, default {_show(new.default)}")


def removed(old: Attribute, object_type: str) -> Change:
    """An attribute that is there no more; its column stays until it is dropped."""
    said = _fine("stored values stay in the database until they are dropped", breaking=True)
    return _change(said, object_type, old.name, "removed", _typed(old), "")


def _change(said: Judgement, object_type: str, path: str, aspect: str, old: Any, new: Any) -> Change:
    return Change(
        object_type=object_type, attribute=path, aspect="renamed" if aspect == "name" else aspect,
        old=_show(old), new=_show(new), impact=said.impact, reason=said.reason, cure=said.cure,
        breaking=said.breaking, stored=said.stored,
    )  # fmt: skip


def _fact(name: str) -> Callable[[Attribute], Any]:
    return lambda a: getattr(a, name)


def _show(value: Any) -> str:
    """A fact as people read it, short."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, PoolUse):
        return f"{value.through}.{value.name}" if value.through else value.name
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
