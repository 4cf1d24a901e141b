"""Second stage: nodes in, declarations out: what one file says, each fact with its place.

Unknown keys and wrong kinds of nodes are noted here; whether the facts fit together is for
`check`. A fact that was wrong is left out, so that later stages judge the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gluon.model import declare_parts as parts
from gluon.model import keywords, source
from gluon.model.declare_attributes import Attribute, attributes
from gluon.model.declare_versions import Version, versions
from gluon.model.facts import Fact, Reader, is_null
from gluon.model.fieldtypes import NEW, OLD
from gluon.model.problems import Mark, Problems

ACTIONS = keywords.ACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What makes an object type one with a table and URLs."""

    mark: Mark
    name: Fact[str] | None = None
    plural_name: Fact[str] | None = None
    parent: Fact[str] | None = None
    parent_key: Fact[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """An object type as declared; without `api` a base object."""

    name: str
    mark: Mark
    api: Api | None = None
    extends: Fact[str] | None = None
    description: Fact[str] | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    policies: Mapping[str, Fact[str]] = field(default_factory=dict)
    policy_keys: tuple[source.Scalar, ...] = ()
    unique: tuple[parts.Unique, ...] = ()
    checks: tuple[parts.Check, ...] = ()
    pools: Mapping[str, parts.Pool] = field(default_factory=dict)
    quota: Fact[int] | None = None
    actions: Mapping[str, parts.Action] = field(default_factory=dict)
    hooks: Mapping[str, Fact[tuple[Fact[str], ...]]] = field(default_factory=dict)
    neutron: Mapping[str, Fact[tuple[Fact[str], ...]]] = field(default_factory=dict)
    examples: tuple[source.Mapping, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    mark: Mark
    name: Fact[str] | None = None
    version: Fact[str] | None = None
    description: Fact[str] | None = None
    author: Mapping[str, Fact[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """All that one file declares, read in `version` of the language."""

    mark: Mark
    version: str = OLD
    file_version: Fact[str] | None = None
    imports: tuple[Fact[str], ...] = ()
    misread_imports: bool = False
    info: Info | None = None
    pools: Mapping[str, parts.Pool] = field(default_factory=dict)
    versions: Mapping[str, Version] = field(default_factory=dict)
    objects: tuple[ObjectType, ...] = ()


def stated_version(root: source.Node | None) -> str | None:
    """The version that a file says it is in; an unknown one is read with all that the newest has."""
    if isinstance(root, source.Mapping):
        for key, value in root.entries:
            if key.text == "file_version" and isinstance(value, source.Scalar) and not is_null(value):
                return OLD if value.text == OLD else NEW
        for key, value in root.entries:
            if key.text == "imports" and isinstance(value, source.Scalar) and NEW in value.text:
                return NEW
    return None


def read(root: source.Node | None, file: str, version: str, problems: Problems) -> File | None:
    """The declarations of one file in `version` unless it says which; None where there are none at all."""
    version = stated_version(root) or version
    reader = Reader(problems, version)
    if root is None or is_null(root):
        return None
    top = reader.keys(root, keywords.TOP, "the top level of a model")
    imports = reader.one_or_more(top.get("imports"), "imports")
    return File(
        mark=Mark(file=file),
        version=version,
        file_version=reader.text(top.get("file_version"), "file_version"),
        imports=imports.value if imports else (),
        misread_imports=reader.new and "imports" in top and imports is None,
        info=_info(top["info"], reader) if "info" in top else None,
        pools=parts.pools(top.get("pools"), "pools of the model", reader),
        versions=versions(top.get("versions"), reader),
        objects=tuple(
            _object(key, node, reader) for key, node in reader.entries(top.get("objects"), "objects")
        ),
    )


def _info(node: source.Node, reader: Reader) -> Info:
    keys = reader.keys(node, keywords.INFO, "info")
    author = reader.keys(keys.get("author"), keywords.AUTHOR, "info.author")
    told = {key: reader.text(value, f"info.author.{key}") for key, value in author.items()}
    return Info(
        mark=node.mark,
        name=reader.text(keys.get("name"), "info.name"),
        version=reader.text(keys.get("version"), "info.version"),
        description=reader.text(keys.get("description"), "info.description"),
        author={key: fact for key, fact in told.items() if fact},
    )


def _object(key: source.Scalar, node: source.Node, reader: Reader) -> ObjectType:
    where = f"object type {key.text}"
    keys = reader.keys(node, keywords.OBJECT, where)
    actions = parts.actions(keys.get("actions"), where, reader)
    policies, policy_keys = parts.policies(keys.get("policies"), where, reader)
    return ObjectType(
        name=key.text,
        mark=key.mark,
        api=_api(keys["api"], where, reader) if "api" in keys else None,
        extends=reader.text(keys.get("extends"), f"extends of {where}"),
        description=reader.text(keys.get("description"), f"description of {where}"),
        attributes=attributes(keys.get("attributes"), f"attributes of {where}", reader),
        policies=policies,
        policy_keys=policy_keys,
        unique=parts.uniques(keys.get("unique"), where, reader),
        checks=parts.checks(keys.get("checks"), where, reader),
        pools=parts.pools(keys.get("pools"), f"pools of {where}", reader),
        quota=reader.integer(keys.get("quota"), f"quota of {where}"),
        actions=actions,
        hooks=parts.named_texts(keys.get("hooks"), keywords.HOOKS, f"hooks of {where}", reader),
        neutron=parts.named_texts(keys.get("neutron"), keywords.NEUTRON, f"neutron of {where}", reader),
        examples=parts.examples(keys.get("examples"), where, reader),
    )


def _api(node: source.Node, where: str, reader: Reader) -> Api:
    keys = reader.keys(node, keywords.API, f"api of {where}")
    facts = {key: reader.text(value, f"api.{key} of {where}") for key, value in keys.items()}
    return Api(mark=node.mark, **facts)
