"""The part of `check` that judges what an object type of 2.0 says beside its attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gluon.model import check_values, check_widths, fieldtypes, keywords, paths, resolve
from gluon.model import declare_parts as parts
from gluon.model.check_attributes import check_members
from gluon.model.facts import Fact
from gluon.model.fieldtypes import MAX_NAME, NEW, word
from gluon.model.problems import Mark, Problems, suggest
from gluon.model.types import AttributeType

_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*").fullmatch
_ENTRY_POINT = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*").fullmatch

STATUS = "status"
"""The path below every object that shows what shims report of it."""

_COMMANDS = (*keywords.ACTIONS, "show", "patch", "delete-several", STATUS)
"""After the name of an object type: its commands, and operations in documents of its API."""

_NEUTRON: Mapping[str, tuple[str, ...]] = {
    "name": ("string",),
    "mtu": tuple(w.name for w in fieldtypes.WORDS[NEW].values() if w.type is AttributeType.INTEGER),
    "subnets": ("cidr",),
    "gateway": ("ip", "ipv4", "ipv6"),
    "dns": ("ip", "ipv4", "ipv6"),
    "port_security": ("boolean",),
}
"""What the Neutron face shows → the types that it can show as that."""


def check(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note what is wrong in the parts that `object_type` declares; those of bases are told there."""
    declared, where = object_type.declared, object_type.name
    if declared.quota and declared.quota.value < 0:
        problems.add(
            declared.quota.mark,
            f"quota of {where} is below 0",
            "0 lets nobody create one; leave it out for no quota",
        )
    _check_unique(object_type, problems)
    check_widths.check(object_type, model, problems)
    for number, rule in enumerate(declared.checks, start=1):
        _check_rule(rule, f"check {number} of {where}", object_type, problems)
    for action in declared.actions.values():
        _check_action(action, f"action {action.name} of {where}", model, problems)
    for point, names in declared.hooks.items():
        for fact in names.value:
            _check_entry_point(fact, f"{point} hook of {where}", problems)
    _check_neutron(object_type, problems)
    _check_policies(object_type, problems)
    if object_type.declared.api:
        check_values.check_examples(object_type, where, model, problems)
    elif declared.examples:
        problems.add(
            declared.examples[0].mark,
            f"{where} has no api, and so no examples",
            "move them to the object type that extends it",
        )


def _check_unique(object_type: resolve.ObjectType, problems: Problems) -> None:
    seen: dict[frozenset[str], Mark] = {}
    for group in object_type.declared.unique:
        where = f"unique group of {object_type.name}"
        if group.scope and group.scope.value not in keywords.UNIQUE.rows["scope"].values:
            hint = suggest(group.scope.value, keywords.UNIQUE.rows["scope"].values)
            problems.add(group.scope.mark, f"{where}: unknown scope {group.scope.value!r}", hint)
        if group.attributes is None and group.misread:
            continue
        if group.attributes is None or not group.attributes.value:
            problems.add(group.mark, f"a {where} names no attributes", "write [a, b]")
            continue
        names: set[str] = set()
        for fact in group.attributes.value:
            _check_member_of_group(fact, where, object_type, problems)
            if fact.value in names:
                problems.add(fact.mark, f"{where}: {fact.value} is named twice", "name it once")
            names.add(fact.value)
        first = seen.setdefault(frozenset(names), group.mark)
        if first is not group.mark:
            problems.add(group.mark, f"a {where} is given twice", f"it stands in line {first.line} already")


def _check_member_of_group(
    fact: Fact[str], where: str, object_type: resolve.ObjectType, problems: Problems
) -> None:
    attribute = object_type.attributes.get(fact.value)
    if attribute is None:
        if object_type.whole:
            message = f"{where}: {fact.value!r} is no attribute of {object_type.name}"
            problems.add(fact.mark, message, suggest(fact.value, object_type.attributes))
    elif attribute.merged.type and word(NEW, attribute.merged.type.value).nested:
        kind = attribute.merged.type.value
        problems.add(
            fact.mark,
            f"{where}: {fact.value} is a {kind}, which cannot be unique",
            "name attributes of one value",
        )


def _check_rule(rule: parts.Check, where: str, object_type: resolve.ObjectType, problems: Problems) -> None:
    if rule.rule is None and not rule.misread:
        problems.add(rule.mark, f"{where} has no rule", "write rule: an expression that must be true")
    if rule.message is None and not rule.misread:
        problems.add(
            rule.mark, f"{where} has no message", "write message: what to tell whose object breaks the rule"
        )
    if rule.on and rule.on.value not in keywords.CHECK.rows["on"].values:
        hint = "write on: write, or leave it out to judge changes of referred objects too"
        problems.add(rule.on.mark, f"{where}: unknown on {rule.on.value!r}", hint)
    if rule.at and object_type.whole:
        declared = {name: a.merged for name, a in object_type.attributes.items()}
        paths.follow(rule.at, declared, f"{where}: at", problems)


def _check_action(action: parts.Action, where: str, model: resolve.Model, problems: Problems) -> None:
    if not _SEGMENT(action.name) or len(action.name) > MAX_NAME:
        problems.add(action.mark, f"{where}: a name is letters, digits, '-' and '_' after a letter")
    if action.name in keywords.ACTIONS:
        hint = f"every object type has {', '.join(keywords.ACTIONS)} already"
        problems.add(action.mark, f"{where}: this name is reserved", hint)
    if action.hook is None and not action.misread:
        problems.add(
            action.mark, f"{where} has no hook", "write hook: the name of the entry point that does it"
        )
    elif action.hook:
        _check_entry_point(action.hook, f"hook of {where}", problems)
    check_members(dict(action.takes), f"takes of {where}", model, problems)
    check_members(dict(action.gives), f"gives of {where}", model, problems)


def _check_entry_point(fact: Fact[str], where: str, problems: Problems) -> None:
    if not _ENTRY_POINT(fact.value):
        problems.add(
            fact.mark,
            f"{where}: {fact.value!r} is no name of an entry point",
            "write letters, digits, '.', '_' and '-'",
        )


def _check_neutron(object_type: resolve.ObjectType, problems: Problems) -> None:
    declared = {name: a.merged for name, a in object_type.attributes.items()}
    for key, names in object_type.declared.neutron.items():
        where = f"neutron.{key} of {object_type.name}"
        for fact in names.value:
            found = paths.follow(fact, declared, where, problems) if object_type.whole else None
            if found and found.type and found.type.value not in _NEUTRON[key]:
                wanted = "an integer type" if key == "mtu" else " or ".join(_NEUTRON[key])
                message = f"{where}: {fact.value} is of type {found.type.value}"
                problems.add(fact.mark, message, f"it takes {wanted}")


def _check_policies(object_type: resolve.ObjectType, problems: Problems) -> None:
    known = (*keywords.ACTIONS, *object_type.actions)
    for key in object_type.declared.policy_keys:
        if key.text not in known:
            message = f"policies of {object_type.name}: {key.text!r} is nothing that can be done to it"
            hint = suggest(key.text, known)
            if not hint.startswith("did"):
                hint = f"declare it under actions; without that there are {', '.join(known)}"
            problems.add(key.mark, message, hint)


def check_paths(model: resolve.Model, problems: Problems) -> None:
    """Below each object: its status, its children, what refers to it, and its actions; each path once."""
    below = _below(model)
    for object_type in model.types.values():
        taken: dict[str, str] = {STATUS: "the status of an object"}
        actions = [(a.name, f"the action {a.name}", a.mark) for a in object_type.actions.values()]
        for path, what, mark in [*below.get(object_type.name, ()), *actions]:
            first = taken.setdefault(path, what)
            if first != what:
                message = f"the path {path!r} below {object_type.name} is {first}, it cannot be {what} too"
                problems.add(mark, message, "choose another name")
        _check_parents(object_type, model, problems)
    _check_commands(model, problems)


def _check_commands(model: resolve.Model, problems: Problems) -> None:
    """Each command is named once: `<object>-<verb>`, `<object>-<action>`."""
    named = [
        (t, t.declared.api.name.value) for t in model.types.values() if t.declared.api and t.declared.api.name
    ]
    taken = {f"{singular}-{word}": f"{word} of {t.name}" for t, singular in named for word in _COMMANDS}
    for object_type, singular in named:
        for action in object_type.actions.values():
            command, what = f"{singular}-{action.name}", f"action {action.name} of {object_type.name}"
            first = taken.setdefault(command, what)
            if first != what and action.name not in (*keywords.ACTIONS, STATUS):
                problems.add(
                    action.mark, f"{what}: its command {command} is {first} already", "choose another name"
                )


def _below(model: resolve.Model) -> dict[str, list[tuple[str, str, Mark]]]:
    """By type: the paths of its children, then those of what refers to it, as path, what it is, place."""
    found: dict[str, list[tuple[str, str, Mark]]] = {}
    for other in model.types.values():
        api = other.declared.api
        if api and api.parent:
            place = (api.plural_name or api.name or api.parent).mark
            found.setdefault(api.parent.value, []).append((other.plural, f"the children {other.name}", place))
    for other in model.types.values():
        for name, attribute in other.attributes.items():
            merged = attribute.merged
            if merged.listed_as and merged.type:
                path = (merged.listed_as.value, f"the list of {other.name} by {name}", merged.listed_as.mark)
                found.setdefault(merged.type.value, []).append(path)
    return found


def _check_parents(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Parents to any depth, but not in a circle."""
    path, current = {object_type.name: None}, object_type
    while (api := current.declared.api) and api.parent:
        target = model.types.get(api.parent.value)
        if target is None:
            return
        if target.name in path:
            if target is object_type:
                circle = " → ".join([*path, target.name])
                problems.add(
                    api.parent.mark, f"parents go in a circle: {circle}", "one of them has no parent"
                )
            return
        path[target.name] = None
        current = target
