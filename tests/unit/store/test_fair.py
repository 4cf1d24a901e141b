"""Turns of projects in front of the batches."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from gluon import errors
from gluon.store import fair
from gluon.store.fair import Fair


def one(project: str, n: int = 0, *, rows: int = 1, since: float = 0.0, gone: bool = False) -> Any:
    return SimpleNamespace(
        name=f"{project}{n}",
        unit=SimpleNamespace(reads=("row",) * rows),
        answer=SimpleNamespace(done=lambda: gone),
        since=since,
    )


def names(batch: Iterable[Any]) -> list[str]:
    return [waiting.name for waiting in batch]


def filled(**counts: int) -> Fair:
    queue = Fair(10_000, 5_000)
    for project, count in counts.items():
        for n in range(count):
            queue.put(one(project, n), project)
    return queue


def test_one_project_keeps_its_order() -> None:
    queue = filled(a=5)
    assert names(queue.take(3)) == ["a0", "a1", "a2"]
    assert names(queue.take(3)) == ["a3", "a4"]
    assert len(queue) == 0 and queue.take(3) == []


def test_the_first_batch_has_units_of_all_projects() -> None:
    queue = filled(a=1000, b=3, c=1)
    batch = names(queue.take(64))
    assert {"b0", "b1", "b2", "c0"} <= set(batch) and len(batch) == 52
    assert [name for name in batch if name[0] == "a"] == [f"a{n}" for n in range(48)]


def test_two_that_always_wait_share_by_rows_and_not_by_units() -> None:
    queue = Fair(10_000, 5_000)
    for n in range(400):
        queue.put(one("large", n, rows=8), "large")
        queue.put(one("s", n), "s")
    got = {"large": 0, "s": 0}
    for _ in range(8):
        for waiting in queue.take(32):
            got["s" if len(waiting.unit.reads) == 1 else "large"] += len(waiting.unit.reads)
    assert 0.5 < got["s"] / got["large"] < 2


def test_what_was_put_back_comes_first() -> None:
    queue = filled(a=4, b=1)
    batch = queue.take(3)
    queue.put_back(batch[1:])
    assert names(queue.take(10)) == ["a1", "a2", "b0", "a3"]


def test_bounds_of_all_and_of_each() -> None:
    queue = Fair(5, 3)
    for n in range(3):
        queue.check("a")
        queue.put(one("a", n), "a")
    with pytest.raises(errors.Unavailable, match="this project"):
        queue.check("a")
    for n in range(2):
        queue.check("")
        queue.put(one("", n), "")
    with pytest.raises(errors.Unavailable, match="too many requests wait"):
        queue.check("b")
    queue.take(1)
    queue.check("b")


def test_who_waits_too_long_is_found_in_each_project() -> None:
    queue = Fair(100, 100)
    for project in "abc":
        queue.put(one(project, 0, since=1.0), project)
        queue.put(one(project, 1, since=5.0), project)
    queue.put_back([one("d", since=2.0)])
    assert queue.oldest(9.0) == 1.0
    assert sorted(names(queue.expired(3.0))) == ["a0", "b0", "c0", "d0"]
    assert len(queue) == 3 and queue.oldest(9.0) == 5.0
    assert names(queue.take(10)) == ["a1", "b1", "c1"] and queue.oldest(9.0) == 9.0


def test_who_gave_up_is_left_out_and_costs_no_room() -> None:
    queue = Fair(100, 100)
    for n in range(6):
        queue.put(one("a", n, gone=n % 2 == 0), "a")
        queue.put(one("b", n, gone=True), "b")
    assert names(queue.take(3)) == ["a1", "a3", "a5"]
    queue.take(10)
    assert len(queue) == 0


def test_batches_are_small_while_several_projects_are_active_and_else_as_large_as_may_be() -> None:
    queue = Fair(10_000, 5_000)
    queue.put(one("b", since=1.0), "b")
    assert names(queue.take(256)) == ["b0"]
    for n in range(300):
        queue.put(one("a", n, since=1.5), "a")
    assert names(queue.take(256)) == [f"a{n}" for n in range(48)], "b may come again"
    queue.put(one("a", 300, since=2.6), "a")
    queue.put(one("", since=2.6), "")
    assert len(queue.take(200)) == 200 and len(queue) == 54, "units of no project are no reason"


def test_two_that_wait_for_more_than_a_batch_share_it_and_come_again() -> None:
    queue = filled(a=100, b=100)
    got = [names(queue.take(256)) for _ in range(3)]
    assert [len(batch) for batch in got] == [96, 96, 8] and len(queue) == 0
    for name in "ab":
        assert [n for batch in got for n in batch if n[0] == name] == [f"{name}{n}" for n in range(100)]


def test_a_large_unit_has_a_batch_of_its_own_and_others_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair, "_PER_BATCH", 128)
    queue = Fair(10_000, 5_000)
    for n in range(3):
        queue.put(one("big", n, rows=400), "big")
        queue.put(one("bulk", n, rows=400), "bulk")
    queue.put(one("big", 9), "big")
    seen = []
    for n in range(20):
        queue.put(one("s", n), "s")
        seen.append(names(queue.take(64)))
    large = [batch for batch in seen if batch[0].startswith("b") and batch[0] != "big9"]
    assert large == [["big0"], ["bulk0"], ["big1"], ["bulk1"], ["big2"]]
    assert [n for n, batch in enumerate(seen) if batch in large] == [0, 4, 8, 12, 16]
    assert set(seen[1]) == {"big9", "s0", "s1"}
    assert names(queue.take(64)) == ["bulk2"], "it does not wait where nobody else does"
    assert len(queue) == 0 and queue.take(64) == []


def test_a_large_unit_waits_for_others_that_are_about_to_come() -> None:
    queue = Fair(10_000, 5_000)
    big = fair.LARGE + 1
    queue.put(one("big", 0, rows=big, since=10.0), "big")
    assert queue.lull(10.0) == 0.0, "nobody else was here"
    queue.put(one("s", 0, since=10.0), "s")
    assert names(queue.take(64)) == ["big0"]
    queue.put(one("big", 1, rows=big, since=10.0), "big")
    assert queue.lull(10.0) == 0.0, "another waits"
    assert names(queue.take(64)) == ["s0"]
    assert queue.lull(10.001) == pytest.approx(0.019), "who was answered just now asks again"
    assert queue.lull(10.03) == 0.0, "but did not"
    for n in range(1, 9):
        queue.put(one("s", n, since=10.0 + n / 100), "s")
        queue.take(64)
    assert queue.lull(10.09) == 0.0, "the others had their batches"


def test_a_large_unit_does_not_wait_for_ever_for_others_that_come_one_by_one() -> None:
    queue = Fair(10_000, 5_000)
    for n in range(2):
        queue.put(one("big", n, rows=fair.LARGE * 1000, since=10.0), "big")
    queue.put(one("s", 0, since=10.0), "s")
    queue.take(64)
    waited = 0.0
    for n in range(100):
        now = 10.0 + n / 100
        queue.put(one("s", n, since=now), "s")
        queue.take(64)
        waited += 0.01 if queue.lull(now) else 0.0
    assert waited == pytest.approx(0.3, abs=0.02)


def test_large_units_expire_and_are_drained_as_others() -> None:
    queue = Fair(100, 2)
    for n in range(2):
        queue.check("a")
        queue.put(one("a", n, rows=999, since=float(n)), "a")
    with pytest.raises(errors.Unavailable, match="this project"):
        queue.check("a")
    queue.put(one("a", 5, since=3.0), "a")
    assert queue.oldest(9.0) == 0.0
    assert names(queue.expired(1.0)) == ["a0"]
    assert sorted(names(queue.drain())) == ["a1", "a5"] and len(queue) == 0
    queue.put(one("b", gone=True, rows=999), "b")
    assert queue.take(5) == [] and len(queue) == 0


def told(queue: Fair) -> tuple[bool, bool]:
    return queue.hurried, queue.waived


def busy() -> Fair:
    """A queue of which `a` had much lately, and has more waiting."""
    queue = Fair(10_000, 5_000)
    queue.put(one("b", since=10.0), "b")
    for n in range(400):
        queue.put(one("a", n, since=10.0), "a")
    while queue.take(48):
        pass
    for n in range(40):
        queue.put(one("a", n, since=10.0), "a")
    return queue


def test_who_had_little_goes_before_a_project_that_had_much_and_not_with_it() -> None:
    queue = busy()
    assert told(queue) == (False, False)
    queue.put(one("b", 1, since=10.1), "b")
    assert told(queue) == (True, False)
    assert names(queue.take(64)) == ["b1"] and told(queue) == (False, True)
    queue.put(one("b", 2, since=10.1), "b")
    queue.put(one("c", 1, since=10.1), "c")
    assert told(queue) == (False, True)
    batch = names(queue.take(64))
    assert {"b2", "c1"} < set(batch) and len(batch) == 22, "never twice in a row"
    assert told(queue) == (False, False)
    queue.put(one("b", 3, since=10.1), "b")
    queue.put(one("c", 2, since=10.1), "c")
    assert names(queue.take(64)) == ["b3", "c2"]
    rest = [name for _ in range(9) for name in names(queue.take(64))]
    assert len(queue) == 0 and rest == [f"a{n}" for n in range(20, 40)], "nothing is lost"


def test_what_the_server_does_for_itself_makes_nobody_wait() -> None:
    queue = busy()
    queue.put(one("", 1, since=10.1), "")
    batch = names(queue.take(64))
    assert "1" in batch and len(batch) == 21


def test_what_has_piled_up_comes_in_several_batches() -> None:
    queue = busy()
    sizes = []
    while batch := queue.take(256):
        sizes.append(len(batch))
    assert sizes == [20, 16, 4]
    for n in range(300):
        queue.put(one("a", n, since=10.0), "a")
    assert len(queue.take(256)) == 48


def test_who_had_much_long_ago_is_as_others() -> None:
    queue = busy()
    while queue.take(64):
        pass
    queue.put(one("a", 0, since=30.0), "a")
    queue.put(one("b", 1, since=30.0), "b")
    queue.take(64)
    queue.put(one("a", 1, since=30.0), "a")
    queue.put(one("b", 2, since=30.0), "b")
    assert sorted(names(queue.take(64))) == ["a1", "b2"]


def test_projects_that_have_as_much_as_each_other_share_their_batches() -> None:
    queue = filled(a=400, b=400)
    for _ in range(4):
        batch = names(queue.take(64))
        assert {name[0] for name in batch} == {"a", "b"}
