"""What faces call: one method per action, from a decoded body to the stored object.

Raises the errors of `gluon.errors`; returns what was committed. Holds no state of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gluon.model import fields
from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import create, hooked, ids, problems, referring, registry, remove, units, update
from gluon.spi import policy, ports, store


class Standings(Protocol):
    """What data planes say of objects."""

    async def words(self, resource: registry.Resource, rows: Sequence[store.Row]) -> Sequence[str]:
        """The operational status of each."""


class Service:
    """The actions on objects of all protons. `standings`: where bodies show the operational status."""

    def __init__(
        self,
        database: store.Store,
        rules: policy.Policy,
        ledger: ports.PortLedger,
        standings: Standings | None = None,
    ) -> None:
        self._store = database
        self._policy = rules
        self._ledger = ledger
        self._standings = standings

    def context(self, resource: registry.Resource, caller: policy.Caller, request_id: str) -> units.Context:
        return units.Context(
            resource=resource, caller=caller, request_id=request_id, policy=self._policy, ledger=self._ledger
        )

    async def create(
        self, context: units.Context, body: Mapping[str, Any], parent: str | None = None
    ) -> units.Result:
        """A new object; `parent` is the parent's key in a nested path."""
        resource = context.resource
        if parent is not None:
            body = _with_parent(resource, body, parent)
        checked = resource.fields.check(body, partial=False)
        values = checked.values
        if resource.modern:
            resource.fields.fill(values)
        key = values.get(resource.type.key)
        made = not key and resource.type.generated_key
        if made:
            key = ids.new_id()
            values = {**values, resource.type.key: key}
        if not resource.before_hooks:
            committed = await self._store.submit(create.Create(context, key, made, values, checked.written))
            done: units.Result = committed.result
            return done
        return await self._create_with_hooks(context, key, made, checked)

    async def _create_with_hooks(
        self, context: units.Context, key: store.Value, made: bool, checked: fields.Checked
    ) -> units.Result:
        resource = context.resource
        values = {**checked.values, resource.type.key: key}

        def make(more: Mapping[str, Any], forms: Mapping[str, Any]) -> store.Unit:
            return create.Create(context, key, made, {**values, **more}, {**checked.written, **forms})

        def predict(_: store.Row | None) -> store.Row:
            project = context.caller.project
            return resource.records.row(values, checked.written, revision=0, now="", project=project)

        result: units.Result = await self._submit(context, journal.Operation.CREATE, key, predict, make)
        return result

    async def update(
        self,
        context: units.Context,
        key: str,
        body: Mapping[str, Any],
        expected: frozenset[int] | None = None,
        parent: str | None = None,
    ) -> units.Result:
        """The given attributes replaced. `expected`: revisions that the caller read; `parent` as in `create`."""
        if parent is not None:
            _check_parent(context.resource, body, parent)
        resource = context.resource
        checked = resource.fields.check(body, partial=True)
        normal = resource.fields.key(key)
        if resource.stands is not None and resource.stands.name in checked.values:
            await self._forget_shown(resource, normal, checked.values)
        inside = _inside(resource, parent)

        def make(more: Mapping[str, Any], forms: Mapping[str, Any]) -> store.Unit:
            values, written = {**checked.values, **more}, {**checked.written, **forms}
            return update.Update(context, normal, values, written, expected, inside, frozenset(more))

        def predict(row: store.Row | None) -> store.Row | None:
            if row is None:
                return None
            changed = resource.records.changed(row, checked.values, checked.written, revision=0, now="")
            return changed or row

        done: units.Result = await self._submit(context, journal.Operation.UPDATE, normal, predict, make)
        if resource.stands is None:
            return done
        (row,) = await self._shown(resource, (done.row,))
        return units.Result(row, resource.records.document(row), done.wait)

    async def delete(
        self,
        context: units.Context,
        key: str,
        expected: frozenset[int] | None = None,
        parent: str | None = None,
    ) -> None:
        """The object gone."""
        normal = context.resource.fields.key(key)
        unit = remove.Remove(context, normal, expected, _inside(context.resource, parent))
        await self._submit(context, journal.Operation.DELETE, normal, _gone, lambda *_: unit)

    async def act(
        self, context: units.Context, key: str, name: str, body: Any, parent: str | None = None
    ) -> Mapping[str, Any]:
        """An action of the model done on one object: what it answers."""
        resource = context.resource
        doing = resource.actions[name]
        found = await self.get(context, key, parent)
        project = units.text_of(found.row[tables.PROJECT])
        self._policy.check(context.caller, name, resource.api, resource.name, project)
        normal = resource.fields.key(key)

        def change(values: Mapping[str, Any], written: Mapping[str, Any]) -> store.Unit:
            return update.Update(context, normal, values, written, granted=frozenset(values))

        return await hooked.act(self._store, context, normal, doing, doing.takes(body), change, found.row)

    async def _submit(
        self,
        context: units.Context,
        op: journal.Operation,
        key: store.Value,
        predict: hooked.Predict,
        make: hooked.MakeUnit,
    ) -> Any:
        """The result of the unit, after the hooks that come before it."""
        if context.resource.before_hooks:
            committed = await hooked.submit(self._store, context, op, key, predict, make)
        else:
            committed = await self._store.submit(make({}, {}))
        return committed.result

    async def get(self, context: units.Context, key: str, parent: str | None = None) -> units.Result:
        """One object that the caller may see."""
        resource = context.resource
        normal = context.resource.fields.key(key)
        row = await self._store.get(resource.table, normal)
        scope = self._policy.scope(context.caller, resource.api, resource.name)
        if row is None or (scope is not None and row[tables.PROJECT] not in (None, scope)):
            raise problems.missing(resource, key)
        units.check_inside(resource, row, _inside(resource, parent))
        project = row[tables.PROJECT]
        self._policy.check(
            context.caller, "get", resource.api, resource.name, None if project is None else str(project)
        )
        (row,) = await self._shown(resource, (row,))
        return units.Result(row, resource.records.document(row))

    async def _shown(self, resource: registry.Resource, rows: Sequence[store.Row]) -> Sequence[store.Row]:
        """The rows with the operational status in them, where the type shows it."""
        status = resource.stands
        if status is None or self._standings is None or not rows:
            return rows
        column = resource.records.column(status.name)
        words = await self._standings.words(resource, rows)
        return [
            {**row, column: word} if not status.values or word in status.values else row
            for row, word in zip(rows, words, strict=True)
        ]

    async def _forget_shown(
        self, resource: registry.Resource, key: store.Value, values: dict[str, Any]
    ) -> None:
        """A client may send back the status that it was shown, though another is stored."""
        row = await self._store.get(resource.table, key)
        if row is None or resource.stands is None:
            return
        (shown,) = await self._shown(resource, (row,))
        if values[resource.stands.name] == shown[resource.records.column(resource.stands.name)]:
            del values[resource.stands.name]

    async def follow(self, steps: Sequence[tuple[units.Context, str]]) -> None:
        """Each object of a path is there, and under the one before it. Raises `NotFound`."""
        parent = None
        for context, key in steps:
            await self.get(context, key, parent)
            parent = key

    async def referrers(
        self, context: units.Context, key: str, reference: referring.Reference, parent: str | None = None
    ) -> Sequence[dict[str, Any]]:
        """The bodies that refer to an object by `reference` and that the caller may see, by key."""
        target = await self.get(context, key, parent)
        owner = context.resource.family[reference.owner]
        scope = self._policy.scope(context.caller, owner.api, owner.name)
        self._policy.check(context.caller, "list", owner.api, owner.name, scope)
        value = target.row[reference.target_key]
        equals = ((reference.column, value),)
        rows = await self._store.select(store.Select(table=owner.table, equals=equals, project=scope))
        return [owner.records.body(row) for row in await self._shown(owner, rows)]

    async def list(self, context: units.Context, parent: str | None = None) -> Sequence[dict[str, Any]]:
        """All bodies that the caller may see, by key; `parent`: only those of this parent."""
        resource = context.resource
        scope = self._policy.scope(context.caller, resource.api, resource.name)
        self._policy.check(context.caller, "list", resource.api, resource.name, scope)
        equals: tuple[tuple[str, store.Value], ...] = ()
        if parent is not None and resource.type.parent_key:
            attribute = resource.type.parent_key
            equals = ((resource.records.column(attribute), resource.fields.from_text(attribute, parent)),)
        rows = await self._store.select(store.Select(table=resource.table, equals=equals, project=scope))
        return [resource.records.body(row) for row in await self._shown(resource, rows)]


def _gone(_row: store.Row | None) -> None:
    """What is left of a deleted object."""


def _inside(resource: registry.Resource, parent: str | None) -> units.Inside | None:
    """What an object under `parent` has in its row; 1.0 never looked."""
    attribute = resource.type.parent_key
    if parent is None or attribute is None or not resource.modern:
        return None
    return resource.records.column(attribute), resource.fields.from_text(attribute, parent)


def _with_parent(resource: registry.Resource, body: Mapping[str, Any], parent: str) -> Mapping[str, Any]:
    attribute = resource.type.parent_key
    if attribute is None:
        return body
    if body.get(attribute) in (None, ""):
        return {**body, attribute: resource.fields.from_text(attribute, parent)}
    _check_parent(resource, body, parent)
    return body


def _check_parent(resource: registry.Resource, body: Mapping[str, Any], parent: str) -> None:
    """A body may name the parent of its path, and no other."""
    attribute = resource.type.parent_key
    given = body.get(attribute) if attribute is not None else None
    if attribute is None or given in (None, ""):
        return
    if resource.fields.normal(attribute, given) != resource.fields.from_text(attribute, parent):
        raise problems.parent_mismatch(attribute, given, parent)
