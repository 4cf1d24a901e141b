"""Last stage and front door: PATHs in, frozen models out, or one `ModelError` with every problem.

Called by mains and commands; reads files, keeps nothing. What it returns does not depend on the
order of files in a folder, on comments or on how a file is laid out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gluon.model import check, declare, fieldtypes, find, resolve, roles
from gluon.model.check_attributes import primaries
from gluon.model.describe import describe
from gluon.model.problems import Problems
from gluon.model.types import Attribute, AttributeType, Format, Model, ObjectType, Unique

DEFAULT_RULE = "rule:admin_or_owner"

# 1.0 models say this for `list`; nobody ever defined the rule, lists are filtered by project instead.
_UNDEFINED_RULE = "rule:admin"


def load(paths: Sequence[Path], *, shape: bool = False) -> tuple[Model, ...]:
    """All models at `paths`: files, folders of a model, folders of those.

    `shape` also asks for the base pattern (one port, one interface, a service) as `model check`
    does. Raises `ModelError` with the problems of all files.
    """
    problems = Problems()
    library = find.Library(paths, problems)
    whole = [resolve.resolve(bundle, library) for bundle in find.bundles(paths, library)]
    for model in whole:
        check.check(model, problems)
        if shape:
            check.check_shape(model, problems)
    _check_unique(whole, problems)
    problems.raise_found()
    return tuple(_model(model) for model in whole)


def load_catalog() -> tuple[Model, ...]:
    """The models that Gluon ships."""
    return load([find.CATALOG])


def _check_unique(models: Sequence[resolve.Model], problems: Problems) -> None:
    """One name, one model: tables and keys in etcd have no version. Names must differ as names of tables do."""
    seen: dict[str, tuple[str, str, resolve.Model]] = {}
    for model in models:
        if model.info is None or model.info.name is None or model.info.version is None:
            continue
        name, version = model.info.name, model.info.version.value
        folded = name.value.lower().replace("-", "_").replace(".", "_")
        other_name, other_version, other = seen.setdefault(folded, (name.value, version, model))
        if other is model:
            continue
        if other_name != name.value:
            problems.add(name.mark, f"the names {other_name} and {name.value} are too alike", "rename one")
        elif other_version == version:
            hint = f"the other one is in {other.source}: change the name, or leave one out"
            problems.add(name.mark, f"a second model {name.value} {version}", hint)
        else:
            hint = f"version {other_version} is in {other.source}: one version of a proton is served, leave one out"
            problems.add(model.info.version.mark, f"another version, {version}, of {name.value}", hint)


def _model(whole: resolve.Model) -> Model:
    info, file_version = whole.info, whole.file_version
    if info is None or info.name is None or info.version is None or file_version is None:
        raise AssertionError("an unchecked model")
    keys = {name: _key(t) for name, t in whole.types.items()}
    model = Model(
        file_version=file_version.value,
        name=info.name.value,
        version=info.version.value,
        description=info.description.value if info.description else "",
        author=MappingProxyType({key: fact.value for key, fact in sorted(info.author.items())}),
        types=MappingProxyType(
            {name: _object_type(t, keys, whole) for name, t in sorted(whole.types.items(), key=_place)}
        ),
        digest="",
        source=whole.source,
    )
    return dataclasses.replace(model, digest=_digest(model))


def _place(item: tuple[str, resolve.ObjectType]) -> tuple[str, int]:
    """Object types keep the order of declaration; files go by name."""
    mark = item[1].mark
    return Path(mark.file).name, mark.line


def _digest(model: Model) -> str:
    text = json.dumps(describe(model), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _key(object_type: resolve.ObjectType) -> str:
    names = primaries(object_type)
    return names[0] if names else fieldtypes.IMPLICIT_KEY


def _object_type(whole: resolve.ObjectType, keys: Mapping[str, str], model: resolve.Model) -> ObjectType:
    api = whole.declared.api
    if api is None or api.name is None:
        raise AssertionError("an unchecked object type")
    key, further = keys[whole.name], tuple(primaries(whole)[1:])
    attributes = {
        name: _attribute(name, a.merged, whole, keys, model) for name, a in whole.attributes.items()
    }
    played = roles.roles_of(whole)
    for role, name in played.items():
        attributes[name] = dataclasses.replace(attributes[name], role=role)
    if key not in attributes:
        implicit = Attribute(
            name=key,
            type=AttributeType.UUID,
            value_type=AttributeType.UUID,
            primary=True,
            description="Key of the object, made by the server.",
        )
        attributes = {key: implicit, **attributes}
    description = whole.declared.description
    return ObjectType(
        name=whole.name,
        singular=api.name.value,
        plural=check.plural_of(api),
        kind=roles.kind_of(whole),
        description=description.value if description else "",
        attributes=MappingProxyType(attributes),
        key=key,
        generated_key=attributes[key].value_type is AttributeType.UUID,
        unique=(Unique(attributes=further),) if further else (),
        parent=api.parent.value if api.parent else None,
        parent_key=api.parent_key.value if api.parent_key else None,
        policies=MappingProxyType(_policies(whole)),
        roles=MappingProxyType(played),
    )


def _attribute(
    name: str,
    merged: declare.Attribute,
    owner: resolve.ObjectType,
    keys: Mapping[str, str],
    model: resolve.Model,
) -> Attribute:
    """One attribute; a reference takes the limits of the key it refers to, however many steps away."""
    assert merged.type
    facts = merged
    while facts.type and facts.type.value in model.types:
        target = model.types[facts.type.value]
        key = keys[target.name]
        if key not in target.attributes:
            facts = declare.Attribute(mark=target.mark, type=declare.Fact(value="uuid", mark=target.mark))
        else:
            facts = target.attributes[key].merged
    assert facts.type
    type_, value_type = fieldtypes.type_of(merged.type.value), fieldtypes.type_of(facts.type.value)
    format_ = Format(facts.format.value) if facts.format else None
    length = facts.length.value if facts.length else None
    if value_type is AttributeType.STRING and length is None:
        length = fieldtypes.STRING_LENGTH
    return Attribute(
        name=name,
        type=type_,
        description=merged.description.value if merged.description else "",
        required=bool(merged.required and merged.required.value),
        primary=name == keys[owner.name],
        length=length,
        format=None if type_ is AttributeType.REFERENCE else format_,
        values=tuple(value.value for value in facts.values.value) if facts.values else (),
        minimum=facts.min.value if facts.min else None,
        maximum=facts.max.value if facts.max else None,
        reference=merged.type.value if type_ is AttributeType.REFERENCE else None,
        value_type=value_type,
        value_format=format_,
    )


def _policies(whole: resolve.ObjectType) -> dict[str, str]:
    policies = {}
    for action in declare.ACTIONS:
        fact = whole.policies.get(action)
        rule = fact.value.strip() if fact else DEFAULT_RULE
        undefined = action == "list" and rule == _UNDEFINED_RULE
        policies[action] = DEFAULT_RULE if undefined else rule
    return policies
