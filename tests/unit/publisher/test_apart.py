"""What the journal does not hold is published from rows, which may be newer than the entry at hand."""

import copy

import pytest

from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys
from gluon.publisher import apart, batches, cursor
from gluon.spi import store
from tests.unit.publisher.parts import (
    PREFIX,
    Picture,
    Write,
    assert_converges,
    eventually,
    relay_of,
    running,
)
from tests.unit.publisher.tiny import TinyStore

SECRET = keys.secret("t", "Thing", "a")
THING = PREFIX + "Thing/a"


async def changes(database: TinyStore, first: int, last: int) -> dict[str, bytes | None]:
    """What the relay would send of these revisions if it had just read them."""
    entries = [e for e in database.data.journal if first <= e.revision <= last]
    parts = await apart.read(database, Picture(), entries)
    found: dict[str, bytes | None] = {}
    for batch in batches.plan(entries, parts, batches.Limits()):
        found.update(batch.changes)
    return found


def revision(value: bytes | None) -> int | None:
    return None if value is None else int(codec.decode(value)["revision"])


async def test_of_a_newer_row_the_secret_says_its_own_revision() -> None:
    database = TinyStore()
    for word in "one", "two":
        await database.submit(Write({"a": word}))
    early = await changes(database, 1, 1)
    assert (revision(early[THING]), revision(early[SECRET])) == (1, 2)  # a reader sees that they are no pair
    late = await changes(database, 2, 2)
    assert (revision(late[THING]), revision(late[SECRET])) == (2, 2)


async def test_of_a_row_that_went_meanwhile_there_is_no_secret() -> None:
    database = TinyStore()
    await database.submit(Write({"a": "one"}))
    await database.submit(Write({"a": None}))
    early = await changes(database, 1, 1)
    assert revision(early[THING]) == 1
    assert early[SECRET] is None
    assert set((await changes(database, 2, 2)).values()) == {None}


async def test_a_deleted_object_leaves_none_though_another_has_its_key_by_now() -> None:
    database = TinyStore()
    for word in "one", None, "other":
        await database.submit(Write({"a": word}))
    assert set((await changes(database, 2, 2)).values()) == {None}
    late = await changes(database, 3, 3)
    assert (revision(late[THING]), revision(late[SECRET])) == (3, 3)


async def test_a_write_between_the_read_of_the_journal_and_of_the_row() -> None:
    """The relay has the entry, then the row changes; at every moment etcd has a pair or tells that it is none."""

    class Slow(TinyStore):
        async def get(self, table: str, *key: store.Value) -> store.Row | None:
            if self.data.revision < 5:
                await self.submit(Write({"a": f"meanwhile {self.data.revision}"}))
            return await super().get(table, *key)

    database, target = Slow(), MemoryBus()
    relay = relay_of(database, target)
    async with running(relay):
        await assert_converges(database, target)
        await database.submit(Write({"a": "first"}))
        relay.notify()

        async def settled() -> bool:
            thing, secret = await target.get(THING), await target.get(SECRET)
            if thing is None or secret is None:
                return False
            assert codec.decode(secret.value)["revision"] >= codec.decode(thing.value)["revision"]
            return bool(codec.decode(thing.value)["revision"] == 5)

        await eventually(settled, "the last write is published")
        await assert_converges(database, target)
    await target.close()


@pytest.mark.parametrize("meanwhile", [None, "two"])
async def test_a_database_that_goes_back_to_the_very_revision_that_is_published(
    meanwhile: str | None,
) -> None:
    """The row was of a later revision, which is lost: its part in etcd is what that one left, or nothing."""

    class Restored(TinyStore):
        async def get(self, table: str, *key: store.Value) -> store.Row | None:
            before = copy.deepcopy(self.data)
            if before.revision == 1:
                await self.submit(Write({"a": meanwhile}))
            row = await super().get(table, *key)
            self.data = before
            return row

    database, target = Restored(), MemoryBus()
    relay = relay_of(database, target)
    async with running(relay):
        await assert_converges(database, target)
        await database.submit(Write({"a": "one"}))
        relay.notify()
        await assert_converges(database, target)
        value = await target.get(keys.RELAY_CURSOR)
        found = cursor.parse(value.value) if value else None
        assert found and not found.ahead
    await target.close()


async def test_who_begins_does_not_trust_what_is_ahead() -> None:
    database, target = TinyStore(), MemoryBus()
    await database.submit(Write({"a": "one"}))
    async with running(relay_of(database, target)):
        await assert_converges(database, target)
    value = await target.get(keys.RELAY_CURSOR)
    assert value
    await target.put(keys.RELAY_CURSOR, value.value + b".ahead")
    await target.delete(SECRET)
    async with running(relay_of(database, target)):
        await assert_converges(database, target)
    await target.close()


def test_a_revision_that_is_cut_keeps_secrets_with_their_objects() -> None:
    pairs: dict[str, bytes | None] = {}
    for n in range(7):
        pairs |= {keys.secret("t", "Thing", str(n)): b"s", keys.proton("t", "Thing", str(n)): b"o"}
    for ops in 2, 3, 4, 5:
        for part in batches.cut(pairs, batches.Limits(ops=ops)):
            assert len(part) <= ops
            assert len([k for k in part if k.startswith(keys.SECRET)]) * 2 == len(part)
