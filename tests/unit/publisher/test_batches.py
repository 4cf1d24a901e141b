"""Entries to Txns: bounded, in order, newest per key, never a cursor inside a revision."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gluon.objects import journal
from gluon.publisher import batches
from gluon.publisher.batches import Limits
from tests.unit.publisher.parts import PREFIX, Picture

Things = list[dict[str, int | None]]

units: st.SearchStrategy[Things] = st.lists(
    st.dictionaries(st.sampled_from("abcdefghij"), st.none() | st.integers(0, 60), min_size=1, max_size=9),
    max_size=25,
)


def entries_of(things: Things) -> list[journal.Entry]:
    found = []
    for revision, unit in enumerate(things, 1):
        for n, (key, size) in enumerate(unit.items()):
            found.append(
                journal.Entry(
                    revision=revision, n=n, op=journal.Operation.UPDATE, api="t", type="Thing", key=key,
                    project=None, who="", request_id="", intent=True, old=None,
                    new=None if size is None else bytes([65 + revision % 26]) * size, at="",
                )
            )  # fmt: skip
    return found


def weight(changes: Mapping[str, bytes | None]) -> int:
    return sum(batches.weight(key, value) for key, value in changes.items())


@given(units, st.integers(1, 12), st.integers(120, 700))
def test_batches_in_order_give_the_state_of_the_journal(things: Things, ops: int, size: int) -> None:
    entries, limits = entries_of(things), Limits(ops=ops, bytes=size)
    states: dict[int, dict[str, bytes | None]] = {}
    state: dict[str, bytes | None] = {}
    for entry in entries:
        state[PREFIX + "Thing/" + entry.key] = entry.new
        states[entry.revision] = dict(state)
    built: dict[str, bytes | None] = {}
    done = 0
    for batch in batches.plan(entries, Picture(), limits):
        assert len(batch.changes) <= ops
        assert weight(batch.changes) <= size
        built.update(batch.changes)
        assert batch.last is not None
        assert batch.last.revision > done
        if batch.whole:
            done = batch.last.revision
            assert built == states[done]
    assert done == len(things)


def test_entries_without_anything_in_etcd_still_move_the_cursor() -> None:
    entries = entries_of([{"a": 1}, {"b": 1}])

    class Nothing(Picture):
        def of_entry(self, entry: journal.Entry) -> list[tuple[str, bytes | None]]:
            return []

    (batch,) = batches.plan(entries, Nothing(), Limits())
    assert batch.changes == {}
    assert batch.last == entries[-1]


def test_a_change_too_big_for_any_txn_goes_alone() -> None:
    entries = entries_of([{"a": 5, "b": 900, "c": 5}])
    found = list(batches.plan(entries, Picture(), Limits(ops=10, bytes=200)))
    assert [len(batch.changes) for batch in found] == [1, 1, 1]
    assert [batch.whole for batch in found] == [False, False, True]
