"""Every difference of two models of one proton, classified.

In: the model that is served and the one to be. Out: `Change`s in the order of the new model, what is gone
last. Pure. `TYPE_FACTS` and `MODEL_FACTS` name every fact of types and models. Called by `plan` and commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gluon.evolve import attributes, plain, storage, values
from gluon.evolve.changes import GIVEN_BACK, Change, Impact
from gluon.model.types import Check, Model, ObjectType, Scope, Unique

MODEL_FACTS: Mapping[str, tuple[str, bool]] = {
    "file_version": ("answers and errors are those of the other version of the language", True),
    "version": ("the path of every resource changes", True),
    "description": ("words for people", False),
    "author": ("words for people", False),
    "versions": ("other versions are served from the same objects", True),
}
"""Facts of a model that take effect at once: why, and whether clients may fail."""

TYPE_FACTS: Mapping[str, tuple[str, bool]] = {
    "singular": ("another name", False),
    "plural": ("the path of the resource changes", True),
    "description": ("words for people", False),
    "examples": ("words for people", False),
    "parent": ("nested paths change", True),
    "parent_key": ("nested paths change", True),
    "policies": ("other callers are allowed", True),
    "hooks": ("for requests from now on", True),
    "actions": ("for requests from now on", True),
    "quota": ("for objects made from now on; those that are stored count", True),
    "neutron": ("the Neutron face shows other attributes", True),
    "pools": ("for values taken from now on", False),
    "generated_key": ("for objects made from now on", True),
}
"""The same of an object type."""

_FACTS = {**MODEL_FACTS, **TYPE_FACTS}

JUDGED = {"name", "attributes", "key", "kind", "unique", "checks", "roles", "table"}
"""Facts of an object type that are judged below, or by what they follow from."""


def diff(old: Model, new: Model) -> Sequence[Change]:
    """Empty exactly where nothing that a designer writes differs."""
    return tuple(_model(old, new))


def _model(old: Model, new: Model) -> Iterator[Change]:
    if old.name != new.name:
        yield Change(
            aspect="name", old=old.name, new=new.name, impact=Impact.REFUSED, breaking=True,
            reason="it is another proton", cure="load it beside the old one, and retire that when it is empty",
        )  # fmt: skip
        return
    for name, (reason, breaking) in MODEL_FACTS.items():
        if name == "versions":
            yield from _named("", "version", _served(old), _served(new))
            continue
        was, is_ = getattr(old, name), getattr(new, name)
        if not plain.same(was, is_):
            yield _fine("", name, was, is_, reason, breaking=breaking)
    yield from _named("", "pool", old.pools, new.pools)
    for object_type in new.types.values():
        before = old.types.get(object_type.name)
        if before is None:
            yield _fine(object_type.name, "added", "", object_type.kind.value, "it has no objects yet")
        else:
            found = [*_type(before, object_type)]
            yield from storage.judged(old, new, before, object_type, found)
    for object_type in old.types.values():
        if object_type.name not in new.types:
            yield Change(
                object_type=object_type.name, aspect="removed", old=object_type.kind.value, breaking=True,
                impact=Impact.VALIDATION, stored=True, reason="nobody would reach the objects that are stored",
                cure="delete them first, or upgrade with --drop",
            )  # fmt: skip


def _served(model: Model) -> Mapping[str, Any]:
    """The other versions by name."""
    return {v.model.version: plain.plain(v) for v in model.versions}


def _type(old: ObjectType, new: ObjectType) -> Iterator[Change]:
    if old.kind is not new.kind:
        yield Change(
            object_type=new.name, aspect="kind", old=old.kind.value, new=new.kind.value, breaking=True,
            impact=Impact.REFUSED, reason="the arbiter keeps other things of it", stored=False,
            cure="add an object type of another name",
        )  # fmt: skip
    if values.source({old.key: old}, new.attributes[new.key]) != old.key:
        yield Change(
            object_type=new.name, aspect="key", old=old.key, new=new.key, breaking=True, stored=True,
            impact=Impact.REFUSED, reason="stored objects are known by the old key",
            cure="add an object type of another name, and move the objects",
        )  # fmt: skip
    for name, (reason, breaking) in TYPE_FACTS.items():
        was, is_ = getattr(old, name), getattr(new, name)
        if plain.same(was, is_):
            continue
        if isinstance(was, Mapping) and isinstance(is_, Mapping):
            yield from _named(new.name, name, was, is_)
        else:
            yield _fine(new.name, name, was, is_, reason, breaking=breaking)
    yield from _attributes(old, new)
    yield from _unique(old, new)
    yield from _checks(old, new)


def _named(object_type: str, what: str, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Change]:
    """Entries of a mapping, by name."""
    reason, breaking = _FACTS.get(what) or _FACTS[f"{what}s"]
    for name in dict.fromkeys([*new, *old]):
        was, is_ = old.get(name), new.get(name)
        if not plain.same(was, is_):
            before, after = ("" if v is None else v if isinstance(v, str) else "given" for v in (was, is_))
            lost = breaking and was is not None
            yield _fine(object_type, f"{what} {name}", before, after, reason, breaking=lost)


def _attributes(old: ObjectType, new: ObjectType) -> Iterator[Change]:
    taken = set()
    for attribute in new.attributes.values():
        before = values.source(old.attributes, attribute)
        if before is None:
            yield attributes.added(attribute, new.name)
        else:
            taken.add(before)
            yield from attributes.changes(old.attributes[before], attribute, new.name, attribute.name)
    fresh = [a for a in new.attributes.values() if values.source(old.attributes, a) is None]
    for name, attribute in old.attributes.items():
        if name not in taken:
            gone = attributes.removed(attribute, new.name)
            if attribute.pool is not None:
                gone = replace(gone, impact=Impact.VALIDATION, reason=GIVEN_BACK)
            same = next((a.name for a in fresh if a.value_type is attribute.value_type), None)
            hint = f"if {same} is the same under another name, let it say renamed_from: {name}"
            yield gone if same is None else replace(gone, cure=hint)


def _unique(old: ObjectType, new: ObjectType) -> Iterator[Change]:
    names = {values.source(old.attributes, a): a.name for a in new.attributes.values()}
    was = {(frozenset(names.get(n, n) for n in u.attributes), u.scope): u for u in old.unique}
    is_ = {(frozenset(u.attributes), u.scope): u for u in new.unique}
    for group, unique in is_.items():
        if group in was:
            continue
        if group[1] is Scope.PROJECT and (group[0], Scope.GLOBAL) in was:
            said = Impact.COMPATIBLE, "what is unique over all projects is so in each"
        else:
            said = Impact.VALIDATION, "two stored objects may have the same values"
        yield Change(
            object_type=new.name, aspect="unique", new=_group(unique), impact=said[0], reason=said[1],
            breaking=said[0] is Impact.VALIDATION,
        )  # fmt: skip
    for group, unique in was.items():
        if group not in is_:
            yield _fine(new.name, "unique", _group(unique), "", "values may be repeated now")


def _group(unique: Unique) -> str:
    return f"{', '.join(unique.attributes)} ({unique.scope.value})"


def _checks(old: ObjectType, new: ObjectType) -> Iterator[Change]:
    was = {_rule(c): c for c in old.checks}
    is_ = {_rule(c): c for c in new.checks}
    for rule, check in is_.items():
        before = was.get(rule)
        if before is None:
            impact = Impact.COMPATIBLE if check.write_only else Impact.VALIDATION
            reason = "for writes from now on" if check.write_only else "a stored object may not keep the rule"
            yield Change(
                object_type=new.name,
                aspect="check",
                new=check.rule,
                impact=impact,
                reason=reason,
                breaking=True,
            )
        elif before != check:
            yield _fine(new.name, "check", before.message, check.message, "another message")
    for rule, check in was.items():
        if rule not in is_:
            yield _fine(new.name, "check", check.rule, "", "the rule does not hold any more")


def _rule(check: Check) -> tuple[str, bool]:
    return check.rule, check.write_only


def _fine(
    object_type: str, aspect: str, old: Any, new: Any, reason: str, *, breaking: bool = False
) -> Change:
    blank = replace(_BLANK, object_type=object_type, aspect=aspect, reason=reason, breaking=breaking)
    return replace(blank, old=attributes._show(old), new=attributes._show(new))


_BLANK = Change(aspect="", impact=Impact.COMPATIBLE, reason="")
