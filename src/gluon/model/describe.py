"""A loaded model as plain data (for `/gluon/v1/protons`, clients and digests) and as YAML (for people)."""

from __future__ import annotations

from typing import Any

import yaml

from gluon.model import roles, written
from gluon.model.fieldtypes import OLD
from gluon.model.types import Attribute, AttributeType, Model, ObjectType


def describe(model: Model) -> dict[str, Any]:
    """Everything a client needs to know about a proton, as JSON-able data; facts at their default are left out."""
    described = {
        "name": model.name,
        "version": model.version,
        "file_version": model.file_version,
        "description": model.description,
        "author": dict(model.author),
        "path": f"/proton/{model.name}/v{model.version}",
        "types": {name: _object_type(object_type, model) for name, object_type in model.types.items()},
    }
    if model.pools:
        described["pools"] = written.pools(model.pools)
    if model.versions:
        described["versions"] = {
            version: {**said, "digest": v.model.digest, "status": v.state.value}
            for v, (version, said) in zip(
                model.versions, written.versions(model.versions).items(), strict=True
            )
        }
    return described


def _object_type(object_type: ObjectType, model: Model) -> dict[str, Any]:
    path = f"/proton/{model.name}/v{model.version}/{object_type.plural}"
    paths = [path, f"{path}/{{{object_type.key}}}"]
    described: dict[str, Any] = {
        "singular": object_type.singular,
        "plural": object_type.plural,
        "kind": object_type.kind.value,
        "description": object_type.description,
        "key": object_type.key,
        "generated_key": object_type.generated_key,
        "attributes": {name: describe_attribute(a) for name, a in object_type.attributes.items()},
        "unique": [{"attributes": list(u.attributes), "scope": u.scope.value} for u in object_type.unique],
        "policies": dict(object_type.policies),
        "roles": {role.value: name for role, name in object_type.roles.items()},
    }
    if model.file_version != OLD:
        described |= written.parts(object_type)
    if object_type.parent and object_type.parent_key:
        described |= {"parent": object_type.parent, "parent_key": object_type.parent_key}
        nested = f"/proton/{model.name}/v{model.version}/{_nested(object_type, model)}"
        paths += [nested, f"{nested}/{{{object_type.key}}}"]
    return described | {"paths": paths}


def _nested(object_type: ObjectType, model: Model) -> str:
    """The path below the parent; in 2.0 below all that are above."""
    path, here = object_type.plural, object_type
    while here.parent and here.parent_key:
        above = model.types[here.parent]
        path = f"{above.plural}/{{{here.parent_key}}}/{path}"
        here = above
        if model.file_version == OLD:
            break
    return path


def describe_attribute(attribute: Attribute) -> dict[str, Any]:
    """One attribute; those of 2.0 say whether they are nullable, and what they hold."""
    described = _facts(attribute)
    if attribute.kept:
        return {
            key: fact for key, fact in described.items() if fact is not None and fact not in (False, "", [])
        }
    described = {
        key: fact for key, fact in described.items() if fact not in (None, "", []) and fact is not False
    }
    described |= {**written.extras(attribute), "nullable": attribute.nullable}
    if attribute.items:
        described["items"] = describe_attribute(attribute.items)
    if attribute.members:
        described["attributes"] = {name: describe_attribute(m) for name, m in attribute.members.items()}
    return described


def _facts(attribute: Attribute) -> dict[str, Any]:
    facts = {
        "type": attribute.type.value,
        "description": attribute.description,
        "required": attribute.required,
        "primary": attribute.primary,
        "length": attribute.length,
        "format": attribute.format.value if attribute.format else None,
        "values": list(attribute.values),
        "min": attribute.minimum,
        "max": attribute.maximum,
        "reference": attribute.reference,
        "role": attribute.role.value if attribute.role else None,
    }
    if attribute.reference:
        facts["value_type"] = attribute.value_type.value
        facts["value_format"] = attribute.value_format.value if attribute.value_format else None
    return facts


def dump(model: Model) -> str:
    """The merged model as YAML in the language itself: no imports, no attributes of bases, defaults written out.

    Other versions are said to be there; their own dumps must be loaded beside it.
    """
    info: dict[str, Any] = {"name": model.name, "version": model.version}
    if model.description:
        info["description"] = model.description
    if model.author:
        info["author"] = dict(model.author)
    whole: dict[str, Any] = {"file_version": model.file_version, "info": info}
    if model.file_version == OLD:
        whole["objects"] = {name: _written(object_type) for name, object_type in model.types.items()}
    else:
        if model.pools:
            whole["pools"] = written.pools(model.pools)
        if model.versions:
            whole["versions"] = written.versions(model.versions)
        bases: dict[str, Any] = {_BASES[t.kind]: {} for t in model.types.values() if t.kind in _BASES}
        whole["objects"] = bases | {
            name: _written_new(object_type) for name, object_type in model.types.items()
        }
    text: str = yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


class _Dumper(yaml.SafeDumper):
    """No anchors: who reads the dump sees every value where it is."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_BASES = {kind: base for base, kind in roles.KINDS.items()}


def _written_new(object_type: ObjectType) -> dict[str, Any]:
    described: dict[str, Any] = {"api": _api(object_type)}
    if object_type.kind in _BASES:
        described["extends"] = _BASES[object_type.kind]
    if object_type.description:
        described["description"] = object_type.description
    described["attributes"] = {name: written.attribute(a) for name, a in object_type.attributes.items()}
    return described | written.parts(object_type) | {"policies": dict(object_type.policies)}


def _api(object_type: ObjectType) -> dict[str, str]:
    api = {"name": object_type.singular, "plural_name": object_type.plural}
    if object_type.parent and object_type.parent_key:
        api |= {"parent": object_type.parent, "parent_key": object_type.parent_key}
    return api


def _written(object_type: ObjectType) -> dict[str, Any]:
    said: dict[str, Any] = {"api": _api(object_type)}
    if object_type.description:
        said["description"] = object_type.description
    further = {name for u in object_type.unique for name in u.attributes}
    said["attributes"] = {
        name: _written_attribute(a, primary=a.primary or name in further)
        for name, a in object_type.attributes.items()
    }
    said["policies"] = {action: {"role": rule} for action, rule in object_type.policies.items()}
    return said


def _written_attribute(attribute: Attribute, *, primary: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"type": attribute.reference or attribute.type.value}
    if attribute.description:
        said["description"] = attribute.description
    if primary:
        said["primary"] = True
    if attribute.required:
        said["required"] = True
    if attribute.type is AttributeType.REFERENCE:
        return said
    if attribute.length is not None:
        said["length"] = attribute.length
    if attribute.format:
        said["format"] = attribute.format.value
    if attribute.values:
        said["values"] = list(attribute.values)
    if attribute.minimum is not None:
        said["min"] = attribute.minimum
    if attribute.maximum is not None:
        said["max"] = attribute.maximum
    return said
