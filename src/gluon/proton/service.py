"""What faces call: one method per action, from a decoded body to the stored object.

Raises the errors of `gluon.errors`; returns what was committed. Holds no state of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from gluon import errors
from gluon.objects import codec, journal
from gluon.proton import (
    access,
    create,
    hooked,
    incoming,
    lists,
    many,
    query,
    referring,
    registry,
    remove,
    showing,
    supplies,
    terms,
    units,
    update,
)
from gluon.proton.tables import ANSWER
from gluon.spi import policy, ports, store

_MOST_PROBLEMS = 100
_PAUSE = 50
"""New objects that are judged before others of the process have a turn."""
_NOTHING: Mapping[str, Any] = {}


Standings = showing.Standings


class Service:
    """The actions on objects of all protons. `standings`: where bodies show the operational status."""

    def __init__(
        self,
        database: store.Store,
        rules: policy.Policy,
        ledger: ports.PortLedger,
        standings: Standings | None = None,
        queue: store.Queue | None = None,
    ) -> None:
        """`queue`: the store's own; without one nothing can be begun."""
        self._store = database
        self._queue = queue
        self._policy = rules
        self._ledger = ledger
        self._showing = showing.Showing(standings)
        self._lists = lists.Lists(database, self._showing)

    def context(
        self,
        resource: registry.Resource,
        caller: policy.Caller,
        request_id: str,
        wish: terms.Terms | None = None,
        rule: ports.Rule = ports.Rule.PROTON,
        parent_key: str | None = None,
        draws: supplies.Draws | None = None,
    ) -> units.Context:
        """`parent_key`: where it is not that of the model, but of another version of it."""
        return units.Context(
            resource=resource, caller=caller, request_id=request_id, policy=self._policy, ledger=self._ledger,
            terms=wish, rule=rule, parent_key=parent_key or resource.type.parent_key, draws=draws,
        )  # fmt: skip

    async def create(
        self, context: units.Context, body: Mapping[str, Any], parent: str | None = None
    ) -> units.Result:
        """A new object; `parent` is the parent's key in a nested path."""
        new = incoming.new(context, body, parent)
        if context.resource.before_hooks:
            done: units.Result = await self._after_hooks(context, lambda: self.making(context, new))
            return done
        unit: store.Unit = create.Create(context, new.key, new.made, new.values, new.written)
        if context.terms is not None:
            unit = context.terms.bind(unit)
        committed = await self._store.submit(unit)
        result: units.Result = committed.result
        return result

    def begin(self, context: units.Context, body: Mapping[str, Any], answer: store.Answer) -> None:
        """As `create`, where no hook comes before and nothing is asked on terms: `answer` is told. It raises for what is
        seen at once, and then nothing was begun."""
        assert self._queue is not None
        new = incoming.new(context, body, None)
        unit = create.Create(context, new.key, new.made, new.values, new.written)
        self._queue.hand(unit, context.caller.project or "", answer)

    async def create_many(
        self, context: units.Context, bodies: Sequence[Any], parent: str | None = None
    ) -> Sequence[units.Result]:
        """Several new objects or none. Raises `Invalid` with the problems of all of them, told by their places."""
        resource = context.resource
        several: list[incoming.New] = []
        wrong: list[errors.FieldProblem] = []
        for number, body in enumerate(bodies):
            if number % _PAUSE == _PAUSE - 1:
                await asyncio.sleep(0)
            try:
                several.append(incoming.new(context, body, parent))
            except errors.Invalid as error:
                wrong += many.moved(error.problems, f"/{resource.type.plural}/{number}")
        if wrong:
            raise errors.Invalid(wrong[:_MOST_PROBLEMS])

        async def units_of() -> list[store.Unit]:
            if resource.before_hooks:
                return [await self.making(context, new) for new in several]
            return [create.Create(context, n.key, n.made, n.values, n.written) for n in several]

        done: Sequence[units.Result] = await self._together(context, units_of)
        return done

    async def delete_many(
        self,
        context: units.Context,
        keys: Sequence[str],
        expected: frozenset[int] | None = None,
        parent: str | None = None,
    ) -> None:
        """Several objects gone, or none. `expected`: revisions of which each has to be at one."""

        async def units_of() -> list[store.Unit]:
            return [await self.removing(context, key, expected, parent) for key in keys]

        await self._together(context, units_of)

    async def _together(
        self, context: units.Context, units_of: Callable[[], Awaitable[list[store.Unit]]]
    ) -> Any:
        async def unit() -> store.Unit:
            found = await units_of()
            places = [f"/{context.resource.type.plural}/{n}" for n in range(len(found))]
            return many.Many(found, places, who=context.who, request_id=context.request_id)

        return await self._after_hooks(context, unit)

    async def _after_hooks(self, context: units.Context, make: Callable[[], Awaitable[store.Unit]]) -> Any:
        """The result of a unit that hooks come before."""
        await self._not_done(context)

        async def run() -> store.Committed:
            return await self._store.submit(context.bind(await make()))

        return (await hooked.again(run)).result

    async def _not_done(self, context: units.Context) -> None:
        once = context.terms.once if context.terms is not None else None
        if once is not None:
            await self.check_once(once)

    async def check_once(self, once: terms.Once) -> None:
        """Raises `Replayed` for a change that was done before, so that no hook runs again for it."""
        row = await self._store.get(ANSWER, once.owner, once.key)
        once.check(row, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"))

    async def making(
        self, context: units.Context, new: incoming.New, granted: Mapping[str, Any] = _NOTHING
    ) -> store.Unit:
        """The unit of a new object, its `before` hooks run. `granted`: values that the service's own code sets."""
        resource = context.resource
        values = {**new.values, resource.type.key: new.key, **granted}

        def make(more: Mapping[str, Any], forms: Mapping[str, Any]) -> store.Unit:
            given, own = {**values, **more}, frozenset({*granted, *more})
            return create.Create(context, new.key, new.made, given, {**new.written, **forms}, own)

        def predict(_: store.Row | None) -> store.Row:
            project = context.caller.project
            return resource.records.row(values, new.written, revision=0, now="", project=project)

        if not resource.before_hooks:
            return make({}, {})
        return await hooked.guarded(self._store, context, journal.Operation.CREATE, new.key, predict, make)

    async def creating(
        self,
        context: units.Context,
        body: Mapping[str, Any],
        key: str | None = None,
        granted: Mapping[str, Any] = _NOTHING,
    ) -> store.Unit:
        """As `making`, of a body. `key`: made by us before, should one be needed; one that is granted was shown to
        others, so it may have been taken."""
        promised = granted.get(context.resource.type.key)
        new = incoming.new(context, body, None, key if promised is None else promised)
        if promised is not None:
            new = structs.replace(new, made=False)
        return await self.making(context, new, granted)

    async def changing(
        self,
        context: units.Context,
        key: str,
        body: Mapping[str, Any],
        expected: frozenset[int] | None = None,
        parent: str | None = None,
        *,
        merge: bool = False,
        granted: Mapping[str, Any] = _NOTHING,
    ) -> store.Unit:
        """The unit of a change, as `update` says; `granted` as in `making`."""
        if parent is not None:
            incoming.check_parent(context, body, parent)
        resource = context.resource
        parts = update.parts(resource, body) if merge else {}
        checked = resource.fields.check({n: v for n, v in body.items() if n not in parts}, partial=True)
        normal = resource.fields.key(key)
        if resource.stands is not None and resource.stands.name in checked.values:
            await self._forget_shown(context, normal, checked.values)
        inside = incoming.inside(context, parent)

        def make(more: Mapping[str, Any], forms: Mapping[str, Any]) -> store.Unit:
            values, written = {**checked.values, **granted, **more}, {**checked.written, **forms}
            own = frozenset({*granted, *more})
            return update.Update(context, normal, values, written, expected, inside, own, parts)

        def predict(row: store.Row | None) -> store.Row | None:
            if row is None:
                return None
            more = update.merged(resource, row, parts)
            values = {**checked.values, **granted, **more.values}
            written = {**checked.written, **more.written}
            return resource.records.changed(row, values, written, revision=0, now="") or row

        if not resource.before_hooks:
            return make({}, {})
        return await hooked.guarded(self._store, context, journal.Operation.UPDATE, normal, predict, make)

    async def update(
        self,
        context: units.Context,
        key: str,
        body: Mapping[str, Any],
        expected: frozenset[int] | None = None,
        parent: str | None = None,
        *,
        merge: bool = False,
    ) -> units.Result:
        """The given attributes replaced. `expected`: revisions that the caller read; `parent` as in `create`; `merge`:
        nested objects and maps are changed by what is given of them, not replaced (RFC 7396)."""

        async def unit() -> store.Unit:
            return await self.changing(context, key, body, expected, parent, merge=merge)

        done: units.Result
        if context.resource.before_hooks:
            done = await self._after_hooks(context, unit)
        else:
            done = (await self._store.submit(context.bind(await unit()))).result
        if context.resource.stands is None:
            return done
        (row,) = await self._showing.rows(context.resource, (done.row,))
        return units.Result(row, access.document(context, row), done.wait)

    async def delete(
        self,
        context: units.Context,
        key: str,
        expected: frozenset[int] | None = None,
        parent: str | None = None,
    ) -> None:
        """The object gone."""
        if context.resource.before_hooks:
            await self._after_hooks(context, lambda: self.removing(context, key, expected, parent))
        else:
            await self._store.submit(context.bind(await self.removing(context, key, expected, parent)))

    async def removing(
        self,
        context: units.Context,
        key: str,
        expected: frozenset[int] | None,
        parent: str | None = None,
    ) -> store.Unit:
        """The unit of a delete, its `before` hooks run."""
        normal = context.resource.fields.key(key)
        unit = remove.Remove(context, normal, expected, incoming.inside(context, parent))
        if not context.resource.before_hooks:
            return unit
        return await hooked.guarded(
            self._store, context, journal.Operation.DELETE, normal, _gone, lambda *_: unit
        )

    async def act(
        self, context: units.Context, key: str, name: str, body: Any, parent: str | None = None
    ) -> Mapping[str, Any]:
        """An action of the model done on one object: what it answers."""
        resource = context.resource
        doing = resource.actions[name]
        await self._not_done(context)
        found = await self.get(context, key, parent)
        access.require(context, found.row, name)
        normal = resource.fields.key(key)

        def change(values: Mapping[str, Any], written: Mapping[str, Any]) -> store.Unit:
            return update.Update(context, normal, values, written, granted=frozenset(values), action=name)

        return await hooked.act(self._store, context, normal, doing, doing.takes(body), change, found.row)

    async def get(self, context: units.Context, key: str, parent: str | None = None) -> units.Result:
        """One object that the caller may see."""
        resource = context.resource
        normal = context.resource.fields.key(key)
        return await self.show(context, key, await self._store.get(resource.table, normal), parent)

    async def show(
        self, context: units.Context, key: str, row: store.Row | None, parent: str | None = None
    ) -> units.Result:
        """The same of an object that was read already."""
        resource = context.resource
        row = access.found(context, row, key, "get")
        units.check_inside(resource, row, incoming.inside(context, parent))
        (row,) = await self._showing.rows(resource, (row,))
        return units.Result(row, access.document(context, row))

    async def _forget_shown(self, context: units.Context, key: store.Value, values: dict[str, Any]) -> None:
        """A client may send back the status that it was shown, though another is stored."""
        resource = context.resource
        row = await self._store.get(resource.table, key)
        if row is None or resource.stands is None or not access.sees(context, resource, row):
            return
        (shown,) = await self._showing.rows(resource, (row,))
        if values[resource.stands.name] == shown[resource.records.column(resource.stands.name)]:
            del values[resource.stands.name]

    async def follow(self, steps: Sequence[tuple[units.Context, str]]) -> None:
        """Each object of a path is there, and under the one before it. Raises `NotFound`."""
        parent = None
        for context, key in steps:
            await self.get(context, key, parent)
            parent = key

    async def referrers(
        self,
        context: units.Context,
        key: str,
        reference: referring.Reference,
        asked: query.Query,
        parent: str | None = None,
    ) -> lists.Page:
        """The objects that refer to one by `reference` and that the caller may see."""
        target = await self.get(context, key, parent)
        owner = self.context(context.resource.family[reference.owner], context.caller, context.request_id)
        if not access.readable(owner, reference.attribute):
            raise access.refuse_listing(owner)
        equals = ((reference.column, target.row[reference.target_key]),)
        return await self._lists.page(owner, asked, equals)

    async def list(self, context: units.Context, parent: str | None = None) -> Sequence[dict[str, Any]]:
        """All bodies that the caller may see, by key; `parent`: only those of this parent."""
        resource = context.resource
        rows = await self._lists.all(context, _under(context, parent))
        bodies = [resource.records.body(row) for row in rows]
        if context.access.guards and not context.caller.admin:
            for row, body in zip(rows, bodies, strict=True):
                for name in access.hidden(context, row):
                    del body[name]
        return bodies

    async def documents(self, context: units.Context, parent: str | None = None) -> bytes:
        """The same as JSON, with commas between."""
        found = await self._lists.documents(context, _under(context, parent))
        if found is None:
            found = b",".join(map(codec.encode, await self.list(context, parent)))
        return found

    async def page(self, context: units.Context, asked: query.Query, parent: str | None = None) -> lists.Page:
        """As `list`, what a query asks for."""
        return await self._lists.page(context, asked, _under(context, parent))


def _under(context: units.Context, parent: str | None) -> tuple[tuple[str, store.Value], ...]:
    """What all objects under a parent have in their rows."""
    resource, attribute = context.resource, context.parent_key
    if parent is None or not attribute:
        return ()
    return ((resource.records.column(attribute), resource.fields.from_text(attribute, parent)),)


def _gone(_row: store.Row | None) -> None:
    """What is left of a deleted object."""
