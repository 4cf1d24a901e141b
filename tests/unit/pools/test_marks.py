"""A set of numbers in blocks: it behaves as a set, skips runs in few look-ups and keeps few rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.pools import marks
from gluon.pools.marks import Marks
from gluon.pools.rows import Rows
from tests.unit.pools.world import World


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of four, so that full ones are met soon."""
    monkeypatch.setattr(marks, "_BITS", 2)
    monkeypatch.setattr(marks, "_LAST", 3)
    monkeypatch.setattr(marks, "_FULL", 15)


def first_clear(numbers: set[int], low: int) -> int:
    while low in numbers:
        low += 1
    return low


@pytest.mark.usefixtures("small")
class TestAsASet:
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 100), st.integers(1, 50))), st.integers(0, 150))
    def test_marks_are_a_set(self, runs: list[tuple[bool, int, int]], low: int) -> None:
        made, naive = Marks(Rows(World()), "p", "f", -1), set[int]()
        for add, number in ((add, n) for add, start, length in runs for n in range(start, start + length)):
            assert (number in made) == (number in naive)
            if number not in naive and add:
                made.mark(number)
                naive.add(number)
            elif not add:
                made.unmark(number)
                naive.discard(number)
        assert made.clear(low) == first_clear(naive, low)
        assert [n for n in range(160) if n in made] == sorted(naive)

    @given(st.sets(st.integers(0, 400)), st.integers(0, 400))
    def test_filling_at_once_is_marking_one_by_one(self, numbers: set[int], low: int) -> None:
        one, other = World(), World()
        by_one, at_once = Marks(Rows(one), "p", "f", -1), Marks(Rows(other), "p", "f", -1)
        for number in numbers:
            by_one.mark(number)
        at_once.fill(numbers)
        assert by_one.height == at_once.height
        assert by_one.clear(low) == at_once.clear(low) == first_clear(numbers, low)

    @given(st.sets(st.integers(0, 300), max_size=250))
    def test_who_passes_by_leaves_no_rows(self, numbers: set[int]) -> None:
        world = World()
        rows = Rows(world)
        made = Marks(rows, "p", "f", -1)
        for number in numbers:
            made.mark(number)
        at, seen = 0, []
        while at < 1024:
            number = made.clear(at)
            made.leave(at, number)
            made.leave(number, number + 1)
            at = number + 1
            seen.append(number)
        assert seen == [n for n in range(seen[-1] + 1) if n not in numbers]
        assert rows.of_pool("gluon_pool_block", "block", "p") == []

    @given(st.integers(0, 200), st.integers(0, 200))
    def test_the_end_of_a_run_leaves_no_rows(self, low: int, more: int) -> None:
        rows = Rows(World())
        made = Marks(rows, "p", "h", -1)
        for number in range(low, low + more + 1):
            made.mark(number)
        made.end(low, low + more)
        assert made.height == -1 and rows.of_pool("gluon_pool_block", "block", "p") == []


def test_a_run_of_any_length_is_skipped_at_once() -> None:
    world = World()
    rows = Rows(world)
    made = Marks(rows, "p", "f", -1)
    for number in range(17, 17 + 200_000):
        made.mark(number)
    assert made.clear(20) == 200_017
    assert len(rows.of_pool("gluon_pool_block", "block", "p")) <= 6
    fresh = Marks(rows, "p", "f", made.height)
    world._seen.clear()
    assert fresh.clear(16) == 16 and fresh.clear(17) == 200_017
    assert world.rounds <= 6


def test_numbers_of_128_bits() -> None:
    made = Marks(Rows(World()), "p", "f", -1)
    for number in (0, 2**64, 2**64 + 1, 2**128):
        made.mark(number)
        assert number in made
    assert made.clear(2**64) == 2**64 + 2 and made.clear(0) == 1 and made.clear(2**128) == 2**128 + 1
