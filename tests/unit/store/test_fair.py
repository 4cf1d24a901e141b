"""Turns of projects in front of the batches."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from gluon import errors
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
    assert {"b0", "b1", "b2", "c0"} <= set(batch) and len(batch) == 64
    assert [name for name in batch if name[0] == "a"] == [f"a{n}" for n in range(60)]


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
