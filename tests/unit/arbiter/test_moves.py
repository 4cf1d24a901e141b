"""A port of a server as Nova moves it: binds, live migrations that end well and badly, shims that come, go and lie, in any order.

What holds in each order of what shims are told and of what Nova hears, whenever it hears it. The actions themselves, over rows in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st

from gluon import errors
from gluon.arbiter import alternates, bindings, replies, tables, uses
from gluon.arbiter.bindings import State
from gluon.nova import events
from gluon.objects import codec, journal, keys, status
from gluon.proton import create, registry, remove, units, update
from gluon.spi import notices, policy, store
from gluon.spi.ports import PortWait, Rule
from tests.effort import examples
from tests.unit.arbiter.parts import API, Rows
from tests.unit.arbiter.test_course import SHIMS, Course, known

PORT = "5f0e6a7c-3c56-4d2e-9d5b-8a1f3f6f2b11"
SERVERS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
HOSTS = ("A", "B", "C")
WORDS = ["works"] * 6 + ["down", "down", "refused", "failed", "rubbish", "nothing"]
"""What shims say of a binding."""
BODY = {
    "id": PORT, "tenant_id": SERVERS[0], "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True, "status": "ACTIVE",
    "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
}  # fmt: skip
NOVA = policy.Caller(user="nova", project=None, roles=frozenset({"admin"}), admin=True)


class Database:
    """As much of a store as the actions ask for. `took` is given the changes of each unit."""

    def __init__(self, rows: Rows, took: Callable[[store.Changes], None]) -> None:
        self.rows, self.took = rows, took

    async def submit(self, unit: store.Unit) -> store.Committed:
        changes = unit.decide(self.rows)
        self.took(changes)
        return store.Committed(revision=self.rows.revision, result=changes.result)

    async def get(self, table: str, *key: store.Value) -> store.Row | None:
        return self.rows.get(table, *key)

    async def select(self, wanted: store.Select) -> Sequence[store.Row]:
        columns, values = [name for name, _ in wanted.equals], [value for _, value in wanted.equals]
        found = self.rows.rows(wanted.table, tuple(columns), tuple(values))
        return [row for row in found if all(row[one.column] in one.values for one in wanted.filters)]


class Nobody:
    """Waits for no bind: what becomes of it is seen later."""

    async def settle(self, resource: registry.Resource, wait: PortWait) -> object:
        return wait.begun


class Moves(Course):
    def __init__(self) -> None:
        super().__init__()
        self.resource = known().by_name[API, "Port"]
        interface = self.resource.default_interface
        assert interface is not None
        self.port.key = PORT
        self.rows = self.port.view
        for one in (self.resource, interface):
            self.rows.keys[one.table] = (one.records.key_column,)
        self.database: Any = Database(self.rows, self.take)
        self.pending: list[journal.Entry] = []
        self.asked: set[str] = set()
        """Hosts that somebody asked for, and that nobody took back."""
        self.believed: dict[str, str] = {}
        """By server: the port's status as Nova read or heard it last."""
        self.reads = False
        """Whether Nova's request waits for a bind, and reads the port when that is over."""
        self.told: set[tuple[str, int]] = set()
        """Server and epoch of targets of which Nova heard that they are plugged."""
        self.others: Any = alternates.Alternates(self.database, known(), self.port.ledger, Nobody())  # type: ignore[arg-type]
        self.uses = uses.Uses(self.database, known)  # type: ignore[arg-type]
        self.make()

    def make(self) -> None:
        checked = self.resource.fields.check(BODY, partial=False)
        self.act(create.Create(self.context, PORT, False, checked.values, checked.written))

    # -- parts ---------------------------------------------------------------------------------

    @property
    def context(self) -> units.Context:
        return units.Context(
            resource=self.resource, caller=NOVA, request_id="r", policy=None,  # type: ignore[arg-type]
            ledger=self.port.ledger, rule=Rule.NEUTRON,
        )  # fmt: skip

    @property
    def row(self) -> store.Row:
        return self.rows.get(tables.PORT, PORT) or {}

    @property
    def shown(self) -> store.Row:
        return self.rows.get(self.resource.table, PORT) or {}

    @property
    def server(self) -> str:
        return str(self.row.get("device_id") or "")

    def act(self, unit: store.Unit) -> Any:
        return asyncio.run(self.database.submit(unit)).result

    def tried(self, action: Coroutine[Any, Any, Any]) -> bool:
        try:
            asyncio.run(action)
        except (errors.Conflict, errors.NotFound) as refused:
            return refused.code == alternates.FAILED  # nobody waited
        return True

    def take(self, changes: store.Changes) -> None:
        super().take(changes)
        self.pending += [
            journal.Entry(
                revision=self.rows.revision, n=n, at="", who="", request_id="",
                **{name: getattr(draft, name) for name in draft.__struct_fields__},
            )
            for n, draft in enumerate(changes.entries)
            if draft.type == notices.PORT
        ]  # fmt: skip
        active = bindings.active(self.port.held)
        if self.reads and (active is None or active.state is not State.BINDING):
            self.reads = False
            if self.server:
                self.believed[self.server] = str(self.row["status"])

    # -- what Nova, users and operators do -----------------------------------------------------

    @stateful.initialize(host=st.sampled_from(["A", "A", "A", None]))
    def boots(self, host: str | None) -> None:
        """Mostly there is a server whose port works."""
        if host is not None:
            self.put({"host_id": host, "device_id": SERVERS[0]})
            self.reports(["a0", "c1"], False, "works", "works", False, True)

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(
        given=st.fixed_dictionaries(
            {},
            optional={
                "host_id": st.sampled_from([*HOSTS, *HOSTS, None]),
                "device_id": st.sampled_from([SERVERS[0]] * 4 + [SERVERS[1], None]),
                "profile": st.sampled_from([None, '{"migrating_to":"B"}', '{"slot":"%s"}' % ("x" * 200)]),
                "vnic_type": st.sampled_from(["normal"] * 4 + ["direct"]),
            },
        )
    )
    def put(self, given: Mapping[str, Any]) -> None:
        host, active = given.get("host_id"), bindings.active(self.port.held)
        if "host_id" in given:
            stays = active is not None and active.host == host
            self.asked = (self.asked if stays else set()) | ({host} if host else set())
        values = {**given, "device_owner": "compute:nova"}
        self.reads = True
        granted = frozenset({"profile"} & values.keys())
        self.act(update.Update(self.context, PORT, values, {}, granted=granted))

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(
        host=st.sampled_from(HOSTS),
        vnic_type=st.sampled_from([None, None, "direct"]),
        profile=st.sampled_from([None, {}, {"slot": "y" * 200}]),
        fresh=st.sampled_from([True, True, True, False]),
        said=st.sampled_from(["works", "works", "down", "refused", ""]),
    )
    def describes(
        self, host: str, vnic_type: str | None, profile: dict[str, Any] | None, fresh: bool, said: str
    ) -> None:
        """One more binding, or another profile or type of one that is there; `said`: what shims answer at once."""
        action = self.others.add if fresh else self.others.change
        active = bindings.active(self.port.held)
        if active is None or active.host == host:
            self.reads = True
        if self.tried(action(self.context, PORT, host, vnic_type=vnic_type, profile=profile)):
            self.asked.add(host)
            if said:
                self.reports(sorted(SHIMS), False, said, said, False, False)

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(host=st.sampled_from(HOSTS))
    def activates(self, host: str) -> None:
        if self.tried(self.others.activate(self.context, PORT, host)):
            target = bindings.active(self.port.held)
            assert target is not None and target.host == host
            assert codec.decode(str(self.shown["profile"] or "{}")) == target.profile
            assert self.shown["vnic_type"] == target.vnic_type

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(host=st.sampled_from(HOSTS))
    def moves(self, host: str) -> None:
        """As far as Nova comes before it ends one, or goes back."""
        self.describes(host, None, None, True, "works")
        self.activates(host)

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(host=st.sampled_from(HOSTS))
    def removes(self, host: str) -> None:
        if self.tried(self.others.remove(self.context, PORT, host)):
            self.asked.discard(host)

    @stateful.precondition(lambda self: self.row)
    @stateful.rule(sure=st.sampled_from([False, False, False, True]))
    def deletes(self, sure: bool) -> None:
        if sure:
            self.asked.clear()
            self.act(remove.Remove(self.context, PORT))

    @stateful.precondition(lambda self: not self.row)
    @stateful.rule()
    def makes_it_again(self) -> None:
        self.nova_hears()
        self.believed.clear()
        self.make()

    # -- what shims say ------------------------------------------------------------------------

    @stateful.rule(
        names=st.sampled_from([*([name] for name in sorted(SHIMS)), *[sorted(SHIMS)] * 8]),
        late=st.sampled_from([False] * 7 + [True]),
        said=st.sampled_from(WORDS),
        spare=st.sampled_from(WORDS),
        waiter=st.booleans(),
        heard=st.booleans(),
    )
    def reports(
        self, names: Sequence[str], late: bool, said: str, spare: str, waiter: bool, heard: bool
    ) -> None:
        """Of the active binding, and of the others. `works`: the VIF is plugged, so traffic flows where it is active."""
        told: dict[str, status.BindingReport] = {}
        for host, wanted in self.published.items():
            every: dict[str, dict[str, Any]] = {
                "down": {"vif_type": "ovs"},
                "works": {"vif_type": "ovs", "up": wanted.active, "ready": not wanted.active},
                "refused": {"refused": "NoRoom"},
                "failed": {"vif_type": "ovs", "failed": "NotPossible"},
                "rubbish": {"vif_type": "bridge"},
            }
            if words := every.get(said if wanted.active else spare):
                epoch = wanted.epoch - 1 if late else wanted.epoch
                told[host] = status.BindingReport(epoch=epoch, **words)
                self.answered.update((epoch, name) for name in names)
        value = codec.encode(status.Report(observed_revision=1, bindings=told)) if told else None
        for name in names:
            key = keys.StatusKey(controller=name, shard="*", api=API, object_type="Port", key=PORT)
            self.act(replies.Replies(known(), self.port.assigner, [(key, value)], waiter=waiter))
        if heard:
            self.nova_hears()

    # -- what Nova hears -----------------------------------------------------------------------

    @property
    def targets(self) -> set[tuple[str, int]]:
        """Where the VIF of the port waits for its traffic, which has not been there."""
        return {(self.server, b.epoch) for b in self.port.held if b.awaits and b.ready}

    @stateful.rule()
    def nova_hears(self) -> None:
        entries, self.pending = self.pending, []
        now = asyncio.run(self.uses.use({PORT})).get(PORT)
        for event in events.sent(e for entry in entries for e in events.told(entry, now)):
            if event.name == events.Name.DELETED:
                assert not self.row
                self.believed.pop(event.server_uuid, None)
            if not self.row:
                continue
            assert event.server_uuid == self.server, "another server is told"
            if event.name == events.Name.CHANGED:
                self.believed[self.server] = str(self.row["status"])
            elif event.name == events.Name.UNPLUGGED:
                assert self.row["status"] != "ACTIVE"
                self.believed[self.server] = "DOWN"
            elif event.status == "failed":
                assert self.row["status"] == "ERROR"
                self.believed[self.server] = "ERROR"
            else:
                assert self.row["status"] == "ACTIVE" or self.targets, "Nova would read DOWN"
                self.told |= self.targets

    @stateful.invariant()
    def no_two_bindings_have_one_epoch(self) -> None:
        """On one host, that is: one report may refuse those of several."""

    @stateful.invariant()
    def only_hosts_that_were_asked_for_are_told_of_the_port(self) -> None:
        assert self.published.keys() <= self.asked

    @stateful.invariant()
    def who_is_bound_was_answered_by_all_levels(self) -> None:
        for binding in self.port.held:
            if binding.state is State.BOUND:
                assert set(binding.answers) == set(binding.controllers)
                assert all((binding.epoch, c) in self.answered for c in binding.controllers)

    @stateful.invariant()
    def the_port_shows_its_active_binding(self) -> None:
        active = bindings.active(self.port.held)
        if self.row and active is not None:
            assert self.shown["host_id"] == self.row["host"] == active.host
            assert self.row["status"] == bindings.operational(active)
            assert active.profile == codec.decode(str(self.shown["profile"] or "{}"))
        elif self.row:
            assert self.row["status"] == "DOWN"

    def teardown(self) -> None:
        """At rest Nova knows what is so."""
        super().teardown()
        self.nova_hears()
        if self.row and self.server:
            state, believed = str(self.row["status"]), self.believed.get(self.server)
            assert (state == "ACTIVE") == (believed == "ACTIVE"), (state, believed)
            active = bindings.active(self.port.held)
            if active is not None and active.refused:
                assert believed == "ERROR"
            assert self.targets <= self.told


TestMoves = Moves.TestCase
TestMoves.settings = hypothesis.settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
