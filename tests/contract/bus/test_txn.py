"""Txn: conditions, both branches, order of operations, limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from gluon.errors import BusError, LeaseLost
from gluon.spi.bus import Compare, Delete, Get, Op, Put
from tests.contract.bus.conftest import AnyBus


async def test_a_create_happens_once(bus: AnyBus) -> None:
    absent = [Compare(key="/k", create_revision=0)]
    first = await bus.txn(absent, [Put(key="/k", value=b"1")], [Get(key="/k")])
    second = await bus.txn(absent, [Put(key="/k", value=b"2")], [Get(key="/k")])
    assert first.succeeded
    assert first.values == ()
    assert not second.succeeded
    assert second.values == (await bus.get("/k"),)
    assert second.revision == first.revision


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (lambda made, changed: Compare(key="/k", create_revision=made), True),
        (lambda made, changed: Compare(key="/k", create_revision=changed), False),
        (lambda made, changed: Compare(key="/k", create_revision=0), False),
        (lambda made, changed: Compare(key="/k", mod_revision=changed), True),
        (lambda made, changed: Compare(key="/k", mod_revision=made), False),
        (lambda made, changed: Compare(key="/k", value=b"now"), True),
        (lambda made, changed: Compare(key="/k", value=b"before"), False),
        (lambda made, changed: Compare(key="/k", value=b""), False),
        (lambda made, changed: Compare(key="/none", create_revision=0), True),
        (lambda made, changed: Compare(key="/none", mod_revision=0), True),
        (lambda made, changed: Compare(key="/none", value=b""), False),
    ],
)
async def test_a_condition(bus: AnyBus, compare: Callable[[int, int], Compare], expected: bool) -> None:
    made = await bus.put("/k", b"before")
    changed = await bus.put("/k", b"now")
    result = await bus.txn([compare(made, changed)], [Put(key="/yes", value=b"")], [])
    assert result.succeeded is expected
    assert (await bus.get("/yes") is not None) is expected


async def test_all_conditions_must_hold(bus: AnyBus) -> None:
    await bus.put("/a", b"1")
    both = [Compare(key="/a", value=b"1"), Compare(key="/b", value=b"1")]
    assert not (await bus.txn(both, ())).succeeded
    await bus.put("/b", b"1")
    assert (await bus.txn(both, ())).succeeded


async def test_operations_happen_in_order_and_share_a_revision(bus: AnyBus) -> None:
    before = await bus.put("/b", b"old")
    result = await bus.txn(
        (),
        [
            Get(key="/a"),
            Put(key="/a", value=b"new"),
            Get(key="/a"),
            Delete(key="/b"),
            Get(key="/b"),
        ],
    )
    assert result.revision == before + 1
    nothing, made, gone = result.values
    assert nothing is None
    assert gone is None
    assert made is not None
    assert (made.value, made.create_revision) == (b"new", result.revision)


async def test_a_txn_that_only_reads_makes_no_revision(bus: AnyBus) -> None:
    revision = await bus.put("/a", b"")
    result = await bus.txn((), [Get(key="/a"), Get(key="/b"), Delete(key="/c")])
    assert result.revision == revision


@pytest.mark.parametrize(
    "ops",
    [
        [Put(key="/a", value=b"1"), Put(key="/a", value=b"2")],
        [Put(key="/a", value=b"1"), Delete(key="/a")],
        [Delete(key="/", prefix=True), Put(key="/a", value=b"1")],
    ],
)
async def test_changing_a_key_twice_is_refused_and_leaves_nothing(bus: AnyBus, ops: list[Op]) -> None:
    for then, otherwise in ((ops, []), ([], ops)):
        with pytest.raises(BusError):
            await bus.txn((), then, otherwise)
    assert (await bus.list("/")).items == ()


async def test_deletes_may_overlap(bus: AnyBus) -> None:
    await bus.put("/a/b", b"")
    await bus.txn((), [Delete(key="/a", prefix=True), Delete(key="/a/b"), Delete(key="/", prefix=True)])
    assert (await bus.list("/")).items == ()


async def test_max_writes_pass_and_one_more_is_refused(bus: AnyBus) -> None:
    ops = [Put(key=f"/{n}", value=b"") for n in range(bus.max_writes + 1)]
    for wrong in ((), ops, ()), ((), (), ops[: bus.max_ops + 1]):
        with pytest.raises(BusError, match="limit"):
            await bus.txn(*wrong)
    with pytest.raises(BusError, match="limit"):
        await bus.txn([Compare(key=f"/{n}", create_revision=0) for n in range(bus.max_ops + 1)], ())
    assert (await bus.list("/")).items == ()
    few = [Compare(key=f"/c{n}", create_revision=0) for n in range(bus.max_ops // 2)]
    result = await bus.txn(few, ops[: bus.max_writes], ops[: bus.max_ops // 2])
    assert {item.mod_revision for item in (await bus.list("/")).items} == {result.revision}
    assert len((await bus.list("/")).items) == bus.max_writes


async def test_beside_many_conditions_or_alternatives_max_ops_pass(bus: AnyBus) -> None:
    ops = [Put(key=f"/{n}", value=b"") for n in range(bus.max_ops + 1)]
    many = bus.max_ops // 2 + 1
    conditions = [Compare(key=f"/{n}", create_revision=0) for n in range(many)]
    for compares, otherwise in (conditions, ()), ((), ops[:many]):
        with pytest.raises(BusError, match="limit"):
            await bus.txn(compares, ops, otherwise)
        await bus.txn(compares, ops[: bus.max_ops], otherwise)
        await bus.delete("/", prefix=True)


async def test_a_txn_of_more_than_max_ops_is_one(bus: AnyBus) -> None:
    """In order, of one revision, told at once; and refused as a whole."""
    writes = [Put(key=f"/{n:04}", value=str(n).encode()) for n in range(bus.max_ops * 2)]
    asked: list[Op] = [Get(key="/0000"), *writes, Get(key="/0000"), Get(key=writes[-1].key)]
    before = await bus.put("/x", b"1")
    wrongs: list[Op] = [Delete(key=writes[0].key), Put(key="/y", value=b"", lease=12345)]
    for wrong in wrongs:
        with pytest.raises(BusError):
            await bus.txn((), [*writes, wrong])
    refused = await bus.txn([Compare(key="/x", value=b"0")], asked, [Get(key="/x")])
    assert [v.value if v else None for v in refused.values] == [b"1"]
    done = await bus.txn([Compare(key="/x", value=b"1")], asked, [Get(key="/x")])
    assert [v.value if v else None for v in done.values] == [None, b"0", str(len(writes) - 1).encode()]
    assert done.revision == before + 1
    async with aclosing(bus.watch("/", after=before)) as watching:
        seen = await anext(watched async for watched in watching if watched.events)
    assert {event.key for event in seen.events} == {put.key for put in writes}


async def test_a_put_under_a_missing_lease_refuses_the_whole_txn(bus: AnyBus) -> None:
    with pytest.raises(LeaseLost):
        await bus.txn((), [Put(key="/a", value=b""), Put(key="/b", value=b"", lease=12345)])
    assert (await bus.list("/")).items == ()


async def test_a_condition_must_name_exactly_one_property(bus: AnyBus) -> None:
    for wrong in (Compare(key="/a"), Compare(key="/a", value=b"", mod_revision=1)):
        with pytest.raises(BusError, match="exactly one"):
            await bus.txn([wrong], ())


async def test_counting_by_compare_loses_nothing(another: Callable[[], AnyBus]) -> None:
    """Six writers add to one number; a Txn that was beaten is tried again."""
    buses = [another() for _ in range(6)]
    await buses[0].put("/n", b"0")

    async def add(bus: AnyBus, times: int) -> None:
        while times:
            seen = await bus.get("/n")
            assert seen is not None
            held = [Compare(key="/n", mod_revision=seen.mod_revision)]
            result = await bus.txn(held, [Put(key="/n", value=b"%d" % (int(seen.value) + 1))])
            times -= result.succeeded

    await asyncio.gather(*(add(bus, 20) for bus in buses))
    total = await buses[0].get("/n")
    assert total is not None
    assert total.value == b"120"
