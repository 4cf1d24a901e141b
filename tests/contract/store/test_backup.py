"""Backups: any database from any other, whole files only, and nothing half."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import random
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gluon import errors, store
from gluon.particles.tables import table_name
from gluon.spi import store as spi
from gluon.spi import tables
from gluon.store import backup, fixed, picture, portable, restoring
from gluon.testing.process import Daemon, wait_until
from tests.contract.store import world
from tests.contract.store.conftest import Opener

TEXTS = ("", " ", "ä", "日本\n\t", "\"\\'", "x" * 60, "\U0001f600", "\x01", "?", "$1", "%s")


def tables_of(_: Sequence[spi.StoredModel]) -> Sequence[tables.Table]:
    return world.TABLES


async def write(path: Path, url: str) -> dict[str, int]:
    async with picture.look(url) as seen:
        return await backup.backup(seen, path, tables_of)


async def contents(url: str) -> dict[str, list[spi.Row]]:
    """All rows that a backup carries, but for the journal's old and new, as they are."""
    async with picture.look(url) as seen:
        wanted = (*backup.CARRIED, *world.TABLES)
        return {t.name: [row async for rows in seen.scan(t) for row in rows] for t in wanted}


async def fill(db: store.SqlStore, seed: int, count: int) -> None:
    rng = random.Random(seed)
    rows: list[tuple[str, spi.Row]] = []
    for n in range(count):
        value: Any = rng.choice([None, 0.0, -0.5, 1e300, rng.random()])
        network = world.network(
            f"n{n}", f"{rng.choice(TEXTS)}{n}", _project=rng.choice([None, "p1", "ä"]),
            size=rng.choice([None, 0, -(2**63), 2**63 - 1, n]), share=value,
            up=rng.choice([None, True, False]), notes=rng.choice([None, "{}", '{"a":[1,null,"é"]}', "x" * 3000]),
        )  # fmt: skip
        rows += [("Network", network), ("Port", world.port(f"p{n}", f"n{n}", rng.choice([None, f"m{n}"])))]
    for start in range(0, len(rows), 400):
        await db.submit(world.put(*rows[start : start + 400]))


async def test_a_backup_goes_to_any_database(
    tmp_path: Path, postgres_url: str, mariadb_url: str, opener: Opener
) -> None:
    urls = [f"sqlite:///{tmp_path}/a.db", postgres_url, mariadb_url, f"sqlite:///{tmp_path}/b.db"]
    db = await opener(urls[0])
    await fill(db, 1, 700)
    before, position = await contents(urls[0]), await db.position()
    seen = {position.incarnation}
    for n, (old, new) in enumerate(itertools.pairwise(urls)):
        await write(tmp_path / f"{n}.gz", old)
        done = await restoring.restore(new, tmp_path / f"{n}.gz", tables_of, restoring.Wish())
        after = await contents(new)
        assert after["Network"] == before["Network"] and after["Port"] == before["Port"]
        assert after[fixed.JOURNAL] == before[fixed.JOURNAL]
        assert done.revision > position.revision + 999_999 and done.incarnation not in seen
        seen.add(done.incarnation)
        served = await opener(new, wanted=None)
        assert await served.install(world.TABLES, ()) == (await served.record()).epoch, (
            "nothing was to be done"
        )
        position = await served.position()
        assert (position.incarnation, position.revision) == (done.incarnation, done.revision)
        written = await served.submit(world.put(("Network", world.network("new"))))
        assert written.revision > done.revision
        await served.submit(world.delete("Network", "new"))
        with pytest.raises(errors.Conflict):  # references are declared again
            await served.submit(world.put(("Port", world.port("lost", "nowhere"))))
        await served.close()
        before = await contents(new)


async def test_a_backup_is_of_one_moment_and_for_its_owner_alone(
    tmp_path: Path, url: str, opener: Opener
) -> None:
    db = await opener(url)
    await fill(db, 2, 30)
    old = os.umask(0)
    try:
        counts = await write(tmp_path / "f.gz", url)
    finally:
        os.umask(old)
    assert counts["Network"] == 30
    assert stat.S_IMODE((tmp_path / "f.gz").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.glob("f.gz*")] == ["f.gz"]
    with pytest.raises(portable.BackupError, match="is there already"):
        await write(tmp_path / "f.gz", url)


async def test_what_is_broken_newer_or_foreign_is_refused(tmp_path: Path, opener: Opener) -> None:
    db = await opener(f"sqlite:///{tmp_path}/a.db")
    await fill(db, 3, 40)
    await write(tmp_path / "f.gz", f"sqlite:///{tmp_path}/a.db")
    whole = (tmp_path / "f.gz").read_bytes()
    text = gzip.decompress(whole)
    lines = text.splitlines(keepends=True)
    bad = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:600] + bytes([whole[600] ^ 1]) + whole[601:],
        "no end": gzip.compress(b"".join(lines[:-1])),
        "row gone": gzip.compress(b"".join([*lines[:9], *lines[10:]])),
        "more": gzip.compress(text + lines[9]),
        "row changed": gzip.compress(text.replace(b'"n7"', b'"n8"', 1)),
        "newer": gzip.compress(text.replace(b'"format":1', b'"format":2', 1)),
        "other": gzip.compress(b'{"a":1}\n'),
        "text": b"hello",
        "empty": b"",
    }
    for name, content in bad.items():
        (tmp_path / "bad.gz").write_bytes(content)
        with pytest.raises(portable.BackupError) as error:
            await restoring.restore(
                f"sqlite:///{tmp_path}/b.db", tmp_path / "bad.gz", tables_of, restoring.Wish()
            )
        assert ("newer release" in str(error.value)) == (name == "newer")
    assert not (tmp_path / "b.db").exists()
    for name in ("missing.gz", "."):
        with pytest.raises(portable.BackupError):
            await restoring.restore(
                f"sqlite:///{tmp_path}/b.db", tmp_path / name, tables_of, restoring.Wish()
            )


async def test_what_is_there_or_served_is_not_overwritten(tmp_path: Path, url: str, opener: Opener) -> None:
    db = await opener(url)
    await fill(db, 4, 5)
    await write(tmp_path / "f.gz", url)
    await fill(db, 5, 9)
    await db.select(spi.Select(table="Network"))
    for replace in (False, True):
        with pytest.raises((errors.Conflict, errors.Unavailable)):
            await restoring.restore(url, tmp_path / "f.gz", tables_of, restoring.Wish(replace=replace))
    position = await db.position()
    await db.close()
    with pytest.raises(errors.Conflict, match="not empty"):
        await restoring.restore(url, tmp_path / "f.gz", tables_of, restoring.Wish())
    assert len((await contents(url))["Network"]) == 9
    wish = restoring.Wish(replace=True, beyond=5_000_000)
    done = await restoring.restore(url, tmp_path / "f.gz", tables_of, wish)
    assert len((await contents(url))["Network"]) == 5
    assert done.revision >= 6_000_000 > position.revision


async def test_all_that_is_gluons_makes_place(tmp_path: Path, url: str, opener: Opener) -> None:
    """Also tables of a proton whose name is so long that theirs begin with a part of it."""
    source = f"sqlite:///{tmp_path}/a.db"
    await fill(await opener(source), 7, 3)
    await write(tmp_path / "f.gz", source)
    api = "a-" * 29 + "b"
    name = table_name(api, "Box")
    assert not name.startswith(api.replace("-", "_"))
    db = await opener(url)
    revision = tables.Column(name="_revision", type=tables.ColumnType.INTEGER)
    box = tables.Table(name=name, columns=(*world.NETWORK.columns[:1], revision), key=world.NETWORK.key)
    await db.install((*world.TABLES, box), [spi.StoredModel(api=api, version="1", digest="d", document="{}")])
    await db.close()
    await restoring.restore(url, tmp_path / "f.gz", tables_of, restoring.Wish(replace=True))
    async with picture.look(url) as seen:
        assert name not in seen.there and "Network" in seen.there


def test_two_at_once_do_not_share_a_file(tmp_path: Path) -> None:
    """The second is refused, and what one that was killed has left is in nobody's way."""
    path = tmp_path / "f.gz"
    (tmp_path / "f.gz.part").write_text("half")
    first = portable.Writer(path)
    with pytest.raises(portable.BackupError, match="another backup"):
        portable.Writer(path)
    first.head({"release": "1"})
    first.finish()
    first.abandon()
    assert portable.Reader(path).verify()["release"] == "1"
    assert [one.name for one in tmp_path.iterdir()] == ["f.gz"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
async def test_killed_in_the_middle(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, opener: Opener
) -> None:
    """The database is as before, or says that it is half restored and serves nobody; a second restore ends it."""
    source = f"sqlite:///{tmp_path}/a.db"
    await fill(await opener(source), 6, 4000)
    await write(tmp_path / "f.gz", source)
    name = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}.get(kind, "")
    url = str(request.getfixturevalue(name)) if name else f"sqlite:///{tmp_path}/b.db"
    db = await opener(url)
    await fill(db, 7, 3)
    await db.close()
    states = set()
    for pause in (0.0, 0.1, 0.25):
        await _kill_a_restore(url, tmp_path, pause)
        states.add(await _state(url))
    assert states <= {3, 4000, "half"}
    if kind != "mariadb":
        assert "half" not in states
    await restoring.restore(url, tmp_path / "f.gz", tables_of, restoring.Wish(replace=True))
    assert await _state(url) == 4000


async def _kill_a_restore(url: str, folder: Path, pause: float) -> None:
    script = str(Path(__file__).with_name("restore_child.py"))
    argv = [sys.executable, script, url, str(folder / "f.gz")]
    child = Daemon(argv, log=folder / "log", env={"PYTHONPATH": "."})
    child.start()
    wait_until(lambda: not child.running or _began(child.pid), "the restore began", limit=20)
    await asyncio.sleep(pause)  # another moment each time; nothing is waited for
    if child.running:
        os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not child.running, "its death", limit=10)


def _began(pid: int) -> bool:
    """It has a connection, or the file open."""
    try:
        held = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]  # noqa: PTH208, PTH115
    except OSError:
        return True
    return any(h.endswith(("b.db", "b.db-wal")) or h.startswith("socket:") for h in held)


async def _state(url: str) -> int | str:
    db = store.open(url)
    try:
        await db.install(world.TABLES, ())
    except errors.MigrationRefused as refused:
        return "half" if "half restored" in str(refused) else str(refused)
    finally:
        await db.close()
    return len((await contents(url))["Network"])
