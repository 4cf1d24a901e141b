"""Resolved and checked parts in, frozen `types` out.

`attribute` and `pool` also serve the checks: values of a part are judged by the part as it will be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gluon.model import acceptors, conversions, fieldtypes, keywords, resolve, roles, types
from gluon.model import declare_parts as parts
from gluon.model.declare_attributes import Attribute as Declared
from gluon.model.declare_versions import Origin
from gluon.model.facts import Fact, is_null
from gluon.model.fieldtypes import NEW, OLD
from gluon.model.nodes import value_of

DEFAULT_RULE = "rule:admin_or_owner"
READ_RULE, WRITE_RULE = "rule:admin_or_project_reader", "rule:admin_or_project_member"
"""What 2.0 says of types that say nothing."""

# 1.0 models say this for `list`; nobody ever defined the rule, lists are filtered by project instead.
_UNDEFINED_RULE = "rule:admin"

_KEY_TEXT = "Key of the object, made by the server."


def object_types(model: resolve.Model) -> Mapping[str, types.ObjectType]:
    """All object types with an api, in order of declaration; files go by name."""
    ordered = sorted(model.types.items(), key=lambda item: _place(item[1]))
    return MappingProxyType({name: _object_type(whole, model) for name, whole in ordered})


def _place(object_type: resolve.ObjectType) -> tuple[str, int]:
    return Path(object_type.mark.file).name, object_type.mark.line


def _object_type(whole: resolve.ObjectType, model: resolve.Model) -> types.ObjectType:
    api = whole.declared.api
    if api is None or api.name is None:
        raise AssertionError("an unchecked object type")
    key = whole.key
    played = roles.roles_of(whole, model.version)
    role_of = {name: role for role, name in played.items()}
    made = {
        name: attribute(name, a.merged, model, key=name == key, role=role_of.get(name))
        for name, a in whole.attributes.items()
    }
    if key not in made:
        made = {key: implicit_key(key, model), **made}
    return types.ObjectType(
        name=whole.name,
        singular=api.name.value,
        plural=whole.plural,
        kind=roles.kind_of(whole),
        description=_text(whole.declared.description),
        attributes=MappingProxyType(made),
        key=key,
        generated_key=made[key].value_type is types.AttributeType.UUID
        and (model.version == OLD or made[key].reference is None),
        unique=_unique(whole, model),
        checks=tuple(check(c) for c in whole.checks),
        pools=MappingProxyType({name: pool(p) for name, p in whole.pools.items()}),
        actions=MappingProxyType({name: _action(a, model) for name, a in whole.actions.items()}),
        hooks=MappingProxyType(
            {types.HookPoint(point): tuple(n.value for n in names) for point, names in whole.hooks.items()}
        ),
        quota=_value(whole.quota),
        neutron=MappingProxyType({key: _one_or_more(fact) for key, fact in whole.neutron.items()}),
        examples=tuple(
            MappingProxyType({k.text: value_of(v, made.get(k.text)) for k, v in example.entries})
            for example in whole.declared.examples
        ),
        parent=_value(api.parent),
        parent_key=_value(api.parent_key),
        policies=MappingProxyType(_policies(whole, model)),
        roles=MappingProxyType(played),
    )


def _replace(made: types.Attribute, **facts: Any) -> types.Attribute:
    return dataclasses.replace(made, **facts)


def implicit_key(key: str, model: resolve.Model) -> types.Attribute:
    """The key of an object type that declares none."""
    return types.Attribute(
        name=key,
        type=types.AttributeType.UUID,
        value_type=types.AttributeType.UUID,
        primary=True,
        description=_KEY_TEXT,
        nullable=model.version == OLD,
        kept=model.version == OLD,
    )


def attribute(
    name: str,
    merged: Declared,
    model: resolve.Model,
    *,
    key: bool = False,
    role: types.Role | None = None,
    valued: bool = True,
) -> types.Attribute:
    """One attribute; a reference takes the limits of the key it refers to, however many steps away.

    Without `valued` it has neither default nor example: they are to be judged by it.
    """
    asked = (id(merged), name, key, valued)
    known = model.built.get(asked)
    if known is None:  # `merged` is kept too: while it lives nothing else has its id
        known = model.built[asked] = (_attribute(name, merged, model, key=key, valued=valued), merged)
    made: types.Attribute = known[0]
    return made if role is None else _replace(made, role=role)


def _attribute(
    name: str, merged: Declared, model: resolve.Model, *, key: bool, valued: bool
) -> types.Attribute:
    assert merged.type
    facts = _of_the_key(merged, model)
    assert facts.type
    word, value = (fieldtypes.word(model.version, f.type.value) for f in (merged, facts) if f.type)
    form = value.format or (types.Format(facts.format.value) if facts.format else None)
    length = _value(facts.length)
    if value.type is types.AttributeType.STRING and length is None:
        length = fieldtypes.STRING_LENGTH
    lowest, highest = (
        value.range if model.version == NEW and value.format in fieldtypes.RANGES else (None, None)
    )
    told: dict[str, Any] = {}
    if model.version == NEW:
        told = _new_facts(name, merged, word, model, key=key, valued=valued)
    made = types.Attribute(
        name=name,
        type=word.type,
        description=_text(merged.description),
        required=merged.says("required"),
        primary=key,
        length=length,
        format=None if word.type is types.AttributeType.REFERENCE else form,
        values=tuple(fact.value for fact in facts.values.value) if facts.values else (),
        minimum=facts.min.value if facts.min else lowest,
        maximum=facts.max.value if facts.max else highest,
        reference=merged.type.value if word.type is types.AttributeType.REFERENCE else None,
        value_type=value.type,
        value_format=form,
        **told,
    )
    return made if made.default is None else _replace(made, default=_normal(made))


def _normal(attribute: types.Attribute) -> Any:
    """The default as the engines store it; one that is no value stays as it is, `check_values` tells of it."""
    try:
        return acceptors.acceptor(attribute)(attribute.default)
    except ValueError:
        return attribute.default


def _of_the_key(merged: Declared, model: resolve.Model) -> Declared:
    """The declaration whose type is the type of the value; `merged` itself where it is no reference."""
    facts, seen = merged, set[str]()
    while facts.type and facts.type.value in model.types and facts.type.value not in seen:
        seen.add(facts.type.value)
        target = model.types[facts.type.value]
        if target.key in target.attributes:
            facts = target.attributes[target.key].merged
        else:
            facts = Declared(mark=target.mark, type=Fact(value="uuid", mark=target.mark))
    return facts


def _new_facts(
    name: str, merged: Declared, word: fieldtypes.Word, model: resolve.Model, *, key: bool, valued: bool
) -> dict[str, Any]:
    """What only 2.0 says of an attribute."""
    items = attribute("items", merged.items, model) if merged.items and merged.items.type else None
    members = {n: attribute(n, m, model) for n, m in (merged.attributes or {}).items() if m.type}
    default = example = None
    if valued and (merged.default or merged.example):
        bare = types.Attribute(name=name, type=word.type, value_type=word.type, items=items, members=members)
        default = value_of(merged.default.value, bare) if merged.default else None
        example = value_of(merged.example.value, bare) if merged.example else None
    given = merged.default is not None and not is_null(merged.default.value)
    strict = merged.says("required") or given or key or merged.nested == "item"
    limited = word.type in {types.AttributeType.LIST, types.AttributeType.MAP}
    return {
        "items": items,
        "members": MappingProxyType(members),
        "default": default,
        "example": example,
        "nullable": merged.nullable.value if merged.nullable else not strict,
        "immutable": merged.says("immutable"),
        "read_only": merged.says("read_only"),
        "secret": merged.says("secret"),
        "indexed": merged.says("indexed"),
        "pattern": _value(merged.pattern),
        "min_length": _value(merged.min_length),
        "min_items": _value(merged.min_items),
        "max_items": merged.max_items.value
        if merged.max_items
        else fieldtypes.LIST_ITEMS
        if limited
        else None,
        "unique_items": merged.says("unique_items"),
        "on_delete": types.OnDelete(_value(merged.on_delete) or types.OnDelete.RESTRICT),
        "pool": pool_use(merged.pool.value) if merged.pool else None,
        "listed_as": _value(merged.listed_as),
        "renamed_from": _value(merged.renamed_from),
        "policies": MappingProxyType(
            {w: f.value.strip() for w, f in sorted((merged.policies or {}).items())}
        ),
        "kept": False,
    }


def pool_use(text: str) -> types.PoolUse:
    """`name`, or `reference.name`."""
    through, dot, name = text.partition(".")
    return types.PoolUse(name=name, through=through) if dot else types.PoolUse(name=text)


def pool(declared: parts.Pool) -> types.Pool:
    """A supply of values."""
    word = fieldtypes.word(NEW, declared.type.value if declared.type else "")
    return types.Pool(
        name=declared.name,
        type=word.type,
        format=word.format,
        ranges=_texts(declared.ranges),
        source=_value(declared.source),
        exclude=_texts(declared.exclude),
        template=_value(declared.template),
        rest=declared.rest.value if declared.rest else _DEFAULT_REST,
        open=declared.open is not None and declared.open.value,
        description=_text(declared.description),
    )


_DEFAULT_REST = types.Pool(name="", type=types.AttributeType.INTEGER).rest


def check(declared: parts.Check) -> types.Check:
    """A rule."""
    return types.Check(
        rule=_text(declared.rule),
        message=_text(declared.message),
        at=_value(declared.at),
        write_only=bool(declared.on),
    )


def _action(declared: parts.Action, model: resolve.Model) -> types.Action:
    return types.Action(
        name=declared.name,
        hook=_text(declared.hook),
        description=_text(declared.description),
        takes=MappingProxyType({n: attribute(n, a, model) for n, a in declared.takes.items()}),
        gives=MappingProxyType({n: attribute(n, a, model) for n, a in declared.gives.items()}),
    )


def _unique(whole: resolve.ObjectType, model: resolve.Model) -> tuple[types.Unique, ...]:
    """Groups, then single attributes; in 1.0 the primaries after the first are one group."""
    if model.version == OLD:
        further = tuple(whole.primaries[1:])
        return (types.Unique(attributes=further),) if further else ()
    groups = [
        types.Unique(attributes=_texts(group.attributes), scope=_scope(_value(group.scope)))
        for group in whole.unique
    ]
    for name, a in whole.attributes.items():
        if a.merged.unique and a.merged.unique.value.lower() not in _NOT_UNIQUE:
            groups.append(types.Unique(attributes=(name,), scope=_scope(a.merged.unique.value)))
    return tuple(dict.fromkeys(groups))


_NOT_UNIQUE = frozenset({"false", "no", "off"})


def _scope(text: str | None) -> types.Scope:
    return types.Scope.GLOBAL if text == types.Scope.GLOBAL else types.Scope.PROJECT


def _policies(whole: resolve.ObjectType, model: resolve.Model) -> dict[str, str]:
    policies = {}
    reads = {"get", "list"}
    for action in (*keywords.ACTIONS, *whole.actions):
        fact = whole.policies.get(action)
        default = DEFAULT_RULE if model.version == OLD else READ_RULE if action in reads else WRITE_RULE
        rule = fact.value.strip() if fact else default
        undefined = model.version == OLD and action == "list" and rule == _UNDEFINED_RULE
        policies[action] = DEFAULT_RULE if undefined else rule
    return policies


def _value(fact: Fact[Any] | None) -> Any:
    return fact.value if fact else None


def _text(fact: Fact[str] | None) -> str:
    return fact.value if fact else ""


def _texts(fact: parts.Texts | None) -> tuple[str, ...]:
    return tuple(item.value for item in fact.value) if fact else ()


def _one_or_more(fact: parts.Texts) -> str | tuple[str, ...]:
    names = _texts(fact)
    return names[0] if len(names) == 1 else names


def version(stored: resolve.Model, model: types.Model) -> types.Version:
    """Another version, `model`, with what the stored one says of it."""
    said = stored.versions[model.version]
    return types.Version(
        model=model,
        deprecated=_value(said.deprecated),
        sunset=_value(said.sunset),
        types=MappingProxyType(
            {
                name: conversions.TypeFacts(
                    name=t.name.value if t.name else name,
                    attributes=MappingProxyType(
                        {n: _origin(o, model.types[name].attributes[n]) for n, o in t.attributes.items()}
                    ),
                )
                for name, t in said.types.items()
            }
        ),
    )


def _origin(said: Origin, there: types.Attribute) -> conversions.Origin:
    by = said.by.value if said.by else ""
    if said.renamed:
        values = {text: fact.value for text, fact in said.values.items()}
        return conversions.Renamed(name=said.renamed.value, values=MappingProxyType(values))
    if said.join:
        return conversions.Joined(names=tuple(fact.value for fact in said.join.value), by=by)
    if said.split:
        return conversions.Part(name=said.split.value, by=by, index=said.part.value if said.part else 0)
    return conversions.Fixed(value=value_of(said.fixed.value, there) if said.fixed else None)
