"""What a backend is told of secret attributes, and what nobody is."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import structlog

from gluon.errors import GiveUp
from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.shim import calls, secrets
from gluon.shim.cache import Cache
from gluon.shim.settings import Pace
from gluon.spi.backend import Ref
from gluon.testing.desired_state import DesiredState

API = "net-x"
PEER = Ref(API, "Peer", "a")
WORD = "hunter2-of-the-test"


@asynccontextmanager
async def followed(bus: MemoryBus, *versions: str, asks: bool = True) -> AsyncIterator[Cache]:
    cache = Cache(
        bus, controller="c", apis={API: versions}, pace=Pace(), secrets={API} if asks else (), backend="c"
    )
    task = asyncio.create_task(cache.run())
    try:
        yield cache
    finally:
        task.cancel()
        await asyncio.wait({task})
        await bus.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.005)


def shown(cache: Cache) -> dict[str, object] | None:
    found = cache.world.secrets(PEER)
    return None if found is None else dict(found)


async def test_secrets_are_shown_with_the_object_that_they_belong_to() -> None:
    bus = MemoryBus()
    world = DesiredState(bus, api=API, controllers=("c",))
    async with followed(bus) as cache:
        first = await world.put("Peer", "a", name="a", password=None)
        await until(lambda: cache.world.get(PEER) is not None)
        assert shown(cache) is None
        before = cache.world.version
        await world.secret("Peer", "a", password=WORD)
        await until(lambda: shown(cache) == {"password": WORD})
        assert cache.world.version > before
        await world.secret("Peer", "a", revision=first + 1, password="newer")
        await until(lambda: shown(cache) is None)  # of a row that is newer than the object
        await world.put("Peer", "a", name="b", password=None)
        await until(lambda: shown(cache) == {"password": "newer"})
        await bus.delete(keys.secret(API, "Peer", "a"))
        await until(lambda: shown(cache) is None)
        stored = cache.world.get(PEER)
        assert stored is not None
        assert stored.body["password"] is None


async def test_who_does_not_ask_does_not_read_them() -> None:
    bus = MemoryBus()
    world = DesiredState(bus, api=API, controllers=("c",))
    async with followed(bus, asks=False) as cache:
        await world.put("Peer", "a", password=None)
        await world.secret("Peer", "a", password=WORD)
        await world.put("Peer", "b", password=None)
        await until(lambda: cache.world.get(Ref(API, "Peer", "b")) is not None)
        assert shown(cache) is None


async def test_secrets_have_the_names_of_the_version_that_is_shown() -> None:
    bus = MemoryBus()
    world = DesiredState(bus, api=API, controllers=("c",))
    world.digest = "two"
    attributes = {"name": "name", "key": "password", "login": {"join": ["user", "password"], "by": ":"}}
    attributes_of = {"is": "Peer", "kind": "other", "attributes": {**attributes, "kind": {"fixed": "bgp"}}}
    async with followed(bus, "1.0") as cache:
        await world.model("2.0", forms={"1.0": {"Neighbour": attributes_of}})
        await world.put("Peer", "a", name="n", user="u", password=None)
        await world.secret("Peer", "a", password=WORD)
        ref = Ref(API, "Neighbour", "a")
        await until(lambda: cache.world.secrets(ref) is not None)
        assert dict(cache.world.secrets(ref) or {}) == {"key": WORD, "login": f"u:{WORD}"}
        stored = cache.world.get(ref)
        assert stored is not None
        assert WORD not in repr(stored)


async def test_secrets_of_another_model_wait() -> None:
    bus = MemoryBus()
    world = DesiredState(bus, api=API, controllers=("c",))
    world.digest = "one"
    async with followed(bus) as cache:
        await world.model("1.0")
        await world.put("Peer", "a", password=None)
        await world.secret("Peer", "a", password=WORD)
        await until(lambda: shown(cache) is not None)
        world.digest = "two"
        await world.secret("Peer", "a", word=WORD)
        await until(lambda: shown(cache) is None)


def test_a_secret_is_not_printed() -> None:
    given = secrets.Shown({"password": WORD, "keys": [WORD, 123456]})
    kept = secrets.Secret(revision=1, model="m", values=given)
    for text in repr(given), f"{given}", repr(kept):
        assert WORD not in text
    assert given["password"] == WORD
    with pytest.raises(ValueError, match="no secret attributes") as raised:
        secrets.read({"values": WORD, "revision": 1, "model": "m"})
    assert WORD not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("kind", [ValueError, GiveUp])
async def test_what_a_backend_lets_slip_is_wiped(kind: Callable[[str], Exception]) -> None:
    given = secrets.Shown({"password": WORD, "keys": ["another-word", 123456], "short": "on"})
    text = f"cannot log in on x with {WORD} and another-word, 123456"

    def fail() -> None:
        raise kind(text)

    async def failing() -> None:
        fail()

    with structlog.testing.capture_logs() as logs:
        for failure in calls.ask("desired", fail), await calls.act("apply", failing):
            assert isinstance(failure, calls.Failure)
            assert failure.message.endswith("cannot log in on x with … and …, …")
    assert WORD not in repr(logs)
    (said,) = secrets.wiped((status.Condition(type="Ready", status="False", message=text),))
    assert said.message == "cannot log in on x with … and …, …"
    assert len(given) == 3


KEY = "-----BEGIN KEY-----\nMIIE\"vQ'IBADAN\\Bgk, schön\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "error",
    [
        KeyError(KEY),
        ValueError(f"cannot read {KEY!r}"),
        ValueError(f"refused: {json.dumps({'key': KEY})}"),
        ValueError(f"refused: {json.dumps({'key': KEY}, ensure_ascii=False)}"),
        ValueError(ValueError("it's no key: " + KEY)),
        ValueError(f"of {[KEY.replace(chr(34), '')]}"),
    ],
)
def test_a_secret_is_wiped_as_programs_quote_it_too(error: Exception) -> None:
    given = secrets.Shown({"key": KEY, "other": KEY.replace('"', "")})

    def fail() -> None:
        raise error

    with structlog.testing.capture_logs() as logs:
        failure = calls.ask("desired", fail)
    assert isinstance(failure, calls.Failure)
    for text in failure.message, repr(logs):
        assert "IBADAN" not in text
        assert "sch" not in text
    assert len(given) == 2


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    given = [secrets.Shown({"password": word}) for word in ("hunter2", "hunter2-and-more", "hunter2-and")]
    assert secrets.wipe("hunter2-and-more, hunter2-and, hunter2") == "…, …, …"
    assert len(given) == 3


async def test_a_secret_that_is_no_more_is_wiped_too() -> None:
    """What was made with it is removed later, and that may fail."""
    bus = MemoryBus()
    world = DesiredState(bus, api=API, controllers=("c",))
    async with followed(bus) as cache:
        await world.put("Peer", "a", name="a", password=None)
        await world.secret("Peer", "a", password="older-password")
        await until(lambda: shown(cache) == {"password": "older-password"})
        await world.put("Peer", "a", name="b", password=None)
        await world.secret("Peer", "a", password="later-password")
        await until(lambda: shown(cache) == {"password": "later-password"})
        assert secrets.wipe("cannot remove older-password") == "cannot remove …"
        await bus.delete(keys.proton(API, "Peer", "a"))
        await bus.delete(keys.secret(API, "Peer", "a"))
        await until(lambda: cache.world.get(PEER) is None and not cache.world._secrets)
        assert secrets.wipe("cannot remove later-password") == "cannot remove …"
