"""The part of `check` that judges pools and the attributes that take from them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gluon.model import build, fieldtypes, paths, ranges, resolve, source
from gluon.model import declare_parts as parts
from gluon.model.declare_attributes import Attribute
from gluon.model.facts import Fact, is_null
from gluon.model.fieldtypes import NEW, POOLED, Word
from gluon.model.problems import Problems, suggest
from gluon.model.types import AttributeType, Format

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch
_LONGEST_REST = 31_536_000

_ADDRESSES = {Format.IP, Format.IPV4, Format.IPV6}
_TEXTS = {Format.ROUTE_TARGET, Format.ROUTE_DISTINGUISHER}


def check(model: resolve.Model, problems: Problems) -> None:
    """Note every pool, and every use of one, that cannot work."""
    for pool in model.pools.values():
        _check_pool(pool, f"pool {pool.name}", None, problems)
    for object_type in (*model.bases.values(), *model.types.values()):
        declared = {name: a.merged for name, a in object_type.attributes.items()}
        for pool in object_type.declared.pools.values():
            _check_pool(pool, f"pool {pool.name} of {object_type.name}", declared, problems)
        for name, attribute in object_type.attributes.items():
            takes = attribute.merged.type and fieldtypes.word(NEW, attribute.merged.type.value).keys
            if attribute.merged.pool and "pool" in (takes or ()):
                where = f"attribute {name} of {object_type.name}"
                _check_use(attribute.merged, attribute.merged.pool, where, object_type, model, problems)


def _check_pool(
    pool: parts.Pool, where: str, attributes: Mapping[str, Attribute] | None, problems: Problems
) -> None:
    """One pool; `attributes` are those of the object that has it, None for a pool of the model."""
    if not _NAME(pool.name) or len(pool.name) > fieldtypes.MAX_NAME:
        problems.add(pool.mark, f"{where}: a name is letters, digits and '_' after a letter")
    if pool.rest and not 0 <= pool.rest.value <= _LONGEST_REST:
        problems.add(pool.rest.mark, f"{where}: rest is from 0 to {_LONGEST_REST} seconds")
    if pool.ranges is None and pool.source is None and not pool.misread:
        hint = (
            "write ranges: [low-high]"
            if attributes is None
            else "write ranges: [low-high], or from: an attribute"
        )
        problems.add(pool.mark, f"{where} has neither ranges nor from", hint)
    if pool.ranges and not pool.ranges.value:
        problems.add(pool.ranges.mark, f"{where} has no ranges", "write ranges: [low-high]")
    if pool.type is None and pool.misread:
        return
    if pool.type is None:
        problems.add(pool.mark, f"{where} has no type", f"one of {', '.join(POOLED)}")
        return
    if pool.type.value not in POOLED:
        problems.add(
            pool.type.mark,
            f"{where}: a pool cannot be of type {pool.type.value!r}",
            _pool_hint(pool.type.value),
        )
        return
    word = fieldtypes.word(NEW, pool.type.value)
    template = pool.template is not None and _check_template(pool, pool.template, word, where, problems)
    for fact in pool.ranges.value if pool.ranges else ():
        _check_range(fact, word, where, problems, template=template)
    _check_exclude(pool, word, where, attributes, problems, template=template)
    if pool.source:
        _check_source(pool.source, word, f"{where}: from", attributes, problems)


def _pool_hint(name: str) -> str:
    return suggest(name, POOLED) or f"one of {', '.join(POOLED)}"


def _check_template(
    pool: parts.Pool, template: Fact[str], word: Word, where: str, problems: Problems
) -> bool:
    """Whether the ranges hold numbers for a template."""
    if word.format not in _TEXTS:
        hint = "template belongs to route_target and route_distinguisher"
        problems.add(template.mark, f"{where}: type {word.name} takes no template", hint)
        return False
    if template.value.count("{}") != 1:
        message = f"{where}: the template {template.value!r} does not have {{}} once"
        problems.add(template.mark, message, 'write "65000:{}"')
        return True
    if len(template.value) > ranges.LONGEST_TEMPLATE:
        problems.add(template.mark, f"{where}: a template has at most {ranges.LONGEST_TEMPLATE} characters")
    for fact in pool.ranges.value if pool.ranges else ():
        try:
            for number in dict.fromkeys(ranges.bounds(fact.value, word, template=True)):
                ranges.made(template.value, number, word)
        except ValueError as error:
            hint = "with a template, ranges are numbers such as 1-65535"
            problems.add(fact.mark, f"{where}: {error}", hint)
    return True


def _check_range(fact: Fact[str], word: Word, where: str, problems: Problems, *, template: bool) -> None:
    try:
        ranges.bounds(fact.value, word, template=template)
    except ValueError as error:
        if not template:
            problems.add(fact.mark, f"{where}: {error}", f"write it like {ranges.like(word)}")


def _check_exclude(
    pool: parts.Pool,
    word: Word,
    where: str,
    attributes: Mapping[str, Attribute] | None,
    problems: Problems,
    *,
    template: bool,
) -> None:
    for fact in pool.exclude.value if pool.exclude else ():
        if paths.is_path(fact.value):
            _check_source(fact, word, f"{where}: exclude", attributes, problems)
            continue
        try:
            ranges.bounds(fact.value, word, template=template)
        except ValueError as error:
            hint = f"write it like {ranges.like(word, template=template)}, or the path of an attribute"
            problems.add(fact.mark, f"{where}: exclude: {error}", hint)


def _check_source(
    path: Fact[str],
    word: Word,
    what: str,
    attributes: Mapping[str, Attribute] | None,
    problems: Problems,
) -> None:
    """The attribute at `path` must hold prefixes, addresses or ranges of the pool's type."""
    if attributes is None:
        hint = "write ranges, or move the pool into the object type that has the attribute"
        problems.add(path.mark, f"{what} {path.value!r}: a pool of the model has no object", hint)
        return
    found = paths.follow(path, attributes, what, problems)
    if found is None or found.type is None:
        return
    given = fieldtypes.word(NEW, found.type.value)
    plain = given.type is AttributeType.STRING and given.format is None
    address = word.format in _ADDRESSES and (given.format in _ADDRESSES or given.format is Format.CIDR)
    number = word.type is AttributeType.INTEGER and given.type is AttributeType.INTEGER
    if not (plain or address or number or (word.format and given.format is word.format)):
        holders = "cidr, ip or string" if word.format in _ADDRESSES else f"string or {word.name}"
        message = f"{what} {path.value!r}: type {found.type.value} holds no range of {word.name}"
        problems.add(path.mark, message, f"name an attribute of type {holders}")


def _check_use(
    merged: Attribute,
    fact: Fact[str],
    where: str,
    object_type: resolve.ObjectType,
    model: resolve.Model,
    problems: Problems,
) -> None:
    """The pool must be there and give what the attribute, or each item of a list, takes."""
    takes = merged
    if merged.type and merged.type.value == AttributeType.LIST:
        if merged.items is None or merged.items.type is None:
            return
        takes = merged.items
        _check_list(merged, fact, where, problems)
    elif merged.default is not None and not is_null(merged.default.value):
        hint = "leave one of the two out"
        problems.add(fact.mark, f"{where}: with a default the pool {fact.value} would never be asked", hint)
    use = build.pool_use(fact.value)
    if use.through is None:
        pools, owner = model.pools, "the model"
    else:
        target = _referred(use.through, fact, where, object_type, model, problems)
        if target is None:
            return
        pools, owner = target.pools, target.name
    pool = pools.get(use.name)
    if pool is None:
        problems.add(
            fact.mark,
            f"{where}: {owner} has no pool {use.name!r}",
            _elsewhere(use.name, pools, object_type, model),
        )
    elif pool.type and pool.type.value in POOLED:
        _check_fit(takes, pool, fact, where, problems)


def _check_list(merged: Attribute, fact: Fact[str], where: str, problems: Problems) -> None:
    """Each value has one holder, so no two objects begin with the same items."""
    given = merged.default.value if merged.default is not None else None
    if (
        given is not None
        and not is_null(given)
        and not (isinstance(given, source.Sequence) and not given.items)
    ):
        message = f"{where}: two objects would have the default's items of pool {fact.value}"
        problems.add(fact.mark, message, "write default: []")


def _referred(
    through: str,
    fact: Fact[str],
    where: str,
    object_type: resolve.ObjectType,
    model: resolve.Model,
    problems: Problems,
) -> resolve.ObjectType | None:
    """The object type that the reference `through` names."""
    reference = object_type.attributes.get(through)
    if reference is None:
        if object_type.whole:
            message = f"{where}: {through!r} is no attribute of {object_type.name}"
            problems.add(fact.mark, message, suggest(through, object_type.attributes))
        return None
    type_ = reference.merged.type
    target = model.types.get(type_.value) if type_ else None
    if target is None and object_type.declared.api:
        hint = "write pool: reference.pool, where reference names one object that has the pool"
        problems.add(fact.mark, f"{where}: {through} is no reference", hint)
    return target


def _elsewhere(
    name: str, pools: Mapping[str, parts.Pool], object_type: resolve.ObjectType, model: resolve.Model
) -> str:
    """Where a pool of that name is, if anywhere."""
    for reference, attribute in object_type.attributes.items():
        type_ = attribute.merged.type
        target = model.types.get(type_.value) if type_ else None
        if target and name in target.pools and pools is not target.pools:
            return f"write pool: {reference}.{name}"
    if pools:
        return suggest(name, pools)
    return (
        "write it under pools, at the top level"
        if pools is model.pools
        else "write it under pools of that object type"
    )


def _check_fit(merged: Attribute, pool: parts.Pool, fact: Fact[str], where: str, problems: Problems) -> None:
    assert merged.type
    assert pool.type
    takes, gives = fieldtypes.word(NEW, merged.type.value), fieldtypes.word(NEW, pool.type.value)
    integers = takes.type is gives.type is AttributeType.INTEGER
    if "pool" not in takes.keys or not (
        integers or takes.format is gives.format or (takes.format is Format.IP and gives.format in _ADDRESSES)
    ):
        what = "an item" if merged.nested else "the attribute"
        message = f"{where}: pool {fact.value} gives {gives.name}, {what} takes {takes.name}"
        problems.add(fact.mark, message, f"write type: {gives.name}, or take another pool")
        return
    if not integers:
        return
    lowest, highest = takes.range
    lowest = int(merged.min.value) if merged.min else lowest
    highest = int(merged.max.value) if merged.max else highest
    for text in pool.ranges.value if pool.ranges else ():
        try:
            low, high = ranges.bounds(text.value, gives)
        except ValueError:
            continue
        if low < lowest or high > highest:
            message = (
                f"{where}: pool {fact.value} gives {text.value}, "
                f"{'an item' if merged.nested else 'the attribute'} takes {lowest} to {highest}"
            )
            problems.add(fact.mark, message, "make the pool smaller or the attribute wider")
