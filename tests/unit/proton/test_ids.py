"""Ids of new objects: standard uuids that follow each other, none twice, and no two with the same name of an interface."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from gluon.proton import ids


def test_an_id_is_a_standard_uuid() -> None:
    for _ in range(2_000):
        made = ids.new_id()
        read = uuid.UUID(made)
        assert (str(read), read.version, read.variant) == (made, 8, uuid.RFC_4122)


def test_no_two_name_the_same_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VM's interface is `tap` and the first 11 characters of its port's id, so two ports made at once must differ there."""
    monkeypatch.setattr(ids, "_last", 5)  # at no end of the places
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len({one[:11] for one in made}) == len(made)
    assert len({one[11:] for one in made}) == len(made)


def test_after_the_last_place_comes_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", (1 << 40) - 2)
    assert [ids.new_id()[:11] for _ in range(2)] == ["ffffffff-ff", "00000000-00"]


def test_each_process_begins_elsewhere() -> None:
    command = [sys.executable, "-c", "from gluon.proton import ids; print(ids.new_id()[:11])"]
    assert len({subprocess.run(command, check=True, capture_output=True).stdout for _ in range(3)}) == 3
