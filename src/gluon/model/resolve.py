"""Fourth stage: bundles in, whole models out: imports followed, bases merged into their children.

Attributes merge key by key and the child wins; a child that gives another type drops the keys
that the new type does not take. Every fact keeps the place where it was written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gluon.model import declare, fieldtypes, keywords, source
from gluon.model import declare_parts as parts
from gluon.model.declare_attributes import Attribute as Declared
from gluon.model.declare_versions import Version
from gluon.model.facts import Fact
from gluon.model.find import Bundle, Library, SourceFile
from gluon.model.problems import Mark, Problems, suggest

MAX_BASES = 32
"""How long a chain of `extends` may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute after inheritance; `origin` is the object type that declared its name first."""

    merged: Declared
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """An object type after inheritance; `bases` are its base objects, nearest first.

    `primaries` are its primary attributes, inherited first. `whole` is false where a base was missing:
    then an absent attribute means nothing.
    """

    declared: declare.ObjectType
    bases: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    primaries: tuple[str, ...] = ()
    policies: Mapping[str, Fact[str]] = field(default_factory=dict)
    policy_keys: tuple[source.Scalar, ...] = ()
    unique: tuple[parts.Unique, ...] = ()
    checks: tuple[parts.Check, ...] = ()
    pools: Mapping[str, parts.Pool] = field(default_factory=dict)
    quota: Fact[int] | None = None
    actions: Mapping[str, parts.Action] = field(default_factory=dict)
    hooks: Mapping[str, tuple[Fact[str], ...]] = field(default_factory=dict)
    neutron: Mapping[str, Fact[tuple[Fact[str], ...]]] = field(default_factory=dict)
    whole: bool = True

    @property
    def name(self) -> str:
        return self.declared.name

    @property
    def mark(self) -> Mark:
        return self.declared.mark

    @property
    def plural(self) -> str:
        """The path of an object type: its plural name, by default the name with an s."""
        api = self.declared.api
        if api and api.plural_name:
            return api.plural_name.value
        return f"{api.name.value}s" if api and api.name else ""

    @property
    def key(self) -> str:
        """The attribute in the URL; the server makes one where none is declared."""
        return next(iter(self.primaries), fieldtypes.IMPLICIT_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model with everything it imports. `types` have an `api`, `bases` have none."""

    source: str
    mark: Mark
    version: str
    file_version: Fact[str] | None
    file_versions: tuple[Fact[str], ...]
    incomplete: bool
    info: declare.Info | None
    pools: Mapping[str, parts.Pool]
    types: Mapping[str, ObjectType]
    bases: Mapping[str, ObjectType]
    versions: Mapping[str, Version] = field(default_factory=dict)
    built: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Attributes that `build` made: what checks them and what loads them ask for the same."""


def resolve(bundle: Bundle, library: Library) -> Model:
    """Follow the imports of a bundle and merge its object types with their bases."""
    own = {file.path.resolve(): file for file in bundle.files}
    files = dict(own)
    imported = [_import(file, [file], files, library) for file in bundle.files]
    objects = _objects(files.values(), library.problems)
    version = bundle.files[0].declared.version
    incomplete = not all(imported)
    own_only = version != fieldtypes.OLD
    lineage = _Lineage(objects, version, library.problems, incomplete=incomplete)
    whole = {name: lineage.of(name) for name in objects}
    stating = bundle.files if own_only else files.values()
    versions = [f.declared.file_version for f in stating if f.declared.file_version]
    return Model(
        source=bundle.source,
        mark=bundle.files[0].declared.mark,
        version=version,
        incomplete=incomplete,
        file_version=versions[0] if versions else None,
        file_versions=tuple(f.declared.file_version for f in bundle.files if f.declared.file_version),
        info=_info([f.declared.info for f in bundle.files if f.declared.info]),
        pools=_pools(files.values(), library.problems),
        versions={name: v for f in bundle.files for name, v in f.declared.versions.items()},
        types={name: o for name, o in whole.items() if o.declared.api},
        bases={name: o for name, o in whole.items() if not o.declared.api},
    )


def _import(
    file: SourceFile, chain: list[SourceFile], files: dict[Path, SourceFile], library: Library
) -> bool:
    """Add what `file` imports to `files`, and what that imports; `chain` led here. False: something is not there."""
    complete = True
    for name in file.declared.imports:
        targets = library.imported(name, file)
        complete = complete and (bool(targets) or file.declared.version == fieldtypes.OLD)
        for target in targets:
            if any(target is link for link in chain):
                start = next(i for i, link in enumerate(chain) if link is target)
                circle = " → ".join(str(link.path) for link in [*chain[start:], target])
                library.problems.add(name.mark, f"imports go in a circle: {circle}")
                continue
            if not _is_of_one_version(name, file, target, library.problems):
                complete = False
                continue
            real = target.path.resolve()
            if real not in files:
                files[real] = target
                complete = _import(target, [*chain, target], files, library) and complete
    return complete and not file.declared.misread_imports


def _is_of_one_version(name: Fact[str], file: SourceFile, target: SourceFile, problems: Problems) -> bool:
    mine, other = file.declared.version, target.declared.version
    if mine != other:
        base = (
            'import base-2.0, or write file_version: "1.0"'
            if mine == fieldtypes.NEW
            else "import base/base.yaml"
        )
        problems.add(
            name.mark,
            f"{name.value!r} is written in version {other} of the language, this file in {mine}",
            base if "base" in name.value else "write both in one version",
        )
    return mine == other


def _pools(files: Iterable[SourceFile], problems: Problems) -> dict[str, parts.Pool]:
    pools: dict[str, parts.Pool] = {}
    for file in files:
        for name, pool in file.declared.pools.items():
            first = pools.setdefault(name, pool)
            if first is not pool:
                where = f"the other one is {first.mark.file}:{first.mark.line}"
                problems.add(pool.mark, f"pool {name} is defined twice", where)
    return pools


def _objects(files: Iterable[SourceFile], problems: Problems) -> dict[str, declare.ObjectType]:
    objects: dict[str, declare.ObjectType] = {}
    for file in files:
        for declared in file.declared.objects:
            first = objects.setdefault(declared.name, declared)
            if first is not declared:
                where = f"{first.mark.file}:{first.mark.line}"
                problems.add(
                    declared.mark,
                    f"object type {declared.name} is defined twice",
                    f"the other one is {where}",
                )
    return objects


def _info(infos: list[declare.Info]) -> declare.Info | None:
    """The `info` of all files as one; where several say something, the first is taken."""
    if not infos:
        return None
    first, *others = infos
    for other in others:
        first = dataclasses.replace(
            first,
            name=first.name or other.name,
            version=first.version or other.version,
            description=first.description or other.description,
            author={**other.author, **first.author},
        )
    return first


class _Lineage:
    """Merges each object type with its bases, once."""

    def __init__(
        self,
        objects: Mapping[str, declare.ObjectType],
        version: str,
        problems: Problems,
        *,
        incomplete: bool,
    ) -> None:
        self._incomplete = incomplete
        self._objects = objects
        self._version = version
        self._problems = problems
        self._done: dict[str, ObjectType] = {}

    def of(self, name: str) -> ObjectType:
        """The object type `name` with all it inherits."""
        chain, whole = self._chain(self._objects[name])
        merged: ObjectType | None = None
        for declared in reversed(chain):
            known = self._done.get(declared.name)
            merged = known if known and whole else _merge(declared, merged, self._version, whole=whole)
            if whole:
                self._done[declared.name] = merged
        assert merged is not None
        return merged

    def _chain(self, declared: declare.ObjectType) -> tuple[list[declare.ObjectType], bool]:
        """The object type and its bases, nearest first, and whether the last base was reached."""
        chain = [declared]
        while (extends := chain[-1].extends) is not None:
            base = self._objects.get(extends.value)
            if base is None:
                known = [n for n, o in self._objects.items() if not o.api]
                message = f"{chain[-1].name} extends the unknown object {extends.value!r}"
                hint = suggest(extends.value, known)
                if self._version != fieldtypes.OLD and not known:
                    hint = "write imports: base-2.0"
                if not self._incomplete:
                    self._problems.add(extends.mark, message, hint)
                return chain, False
            if base.api:
                self._problems.add(
                    extends.mark,
                    f"{chain[-1].name} extends {base.name}, which has an api",
                    "only base objects, those without api, can be extended",
                )
                return chain, False
            if any(base is link for link in chain):
                circle = " → ".join(o.name for o in [*chain, base])
                self._problems.add(extends.mark, f"extends goes in a circle: {circle}")
                return chain, False
            if len(chain) > MAX_BASES:
                self._problems.add(
                    extends.mark, f"{declared.name} has more than {MAX_BASES} bases, one above another"
                )
                return chain, False
            chain.append(base)
        return chain, True


def _merge(declared: declare.ObjectType, base: ObjectType | None, version: str, *, whole: bool) -> ObjectType:
    """Attributes, pools and actions by name, the child's first choice; rules and hooks of both."""
    attributes: dict[str, Attribute] = dict(base.attributes) if base else {}
    for name, attribute in declared.attributes.items():
        inherited = attributes.get(name)
        if inherited:
            merged = _overlay(inherited.merged, attribute, version)
            attributes[name] = Attribute(merged=merged, origin=inherited.origin)
        else:
            attributes[name] = Attribute(merged=attribute, origin=declared.name)
    if base is None:
        base = ObjectType(declared=declared)
    hooks = {
        point: (*base.hooks.get(point, ()), *(declared.hooks[point].value if point in declared.hooks else ()))
        for point in keywords.HOOKS.rows
        if point in base.hooks or point in declared.hooks
    }
    return ObjectType(
        declared=declared,
        bases=(base.name, *base.bases) if base.declared is not declared else (),
        attributes=attributes,
        primaries=tuple(name for name, a in attributes.items() if a.merged.says("primary")),
        policies={**base.policies, **declared.policies},
        policy_keys=(*base.policy_keys, *declared.policy_keys),
        unique=(*base.unique, *declared.unique),
        checks=(*base.checks, *declared.checks),
        pools={**base.pools, **declared.pools},
        quota=declared.quota or base.quota,
        actions={**base.actions, **declared.actions},
        hooks=hooks,
        neutron={**base.neutron, **declared.neutron},
        whole=whole,
    )


def _overlay(base: Declared, child: Declared, version: str) -> Declared:
    """`base` with what `child` says about it."""
    said = {
        f.name: getattr(child, f.name)
        for f in dataclasses.fields(child)
        if getattr(child, f.name) is not None
    }
    if child.type and base.type and child.type.value != base.type.value:
        kept = fieldtypes.word(version, child.type.value).keys
        dropped: dict[str, Any] = dict.fromkeys(set(keywords.OF_TYPES.rows).difference(kept))
        base = dataclasses.replace(base, **dropped, example=None)
        if not child.format and _format_is_foreign(base, child, version):
            base = dataclasses.replace(base, format=None)
    if base.policies and child.policies:
        said["policies"] = {**base.policies, **child.policies}
    return dataclasses.replace(base, **said)


def _format_is_foreign(base: Declared, child: Declared, version: str) -> bool:
    """Whether an inherited format (`mac`) makes no sense for the child's new type (`integer`)."""
    if base.format is None or child.type is None:
        return False
    formats = fieldtypes.FORMATS[version].get(fieldtypes.word(version, child.type.value).type, ())
    return base.format.value not in formats
