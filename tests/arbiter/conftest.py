"""A node in this process on SQLite and the embedded bus, and a scripted shim that may misbehave."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gluon.cmd import node as nodes
from gluon.cmd import settings
from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys, status
from gluon.spi import bus as spi

V1 = "/proton/net-l3vpn/v1.0"


class Rig:
    """The API of a node, called in process."""

    def __init__(self, node: nodes.Node, bus: spi.Bus) -> None:
        self.node = node
        self.bus = bus
        self.project = str(uuid.uuid4())

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        answer: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                answer["status"] = event["status"]
            else:
                answer["body"] += event.get("body", b"")

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        }
        await self.node.app(scope, receive, send)
        return answer["status"], json.loads(answer["body"]) if answer["body"] else None

    async def port(self, **more: Any) -> dict[str, Any]:
        body = {
            "tenant_id": self.project,
            "mac_address": "fa:16:3e:00:00:01",
            "admin_state_up": True,
            "status": "ACTIVE",
            "vnic_type": "normal",
            "mtu": 1500,
            "vlan_transparency": False,
            **more,
        }
        code, made = await self("POST", f"{V1}/ports", body)
        assert code == 201, made
        port: dict[str, Any] = made
        return port

    async def put(self, port: dict[str, Any], **change: Any) -> dict[str, Any]:
        code, answer = await self("PUT", f"{V1}/ports/{port['id']}", change)
        assert code == 200, answer
        changed: dict[str, Any] = answer
        return changed

    async def bind(self, port: dict[str, Any], host: str, device: str | None = None) -> dict[str, Any]:
        return await self.put(port, host_id=host, device_id=device or str(uuid.uuid4()))

    async def unbind(self, port: dict[str, Any]) -> dict[str, Any]:
        return await self.put(port, host_id="", device_id="")

    async def standing(self, port: dict[str, Any]) -> dict[str, Any]:
        code, answer = await self("GET", f"{V1}/ports/{port['id']}/status")
        assert code == 200
        standing: dict[str, Any] = answer
        return standing

    async def until(self, port: dict[str, Any], good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the standing is good."""
        async with asyncio.timeout(60):
            while not good(standing := await self.standing(port)):
                await asyncio.sleep(0.02)
        return standing


class ScriptedShim:
    """Writes what a test says, whether or not a real shim would."""

    def __init__(self, bus: spi.Bus, controller: str, *hosts: str, **more: Any) -> None:
        self.bus = bus
        self.controller = controller
        self.registration = status.Registration(
            controller=controller,
            instance="one",
            backend="scripted",
            apis={"net-l3vpn": ()},
            hosts=hosts or ("*",),
            **more,
        )
        self.shard = hosts[0] if hosts else "*"

    async def register(self) -> None:
        await self.bus.put(keys.shim(self.controller, "one"), codec.encode(self.registration))

    async def leave(self) -> None:
        await self.bus.delete(keys.shim(self.controller, "one"))

    async def wanted(self, port: str, host: str, *, epoch_after: int = 0) -> status.WantedBinding:
        """The wanted binding of a port, once it is there and ours."""
        async with asyncio.timeout(60):
            while True:
                found = await self.bus.get(keys.binding("net-l3vpn", port, host))
                if found is not None:
                    wanted = status.decode_binding(found.value)
                    if self.controller in wanted.controllers and wanted.epoch > epoch_after:
                        return wanted
                await asyncio.sleep(0.005)

    async def report(self, port: str, host: str, **said: Any) -> None:
        """Report on a port; `epoch` and so on are a `BindingReport`'s."""
        report = status.Report(observed_revision=said["epoch"], bindings={host: status.BindingReport(**said)})
        await self.bus.put(self.key(port), codec.encode(report))

    async def say(self, port: str, bindings: dict[str, status.BindingReport]) -> None:
        """Report on all bindings of a port at once, as a shim of all hosts does."""
        report = status.Report(observed_revision=1, bindings=bindings)
        await self.bus.put(self.key(port), codec.encode(report))

    async def clear(self, port: str) -> None:
        await self.bus.delete(self.key(port))

    async def answer(self, port: str, host: str, *, epoch_after: int = 0, **said: Any) -> int:
        """Wait for the wish, then report; by default an OVS interface. Returns the epoch."""
        wanted = await self.wanted(port, host, epoch_after=epoch_after)
        said = said or {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}
        await self.report(port, host, epoch=wanted.epoch, **said)
        return wanted.epoch

    def key(self, port: str) -> str:
        return keys.status(self.controller, self.shard, "net-l3vpn", "Port", port)


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


@pytest.fixture
async def rig(tmp_path: Path, bus: MemoryBus) -> AsyncIterator[Rig]:
    wanted = settings.load(None, {"data": {"directory": str(tmp_path)}})
    async with nodes.open_node(wanted, url="http://localhost:2705", shared=bus) as node:
        yield Rig(node, bus)


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
async def rig_anywhere(request: pytest.FixtureRequest, tmp_path: Path, bus: MemoryBus) -> AsyncIterator[Rig]:
    """On each database."""
    data = {"directory": str(tmp_path)}
    if request.param != "sqlite":
        data["database"] = request.getfixturevalue(f"{request.param}_url")
    wanted = settings.load(None, {"data": data})
    async with nodes.open_node(wanted, url="http://localhost:2705", shared=bus) as node:
        yield Rig(node, bus)
