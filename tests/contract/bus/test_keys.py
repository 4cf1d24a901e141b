"""Get, list, put, delete: keys, order, pages, binary values, limits."""

from __future__ import annotations

import os

import pytest

from gluon.errors import BusError
from gluon.spi.bus import Put
from tests.contract.bus.conftest import AnyBus

LAST = "\U0010ffff"


async def test_get_of_a_missing_key_gives_none(bus: AnyBus) -> None:
    assert await bus.get("/nothing") is None


async def test_put_then_get_gives_value_and_revisions(bus: AnyBus) -> None:
    first = await bus.put("/a", b"1")
    second = await bus.put("/a", b"2")
    found = await bus.get("/a")
    assert found is not None
    assert (found.key, found.value, found.lease) == ("/a", b"2", 0)
    assert (found.create_revision, found.mod_revision) == (first, second)
    assert second == first + 1


async def test_a_key_made_again_has_a_new_create_revision(bus: AnyBus) -> None:
    await bus.put("/a", b"1")
    assert await bus.delete("/a") == 1
    again = await bus.put("/a", b"1")
    found = await bus.get("/a")
    assert found is not None
    assert found.create_revision == again


async def test_delete_of_a_missing_key_makes_no_revision(bus: AnyBus) -> None:
    revision = await bus.put("/a", b"")
    assert await bus.delete("/b") == 0
    assert await bus.delete("/b", prefix=True) == 0
    assert (await bus.list("/")).revision == revision


@pytest.mark.parametrize("value", [b"", b"\0", bytes(range(256)), b"\xff\xfe"])
async def test_values_are_bytes(bus: AnyBus, value: bytes) -> None:
    await bus.put("/v", value)
    found = await bus.get("/v")
    assert found is not None
    assert found.value == value


async def test_a_value_of_a_mebibyte_passes_and_one_over_the_limit_does_not(bus: AnyBus) -> None:
    large = os.urandom(1024 * 1024)
    await bus.put("/large", large)
    found = await bus.get("/large")
    assert found is not None
    assert found.value == large
    with pytest.raises(BusError, match=r"large|limit|size|max"):
        await bus.put("/large", bytes(3 * 1024 * 1024))
    assert (await bus.list("/large")).items == (found,)


async def test_large_values_are_listed_completely(bus: AnyBus) -> None:
    values = {f"/big/{n}": os.urandom(600_000) for n in range(9)}
    for key, value in values.items():
        await bus.put(key, value)
    assert {item.key: item.value for item in (await bus.list("/big/")).items} == values


async def test_a_listing_of_many_pages_is_complete_ordered_and_of_one_revision(bus: AnyBus) -> None:
    keys = [f"/many/{n:05}" for n in range(5000)]
    revision = 0
    for start in range(0, len(keys), bus.max_writes):
        part = keys[start : start + bus.max_writes]
        revision = (await bus.txn((), [Put(key=key, value=key.encode()) for key in part])).revision
    listing = await bus.list("/many/")
    assert [item.key for item in listing.items] == keys
    assert all(item.value == item.key.encode() for item in listing.items)
    assert listing.revision == revision


async def test_listing_an_empty_prefix_gives_the_revision_all_the_same(bus: AnyBus) -> None:
    revision = await bus.put("/a", b"")
    listing = await bus.list("/nobody/")
    assert (listing.items, listing.revision) == ((), revision)


# Each prefix has neighbours that a wrong end of range would take in or leave out.
EDGES = [
    "/p",
    "/p/",
    "/p/a",
    "/p/ÿ",
    "/p/ÿÿ",
    "/p/\x7f",
    "/p/߿",
    "/p/\uffff",
    f"/p/{LAST}",
    f"/p/{LAST}{LAST}",
    "/p0",
    "/pÿ",
    "/o",
    "/q",
    "\x01",
    "ÿ",
    LAST,
    LAST + "a",
]


@pytest.mark.parametrize("prefix", ["", *EDGES, "/p/\uffff\uffff", "/missing"])
async def test_a_prefix_takes_exactly_the_keys_that_begin_with_it(bus: AnyBus, prefix: str) -> None:
    await bus.txn((), [Put(key=key, value=b"") for key in EDGES])
    expected = sorted(key for key in EDGES if key.startswith(prefix))
    assert [item.key for item in (await bus.list(prefix)).items] == expected
    assert await bus.delete(prefix, prefix=True) == len(expected)
    left = [item.key for item in (await bus.list("")).items]
    assert left == sorted(set(EDGES) - set(expected))


async def test_without_prefix_only_the_key_itself_is_deleted(bus: AnyBus) -> None:
    await bus.txn((), [Put(key=key, value=b"") for key in ("/a", "/a/", "/a/b", "/ab")])
    assert await bus.delete("/a") == 1
    assert [item.key for item in (await bus.list("/a")).items] == ["/a/", "/a/b", "/ab"]


async def test_an_empty_key_is_refused(bus: AnyBus) -> None:
    for call in (bus.get(""), bus.put("", b""), bus.delete("")):
        with pytest.raises(BusError):
            await call


async def test_health_tells_size_revision_and_no_alarm(bus: AnyBus) -> None:
    revision = await bus.put("/a", bytes(1000))
    health = await bus.health()
    assert health.revision == revision
    assert health.size >= 1000
    assert health.alarms == ()
    assert health.members == 1
