"""Any order of acts on a pool has the effect that a naive one of plain sets has."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gluon import pools
from gluon.pools import marks, session
from tests.effort import examples
from tests.unit.pools.world import World, numbers

KEPT = 4
FORGOTTEN = 3
REST = 30
RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda p: f"{p[0]}-{p[0] + p[1]}"), max_size=4
)


def ordered(ranges: list[str]) -> list[int]:
    """The values of ranges, each at its first place."""
    found: dict[int, None] = {}
    for text in ranges:
        low, high = map(int, text.split("-"))
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)


class PoolMachine(RuleBasedStateMachine):
    """Blocks of four and a short queue, so that all that is rare happens."""

    saved: ClassVar[dict[Any, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.saved.update({n: getattr(marks, n) for n in ("_BITS", "_LAST", "_FULL")}, KEPT=session.KEPT)
        self.saved.update(FORGOTTEN=session.FORGOTTEN)
        marks._BITS, marks._LAST, marks._FULL = 2, 3, 15
        session.KEPT, session.FORGOTTEN = KEPT, FORGOTTEN
        self.world = World()
        self.order: list[int] = []
        self.next = 0
        self.held: dict[int, str] = {}
        self.queue: list[tuple[int, str]] = []
        self.started = False
        self.count = 0

    def teardown(self) -> None:
        for name in ("_BITS", "_LAST", "_FULL"):
            setattr(marks, name, self.saved[name])
        session.KEPT, session.FORGOTTEN = self.saved["KEPT"], self.saved["FORGOTTEN"]

    @initialize(ranges=RANGES, open=st.booleans())
    def begin(self, ranges: list[str], open: bool) -> None:
        self.supply, self.order = numbers(*ranges, rest=REST, open=open), ordered(ranges)

    # -- the naive pool -----------------------------------------------------------------------

    def fresh(self) -> list[int]:
        touched = {*self.held, *(v for v, _ in self.queue)}
        return [v for v in self.order[self.next :] if v not in touched]

    def head_is_free(self) -> bool:
        return bool(self.queue) and self.queue[0][1] <= self.world.now

    def expected(self) -> int | None:
        if len(self.queue) > KEPT and self.head_is_free():
            return self.queue[0][0]
        fresh = self.fresh()
        if fresh:
            return fresh[0]
        return self.queue[0][0] if self.head_is_free() else None

    def given(self, value: int) -> str:
        self.started = True
        self.queue = [q for q in self.queue if q[0] != value]
        self.count += 1
        self.held[value] = f"holder {self.count}"
        return self.held[value]

    # -- acts ---------------------------------------------------------------------------------

    @rule(times=st.integers(1, 6))
    def take(self, times: int) -> None:
        for _ in range(times):
            value = self.expected()
            if value is None:
                assert self.world.refused(lambda s: s.take(self.supply, "x")) == "pool_exhausted"
                return
            fresh = value in self.fresh()
            if fresh:
                self.next = self.order.index(value) + 1
            holder = self.given(value)
            assert self.world.unit(lambda s, h=holder: s.take(self.supply, h)) == value  # type: ignore[misc]

    @rule(times=st.integers(1, 6))
    def take_next(self, times: int) -> None:
        """The short way takes what a session would, or nothing."""
        for _ in range(times):
            value = self.expected()
            taken = self.world.take_next(self.supply, f"holder {self.count + 1}")
            assert taken in (None, value)
            if taken is None:
                return
            self.next = self.order.index(taken) + 1
            self.given(taken)

    @rule(value=st.integers(0, 75), run=st.integers(1, 20))
    def wish(self, value: int, run: int) -> None:
        for one in range(value, value + run):
            self.wish_one(one)

    def wish_one(self, value: int) -> None:
        if value not in self.order and not self.supply.open:
            assert self.world.refused(lambda s: s.wish(self.supply, value, "x")) == "pool_outside"
        elif value in self.held:
            assert self.world.refused(lambda s: s.wish(self.supply, value, "x")) == "pool_taken"
        elif value not in self.order:
            holder = self.given(value)
            assert self.world.unit(lambda s: s.wish(self.supply, value, holder)) == value
        else:
            fresh = value in self.fresh()
            if fresh and self.order.index(value) == self.next:
                self.next += 1
            if fresh and len(self.queue) > KEPT and self.head_is_free():
                old, free_at = self.queue.pop(0)
                if self.order.index(old) < self.next:
                    self.queue.append((old, free_at))
            holder = self.given(value)
            assert self.world.unit(lambda s: s.wish(self.supply, value, holder)) == value

    def first_of(self, part: set[int]) -> int | None:
        """The value that is given of a part, the queue without what is forgotten for it; None: it is refused."""
        fresh = next((v for v in self.fresh() if v in part), None)
        if fresh is not None:
            if len(self.queue) > KEPT and self.head_is_free():
                old, free_at = self.queue.pop(0)
                if self.order.index(old) < self.next:
                    self.queue.append((old, free_at))
            return fresh
        left: list[tuple[int, str]] = []
        for n, (value, free_at) in enumerate(self.queue):
            if free_at > self.world.now:
                return None
            if value in part:
                self.queue = [*left, *self.queue[n:]]
                return value
            if self.order.index(value) < self.next or n - len(left) == FORGOTTEN:
                left.append((value, free_at))
        return None

    @rule(low=st.integers(0, 75), length=st.integers(0, 30), times=st.integers(1, 6))
    def take_of_a_part(self, low: int, length: int, times: int) -> None:
        self.take_of(low, length, times)

    def take_of(self, low: int, length: int, times: int) -> None:
        part = self.supply.space.within(f"{low}-{low + length}")
        for _ in range(times):
            value = self.first_of(set(range(low, low + length + 1)) & set(self.order))
            if value is None:
                assert self.world.refused(lambda s: s.take_of(self.supply, part, "x")) == "pool_exhausted"
                return
            holder = self.given(value)
            assert self.world.unit(lambda s, h=holder: s.take_of(self.supply, part, h)) == value  # type: ignore[misc]

    @precondition(lambda self: self.queue)
    @rule(data=st.data(), length=st.integers(0, 2))
    def take_of_what_waits(self, data: st.DataObject, length: int) -> None:
        """So that it is found behind others."""
        self.take_of(data.draw(st.sampled_from([value for value, _ in self.queue])), length, 1)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), rest=st.sampled_from([0, 1, REST]))
    def release(self, data: st.DataObject, rest: int) -> None:
        """Several in one unit, and another's holder frees nothing."""
        values = data.draw(st.lists(st.sampled_from(sorted(self.held)), unique=True, min_size=1, max_size=6))
        free_at = World()
        free_at.clock = self.world.clock
        free_at.sleep(rest)

        def act(s: session.Session) -> None:
            for value in values:
                s.release(self.supply.id, value, "somebody else", rest)
                s.release(self.supply.id, value, self.held[value], rest)

        self.world.unit(act)
        for value in values:
            del self.held[value]
            if value in self.order:
                self.queue.append((value, free_at.now))

    @rule(seconds=st.sampled_from([1, 29, 31, -5, 100]))
    def wait(self, seconds: int) -> None:
        self.world.sleep(seconds)

    @rule(ranges=RANGES, append=st.booleans(), strict=st.booleans())
    def respace(self, ranges: list[str], append: bool, strict: bool) -> None:
        if append:
            ranges = [*(f"{v}-{v}" for v in self.order), *ranges]
        order, new = ordered(ranges), numbers(*ranges, rest=REST, open=self.supply.open)
        left = {v for v in self.held if v not in order}
        known = {v for v in self.held if v not in self.order}
        if strict and not new.open and left - known and new.space.digest != self.supply.space.digest:
            assert self.world.refused(lambda s: s.respace(new)) == "pool_in_use"
            return
        self.world.unit(lambda s: s.respace(new, strict=strict))
        moved = known or order[: len(self.order)] != self.order
        if self.started and moved and order != self.order:
            self.next = 0
        self.queue = [q for q in self.queue if q[0] in order]
        self.order, self.supply = order, new

    @rule(data=st.data())
    def make_anew(self, data: st.DataObject) -> None:
        """Of the rows of values alone, some of which have lost their places: these rest on, behind the others."""
        if not self.world.tables["gluon_pool"]:
            return
        values = self.world.tables["gluon_pool_value"]
        lost = (
            data.draw(st.lists(st.sampled_from([v for v, _ in self.queue]), unique=True))
            if self.queue
            else []
        )
        for value in lost:
            row = values[self.supply.id, str(value)]
            values[self.supply.id, str(value)] = {**row, "slot": None}
        one = pools.Anew(self.supply, self.world.now)
        self.world.write([w for row in list(values.values()) if (w := one.judge(row)) is not None])
        self.world.tables["gluon_pool_block"].clear()
        self.world.tables["gluon_pool"].clear()
        self.world.write(one.end())
        last = sorted((q for q in self.queue if q[0] in lost), key=lambda q: str(q[0]))
        self.queue = [*(q for q in self.queue if q[0] not in lost), *last]
        touched = {*self.held, *(v for v, _ in self.queue)}
        self.next = next((n for n, v in enumerate(self.order) if v not in touched), len(self.order))

    @rule()
    def drop(self) -> None:
        self.world.unit(lambda s: s.drop(self.supply.id))
        assert not any(self.world.tables.values())
        self.next, self.held, self.queue, self.started = 0, {}, [], False

    # -- always -------------------------------------------------------------------------------

    @invariant()
    def rows_are_what_they_should_be(self) -> None:
        assert self.world.values(held=True) == sorted(map(str, self.held))
        assert self.world.values(held=False) == sorted(str(v) for v, _ in self.queue)
        rows = list(self.world.tables["gluon_pool"].values())
        if rows:
            assert (rows[0]["held"], rows[0]["queued"]) == (len(self.held), len(self.queue))
            assert self.world.rounds < 60

    @invariant()
    def what_is_known_is_sound(self) -> None:
        blocks = list(self.world.tables["gluon_pool_block"].values())
        values = [row for row in self.world.tables["gluon_pool_value"].values() if not row["outside"]]
        for pool in self.world.tables["gluon_pool"].values():
            assert pools.sound(pool, blocks, within=len(values), queued=len(self.queue))
            assert not pools.sound(pool, blocks, within=len(values) + 1, queued=len(self.queue))
            assert not pools.sound(pool, blocks, within=len(values), queued=len(self.queue) + 1)

    @invariant()
    def marks_of_the_past_are_gone(self) -> None:
        known = list(self.world.tables["gluon_pool"].values())
        for row in self.world.tables["gluon_pool_block"].values():
            kind, level, block = str(row["block"])[0], *str(row["block"])[1:].split(":")
            past = (int(block, 16) + 1) << marks._BITS * (int(level) + 1)
            height, start = {"f": ("fresh_height", "next"), "h": ("hole_height", "head")}[kind]
            assert past > int(str(known[0][start]))
            assert int(level) <= int(str(known[0][height]))


PoolMachine.TestCase.settings = settings(max_examples=examples(80), stateful_step_count=40)
TestPool = PoolMachine.TestCase
