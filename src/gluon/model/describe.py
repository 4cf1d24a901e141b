"""A loaded model as plain data (for `/gluon/v1/protons`, clients and digests) and as YAML (for people)."""

from __future__ import annotations

from typing import Any

import yaml

from gluon.model.types import Attribute, AttributeType, Model, ObjectType


def describe(model: Model) -> dict[str, Any]:
    """Everything a client needs to know about a proton, as JSON-able data; facts at their default are left out."""
    return {
        "name": model.name,
        "version": model.version,
        "file_version": model.file_version,
        "description": model.description,
        "author": dict(model.author),
        "path": f"/proton/{model.name}/v{model.version}",
        "types": {name: _object_type(object_type, model) for name, object_type in model.types.items()},
    }


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
        "attributes": {name: _attribute(a) for name, a in object_type.attributes.items()},
        "unique": [{"attributes": list(u.attributes), "scope": u.scope.value} for u in object_type.unique],
        "policies": dict(object_type.policies),
        "roles": {role.value: name for role, name in object_type.roles.items()},
    }
    if object_type.parent and object_type.parent_key:
        described |= {"parent": object_type.parent, "parent_key": object_type.parent_key}
        above = model.types[object_type.parent].plural
        nested = (
            f"/proton/{model.name}/v{model.version}/{above}/{{{object_type.parent_key}}}/{object_type.plural}"
        )
        paths += [nested, f"{nested}/{{{object_type.key}}}"]
    return described | {"paths": paths}


def _attribute(attribute: Attribute) -> dict[str, Any]:
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
    return {key: fact for key, fact in facts.items() if fact is not None and fact not in (False, "", [])}


def dump(model: Model) -> str:
    """The merged model as YAML in the language itself: no imports, no bases, every default written out."""
    info: dict[str, Any] = {"name": model.name, "version": model.version}
    if model.description:
        info["description"] = model.description
    if model.author:
        info["author"] = dict(model.author)
    objects = {name: _written(object_type) for name, object_type in model.types.items()}
    whole = {"file_version": model.file_version, "info": info, "objects": objects}
    text: str = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110)
    return text


def _written(object_type: ObjectType) -> dict[str, Any]:
    api = {"name": object_type.singular, "plural_name": object_type.plural}
    if object_type.parent and object_type.parent_key:
        api |= {"parent": object_type.parent, "parent_key": object_type.parent_key}
    written: dict[str, Any] = {"api": api}
    if object_type.description:
        written["description"] = object_type.description
    further = {name for u in object_type.unique for name in u.attributes}
    written["attributes"] = {
        name: _written_attribute(a, primary=a.primary or name in further)
        for name, a in object_type.attributes.items()
    }
    written["policies"] = {action: {"role": rule} for action, rule in object_type.policies.items()}
    return written


def _written_attribute(attribute: Attribute, *, primary: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"type": attribute.reference or attribute.type.value}
    if attribute.description:
        written["description"] = attribute.description
    if primary:
        written["primary"] = True
    if attribute.required:
        written["required"] = True
    if attribute.type is AttributeType.REFERENCE:
        return written
    if attribute.length is not None:
        written["length"] = attribute.length
    if attribute.format:
        written["format"] = attribute.format.value
    if attribute.values:
        written["values"] = list(attribute.values)
    if attribute.minimum is not None:
        written["min"] = attribute.minimum
    if attribute.maximum is not None:
        written["max"] = attribute.maximum
    return written
