"""The loaded models, compiled: a `Resource` for each object type, found by path or by name.

Immutable; loading other models makes another registry.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gluon import errors
from gluon.model import fields, types
from gluon.particles import records, tables
from gluon.proton import defaults as filling
from gluon.proton import referring, rules, supplies
from gluon.spi import hooks, store

if TYPE_CHECKING:
    from gluon.proton.editions import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Attributes whose values no two objects share, and the columns to look them up by."""

    attributes: tuple[str, ...]
    columns: tuple[str, ...]
    scope: types.Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """An attribute that a body may repeat and not change."""

    attribute: str
    column: str
    read_only: bool
    secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """An action with its code; `takes` judges what a client sends."""

    action: types.Action
    code: hooks.Act
    takes: Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What rules see of an object: attributes and their columns. `single`: of one value, but for those `followed`, references
    that a rule goes through, with where they lead; `nested`: lists, maps and objects."""

    single: tuple[tuple[str, str], ...] = ()
    followed: tuple[tuple[str, str, Resource], ...] = ()
    nested: tuple[tuple[str, str], ...] = ()

    def of(self, names: Container[str]) -> Seen:
        """That of these attributes alone."""
        return Seen(
            single=tuple(s for s in self.single if s[0] in names),
            followed=tuple(f for f in self.followed if f[0] in names),
            nested=tuple(n for n in self.nested if n[0] in names),
        )


@dataclass(slots=True, kw_only=True, eq=False, weakref_slot=True)
class Resource:
    """One object type, ready to serve. Filled by `Registry`, then never changed but for `former` and `held`."""

    model: types.Model
    type: types.ObjectType
    records: records.Records
    fields: fields.Fields
    api: str = field(init=False)
    name: str = field(init=False)
    table: str = field(init=False)
    is_port: bool = field(init=False)
    is_service: bool = field(init=False)
    """It is a network of the Neutron face."""
    project: str | None = field(init=False)
    """The attribute that says whose an object is."""
    usual: Mapping[str, tuple[Any, Any]] = field(init=False)
    """By attribute, what is as good as not given."""
    references: tuple[referring.Reference, ...] = ()
    referrers: tuple[referring.Reference, ...] = ()
    unique: tuple[Group, ...] = ()
    busy: bool = False
    """Of each object more is kept than its row, or it is judged by more than its own values."""
    entangled: bool = False
    """A new object has parts that look at each other: links, pools of its own, hooks, an interface with such."""
    modern: bool = False
    """Of a model in version 2.0 or later."""
    links: tuple[referring.Reference, ...] = ()
    """Those of `references` that are inside of values."""
    guarded: tuple[Guarded, ...] = ()
    stands: types.Attribute | None = None
    """The attribute that shows the operational status, where clients do not write it."""
    seen: Seen = field(default_factory=Seen)
    judged: Seen = field(default_factory=Seen)
    """Of `seen`, what its own rules look at."""
    checks: tuple[rules.Rule, ...] = ()
    watchers: tuple[rules.Watcher, ...] = ()
    """Rules that read this type through a reference."""
    pooled: tuple[supplies.Pooled, ...] = ()
    """Attributes that take from a pool."""
    pools: tuple[supplies.OwnPool, ...] = ()
    """Pools that each object of this type has."""
    steering: frozenset[str] = frozenset()
    """Attributes that a new object has to be without to look at `usual_reads` of its project."""
    usual_reads: dict[store.Value, Sequence[store.Lookup]] = field(default_factory=dict)
    default_interface: Resource | None = None
    """For a port type: the type of the interface that is made with it."""
    fill_default: filling.Filler | None = None
    """What fills that interface."""
    alike: bool = False
    """What the rules of that interface look at is the same in all that are made so."""
    held: bool = False
    """One was judged, and kept its rules: so do all that are alike."""
    children: Mapping[str, Resource] = field(default_factory=dict)
    """By plural."""
    listings: Mapping[str, referring.Reference] = field(default_factory=dict)
    """References whose owners are listed under the object referred to, by the name of the path."""
    check_hooks: tuple[tuple[str, hooks.Check], ...] = ()
    before_hooks: tuple[tuple[str, hooks.Before], ...] = ()
    actions: Mapping[str, Doing] = field(default_factory=dict)
    family: Mapping[str, Resource] = field(default_factory=dict)
    """All resources of the model, by name."""
    former: bool = False
    """Its model was replaced or retired: what began before that decides nothing any more."""

    def __post_init__(self) -> None:
        self.api = self.model.name
        self.name = self.type.name
        self.table = self.records.table
        self.is_port = self.type.kind is types.Kind.PORT
        self.is_service = self.type.kind is types.Kind.SERVICE
        self.project = self.type.role(types.Role.PROJECT)
        self.usual = {name: (None, a.default) for name, a in self.type.attributes.items()}

    def check(self) -> None:
        """Raises `StaleModel` where it is served no more."""
        if self.former:
            raise errors.StaleModel("the model was replaced meanwhile")

    def lookup(self, key: store.Value) -> store.Lookup:
        """The look-up of the object with this key."""
        return store.Lookup(self.table, (self.records.key_column,), (key,))

    @property
    def legacy_name(self) -> str:
        """The name in the original's fault texts: `net_l3vpn_Port`."""
        return f"{self.api.replace('-', '_')}_{self.name}"

    @property
    def path(self) -> str:
        return f"/proton/{self.api}/v{self.model.version}/{self.type.plural}"


class Registry:
    """All resources of all loaded models. `codes`: what the names of hooks stand for; `before`: a registry whose
    resources serve on, where it has the same model."""

    def __init__(
        self,
        models: Sequence[types.Model],
        codes: Mapping[str, Any] | None = None,
        before: Registry | None = None,
    ) -> None:
        self.models = tuple(models)
        self._codes = codes or {}
        self.by_name: dict[tuple[str, str], Resource] = {}
        self.by_path: dict[tuple[str, str], dict[str, Resource]] = {}
        self.made: dict[str, Mapping[str, Resource]] = {}
        """By proton and object type."""
        self.editions: Mapping[tuple[str, str], Mapping[str, Edition]] = {}
        """By (proton, version) and plural, of versions that are not stored; `editions.serve` fills it."""
        kept = {id(m) for m in before.models} if before is not None else set()
        for model in models:
            if before is not None and id(model) in kept:
                self._enter(model, before.made[model.name])
            else:
                self._add(model)

    def _enter(self, model: types.Model, made: Mapping[str, Resource]) -> None:
        """Let the resources of a model be found."""
        self.made[model.name] = made
        self.by_name |= {(model.name, name): r for name, r in made.items()}
        self.by_path[model.name, f"v{model.version}"] = {r.type.plural: r for r in made.values()}

    def _add(self, model: types.Model) -> None:
        made = {
            t.name: Resource(
                model=model, type=t, records=records.Records(model, t), fields=fields.compile_fields(t)
            )
            for t in model.types.values()
        }
        forms = {name: r.records for name, r in made.items()}
        links = [link for t in model.types.values() for link in referring.of_type(model, t, forms)]
        interfaces = [r for r in made.values() if r.type.kind is types.Kind.INTERFACE]
        for resource in made.values():
            kind = resource.type
            resource.references = tuple(k for k in links if k.owner == resource.name)
            resource.referrers = tuple(k for k in links if k.target == resource.name)
            resource.unique = tuple(
                Group(attributes=u.attributes, columns=tables.unique_columns(kind, u), scope=u.scope)
                for u in kind.unique
            )
            resource.family = made
            resource.children = {r.type.plural: r for r in made.values() if r.type.parent == resource.name}
            if resource.is_port and interfaces and filling.fits(interfaces[0].type):
                resource.default_interface = interfaces[0]
                usual = interfaces[0].fields.defaults if model.file_version != "1.0" else {}
                resource.fill_default = filling.filler(resource.records, interfaces[0].records, usual)
        if model.file_version != "1.0":
            _modernise(model, made, links, self._codes)
        self._enter(model, made)


def _modernise(
    model: types.Model,
    made: Mapping[str, Resource],
    references: Sequence[referring.Reference],
    codes: Mapping[str, Any],
) -> None:
    """What only models in version 2.0 and later have."""
    own = supplies.own_pools(model.name, {name: r.records for name, r in made.items()})
    watching: dict[str, list[rules.Watcher]] = {name: [] for name in made}
    for resource in made.values():
        kind = resource.type
        resource.modern = True
        resource.listings = {r.listed_as: r for r in resource.referrers if r.listed_as}
        resource.links = tuple(r for r in resource.references if r.link is not None)
        resource.guarded = tuple(
            Guarded(attribute=a.name, column=tables.column_name(a), read_only=a.read_only, secret=a.secret)
            for a in kind.attributes.values()
            if a.immutable or a.read_only
        )
        status = kind.attributes.get(kind.role(types.Role.STATUS) or "")
        resource.stands = status if status is not None and status.read_only else None
        resource.checks = rules.compiled(model.types, kind, references)
        resource.pools = own[resource.name]
        resource.pooled = supplies.pooled(model, resource.records, resource.references, own)
        resource.steering = supplies.steering(resource)
        for name, watcher in rules.watchers(kind, resource.checks, references):
            watching[name].append(watcher)
        resource.check_hooks = _codes(kind.hooks.get(types.HookPoint.CHECK, ()), codes)
        resource.before_hooks = _codes(kind.hooks.get(types.HookPoint.BEFORE, ()), codes)
        resource.actions = {
            a.name: Doing(
                action=a, code=dict(_codes((a.hook,), codes))[a.hook], takes=fields.compile_members(a.takes)
            )
            for a in kind.actions.values()
        }
        resource.entangled = bool(resource.check_hooks or resource.links or resource.pools)
        resource.busy = bool(
            resource.entangled or resource.checks or resource.pooled or kind.quota is not None
        )
    for resource in made.values():
        resource.watchers = tuple(watching[resource.name])
        _see(resource, made)
        interface = resource.default_interface
        if interface is not None and interface.busy:
            resource.busy = True
            resource.entangled |= _more_than_judged(interface)
            resource.alike = _alike(interface)


def _more_than_judged(interface: Resource) -> bool:
    """Whether making an interface takes more than to judge it by its own values."""
    quota = interface.type.quota is not None
    chained = any(rule.chains for rule in interface.checks)
    return bool(interface.entangled or interface.pooled or quota or chained)


def _alike(interface: Resource) -> bool:
    """Whether its rules look only at what `defaults.filler` makes the same in each."""
    differ = {
        interface.type.key,
        *map(interface.type.role, (types.Role.PORT, types.Role.NAME, types.Role.PROJECT)),
    }
    paths = {path for rule in interface.checks for path in rule.holds.paths}
    return all(path[0] == "self" and len(path) > 1 and path[1] not in differ for path in paths)


def _see(resource: Resource, made: Mapping[str, Resource]) -> None:
    """Sort the attributes by what rules see of them."""
    chains = (chain for kind in made.values() for rule in kind.checks for chain in rule.chains)
    read = {(r.owner, r.name) for chain in chains for r in chain}
    followed = [r for r in resource.references if r.link is None and (r.owner, r.name) in read]
    others = [a for a in resource.type.attributes.values() if a.name not in {r.attribute for r in followed}]
    resource.seen = Seen(
        single=tuple((a.name, tables.column_name(a)) for a in others if a.type not in types.NESTED),
        followed=tuple((r.attribute, r.column, made[r.target]) for r in followed),
        nested=tuple((a.name, tables.column_name(a)) for a in others if a.type in types.NESTED),
    )
    paths = {path[1:2] for rule in resource.checks for path in rule.holds.paths if path[0] == "self"}
    resource.judged = resource.seen if () in paths else resource.seen.of({name for (name,) in paths})


def _codes(names: Sequence[str], codes: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Raises `GluonError` for a hook whose code nobody has loaded."""
    for name in names:
        if name not in codes:
            raise errors.GluonError(f"there is no code for the hook '{name}'")
    return tuple((name, codes[name]) for name in names)
