"""The schema: made, extended without loss, or refused with all reasons; safe from several processes."""

from __future__ import annotations

import asyncio
import dataclasses
import resource
import sys
from pathlib import Path

import pytest

from gluon import errors, store
from gluon.spi import tables
from gluon.spi.store import Row, Select, StoredModel, Value
from tests.contract.store import world
from tests.contract.store.conftest import Opener
from tests.contract.store.world import NETWORK, POOL, PORT, column, create, network, port, put, text

MODEL = StoredModel(api="net", version="1.0", digest="d1", document='{"é":1}')


def changed(table: tables.Table, *columns: tables.Column, **more: object) -> tables.Table:
    """The table with columns replaced or added."""
    by_name = {c.name: c for c in (*table.columns, *columns)}
    return dataclasses.replace(table, columns=tuple(by_name.values()), **more)  # type: ignore[arg-type]


async def test_installing_again_changes_nothing(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=None)
    first = await db.install(world.TABLES, [MODEL])
    assert await db.install(world.TABLES, [MODEL]) == first
    await db.submit(create(network("a", "a")))
    await db.close()
    again = await opener(url, wanted=None)
    assert await again.install(world.TABLES, [MODEL]) == first
    assert await again.get("Network", "a") == network("a", "a")


async def test_another_model_is_another_epoch(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=None)
    first = await db.install(world.TABLES, [MODEL])
    second = await db.install(world.TABLES, [dataclasses.replace(MODEL, digest="d2")])
    third = await db.install(
        world.TABLES, [dataclasses.replace(MODEL, digest="d2"), dataclasses.replace(MODEL, api="b")]
    )
    assert first < second < third
    assert (await db.submit(create(network("a", "a")))).revision > 0


async def test_an_optional_attribute_is_gained_without_loss(url: str, opener: Opener) -> None:
    db = await opener(url)
    await db.submit(put(("Network", network("n", "n", size=5)), ("Port", port("p", "n", "m"))))
    before = await db.install(world.TABLES, ())
    wider = changed(
        NETWORK,
        text("label", 300),
        column("vlan", tables.ColumnType.INTEGER),
        column("extra", tables.ColumnType.DOCUMENT),
        text("owner_id"),
        indexes=(*NETWORK.indexes, ("vlan",), ("label",), ("name", "label")),
        unique=(*NETWORK.unique, ("vlan", "label")),
        sparse=(("owner_id",), ("extra",)),
        foreign=(tables.ForeignKey(column="owner_id", table="pool"),),
    )
    pool = tables.Table(name="pool", columns=(text("id", nullable=False),), key=("id",))
    longer = changed(PORT, text("mac", 128))
    assert await db.install((wider, longer, POOL, pool), ()) == before + 1
    old = {**network("n", "n", size=5), "label": None, "vlan": None, "extra": None, "owner_id": None}
    assert await db.get("Network", "n") == old
    new = {**old, "id": "m", "name": "m", "label": "L" * 300, "vlan": 7, "extra": "{}"}
    await db.submit(put(("Network", new), ("Port", port("q", "m", "x" * 128))))
    assert await db.get("Network", "m") == new
    with pytest.raises(errors.Conflict):
        await db.submit(put(("Network", {**new, "id": "k", "name": "k"})))
    with pytest.raises(errors.Conflict):
        await db.submit(put(("Network", {**old, "owner_id": "nobody"})))
    assert await db.install((wider, longer, POOL, pool), ()) == before + 1


async def test_a_required_attribute_with_a_default_is_gained_by_stored_rows(url: str, opener: Opener) -> None:
    db = await opener(url)
    await db.submit(create(network("n", "n")))
    given: dict[str, Value] = {"rank": 3, "tag": "it's", "on": True, "part": 0.5}
    kinds = (
        tables.ColumnType.INTEGER,
        tables.ColumnType.TEXT,
        tables.ColumnType.BOOLEAN,
        tables.ColumnType.NUMBER,
    )
    new = [
        tables.Column(name=n, type=kind, nullable=False, default=value)
        for (n, value), kind in zip(given.items(), kinds, strict=True)
    ]
    await db.install((changed(NETWORK, *new), PORT, POOL), ())
    assert await db.get("Network", "n") == {**network("n", "n"), **given}


async def test_what_need_not_be_unique_any_more_may_be_repeated(url: str, opener: Opener) -> None:
    db = await opener(url)
    await db.submit(create(network("n", "same")))
    await db.install(
        (dataclasses.replace(NETWORK, unique=()), dataclasses.replace(PORT, unique=()), POOL), ()
    )
    await db.submit(put(("Network", network("m", "same"))))
    assert len(await db.select(Select(table="Network", equals=(("name", "same"),)))) == 2


async def test_an_attribute_that_is_gone_keeps_its_column(url: str, opener: Opener) -> None:
    db = await opener(url)
    await db.submit(put(("Network", network("n", "n", notes="kept", share=1.5))))
    dropped = ("share", "notes")
    narrow = dataclasses.replace(NETWORK, columns=tuple(c for c in NETWORK.columns if c.name not in dropped))
    await db.install((narrow, PORT, POOL), ())
    row = {k: v for k, v in network("n", "other", size=3).items() if k not in dropped}
    await db.submit(put(("Network", row)))
    await db.submit(put(("Network", {**row, "id": "new", "name": "new"})))
    assert await db.get("Network", "n") == row
    await db.install(world.TABLES, ())
    kept = await db.get("Network", "n") or {}
    assert (kept["notes"], kept["share"], kept["size"]) == ("kept", 1.5, 3)


REFUSED = {
    "a new required attribute": changed(NETWORK, text("must", nullable=False)),
    "another type": changed(NETWORK, text("size")),
    "another kind of text": changed(NETWORK, column("name", tables.ColumnType.DOCUMENT), unique=()),
    "a shorter text": changed(NETWORK, text("_project", 10)),
    "an optional attribute that becomes required": changed(NETWORK, text("name", 255, nullable=False)),
    "a value that would have to be unique": dataclasses.replace(NETWORK, unique=(("name",), ("size",))),
    "another key": dataclasses.replace(NETWORK, key=("id", "name")),
    "a reference on a stored attribute": dataclasses.replace(
        NETWORK, foreign=(tables.ForeignKey(column="_project", table="extra"),)
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_could_lose_or_refuse_data_is_refused(url: str, opener: Opener, what: str) -> None:
    db = await opener(url)
    await db.submit(create(network("n", "n")))
    extra = tables.Table(name="extra", columns=(text("id", nullable=False),), key=("id",))
    epoch = await db.install(world.TABLES, ())
    with pytest.raises(errors.MigrationRefused) as refused:
        await db.install((extra, REFUSED[what], PORT, POOL), [MODEL])
    assert all("Network" in reason for reason in refused.value.reasons)
    assert await db.install(world.TABLES, ()) == epoch
    assert await db.get("Network", "n") == network("n", "n")
    assert (await db.submit(create(network("m", "m")))).revision > 0


async def test_a_required_column_that_is_gone_is_refused_with_all_reasons(url: str, opener: Opener) -> None:
    db = await opener(url)
    narrow = dataclasses.replace(PORT, columns=PORT.columns[:1], unique=(), foreign=(), indexes=())
    with pytest.raises(errors.MigrationRefused) as refused:
        await db.install((NETWORK, narrow, changed(POOL, text("x", nullable=False))), ())
    said = "\n".join(refused.value.reasons)
    assert "Port.network_id" in said and "pool_value.x" in said and len(refused.value.reasons) >= 3


async def test_tables_that_refer_to_each_other(url: str, opener: Opener) -> None:
    one = tables.Table(
        name="one", columns=(text("id", nullable=False), text("other"), text("parent")), key=("id",),
        foreign=(tables.ForeignKey(column="other", table="two"), tables.ForeignKey(column="parent", table="one")),
    )  # fmt: skip
    two = tables.Table(
        name="two", columns=(text("id", nullable=False), text("other")), key=("id",),
        foreign=(tables.ForeignKey(column="other", table="one"),),
    )  # fmt: skip
    db = await opener(url, wanted=(one, two))
    await db.submit(
        put(("one", {"id": "a", "other": "b", "parent": "a"}), ("two", {"id": "b", "other": "a"}))
    )
    assert await db.install((one, two), ()) == await db.install((two, one), ())
    assert (await db.get("one", "a") or {})["other"] == "b"


async def test_names_and_texts_as_long_as_models_have_them(url: str, opener: Opener) -> None:
    """Wide tables, long names, keys of 255 characters: limits of each database."""
    wide = tables.Table(
        name="net_" + "W" * 52,
        columns=(text("id", 255, nullable=False), *(text(f"attribute_{n}_{'x' * 40}", 255) for n in range(90)), text("long", 4000)),
        key=("id",),
        unique=(tuple(f"attribute_{n}_{'x' * 40}" for n in (1, 2, 3)),),
        indexes=(tuple(f"attribute_{n}_{'x' * 40}" for n in (4, 5, 6, 7)), ("long",), ("id", "long")),
    )  # fmt: skip
    db = await opener(url, wanted=(wide,))
    row: Row = {c.name: "😀" * 50 for c in wide.columns}
    row["long"] = "z" * 4000
    await db.submit(put((wide.name, row)))
    assert await db.get(wide.name, row["id"]) == row
    await db.install((wide,), ())


async def test_several_processes_install_at_once(shared_url: str) -> None:
    code = (
        "import asyncio, sys\nfrom gluon import store\nfrom tests.contract.store import world\n"
        "async def main():\n db = store.open(sys.argv[1])\n print(await db.install(world.TABLES, ()))\n await db.close()\n"
        "asyncio.run(main())"
    )
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, shared_url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = await asyncio.gather(*(c.communicate() for c in children))
    assert [out.strip() for out, _ in said] == [b"1", b"1", b"1"]


async def test_a_process_with_an_older_schema_never_writes(shared_url: str, opener: Opener) -> None:
    old, new = await opener(shared_url), await opener(shared_url)
    await old.submit(create(network("a", "a")))
    wider = changed(NETWORK, text("label"))
    await new.install((wider, PORT, POOL), [MODEL])
    done = await asyncio.gather(
        *(old.submit(create(network(f"n{n}", f"n{n}"))) for n in range(5)), return_exceptions=True
    )
    assert all(isinstance(d, errors.StaleModel) for d in done)
    row = {**network("b", "b"), "label": "x"}
    await new.submit(put(("Network", row)))
    assert await old.get("Network", "b") == network("b", "b")
    await old.install((wider, PORT, POOL), [MODEL])
    await old.submit(put(("Network", {**row, "id": "c", "name": "c"})))
    assert len(await new.select(Select(table="Network"))) == 3


async def test_a_sqlite_file_serves_one_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/folder/gluon.db"
    db = store.open(url)
    await db.install(world.TABLES, ())
    code = f"from gluon import store; store.open({url!r})"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    _, said = await child.communicate()
    assert child.returncode == 1 and b"in use by process" in said
    with pytest.raises(errors.Unavailable, match="in use by process"):
        store.open(url)
    await db.close()
    await store.open(url).close()


@pytest.mark.parametrize("there", [False, True])
async def test_a_sqlite_file_on_a_full_disk_is_named(tmp_path: Path, there: bool) -> None:
    """Here it is the largest size of a file that nothing more can be written beyond."""
    path = tmp_path / "gluon.db"
    if there:
        await store.open(f"sqlite:///{path}").close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(errors.Unavailable, match=f"cannot write beside the database {path}: "):
            store.open(f"sqlite:///{path}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    await store.open(f"sqlite:///{path}").close()


async def test_a_database_without_a_file(opener: Opener) -> None:
    db = await opener("sqlite://")
    await db.submit(create(network("a", "a")))
    assert await db.get("Network", "a") == network("a", "a")


async def test_a_database_that_is_not_there(opener: Opener) -> None:
    for url in ("postgresql://gluon@127.0.0.1:1/x", "mysql://gluon:x@127.0.0.1:1/x"):
        db = await opener(url, store.Settings(patience=0.2), wanted=None)
        with pytest.raises(errors.Unavailable):
            await db.install(world.TABLES, ())
        with pytest.raises(errors.Unavailable):
            await db.submit(create(network("a", "a")))
        with pytest.raises(errors.Unavailable):
            await db.position()
