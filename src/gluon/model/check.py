"""Fifth stage: the rules of the language, judged on whole models.

Each function looks at one subject and notes what is wrong; none stops the others. After a check
without problems, `loader` can build the model without asking again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from gluon.model import check_parts, check_pools, check_roles, check_rules, resolve, rules
from gluon.model.check_attributes import check_attributes, check_key
from gluon.model.facts import Fact
from gluon.model.fieldtypes import FILE_VERSIONS, MAX_NAME, NEW, OLD, RESERVED_NAMES, WORDS
from gluon.model.problems import Mark, Problems, suggest
from gluon.model.roles import KINDS

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*").fullmatch
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*").fullmatch


def check(model: resolve.Model, problems: Problems) -> None:
    """Note everything in `model` that breaks a rule of the language."""
    _check_head(model, problems)
    if not model.types:
        problems.add(model.mark, "the model has no object type with an api", "give one an api with a name")
    _check_object_names(model, problems)
    for object_type in (*model.bases.values(), *model.types.values()):
        check_attributes(object_type, model, problems)
        _check_policies(object_type, problems)
    for object_type in model.types.values():
        if not object_type.attributes and object_type.whole:
            problems.add(object_type.mark, f"object type {object_type.name} has no attributes")
        check_key(object_type, model, problems)
        _check_api(object_type, model, problems)
    _check_paths(model.types.values(), problems)
    if model.version == NEW:
        check_pools.check(model, problems)
        for object_type in (*model.bases.values(), *model.types.values()):
            check_parts.check(object_type, model, problems)
            check_roles.check(object_type, model, problems)
        check_parts.check_paths(model, problems)
        check_rules.check(model, problems)


def check_shape(model: resolve.Model, problems: Problems) -> None:
    """Note where the model lacks the base pattern: one port, one interface, at least one service.

    The original's tool asked for it and its server did not; so does `model check` and a server.
    """
    if model.version == NEW and (model.incomplete or not model.types):
        return
    for base, only_one in (("BasePort", True), ("BaseInterface", True), ("BaseService", False)):
        extending = [t for t in model.types.values() if base in t.bases]
        if not extending and all(t.whole for t in model.types.values()):
            problems.add(
                model.mark,
                f"no object type with an api extends {base}",
                f"a model needs {'exactly' if only_one else 'at least'} one",
            )
        for extra in extending[1:] if only_one else ():
            problems.add(
                extra.mark,
                f"{extra.name} is a second object type that extends {base}",
                f"{extending[0].name} is the first; a model has exactly one",
            )


def _check_head(model: resolve.Model, problems: Problems) -> None:
    version = model.file_version
    if version is None:
        problems.add(model.mark, "file_version is missing", f'write file_version: "{model.version}"')
    elif version.value not in FILE_VERSIONS:
        hint = f"known here: {', '.join(FILE_VERSIONS)}"
        problems.add(version.mark, f"file_version {version.value!r} is not known", hint)
    for other in model.file_versions:
        if version and other.value != version.value:
            message = f"file_version {other.value!r} differs from {version.value!r} in {version.mark.file}"
            problems.add(other.mark, message, "the files of one model are in one version")
    info = model.info
    if info is None:
        problems.add(model.mark, "info is missing", "write info with the model's name and version")
        return
    if info.name is None:
        problems.add(info.mark, "info.name is missing", "it names the proton in URLs")
    else:
        _check_word(info.name, "info.name", _SEGMENT, "letters, digits, '-', '_' and '.'", problems)
        if info.name.value.lower() in RESERVED_NAMES:
            problems.add(
                info.name.mark, f"the name {info.name.value!r} is reserved", "it is part of Gluon's own URLs"
            )
    if info.version is None:
        problems.add(info.mark, "info.version is missing", 'write version: "1.0"')
    else:
        _check_word(info.version, "info.version", _VERSION, "digits, letters, '-', '_' and '.'", problems)


def _check_word(
    fact: Fact[str], what: str, fits: Callable[[str], object], of: str, problems: Problems
) -> None:
    if not fits(fact.value) or len(fact.value) > MAX_NAME:
        problems.add(fact.mark, f"{what} {fact.value!r} is not a name of at most {MAX_NAME} {of}")


def _check_object_names(model: resolve.Model, problems: Problems) -> None:
    seen: dict[str, resolve.ObjectType] = {}
    for object_type in (*model.bases.values(), *model.types.values()):
        name, mark = object_type.name, object_type.mark
        if name in WORDS[model.version] or name == "reference":
            problems.add(mark, f"{name!r} is a type of the language, not a name for an object type")
        if model.version == NEW and name in KINDS and object_type.declared.api:
            hint = f"give the object type another name and write extends: {name}"
            problems.add(mark, f"{name} is the name of a base object, which has no api", hint)
        check_name(name, "object type", mark, problems)
        first = seen.setdefault(name.lower(), object_type)
        if first is not object_type:
            problems.add(mark, f"object types {first.name} and {name} differ only in upper and lower case")


def check_name(name: str, what: str, mark: Mark, problems: Problems) -> None:
    """Names go into tables and keys: letters, digits and underscores, 60 of them at most."""
    if not _NAME(name):
        problems.add(mark, f"{what} name {name!r} is not letters, digits and '_' after a letter")
    elif len(name) > MAX_NAME:
        problems.add(mark, f"{what} name {name!r} is longer than {MAX_NAME} characters")


def _check_policies(object_type: resolve.ObjectType, problems: Problems) -> None:
    for action, rule in object_type.declared.policies.items():
        try:
            rules.parse(rule.value)
        except ValueError as error:
            problems.add(rule.mark, f"the {action} policy of {object_type.name} is no rule: {error}")


def _check_api(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    api = object_type.declared.api
    assert api is not None
    name = object_type.name
    if api.name is None:
        problems.add(
            api.mark, f"the api of {name} has no name", "it is the singular, used by the command line"
        )
    for fact, what in ((api.name, "api.name"), (api.plural_name, "api.plural_name")):
        if fact:
            _check_word(fact, f"{what} of {name}", _SEGMENT, "letters, digits, '-', '_' and '.'", problems)
    if api.parent is None:
        if api.parent_key:
            problems.add(
                api.parent_key.mark, f"the api of {name} has a parent_key but no parent", "give both or none"
            )
        return
    if api.parent_key is None:
        problems.add(
            api.parent.mark, f"the api of {name} has a parent but no parent_key", "give both or none"
        )
    parent = model.types.get(api.parent.value)
    if parent is None:
        message = f"the parent {api.parent.value!r} of {name} is no object type with an api"
        problems.add(api.parent.mark, message, suggest(api.parent.value, model.types))
    if api.parent_key and object_type.whole and (parent or model.version == OLD):
        _check_parent_key(object_type, api.parent, api.parent_key, problems)
    if model.version == OLD and object_type.plural == "status":
        place = api.plural_name or api.parent
        problems.add(
            place.mark, f"the path 'status' below {api.parent.value} is reserved", "choose another plural"
        )


def _check_parent_key(
    object_type: resolve.ObjectType, parent: Fact[str], key: Fact[str], problems: Problems
) -> None:
    attribute = object_type.attributes.get(key.value)
    if attribute is None:
        message = f"parent_key {key.value!r} is no attribute of {object_type.name}"
        problems.add(key.mark, message, suggest(key.value, object_type.attributes))
    elif attribute.merged.type and attribute.merged.type.value != parent.value:
        problems.add(
            key.mark,
            f"parent_key {key.value!r} of {object_type.name} does not refer to {parent.value}",
            f"give the attribute {key.value} type: {parent.value}",
        )


def _check_paths(types: Iterable[resolve.ObjectType], problems: Problems) -> None:
    """URLs and commands must name one object type each."""
    singulars: dict[str, str] = {}
    plurals: dict[str, str] = {}
    for object_type in types:
        api = object_type.declared.api
        if api is None or api.name is None:
            continue
        first = singulars.setdefault(api.name.value, object_type.name)
        if first != object_type.name:
            problems.add(
                api.name.mark, f"{first} and {object_type.name} have the same api.name {api.name.value!r}"
            )
        plural = object_type.plural
        first = plurals.setdefault(plural, object_type.name)
        if first != object_type.name:
            place = api.plural_name or api.name
            problems.add(place.mark, f"{first} and {object_type.name} have the same path {plural!r}")
