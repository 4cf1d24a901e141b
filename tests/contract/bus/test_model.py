"""Any sequence of calls gives what a plain model of the keys gives, and so does its replay.

Hypothesis makes programs of puts, deletes and Txns over few keys, some of which are prefixes of
others; each is run on the bus and on the model, and every answer, the final listing and all
events are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon.errors import BusError
from gluon.kv.connect import connect
from gluon.spi.bus import Bus, Compare, Delete, Event, Get, KeyValue, Op, Put, TxnResult
from tests.contract.bus.streams import close, take

ROOT = "/m/"


@dataclass(frozen=True)
class Step:
    """A Txn; its compares refer to the past: `made` and `changed` are what the model knows."""

    compares: tuple[tuple[str, Literal["absent", "made", "changed", "value"], bytes], ...]
    then: tuple[Op, ...]
    otherwise: tuple[Op, ...]


@dataclass
class Model:
    """Keys, the revision, and what happened, all in the simplest form."""

    revision: int
    keys: dict[str, KeyValue] = field(default_factory=dict)
    events: list[tuple[int, Event]] = field(default_factory=list)

    def run(self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op]) -> TxnResult:
        succeeded = all(self._holds(compare) for compare in compares)
        values: list[KeyValue | None] = []
        happened: list[Event] = []
        for op in then if succeeded else otherwise:
            if isinstance(op, Get):
                values.append(self.keys.get(op.key))
            elif isinstance(op, Put):
                happened.append(Event(key=op.key, value=self._put(op)))
            else:
                gone = [key for key in self.keys if key == op.key or (op.prefix and key.startswith(op.key))]
                for key in sorted(gone):
                    del self.keys[key]
                    happened.append(Event(key=key, value=None))
        if happened:
            self.revision += 1
        self.events += [(self.revision, event) for event in happened]
        return TxnResult(succeeded=succeeded, revision=self.revision, values=tuple(values))

    def _holds(self, compare: Compare) -> bool:
        found = self.keys.get(compare.key)
        if compare.value is not None:
            return found is not None and found.value == compare.value
        if compare.create_revision is not None:
            return compare.create_revision == (found.create_revision if found else 0)
        return compare.mod_revision == (found.mod_revision if found else 0)

    def _put(self, op: Put) -> KeyValue:
        old = self.keys.get(op.key)
        now = self.revision + 1
        self.keys[op.key] = KeyValue(
            key=op.key,
            value=op.value,
            create_revision=old.create_revision if old else now,
            mod_revision=now,
        )
        return self.keys[op.key]

    def compare(self, key: str, kind: str, value: bytes) -> Compare:
        found = self.keys.get(key)
        if kind == "value":
            return Compare(key=key, value=value)
        if kind == "made":
            return Compare(key=key, create_revision=found.create_revision if found else 0)
        if kind == "changed":
            return Compare(key=key, mod_revision=found.mod_revision if found else 0)
        return Compare(key=key, create_revision=0)


def changes_a_key_twice(ops: Sequence[Op]) -> bool:
    puts = [op.key for op in ops if isinstance(op, Put)]
    deletes = [op for op in ops if isinstance(op, Delete)]
    return len(puts) != len(set(puts)) or any(
        key == op.key or (op.prefix and key.startswith(op.key)) for op in deletes for key in puts
    )


KEYS = st.sampled_from(["a", "a/", "a/b", "a/ÿ", "aÿ", "a\U0010ffff", "b", "ÿ"]).map(ROOT.__add__)
VALUES = st.sampled_from([b"", b"\0", b"x", b"\xff\xfe", b"y" * 1000])
OPS: st.SearchStrategy[Op] = st.one_of(
    st.builds(Put, key=KEYS, value=VALUES),
    st.builds(Put, key=KEYS, value=VALUES),
    st.builds(Delete, key=KEYS, prefix=st.booleans()),
    st.builds(Get, key=KEYS),
)
BRANCHES = st.lists(OPS, max_size=4).map(tuple)
STEPS = st.builds(
    Step,
    compares=st.lists(
        st.tuples(KEYS, st.sampled_from(["absent", "made", "changed", "value"]), VALUES), max_size=2
    ).map(tuple),
    then=BRANCHES,
    otherwise=BRANCHES,
)


async def _run(bus: Bus, steps: Sequence[Step], split: int) -> None:
    await bus.delete(ROOT, prefix=True)
    start = (await bus.list(ROOT)).revision
    model = Model(start)
    for step in steps:
        compares = [model.compare(*compare) for compare in step.compares]
        if changes_a_key_twice(step.then) or changes_a_key_twice(step.otherwise):
            with pytest.raises(BusError):
                await bus.txn(compares, step.then, step.otherwise)
            continue
        answer = await bus.txn(compares, step.then, step.otherwise)
        assert answer == model.run(compares, step.then, step.otherwise)
    listing = await bus.list(ROOT)
    assert listing.revision == model.revision
    assert list(listing.items) == [model.keys[key] for key in sorted(model.keys)]
    after = min(start + split, model.revision)
    expected = [event for revision, event in model.events if revision > after]
    stream = bus.watch(ROOT, after=after)
    assert await take(stream, len(expected)) == expected
    await close(stream)


@pytest.mark.parametrize("kind", ["memory", "etcd"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, max_size=12), split=st.integers(0, 8))
def test_a_bus_is_like_its_model(
    request: pytest.FixtureRequest, kind: str, steps: list[Step], split: int
) -> None:
    urls = [request.getfixturevalue("etcd_server").url] if kind == "etcd" else None

    async def run() -> None:
        bus = connect(urls)
        try:
            await _run(bus, steps, split)
        finally:
            await bus.close()

    asyncio.run(run())
