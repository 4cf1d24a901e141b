"""Ports of an owner that is no proton: an installed package with an entry point, shown and asked where all ports are."""

from __future__ import annotations

import importlib
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gluon import errors
from gluon.cmd.settings import SettingsError
from gluon.spi.portowners import Claim
from tests.api.neutron.cloud import L2, PROJECT, Cloud, opened

_CODE = '''
from gluon import errors
from gluon.spi.policy import normal_project
from gluon.spi.portowners import Claim


class Cables:
    """Ports of a switch, kept in memory."""

    made = []

    def __init__(self, claims):
        self.claims, self.ports, self.broken, self.closed = claims, {}, False, False
        self.made.append(self)

    async def add(self, **port):
        await self.claims.claim([Claim(
            id=port["id"], project=port["project_id"], network_id=port.get("network_id"),
            device_id=port.get("device_id"), host=port.get("binding:host_id"), name=port.get("name"),
            status=port.get("status", "DOWN"))])
        self.ports[port["id"]] = port

    def _of(self, caller, id):
        if self.broken:
            raise OSError("the switch does not answer")
        port = self.ports.get(id)
        if port and (caller.admin or normal_project(port["project_id"]) == caller.project):
            return port
        return None

    async def get(self, caller, ids):
        if self.broken == "badly":
            return ["rubbish"]
        return [port for port in (self._of(caller, id) for id in ids) if port]

    async def update(self, caller, id, body):
        port = self._of(caller, id)
        if port is None:
            raise errors.NotFound(f"no cable {id}")
        if "mac_address" in body:
            raise errors.Conflict("a cable keeps its address")
        await self.add(**{**port, **body})

    async def delete(self, caller, id):
        if self._of(caller, id) is None:
            raise errors.NotFound(f"no cable {id}")
        del self.ports[id]
        await self.claims.release([id])

    async def close(self):
        self.closed = True


def broken(claims):
    raise ValueError("no switch is named")
'''


class Package:
    """Installed in a folder of its own. `owners`: those that servers had made."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.name = f"cables_{uuid.uuid4().hex}"
        self._points = folder / f"{self.name}-1.0.dist-info"
        self._points.mkdir(parents=True)
        (folder / f"{self.name}.py").write_text(_CODE, encoding="utf-8")
        (self._points / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {self.name}\nVersion: 1.0\n")
        self.offers("Cables")
        patch.syspath_prepend(folder)

    def offers(self, code: str, name: str = "cables") -> None:
        (self._points / "entry_points.txt").write_text(f"[gluon.portowners]\n{name} = {self.name}:{code}\n")

    def remove(self) -> None:
        (self._points / "entry_points.txt").unlink()

    @property
    def owners(self) -> list[Any]:
        found: list[Any] = importlib.import_module(self.name).Cables.made
        return found


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    made = Package(tmp_path / "site", monkeypatch)
    yield made
    sys.modules.pop(made.name, None)


@pytest.fixture
async def site(tmp_path: Path, package: Package) -> AsyncIterator[tuple[Cloud, Any]]:
    """A server, and the owner that it has loaded."""
    async with opened(tmp_path) as cloud:
        yield cloud, package.owners[-1]
    assert package.owners[-1].closed


def _cable(**more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "project_id": PROJECT, "name": "cable", **more}


async def _listed(cloud: Cloud, query: str, who: str = "user") -> list[str]:
    return [port["id"] for port in (await cloud(who, "GET", f"ports?{query}"))["ports"]]


async def test_its_ports_are_among_all(site: tuple[Cloud, Any]) -> None:
    cloud, owner = site
    device, network = str(uuid.uuid4()), str(uuid.uuid4())
    own = await cloud.world.made(
        "nova", f"{L2}/ports", {"project_id": PROJECT, "name": "port", "device_id": device}
    )
    cable = _cable(device_id=device, network_id=network, status="ACTIVE", **{"binding:host_id": "host1"})
    await owner.add(**cable)
    await owner.add(**_cable(project_id=uuid.uuid4().hex))
    both = sorted((own["id"], cable["id"]))
    assert await _listed(cloud, f"device_id={device}") == both
    assert await _listed(cloud, f"tenant_id={PROJECT}") == both
    assert sorted(await _listed(cloud, "")) == both
    for query in (
        f"id={cable['id']}",
        "name=cable",
        f"network_id={network}",
        f"device_id={device}&status=ACTIVE",
    ):
        assert await _listed(cloud, query) == [cable["id"]], query
    assert await _listed(cloud, f"binding:host_id=host1&device_id={device}", "nova") == [cable["id"]]
    assert await _listed(cloud, f"limit=1&device_id={device}") == both[:1]
    assert await _listed(cloud, f"limit=1&device_id={device}&marker={both[0]}") == both[1:]
    shown = (await cloud("user", "GET", f"ports/{cable['id']}"))["port"]
    like = (await cloud("user", "GET", f"ports/{own['id']}"))["port"]
    assert shown.keys() == like.keys()
    assert (shown["device_id"], shown["network_id"], shown["tenant_id"]) == (device, network, PROJECT)
    assert (await cloud.refused("stranger", "GET", f"ports/{cable['id']}"))[0] == 404
    assert await _listed(cloud, f"device_id={device}", "stranger") == []


async def test_an_id_is_one_owners(site: tuple[Cloud, Any]) -> None:
    cloud, owner = site
    own = await cloud.world.made("nova", f"{L2}/ports", {"project_id": PROJECT})
    free = Claim(id=str(uuid.uuid4()))
    with pytest.raises(errors.Conflict) as refused:
        await owner.claims.claim([free, Claim(id=own["id"])])
    assert refused.value.code == "taken"
    assert list(await owner.claims.held()) == []
    await owner.claims.claim([free])
    body = {"id": free.id, "project_id": PROJECT}
    assert (await cloud.world.ask("nova", "POST", f"{L2}/ports", body)).status == 409
    assert list(await owner.claims.held()) == [free]
    await owner.claims.release([free.id, own["id"]])
    await cloud.world.made("nova", f"{L2}/ports", body)
    assert await _listed(cloud, "") == sorted((free.id, own["id"]))


async def test_no_list_is_shorter_while_it_cannot_answer(site: tuple[Cloud, Any]) -> None:
    cloud, owner = site
    device = str(uuid.uuid4())
    own = await cloud.world.made("nova", f"{L2}/ports", {"project_id": PROJECT, "device_id": device})
    cable = _cable(device_id=str(uuid.uuid4()))
    await owner.add(**cable)
    owner.broken = True
    for path in (
        "ports",
        f"ports?device_id={cable['device_id']}",
        "ports?name=cable",
        f"ports/{cable['id']}",
    ):
        assert await cloud.refused("user", "GET", path) == (503, "ServiceUnavailable"), path
    assert (await cloud.refused("user", "DELETE", f"ports/{cable['id']}"))[0] == 503
    owner.broken = "badly"
    assert await cloud.refused("user", "GET", "ports") == (503, "ServiceUnavailable")
    assert await _listed(cloud, f"device_id={device}") == [own["id"]]  # it has none of these


async def test_changes_are_its_own_matter(site: tuple[Cloud, Any]) -> None:
    cloud, owner = site
    cable = _cable()
    await owner.add(**cable)
    path = f"ports/{cable['id']}"
    changed = await cloud("user", "PUT", path, {"port": {"name": "uplink"}})
    assert changed["port"]["name"] == "uplink"
    assert await _listed(cloud, "name=uplink") == [cable["id"]]
    assert await cloud.refused("user", "PUT", path, {"port": {"mac_address": "x"}}) == (409, "Conflict")
    assert (await cloud.refused("stranger", "PUT", path, {"port": {"name": "mine"}}))[0] == 404
    assert (await cloud.refused("nova", "GET", f"{path}/bindings"))[0] == 501
    for who, status in (("user", 400), ("stranger", 404)):
        for method, body in (("PUT", {"port": {"name": "b"}}), ("DELETE", None)):
            once = {"if-match": "revision_number=1"}
            answer = await cloud.world.ask(who, method, f"/networking/v2.0/{path}", body, once)
            assert answer.status == status, (who, method, answer)
    await cloud("user", "DELETE", path, status=204)
    assert (await cloud.refused("user", "GET", path))[0] == 404
    assert list(await owner.claims.held()) == []


async def test_one_that_cannot_be_had(tmp_path: Path, package: Package) -> None:
    """A server without it would answer too little; once it is no longer installed, what it had is not left out either."""
    async with opened(tmp_path):
        cable = _cable()
        await package.owners[-1].add(**cable)
    package.offers("broken")
    with pytest.raises(SettingsError, match="no switch is named"):
        async with opened(tmp_path):
            pass
    package.offers("Cables", "proton")
    with pytest.raises(SettingsError, match="can be called 'proton'"):
        async with opened(tmp_path):
            pass
    package.remove()
    async with opened(tmp_path) as cloud:
        assert (await cloud.refused("user", "GET", f"ports/{cable['id']}"))[0] == 503


async def test_what_is_no_claim(site: tuple[Cloud, Any]) -> None:
    _, owner = site
    for wrong in (Claim(id=""), Claim(id="x" * 65), Claim(id="a", status="UP")):
        with pytest.raises(ValueError, match="port"):
            await owner.claims.claim([wrong])
