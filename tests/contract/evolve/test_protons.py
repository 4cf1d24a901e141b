"""Processes that take other models from the record at the same moment as others write it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gluon import errors
from gluon import store as stores
from gluon.cmd.engines import TABLES
from gluon.cmd.protons import Protons
from gluon.model import loader
from gluon.model.types import Model
from gluon.spi.upgrade import Record

TEXT = """
file_version: "2.0"
imports: base-2.0
info: {name: NAME, version: "1.0", description: Circuits.}
objects:
  Circuit:
    extends: BaseService
    api: {name: circuit, plural_name: circuits}
    attributes:
      bandwidth: {type: integer}
EXTRA
"""


def model(name: str, extra: str = "") -> Model:
    (made,) = loader.load_texts({"api.yaml": TEXT.replace("NAME", name).replace("EXTRA", extra)})
    return made


COLOUR = "      colour: {type: string}"


class Interrupted:
    """A store that lets somebody else act once, right after the record was read."""

    def __init__(self, inner: stores.SqlStore) -> None:
        self._inner = inner
        self.then: Callable[[], Awaitable[Any]] | None = None

    async def record(self, since: int = 0) -> Record:
        found = await self._inner.record(since)
        then, self.then = self.then, None
        if then is not None:
            await then()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@asynccontextmanager
async def process(url: str) -> AsyncIterator[tuple[Protons, Any]]:
    database = Interrupted(stores.open(url))
    try:
        protons = Protons([model("net-first")], others=TABLES, url="http://127.0.0.1:1")
        await protons.install(database)
        yield protons, database
    finally:
        await database.close()


def served(protons: Protons) -> dict[str, list[str]]:
    return {m.name: sorted(m.types["Circuit"].attributes) for m in protons.models}


@pytest.fixture
def several(url: str) -> str:
    if url.startswith("sqlite"):
        pytest.skip("a SQLite database belongs to one process")
    return url


async def test_what_was_retired_meanwhile_does_not_come_back(several: str) -> None:
    async with process(several) as (one, at_one), process(several) as (two, at_two):
        await one.load(at_one, model("net-x"), "ann", replace=False)
        at_two.then = lambda: one.retire(at_one, "net-x", force=True)
        await two.refresh(at_two)
        await two.refresh(at_two)
        assert set(served(two)) == set(served(one)) == {"net-first"}
        assert (await at_one.record()).names == {"net-first"}
        assert one.epoch == two.epoch


async def test_what_was_replaced_meanwhile_stays_replaced(several: str) -> None:
    async with process(several) as (one, at_one), process(several) as (two, at_two):
        await one.load(at_one, model("net-x"), "ann", replace=False)
        await two.refresh(at_two)
        at_two.then = lambda: one.load(at_one, model("net-x", COLOUR), "ann", replace=True)
        await two.load(at_two, model("net-y"), "bob", replace=False)
        await one.refresh(at_one)
        assert served(one) == served(two)
        assert "colour" in served(one)["net-x"]
        assert {r.api: r.who for r in (await at_one.record()).changed} == {
            "net-first": "", "net-x": "ann", "net-y": "bob",
        }  # fmt: skip


async def test_of_two_loads_of_the_same_name_one_is_told(several: str) -> None:
    async with process(several) as (one, at_one), process(several) as (two, at_two):
        at_two.then = lambda: one.load(at_one, model("net-x"), "ann", replace=False)
        with pytest.raises(errors.Conflict, match="loaded already"):
            await two.load(at_two, model("net-x", COLOUR), "bob", replace=False)
        assert served(one) == served(two)


async def test_a_start_does_not_undo_what_happens_meanwhile(several: str) -> None:
    async with process(several) as (one, at_one):
        late = Interrupted(stores.open(several))
        late.then = lambda: one.load(at_one, model("net-first", COLOUR), "ann", replace=True)
        try:
            again = Protons([model("net-first")], others=TABLES, url="http://127.0.0.1:1", again=True)
            await again.install(late)
            assert "colour" in served(again)["net-first"]
        finally:
            await late.close()
        await one.refresh(at_one)
        assert "colour" in served(one)["net-first"]


async def test_what_stays_is_not_made_again(several: str) -> None:
    async with process(several) as (one, at_one), process(several) as (two, at_two):
        before = two.registry.by_name["net-first", "Circuit"]
        await one.load(at_one, model("net-x"), "ann", replace=False)
        await two.refresh(at_two)
        assert two.registry.by_name["net-first", "Circuit"] is before
        assert two.registry.by_path["net-x", "v1.0"]["circuits"].family
