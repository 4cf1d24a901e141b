"""The reporter: what it may write reaches the bus, whatever else is refused."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.shim import said
from gluon.shim.cache import Cache
from gluon.shim.report import Reporter
from gluon.shim.settings import Pace, Stats
from gluon.spi.backend import Ref
from gluon.spi.bus import Compare, Get, Op, Put, TxnResult

API = "net-l3vpn"
LEAD = keys.lead("fake", "*")


class Lead:
    key = LEAD

    def __init__(self, create_revision: int) -> None:
        self.create_revision = create_revision


class Wanted:
    """A cache that knows of one wanted binding for each port."""

    def binding_revision(self, ref: Ref, host: str) -> int:
        return 5

    def stored_ref(self, ref: Ref) -> Ref:
        return ref

    shown_ref = stored_ref


class Slow(MemoryBus):
    """Answers the Txn of one object late."""

    async def txn(
        self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op] = ()
    ) -> TxnResult:
        if any(op.key.endswith("/first") for op in then):
            await asyncio.sleep(0.2)
        return await super().txn(compares, then, otherwise)


def port(name: str) -> Ref:
    return Ref(API, "Port", name)


async def test_a_refused_reply_takes_no_other_report_with_it() -> None:
    bus = Slow()
    won = await bus.txn((), [Put(key=LEAD, value=b"{}")])
    reporter = Reporter(
        bus, cast("Cache", Wanted()), controller="fake", shard="*", pace=Pace(batches=1), stats=Stats()
    )
    running = asyncio.create_task(reporter.run())
    await reporter.wait_ready()
    reporter.begin(cast("Any", Lead(won.revision)))
    word = said.Said(observed_revision=7)
    # The first goes at once; the others wait for it and then share a Txn, the reply being refused before.
    for name in ("first", "outdated", "other"):
        reporter.settle(port(name), word, ("h",))
    outdated = status.BindingReport(epoch=3, vif_type="ovs")
    reporter.answer(port("outdated"), "h", said.Reply(report=outdated, mod_revision=4))
    other = keys.status("fake", "*", API, "Port", "other")
    async with asyncio.timeout(60):
        while (await bus.txn((), (Get(key=other),))).values[0] is None:
            await asyncio.sleep(0.01)
    assert await bus.get(keys.status("fake", "*", API, "Port", "outdated")) is None
    running.cancel()
    await asyncio.wait({running})
    await bus.close()


class Lingering(MemoryBus):
    """The Txn of one object ends late after it was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()

    async def txn(
        self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op] = ()
    ) -> TxnResult:
        if any(op.key.endswith("/first") for op in then):
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await self.let_go.wait()
        return await super().txn(compares, then, otherwise)


async def test_what_changes_while_a_reporter_ends_is_left_to_its_successor() -> None:
    bus = Lingering()
    won = await bus.txn((), [Put(key=LEAD, value=b"{}")])
    reporter = Reporter(
        bus, cast("Cache", Wanted()), controller="fake", shard="*", pace=Pace(), stats=Stats()
    )
    running = asyncio.create_task(reporter.run())
    await reporter.wait_ready()
    reporter.begin(cast("Any", Lead(won.revision)))
    reply = said.Reply(report=status.BindingReport(epoch=3, vif_type="ovs"), mod_revision=5)
    reporter.answer(port("first"), "h", reply)
    async with asyncio.timeout(60):
        await bus.begun.wait()
    running.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    reporter.answer(port("later"), "h", reply)
    bus.let_go.set()
    await asyncio.wait({running})
    assert running.cancelled()
    assert await bus.get(keys.status("fake", "*", API, "Port", "later")) is None
    await bus.close()


def test_conditions_that_are_too_large_refuse_no_binding() -> None:
    """A port that is served stays so, whatever its backend has to say."""
    reply = status.BindingReport(epoch=3, vif_type="ovs", vif_details={"bridge_name": "b"}, up=True)
    for many in (100, 5000):
        conditions = tuple(
            status.Condition(type=f"Route{n}", status="True", reason="Ready", message="m" * 1000)
            for n in range(many)
        )
        made = status.Report(observed_revision=7, conditions=conditions, bindings={"h1": reply})
        found = status.decode_report(said.encode(made))
        assert found.bindings == {"h1": reply}
        assert found.observed_revision == 7
        assert len(found.conditions) == (100 if many == 100 else 0)
    large = status.BindingReport(epoch=3, vif_type="ovs", vif_details={"text": "x" * status.MAX_REPORT})
    made = status.Report(observed_revision=7, bindings={"h1": large})
    assert status.decode_report(said.encode(made)).bindings["h1"].refused == "TooLarge"
