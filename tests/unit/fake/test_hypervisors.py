"""Files of a folder that say what is plugged on which host."""

import asyncio
from pathlib import Path

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.backends.fake.hypervisors import Hypervisors
from gluon.spi import backend as spi

PORT = "0f2e9f35-5ee4-4a4e-a5a8-3f0a0c4f6d11"


def test_a_file_is_a_vif_on_its_host(tmp_path: Path) -> None:
    network = FakeNetwork(auto=False)
    hypervisors = Hypervisors(tmp_path, network, None)
    hypervisors.look()
    assert not network.is_plugged(PORT, "h1")
    (tmp_path / "h1").mkdir()
    (tmp_path / "h1" / PORT).touch()
    assert not network.is_plugged(PORT, "h1")
    hypervisors.look()
    assert network.is_plugged(PORT, "h1")
    assert not network.is_plugged(PORT, "h2")
    (tmp_path / "h1" / PORT).unlink()
    hypervisors.look()
    assert not network.is_plugged(PORT, "h1")


def test_who_serves_one_host_looks_at_no_other(tmp_path: Path) -> None:
    network = FakeNetwork(auto=False)
    (tmp_path / "h2").mkdir()
    (tmp_path / "h2" / PORT).touch()
    Hypervisors(tmp_path, network, "h1").look()
    assert not network.is_plugged(PORT, "h2")


def test_a_host_refuses_bindings_while_its_folder_says_so(tmp_path: Path) -> None:
    hypervisors = Hypervisors(tmp_path, FakeNetwork(), None)
    assert not hypervisors.refuses("h1")
    (tmp_path / "h1").mkdir()
    (tmp_path / "h1" / "refuse").touch()
    assert hypervisors.refuses("h1")
    assert not hypervisors.refuses("h2")


async def test_the_backend_follows_the_folder(tmp_path: Path) -> None:
    backend = FakeBackend(spi.Setting(controller="fake", host="*", options={"hypervisors": str(tmp_path)}))
    looked: asyncio.Queue[str | None] = asyncio.Queue()
    await backend.start(looked.put_nowait)
    try:
        assert not backend.network.is_plugged(PORT, "h1")
        (tmp_path / "h1").mkdir()
        (tmp_path / "h1" / PORT).touch()
        async with asyncio.timeout(60):
            scope = await looked.get()
        assert scope is not None
        assert PORT in scope
        assert backend.network.is_plugged(PORT, "h1")
    finally:
        await backend.stop()
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("hypervisors of")]
