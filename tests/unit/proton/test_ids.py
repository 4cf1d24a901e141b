"""Ids of new objects: standard uuids, in the order in which they were made, none twice."""

from __future__ import annotations

import time
import uuid

import pytest

from gluon.proton import ids


def test_an_id_is_a_standard_uuid_that_begins_with_the_time() -> None:
    before = int(time.time() * 1000)
    made = ids.new_id()
    after = int(time.time() * 1000)
    read = uuid.UUID(made)
    assert (str(read), read.version, read.variant) == (made, 7, uuid.RFC_4122)
    assert before <= read.int >> 80 <= after + 1


def test_ids_are_in_order_and_differ() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert len({one[20:] for one in made}) == len(made)  # what follows the time and the variant


@pytest.mark.parametrize("seconds", [0, -3600])
def test_a_clock_that_stands_or_is_set_back_changes_no_order(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    before = ids.new_id()
    now = time.time() + seconds
    monkeypatch.setattr(ids, "time", lambda: now)
    made = [before, *(ids.new_id() for _ in range(5_000))]
    assert made == sorted(set(made))
