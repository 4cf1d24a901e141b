"""The engine's pure parts: queue, back-off, delta, and what is said of an object."""

from __future__ import annotations

import pytest

from gluon.objects import status
from gluon.shim import delta, said
from gluon.shim.cache import is_whole
from gluon.shim.queue import Backoff, Queue
from gluon.shim.settings import Pace
from gluon.spi.backend import Delta, Ref

PACE = Pace(full_scan=100.0, first_wait=1.0, longest_wait=8.0, later=5.0)
PORT = Ref("net", "Port", "p")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue:
    made = Queue(PACE, clock)
    made.take()
    return made


def test_a_new_queue_begins_with_everything(clock: Clock) -> None:
    assert Queue(PACE, clock).take().full


def test_marks_are_taken_once_and_together(queue: Queue) -> None:
    queue.add(("a", "b"), (PORT,))
    queue.add(("a",), (PORT,))
    work = queue.take()
    assert not work.full
    assert work.scopes == {"a", "b"}
    assert work.refs == {PORT}
    assert not queue.take()


def test_a_scope_that_failed_waits_and_the_others_do_not(queue: Queue, clock: Clock) -> None:
    queue.retry("a")
    queue.add(("a", "b"))
    assert queue.take().scopes == {"b"}
    clock.now += 1.0
    assert queue.take().scopes == {"a"}


def test_after_the_whole_shard_failed_nothing_is_due_and_then_all_is(queue: Queue, clock: Clock) -> None:
    queue.retry(None, after=3.0)
    queue.add(("a",))
    assert not queue.take()
    clock.now += 3.0
    assert queue.take().full


def test_a_full_scan_comes_by_itself(queue: Queue, clock: Clock) -> None:
    clock.now += 89.0
    assert not queue.take()
    clock.now += 12.0
    assert queue.take().full


def test_what_is_not_urgent_comes_later(queue: Queue, clock: Clock) -> None:
    queue.add_later((PORT,))
    assert not queue.take()
    assert not queue.empty
    clock.now += 5.0
    assert queue.take().refs == {PORT}
    assert queue.empty


def test_waits_grow_to_a_limit_with_jitter(clock: Clock) -> None:
    backoff = Backoff(PACE, clock)
    waits = []
    for _ in range(8):
        backoff.fail("a")
        waits.append(backoff.due("a") - clock.now)
    assert 0.5 <= waits[0] <= 1.0
    assert all(4.0 <= wait <= 8.0 for wait in waits[4:])
    backoff.clear("a")
    assert backoff.due("a") == 0.0


def actual(**scopes: dict[str, int]) -> delta.Actual:
    made = delta.Actual()
    for scope, rows in scopes.items():
        made.set(scope, rows)
    return made


def compared(there: delta.Actual, **desired: dict[str, int]) -> Delta:
    comparison = delta.Comparison(there)
    for rows in desired.values():
        comparison.want(rows)
    for scope, rows in desired.items():
        comparison.judge(scope, rows)
    return comparison.delta


def test_a_delta_makes_changes_and_removes() -> None:
    found = compared(actual(a={"x": 1, "y": 2, "z": 3}), a={"x": 1, "y": 5, "n": 6})
    assert (found.make, found.change, found.remove) == ({"n": 6}, {"y": 5}, {"z": 3})


def test_rows_of_other_scopes_are_left_alone() -> None:
    assert not compared(actual(a={"x": 1}, b={"y": 2}), a={"x": 1})


def test_a_row_that_moves_between_scopes_is_not_removed() -> None:
    there = actual(a={"x": 1})
    assert not compared(there, a={}, b={"x": 1})
    taken = compared(there, b={"x": 2})
    assert (taken.make, taken.change, taken.remove) == ({}, {"x": 2}, {})
    there.set("b", {"x": 2})
    assert not compared(there, a={})
    assert compared(there, b={}).remove == {"x": 2}


CONDITION = status.Condition(type="Ready", status="True", reason="Up", message="one", since="t")


def reply(epoch: int) -> said.Reply:
    return said.Reply(report=status.BindingReport(epoch=epoch, vif_type="ovs"), mod_revision=5)


def test_a_condition_keeps_its_time_while_only_the_message_changes() -> None:
    entry = said.Entry(said=said.Said(observed_revision=1, conditions=(CONDITION,)), settled=True)
    first = said.report(entry, None)
    assert first
    assert first.conditions[0].since
    changed = status.Condition(type="Ready", status="True", reason="Up", message="two")
    entry.said = said.Said(observed_revision=1, conditions=(changed,))
    second = said.report(entry, first)
    assert second
    assert second.conditions[0].since == first.conditions[0].since
    assert second.conditions[0].message == "two"


def test_up_holds_only_for_the_epoch_it_was_said_of() -> None:
    entry = said.Entry(said=said.Said(observed_revision=1, up={"h": 4}), settled=True)
    entry.replies["h"] = reply(4)
    found = said.report(entry, None)
    assert found
    assert found.bindings["h"].up
    entry.replies["h"] = reply(7)
    found = said.report(entry, found)
    assert found
    assert not found.bindings["h"].up


def test_what_was_said_before_stands_until_it_is_settled() -> None:
    held = status.Report(
        observed_revision=3,
        conditions=(CONDITION,),
        bindings={"h": status.BindingReport(epoch=4, vif_type="ovs", up=True)},
    )
    assert said.report(said.Entry(replies={"h": reply(4)}), held) == held
    assert said.report(said.Entry(settled=True), held) is None


def test_a_report_that_is_too_large_refuses_instead() -> None:
    details = {"x": "y" * status.MAX_REPORT}
    large = status.BindingReport(epoch=4, vif_type="ovs", vif_details=details)
    data = said.encode(status.Report(observed_revision=1, bindings={"h": large}))
    assert status.decode_report(data).bindings["h"].refused == "TooLarge"


def test_a_cursor_marked_by_a_resync_is_not_whole() -> None:
    assert is_whole(b"abc.12.0f")
    assert not is_whole(b"abc.12.0f.resync-77aa")
