"""A binding's course: requests, replies, shims that come, go and lie, in any order. What holds in each of them.

Units run over rows in memory; each event is a unit of its own, as the store runs them.
"""

from __future__ import annotations

import functools
from typing import Any

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st

from gluon.arbiter import advance, bindings, history, replies, tables
from gluon.arbiter.bindings import State
from gluon.model import loader
from gluon.model.types import Role
from gluon.objects import codec, journal, keys, status
from gluon.proton import registry
from gluon.spi import store
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import API, Port, shim

HOSTS = ("A", "B")
SHIMS = {"a0": 0, "b0": 0, "c1": 1, "d1": 1}
"""Controllers and their levels."""


@functools.cache
def known() -> registry.Registry:
    return registry.Registry([m for m in loader.load_catalog() if m.name == API and m.version == "1.0"])


class Course(stateful.RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.port = Port()
        self.port.known.registrations = [shim(name, level=SHIMS[name], deadline=5.0) for name in ("a0", "c1")]
        resource = known().by_name[API, "Port"]
        row: store.Row = dict.fromkeys(resource.records.read)
        row |= {resource.records.key_column: "p", "_project": "x", "_revision": 1, "_written": None}
        self.port.view.held[resource.table] = {("p",): row}
        self.port.view.keys[resource.table] = (resource.records.key_column,)
        self.published: dict[str, status.WantedBinding] = {}
        self.epochs: dict[str, int] = {}
        self.answered: set[tuple[int, str]] = set()

    def take(self, changes: store.Changes) -> None:
        self.port.view.take(changes)
        for entry in changes.entries:
            if entry.type == journal.BINDING:
                host = entry.key.rsplit("/", 1)[1]
                if entry.new is None:
                    del self.published[host]
                else:
                    self.publish(host, status.decode_binding(entry.new))

    def publish(self, host: str, wanted: status.WantedBinding) -> None:
        assert wanted.epoch >= self.epochs.get(host, 0), "an epoch never goes back"
        self.epochs[host] = wanted.epoch
        self.published[host] = wanted

    @stateful.rule(name=st.sampled_from(sorted(SHIMS)), hosts=st.sampled_from([(), HOSTS, ("A",)]))
    def comes(self, name: str, hosts: tuple[str, ...]) -> None:
        self.goes(name)
        self.port.known.registrations.append(shim(name, *hosts, level=SHIMS[name], deadline=5.0))

    @stateful.rule(name=st.sampled_from([*SHIMS]))
    def goes(self, name: str) -> None:
        there = self.port.known.registrations
        self.port.known.registrations = [r for r in there if r.controller != name]

    @stateful.rule(host=st.sampled_from(["A", "A", "B", None]))
    def put(self, host: str | None) -> None:
        changes = store.Changes()
        before = self.port.facts
        self.port.values[Role.HOST] = host
        given = frozenset({Role.HOST})
        self.port.ledger.updated(self.port.view, changes, before, self.port.facts, given, Rule.NEUTRON)
        self.take(changes)

    @stateful.rule(
        name=st.sampled_from(sorted(SHIMS)),
        late=st.sampled_from([False, False, False, True]),
        said=st.sampled_from(["vif", "vif", "part", "part", "up", "refused", "rubbish", "nothing"]),
        waiter=st.booleans(),
    )
    def reports(self, name: str, late: bool, said: str, waiter: bool) -> None:
        """Of what is wanted now, or of an epoch that is over."""
        told: dict[str, status.BindingReport] = {}
        for host, wanted in self.published.items():
            epoch = wanted.epoch - 1 if late else wanted.epoch
            every: dict[str, dict[str, Any]] = {
                "vif": {"vif_type": "ovs"},
                "part": {"vif_details": {"vlan": 7}},
                "up": {"vif_type": "ovs", "up": True},
                "refused": {"refused": "NoRoom"},
                "rubbish": {"vif_type": "bridge"},
            }
            if words := every.get(said):
                told[host] = status.BindingReport(epoch=epoch, **words)
                self.answered.add((epoch, name))
        key = keys.StatusKey(controller=name, shard="*", api=API, object_type="Port", key=self.port.key)
        value = codec.encode(status.Report(observed_revision=1, bindings=told)) if told else None
        unit = replies.Replies(known(), self.port.assigner, [(key, value)], waiter=waiter)
        self.take(unit.decide(self.port.view))

    @stateful.rule(seconds=st.sampled_from([0.1, 3.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.port.view.clock += seconds
        self.sweep()

    def sweep(self) -> None:
        for binding in self.port.held:
            now = bindings.seconds(self.port.view.now)
            gone = self.port.assigner.gone(binding, now) if binding.state is State.BINDING else ()
            unit = advance.Advance(
                known(), self.port.assigner, api=API, object_type="Port", port=self.port.key, host=binding.host,
                gone=gone, epoch=binding.epoch,
            )  # fmt: skip
            self.take(unit.decide(self.port.view))

    @stateful.invariant()
    def one_is_active_at_most(self) -> None:
        assert sum(b.active for b in self.port.held) <= 1

    @stateful.invariant()
    def what_shims_are_told_is_what_is_stored(self) -> None:
        stored = {b.host: status.decode_binding(b.wanted()) for b in self.port.held if b.published}
        assert stored == self.published

    @stateful.invariant()
    def no_two_bindings_have_one_epoch(self) -> None:
        epochs = [b.epoch for b in self.port.held]
        assert len(set(epochs)) == len(epochs)

    @stateful.invariant()
    def who_is_bound_was_answered_by_all_levels(self) -> None:
        for binding in self.port.held:
            if binding.state is State.BOUND:
                assert binding.vif_type == "ovs"
                assert set(binding.answers) == set(binding.controllers)
                assert len(set(binding.levels)) == len(binding.controllers)
                assert all((binding.epoch, c) in self.answered for c in binding.controllers)
                assert not any(a.refused for a in binding.answers.values())

    @stateful.invariant()
    def nobody_is_asked_twice_in_one_bind(self) -> None:
        for binding in self.port.held:
            assert set(binding.tried).isdisjoint(binding.controllers)
            assert len(set(binding.tried)) == len(binding.tried)

    def teardown(self) -> None:
        """Nothing hangs: with nobody there, each bind ends, and each unbind."""
        self.port.known.registrations = []
        for _ in range(8):
            self.time_passes(40.0)
        assert {b.state for b in self.port.held} <= {State.BOUND, State.FAILED, State.UNBOUND}
        kept = history.read(self.port.view.get(tables.HISTORY, self.port.key))
        assert len(kept) <= history.MOST
        assert [one.until for one in kept] == sorted(one.until for one in kept)
        super().teardown()


TestCourse = Course.TestCase
TestCourse.settings = hypothesis.settings(max_examples=60, stateful_step_count=40, deadline=None)
