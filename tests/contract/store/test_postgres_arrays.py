"""Rows reach PostgreSQL, however often the library goes through an array before it sends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gluon.spi import store
from gluon.store import Settings, driver, postgres_text
from gluon.store.postgres import PostgresDatabase
from gluon.store.postgres_connection import PostgresConnection
from tests.contract.store.conftest import Opener
from tests.contract.store.world import create, network

_OFTEN = 4
"""So many batches alike, and the later ones are written by one statement."""


def _goes_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a library would that asks nothing first: the look of this one is answered here, and the array hears of one alone."""
    shown: set[int] = set()
    rows = postgres_text.Rows
    once = rows.__iter__

    def through(self: postgres_text.Rows) -> Iterator[object]:
        if id(self) in shown:
            shown.remove(id(self))
            return once(self)
        shown.add(id(self))
        return iter(())

    monkeypatch.setattr(rows, "__iter__", through)


@pytest.mark.parametrize("once", [False, True])
async def test_rows_are_written(
    postgres_url: str, opener: Opener, monkeypatch: pytest.MonkeyPatch, *, once: bool
) -> None:
    monkeypatch.setattr(postgres_text.Rows, "seen_once", False)
    if once:
        _goes_through_once(monkeypatch)
    db = await opener(postgres_url)
    for n in range(_OFTEN):
        await db.submit(create(network(f"n{n}", f"n{n}")))
    assert postgres_text.Rows.seen_once is once
    assert [(await db.get("Network", f"n{n}") or {})["name"] for n in range(_OFTEN)] == [
        f"n{n}" for n in range(_OFTEN)
    ]


async def test_a_connection_that_is_lost_then_says_nothing_of_the_library(
    postgres_url: str, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one finds out."""
    db = await opener(postgres_url)
    monkeypatch.setattr(postgres_text.Rows, "seen_once", False)
    asked = PostgresConnection.fetch
    lost: list[str] = []

    async def loses(connection: PostgresConnection, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        if "cardinality" in sql and not lost:
            lost.append(sql)
            connection.kill()
        return await asked(connection, sql, *args)

    monkeypatch.setattr(PostgresConnection, "fetch", loses)
    with pytest.raises(driver.Lost):
        await PostgresDatabase(postgres_url, Settings()).session()
    assert not postgres_text.Rows.seen_once
    lost.clear()
    assert (await db.submit(create(network("n", "n")))).revision
    assert lost and not postgres_text.Rows.seen_once


def test_who_goes_through_rows_again_sees_them_all() -> None:
    """A statement is sent again where a type was made anew meanwhile."""
    rows = postgres_text.Rows([(1,), (2,)])
    assert len(rows) == 2
    assert [list(rows) for _ in range(4)] == [[], [(1,), (2,)], [(1,), (2,)], [(1,), (2,)]]
