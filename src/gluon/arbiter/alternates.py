"""All bindings of one port: one carries its traffic, others wait on other hosts for a live migration.

In: a context that says who asks, the port's key, a host. Out: bindings. Invariants: at most one is active; one that cannot
be bound leaves nothing behind, unless it is the port's only one; the same request twice does no harm. Called by faces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.arbiter import binder, bindings, history, ledger, notices, steps, tables
from gluon.model.types import Role
from gluon.objects import codec
from gluon.proton import access, registry, units, work
from gluon.spi import ports, store

EXISTS = "binding_exists"
ACTIVE = "binding_active"
FAILED = "binding_failed"


class Alternates:
    """The actions on bindings of ports."""

    def __init__(
        self,
        database: store.Store,
        known: registry.Registry,
        books: ledger.Ledger,
        binds: binder.Binder,
    ) -> None:
        self._store = database
        self._registry = known
        self._ledger = books
        self._binder = binds

    async def all(self, context: units.Context, key: str) -> Sequence[bindings.Binding]:
        """Those that are not taken back, the active one first. Raises `NotFound`, `Forbidden`."""
        resource = context.resource
        row = await self._port(context, key)
        hosts = resource.type.role(Role.HOST)
        if hosts and hosts in access.hidden(context, row):
            raise errors.Forbidden(f"you may not see the hosts of {resource.type.singular} {key}")
        port = str(row[resource.records.key_column])
        rows = await self._store.select(store.Select(table=tables.BINDING, equals=((tables.PORT_ID, port),)))
        held = [b for b in map(bindings.read, rows) if b.live]
        return sorted(held, key=lambda b: (not b.active, b.host))

    async def _port(self, context: units.Context, key: str) -> store.Row:
        """Raises `NotFound`."""
        resource = context.resource
        return access.found(
            context, await self._store.get(resource.table, resource.fields.key(key)), key, "get"
        )

    async def one(self, context: units.Context, key: str, host: str) -> bindings.Binding:
        """That on a host. Raises `NotFound`."""
        for binding in await self.all(context, key):
            if binding.host == host:
                return binding
        raise _missing(key, host)

    async def add(
        self,
        context: units.Context,
        key: str,
        host: str,
        *,
        vnic_type: str | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> bindings.Binding:
        """A binding on one more host, bound; the first of a port carries its traffic.

        Raises `Conflict` where there is one, or where no controller binds it; one that failed is tried again. `Invalid` for a
        host that the port could not name once it is there.
        """
        hosts = context.resource.type.role(Role.HOST)
        if hosts:
            context.resource.fields.normal(hosts, host)
        unit = _Add(self, context, context.resource.fields.key(key), host, vnic_type, profile)
        return await self._bound(context, key, host, unit)

    async def change(
        self,
        context: units.Context,
        key: str,
        host: str,
        *,
        vnic_type: str | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> bindings.Binding:
        """The binding on this host with another profile, or of another type: then it is bound anew. Raises `NotFound`, or
        `Conflict` where no controller binds it."""
        unit = _Alter(self, context, context.resource.fields.key(key), host, vnic_type, profile)
        return await self._bound(context, key, host, unit)

    async def _bound(self, context: units.Context, key: str, host: str, unit: _Unit) -> bindings.Binding:
        """The binding that a unit begins or leaves, once it is bound. Raises `NotFound` for a port that went meanwhile."""
        resource = context.resource
        begun: bindings.Binding = (await self._store.submit(context.bind(unit))).result
        after: bindings.Binding | None = begun
        if begun.state is bindings.State.BINDING:
            after = await self._binder.settle(
                resource, ports.PortWait(port=begun.port, host=host, begun=begun)
            )
        if after is None:
            await self._port(context, key)
        if after is None or after.state is not bindings.State.BOUND:
            why = (
                await self._why(begun)
                if after is None
                else ": ".join(t for t in (after.reason, after.message) if t)
            )
            raise errors.Conflict(
                f"{resource.type.singular} {key} cannot be bound to host '{host}': {why}",
                code=FAILED,
                hint="see gluon why for what each controller said",
            )
        return after

    async def _why(self, begun: bindings.Binding) -> str:
        """Why a binding is not there any more: the collector may have taken the refusal before the waiter saw it."""
        for left in reversed(history.read(await self._store.get(tables.HISTORY, begun.port))):
            if (left.host, left.next) == (begun.host, bindings.State.FAILED) and left.epoch >= begun.epoch:
                return f"{left.reason}: {left.message}"
        return "it went while it was bound"

    async def activate(self, context: units.Context, key: str, host: str) -> bindings.Binding:
        """The binding on this host carries the traffic from now on, that on the other none.

        Raises `NotFound`, or `Conflict` where it does already.
        """
        unit = _Activate(self, context, context.resource.fields.key(key), host)
        done: bindings.Binding = (await self._store.submit(context.bind(unit))).result
        return done

    async def remove(self, context: units.Context, key: str, host: str) -> None:
        """The binding on this host taken back; where it is the active one, the port is unbound. Raises `NotFound`."""
        unit = _Remove(self, context, context.resource.fields.key(key), host)
        await self._store.submit(context.bind(unit))

    @property
    def ledger(self) -> ledger.Ledger:
        return self._ledger

    @property
    def registry(self) -> registry.Registry:
        return self._registry


class _Unit:
    """What a unit on one binding of a port needs."""

    __slots__ = ("_all", "_context", "_host", "_key", "reads", "request_id", "who")

    def __init__(self, every: Alternates, context: units.Context, key: store.Value, host: str) -> None:
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._all, self._context, self._key, self._host = every, context, key, host
        self.reads: Sequence[store.Lookup] = steps.reads_of_port(
            every.registry, resource.api, resource.name, str(key)
        )

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        row = access.stored(context, view, self._key, "update")
        hosts = resource.type.role(Role.HOST)
        if hosts:
            there = {**row, resource.records.column(hosts): self._host}
            access.require_change(context, row, there, {hosts}, ())
        state = work.Work(view, context)
        held = bindings.of_port(view, str(self._key))
        result = self._change(state, row, held)
        return state.finish(result)

    def _change(self, state: work.Work, row: store.Row, held: list[bindings.Binding]) -> Any:
        """What this unit does with the bindings of the port that are there."""
        return None

    def _wanted(self, held: list[bindings.Binding]) -> bindings.Binding:
        found = next((b for b in held if b.host == self._host and b.live), None)
        if found is None:
            raise _missing(str(self._key), self._host)
        return found

    def _show(self, state: work.Work, row: store.Row, binding: bindings.Binding) -> None:
        """The port shows `binding` from now on: that it carries the traffic, or that none does."""
        resource = self._context.resource
        records, roles = resource.records, resource.type.roles
        given: dict[Role, Any] = {Role.HOST: binding.host if binding.active else None}
        if binding.active:
            given |= {Role.VNIC_TYPE: binding.vnic_type, Role.PROFILE: dict(binding.profile)}
        values: dict[str, Any] = {}
        for role, value in given.items():
            if name := roles.get(role):
                values[name] = _fitting(resource, name, value, row)
        after = records.changed(row, values, {}, revision=state.revision, now=state.now)
        shown = units.with_views(resource, after or row, ledger.views(binding))
        state.save(resource, row, shown, intent=after is not None, first=True)
        known = state.get(tables.PORT, binding.port)
        if known is not None:
            host = binding.host if binding.active else None
            word = bindings.operational(binding)
            now = {**known, "host": host, "status": word, "revision": state.revision}
            state.changes.put(tables.PORT, now)
            notices.changed(state.changes, known, now)


class _Described(_Unit):
    """A unit that says of what type a binding is and what goes with it; None leaves it."""

    __slots__ = ("_profile", "_vnic_type")

    def __init__(
        self,
        every: Alternates,
        context: units.Context,
        key: store.Value,
        host: str,
        vnic_type: str | None,
        profile: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(every, context, key, host)
        self._vnic_type, self._profile = vnic_type, profile


class _Add(_Described):
    __slots__ = ()

    def _change(self, state: work.Work, row: store.Row, held: list[bindings.Binding]) -> bindings.Binding:
        before = next((b for b in held if b.host == self._host), None)
        if before is not None and before.live and before.state is not bindings.State.FAILED:
            raise errors.Conflict(
                f"port {self._key} has a binding on host '{self._host}' already",
                code=EXISTS,
                hint="delete that one first",
            )
        begun = self._all.ledger.begin(
            state,
            units.facts(self._context.resource, row),
            self._host,
            vnic_type=self._vnic_type or "normal",
            profile=self._profile or {},
            active=bindings.active(held) in (None, before),
        )
        for old in held:
            if old is not before and old.state is bindings.State.UNBOUND:
                bindings.drop(state.changes, old)
        bindings.save(state, state.changes, before, begun)
        if begun.active:
            self._show(state, row, begun)
        return begun


class _Alter(_Described):
    """As a PUT of the port does: another profile is told under the same epoch, another type is a new bind, and what failed is
    tried again."""

    __slots__ = ()

    def _change(self, state: work.Work, row: store.Row, held: list[bindings.Binding]) -> bindings.Binding:
        target = self._wanted(held)
        profile = dict(target.profile if self._profile is None else self._profile)
        failed = target.state is bindings.State.FAILED
        if not failed and self._vnic_type in (None, target.vnic_type):
            after = dataclasses.replace(target, profile=profile)
        else:
            after = self._all.ledger.begin(
                state,
                units.facts(self._context.resource, row),
                self._host,
                vnic_type=self._vnic_type or target.vnic_type,
                profile=profile,
                active=target.active,
            )
        if after != target:
            bindings.save(state, state.changes, target, after)
            if after.active:
                self._show(state, row, after)
        return after


class _Activate(_Unit):
    __slots__ = ()

    def _change(self, state: work.Work, row: store.Row, held: list[bindings.Binding]) -> bindings.Binding:
        target = self._wanted(held)
        if target.active:
            raise errors.Conflict(
                f"the binding of port {self._key} on host '{self._host}' is active already", code=ACTIVE
            )
        if target.state is bindings.State.BINDING:
            raise errors.NotFound(
                f"the binding of port {self._key} on host '{self._host}' is still being bound",
                hint="wait for the answer to the request that makes it",
            )
        source = bindings.active(held)
        if source is not None:
            rests = bindings.left_by(source, self._host, state.now)
            if rests.live:
                bindings.save(state, state.changes, source, rests)
            else:
                bindings.note(state, state.changes, source, None)
                bindings.drop(state.changes, source)  # it failed: nothing is there to go back to
        device = self._context.resource.type.role(Role.DEVICE)
        using = row[self._context.resource.records.column(device)] if device else None
        carries = bindings.carrying(target, state.now, device_id=str(using or ""))
        bindings.save(state, state.changes, target, carries)
        self._show(state, row, carries)
        return carries


class _Remove(_Unit):
    __slots__ = ()

    def _change(self, state: work.Work, row: store.Row, held: list[bindings.Binding]) -> None:
        target = self._wanted(held)
        gone = self._all.ledger.unbind(state, state.changes, target)
        if target.active:
            self._show(state, row, gone)


def _fitting(resource: registry.Resource, name: str, value: Any, row: store.Row) -> Any:
    """A value as the port's attribute has it; what it has no word or room for stays with the binding alone."""
    attribute = resource.type.attributes[name]
    before = row[resource.records.column(name)]
    nested = name in resource.records.nested
    if value == {} and before in (None, "", "{}"):
        return {} if nested and before else before
    if nested:
        return value
    if isinstance(value, dict):
        value = codec.encode(value).decode()
    limit = (
        None if attribute.role is Role.PROFILE else attribute.length
    )  # that of a profile is for its own API's clients
    too_long = limit is not None and len(value or "") > limit
    unknown = bool(attribute.values) and value is not None and value not in attribute.values
    return before if too_long or unknown else value


def _missing(key: str, host: str) -> errors.NotFound:
    return errors.NotFound(f"port {key} has no binding on host '{host}'", hint="list its bindings")
