"""A ledger over rows in memory, and registrations that a test makes up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gluon.arbiter import assign, bindings, ledger, tables
from gluon.model.types import Role
from gluon.objects import status
from gluon.spi import ports, store

API = "net-l3vpn"


class Rows:
    """`spi.store.View` over rows; `take` makes a unit's changes part of it."""

    incarnation = "i"

    def __init__(self) -> None:
        self.held: dict[str, dict[tuple[store.Value, ...], store.Row]] = {}
        self.keys = {t.name: t.key for t in tables.TABLES}
        self.revision = 1
        self.clock = 0.0

    @property
    def now(self) -> str:
        minutes, seconds = divmod(self.clock, 60)
        return f"2026-01-01T{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:09.6f}"

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        return self.held.get(table, {}).get(key)

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        there = self.held.get(table, {})
        found = (there[key] for key in sorted(there, key=str))
        return [r for r in found if all(r[c] == v for c, v in zip(columns, values, strict=True))]

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        return None

    def in_turn(self, units: Sequence[store.Unit]) -> list[store.Changes]:
        held = {name: dict(there) for name, there in self.held.items()}
        clock, revision = self.clock, self.revision
        found = []
        for unit in units:
            found.append(unit.decide(self))
            self.take(found[-1])
            self.clock, self.revision = clock, revision
        self.held = held
        return found

    def take(self, changes: store.Changes) -> None:
        for table, write in changes.writes:
            there = self.held.setdefault(table, {})
            if isinstance(write, dict):
                there[tuple(write[c] for c in self.keys[table])] = write
            else:
                there.pop(write, None)
        self.revision += 1
        self.clock += 1.0


class Known:
    """`assign.Registrations`."""

    def __init__(self, *registrations: status.Registration) -> None:
        self.registrations = list(registrations)

    def current(self) -> list[status.Registration]:
        return self.registrations


def shim(controller: str, *hosts: str, **more: Any) -> status.Registration:
    return status.Registration(
        controller=controller,
        instance="one",
        backend="made-up",
        apis={API: ()},
        hosts=hosts or ("*",),
        **more,
    )


class Port:
    """One port and its bindings; each change is a unit of its own."""

    key = "p"

    def __init__(self, *registrations: status.Registration) -> None:
        self.known = Known(*registrations or (shim("one"),))
        self.assigner = assign.Assigner(self.known, {})
        self.ledger = ledger.Ledger(self.assigner)
        self.view = Rows()
        self.values: dict[Role, store.Value] = {}
        self.entries: list[str] = []

    @property
    def facts(self) -> ports.PortFacts:
        return ports.PortFacts(
            api=API, object_type="Port", table="port", key=self.key, project="x", values=dict(self.values)
        )

    def put(
        self, rule: ports.Rule, given: Mapping[Role, store.Value]
    ) -> tuple[Mapping[Role, store.Value], ports.PortWait | None]:
        """A request that gives some attributes: what the port shows then, and whether it waits."""
        before = self.facts
        self.values.update(given)
        changes = store.Changes()
        shown, wait = self.ledger.updated(self.view, changes, before, self.facts, frozenset(given), rule)
        self.values.update(shown)
        self.view.take(changes)
        self.entries = [e.op.value for e in changes.entries]
        return shown, wait

    @property
    def held(self) -> list[bindings.Binding]:
        return bindings.of_port(self.view, self.key)

    @property
    def active(self) -> bindings.Binding | None:
        return bindings.active(self.held)

    def bound(self, host: str, **more: Any) -> bindings.Binding:
        """The binding on a host, answered."""
        found = next(b for b in self.held if b.host == host)
        return self.store(found, state=bindings.State.BOUND, vif_type="ovs", deadline=0.0, **more)

    def store(self, binding: bindings.Binding, **change: Any) -> bindings.Binding:
        changes = store.Changes()
        after = dataclasses.replace(binding, **change)
        bindings.save(self.view, changes, binding, after)
        self.view.take(changes)
        return after
