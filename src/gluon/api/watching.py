"""What watching knows of the models that are served: types, their objects now, and who may see which of them.

In: the registry, the store, the policy. Out: `watch.kinds.Kinds`, and the views of one caller. Invariant: a caller is
shown by a watch what he is shown by a list. Called by `watch`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.model import types
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import registry, service
from gluon.spi import policy, store
from gluon.watch import interest, kinds, matching
from gluon.watch.told import NONE

_PROJECT = ("project_id", "tenant_id")


class Served:
    """`watch.kinds.Kinds` of the loaded models. `renew` brings them up to date; `rules`: what is another object after
    the rules were replaced."""

    def __init__(
        self,
        known: Callable[[], registry.Registry],
        database: store.Store,
        standings: service.Standings,
        renew: Callable[[], Awaitable[None]],
        rules: Callable[[], object],
    ) -> None:
        self._known = known
        self._store = database
        self._standings = standings
        self._renew = renew
        self._rules = rules
        self._kinds: dict[tuple[str, str], tuple[registry.Resource, kinds.Kind]] = {}
        self._digest: tuple[object, str] = (None, "")

    @property
    def models(self) -> str:
        known = self._known()
        if self._digest[0] is not known.by_path:
            models = sorted((m.name, m.version, m.digest) for m in known.models)
            self._digest = (known.by_path, codec.digest(codec.encode(models)))
        return self._digest[1]

    @property
    def rules(self) -> object:
        return self._rules()

    def find(self, api: str, name: str) -> kinds.Kind | None:
        resource = self._known().by_name.get((api, name))
        return None if resource is None else self.of(resource)

    def all(self) -> Iterable[kinds.Kind]:
        return [self.of(resource) for resource in self._known().by_name.values()]

    def of(self, resource: registry.Resource) -> kinds.Kind:
        """The same one while the resource is served."""
        place = (resource.api, resource.name)
        held = self._kinds.get(place)
        if held is None or held[0] is not resource:
            held = self._kinds[place] = (resource, _kind(resource))
        return held[1]

    async def renew(self) -> None:
        await self._renew()

    async def words(self, kind: kinds.Kind, objects: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        resource = self._resource(kind)
        if resource is None or resource.stands is None:
            return [None] * len(objects)
        rows: list[store.Row] = [
            {resource.records.key_column: key, tables.REVISION: revision} for key, revision in objects
        ]
        words = await self._standings.words(resource, rows)
        values = resource.stands.values
        return [word if not values or word in values else None for word in words]

    async def present(self, kind: kinds.Kind, keys: Sequence[str]) -> Mapping[str, kinds.Present]:
        resource = self._resource(kind)
        if resource is None:
            return {}
        found = await asyncio.gather(*(self._get(resource, key) for key in keys))
        there = {key: row for key, row in zip(keys, found, strict=True) if row is not None}
        if resource.stands is not None and there:
            column = resource.records.column(resource.stands.name)
            places = [(key, int(row[tables.REVISION] or 0)) for key, row in there.items()]
            words = await self.words(kind, places)
            there = {
                key: row if word is None else {**row, column: word}
                for (key, row), word in zip(there.items(), words, strict=True)
            }
        return {
            key: kinds.Present(resource.records.document(row), _text(row[tables.PROJECT]))
            for key, row in there.items()
        }

    async def _get(self, resource: registry.Resource, key: str) -> store.Row | None:
        try:
            return await self._store.get(resource.table, resource.fields.key(key))
        except errors.Invalid:
            return None

    def _resource(self, kind: kinds.Kind) -> registry.Resource | None:
        resource = self._known().by_name.get((kind.api, kind.name))
        return resource if resource is not None and self.of(resource) is kind else None


def _text(value: store.Value) -> str | None:
    return None if value is None else str(value)


def _kind(resource: registry.Resource) -> kinds.Kind:
    name = resource.type.role(types.Role.PROJECT)

    def project_of(body: kinds.Body) -> str | None:
        assert name is not None
        value = body.get(name)
        try:
            return _text(resource.fields.normal(name, value))
        except errors.Invalid:
            return _text(value)

    return kinds.Kind(
        api=resource.api,
        name=resource.name,
        plural=resource.type.plural,
        version=resource.model.version,
        project_of=project_of if name is not None else None,
        computed=resource.stands.name if resource.stands is not None else None,
    )


class Target(Mapping[str, Any]):
    """A body as rules of reading see it: what is of no project is the caller's own."""

    __slots__ = ("_body", "_project")

    def __init__(self, body: kinds.Body, project: str | None, caller: policy.Caller) -> None:
        self._body = body
        self._project = caller.project if project is None else project

    def __getitem__(self, name: str) -> Any:
        return self._project if name in _PROJECT else self._body[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*_PROJECT, *self._body))

    def __len__(self) -> int:
        return len({*_PROJECT, *self._body})


def view(
    access: Callable[[], policy.Access],
    caller: policy.Caller,
    matches: matching.Matches | None = None,
    only: frozenset[str | None] | None = None,
) -> interest.View | None:
    """What a caller may see of a type, and wants to; None: nothing. `access`: the rules as they are when it is asked;
    `only`: of these projects."""
    if caller.admin:
        return interest.View(projects=only, matches=matches)
    rules = access()
    scope = rules.listed(caller)
    if scope is policy.Scope.NOTHING:
        return None
    own = frozenset({caller.project, None})
    projects = own if scope in {policy.Scope.OWN, policy.Scope.OWN_ROWS} else None
    if only is not None:
        projects = only if projects is None else projects & only

    def allows(project: str | None, body: kinds.Body) -> bool:
        return access().lists(caller, Target(body, project, caller))

    def hidden(project: str | None, body: kinds.Body) -> frozenset[str]:
        found: Collection[str] = access().hidden(caller, Target(body, project, caller))
        return frozenset(found) if found else NONE

    rowwise = scope in {policy.Scope.OWN_ROWS, policy.Scope.ROWS}
    return interest.View(
        projects=projects,
        matches=matches,
        allows=allows if rowwise else None,
        hidden=hidden if rules.guards else None,
    )
