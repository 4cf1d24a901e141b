"""TLS, users and tokens of etcd, and endpoints given in odd ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gluon.errors import BusError, BusUnavailable
from gluon.kv.connect import connect
from gluon.kv.etcd import EtcdBus
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer
from tests.contract.bus.conftest import PROGRESS
from tests.contract.bus.streams import LIMIT, close, following, take


@pytest.fixture
def secured() -> Iterator[EtcdServer]:
    """An etcd with TLS on both sides, authentication, and tokens that live for two seconds."""
    require_programs("etcd", "etcdctl", "openssl")
    with EtcdServer("--auth-token-ttl=2", tls=True, auth=True) as server:
        yield server


def _open(server: EtcdServer, *, user: str = "root", password: str = "") -> EtcdBus:
    files = server.tls_files
    bus = connect(
        [server.url],
        user=user,
        password=password or server.password,
        ca_file=str(files.authority),
        cert_file=str(files.certificate),
        key_file=str(files.key),
        timeout=4.0,
        progress=PROGRESS,
    )
    assert isinstance(bus, EtcdBus)
    return bus


@pytest.fixture
async def root(secured: EtcdServer) -> AsyncIterator[EtcdBus]:
    bus = _open(secured)
    yield bus
    await bus.close()


async def test_all_calls_work_over_tls_with_a_user(root: EtcdBus) -> None:
    revision = await root.put("/a", b"1")
    stream = root.watch("/a", after=revision)
    async with root.lease(5) as lease, root.campaign("/e", b"me"):
        await root.put("/a", b"2", lease=lease.id)
        assert (await take(stream, 1))[0].value == await root.get("/a")
        assert await root.keep_alive(lease.id) == 5
        await root.compact(revision)
        assert (await root.health()).members == 1
    await close(stream)
    assert await root.get("/a") is None


async def test_a_token_that_expired_is_renewed_unnoticed(root: EtcdBus) -> None:
    await root.put("/a", b"1")
    async with following(root.follow("/a")) as follower:
        # Calls keep a token alive, so they pause for longer than its life, three times in a row.
        for n in range(3):
            await asyncio.sleep(3)
            revision = await root.put("/a", b"%d" % n)
            stream = root.watch("/a", after=revision - 1)
            await take(stream, 1)
            await close(stream)
            await follower.until(lambda f, n=n: f.content() == {"/a": b"%d" % n})  # type: ignore[misc]


async def test_a_watch_opened_with_a_dead_token_works(root: EtcdBus) -> None:
    """etcd answers "permission denied" to it, not "invalid token"."""
    revision = await root.put("/a", b"1")
    await asyncio.sleep(3)
    stream = root.watch("/a", after=revision - 1)
    await take(stream, 1)
    await close(stream)


async def test_tokens_lost_in_a_restart_are_renewed(secured: EtcdServer, root: EtcdBus) -> None:
    await root.put("/a", b"1")
    async with following(root.follow("/a")) as follower, root.lease(20) as lease:
        await asyncio.to_thread(secured.kill9)
        await asyncio.to_thread(secured.start)
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    await root.put("/a", b"2", lease=lease.id)
                except BusUnavailable:
                    continue
                break
        await follower.until(lambda f: f.content() == {"/a": b"2"})
        assert follower.syncs == 1


async def test_a_wrong_password_is_said_and_is_no_outage(secured: EtcdServer) -> None:
    bus = _open(secured, password="wrong")
    with pytest.raises(BusError, match="'root'") as caught:
        await bus.get("/a")
    assert not isinstance(caught.value, BusUnavailable)
    assert "wrong" not in str(caught.value)
    with pytest.raises(BusError):
        await take(bus.watch("/a", after=0), 1)
    await bus.close()


async def test_a_user_may_do_what_its_role_allows_and_no_more(secured: EtcdServer, root: EtcdBus) -> None:
    def grant() -> None:
        secured.etcdctl("user", "add", "shim:pw")
        secured.etcdctl("role", "add", "shim")
        secured.etcdctl("role", "grant-permission", "shim", "--prefix=true", "read", "/proton/")
        secured.etcdctl("role", "grant-permission", "shim", "--prefix=true", "readwrite", "/status/")
        secured.etcdctl("user", "grant-role", "shim", "shim")

    await asyncio.to_thread(grant)
    revision = await root.put("/proton/a", b"1")
    shim = _open(secured, user="shim", password="pw")
    assert (await shim.list("/proton/")).items[0].key == "/proton/a"
    await shim.put("/status/a", b"")
    stream = shim.watch("/proton/", after=revision - 1)
    assert (await take(stream, 1))[0].key == "/proton/a"
    await close(stream)
    async with following(shim.follow("/proton/")) as follower:
        await root.put("/proton/b", b"")
        await follower.until(lambda f: len(f.values) == 2)
    for refused in (shim.put("/proton/a", b""), shim.list("/"), take(shim.watch("/", after=0), 1)):
        with pytest.raises(BusError, match="permission denied"):
            await refused
    await shim.close()


async def test_a_user_is_no_harm_where_authentication_is_off(etcd_url: str) -> None:
    bus = connect([etcd_url], user="somebody", password="x")
    await bus.put("/a", b"")
    await bus.close()


async def test_authentication_may_be_switched_on_while_clients_run(own_etcd: EtcdServer) -> None:
    bus = connect([own_etcd.url], user="root", password="pw", progress=PROGRESS)
    await bus.put("/a", b"1")

    def switch_on() -> None:
        own_etcd.etcdctl("user", "add", "root:pw")
        own_etcd.etcdctl("user", "grant-role", "root", "root")
        own_etcd.etcdctl("auth", "enable")

    async with following(bus.follow("/a")) as follower:
        await asyncio.to_thread(switch_on)
        await bus.put("/a", b"2")
        await follower.until(lambda f: f.content() == {"/a": b"2"})
    await bus.close()


async def test_a_client_without_certificate_or_with_plain_text_is_not_let_in(secured: EtcdServer) -> None:
    for options in ({"ca_file": str(secured.tls_files.authority)}, {}):
        bus = connect([secured.url], timeout=1.0, **options)  # type: ignore[arg-type]
        with pytest.raises(BusUnavailable):
            await bus.get("/a")
        await bus.close()
    plain = connect([secured.endpoint], timeout=1.0)
    with pytest.raises(BusUnavailable):
        await plain.get("/a")
    await plain.close()


async def test_a_missing_certificate_file_is_named() -> None:
    bus = connect(["https://127.0.0.1:1"], ca_file="/nowhere/ca.pem")
    with pytest.raises(BusError, match=r"/nowhere/ca\.pem"):
        await bus.get("/a")
    await bus.close()


def test_it_runs_on_uvloop(etcd_url: str) -> None:
    uvloop = pytest.importorskip("uvloop", reason="the extra `server` is not installed")

    async def use() -> None:
        bus = connect([etcd_url], progress=PROGRESS)
        async with following(bus.follow("/a")) as follower, bus.lease(5) as lease:
            await bus.put("/a", b"1", lease=lease.id)
            await follower.until(lambda f: f.content() == {"/a": b"1"})
        await bus.close()

    uvloop.run(use())
