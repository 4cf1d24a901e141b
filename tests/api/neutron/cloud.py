"""A server inside the test with a fake data plane, asked as Nova asks: with its own token and with its users'."""

from __future__ import annotations

import asyncio
import ipaddress
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

import gluon
from gluon.backends.fake.actual import FakeNetwork
from gluon.cmd import node, settings, shim
from gluon.model import loader
from gluon.spi.policy import Caller
from tests.api.personas import Answer, World

CATALOG = Path(gluon.__file__).parent / "catalog"
PROJECT = uuid.UUID("5f0e6a7c-3c56-4d2e-9d5b-8a1f3f6f2b11").hex
"""As Keystone writes it."""
CALLERS = {
    "user": Caller(user="alice", project=PROJECT, roles=frozenset({"member", "reader"})),
    "nova": Caller(user="nova", project=uuid.uuid4().hex, roles=frozenset({"service", "admin"}), admin=True),
    "ironic": Caller(user="ironic", project=uuid.uuid4().hex, roles=frozenset({"service"})),
    "stranger": Caller(user="bob", project=uuid.uuid4().hex, roles=frozenset({"member", "reader"})),
}
L3 = "/proton/net-l3vpn/v1.0"
L2 = "/proton/net-l2/v2.0"


class Cloud:
    """`network`: what the hypervisors plug into."""

    def __init__(self, world: World, network: FakeNetwork) -> None:
        self.world = world
        self.network = network

    async def __call__(self, who: str, method: str, path: str, body: Any = None, status: int = 0) -> Any:
        """What Neutron's API answers; `status` 0: any good one."""
        answer = await self.ask(who, method, path, body)
        good = answer.status == status if status else answer.status < 300
        assert good, (method, path, answer.status, answer.body)
        return answer.body

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Answer:
        return await self.world.ask(who, method, f"/networking/v2.0/{path}", body)

    async def refused(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and Neutron's name of a refusal, whose body has all three keys."""
        answer = await self.ask(who, method, path, body)
        assert set(answer.body) == {"NeutronError"}, answer
        told = answer.body["NeutronError"]
        assert set(told) == {"type", "message", "detail"}, answer
        assert told["message"], answer
        return answer.status, told["type"]

    async def vpn_port(self, address: str | None = "10.1.1.5", **more: Any) -> Any:
        """A port in a VPN of net-l3vpn 1.0, as Neutron shows it to Nova."""
        made = self.world.made
        vpn = await made("nova", f"{L3}/vpns", {"tenant_id": PROJECT, "name": "blue"})
        body = {
            "tenant_id": PROJECT,
            "mac_address": "fa:16:3e:" + ":".join(f"{b:02x}" for b in uuid.uuid4().bytes[:3]),
            "admin_state_up": True,
            "status": "ACTIVE",
            "vnic_type": "normal",
            "mtu": 1500,
            "vlan_transparency": False,
            **more,
        }
        port = await made("nova", f"{L3}/ports", body)
        where = {"ipaddress": address, "subnet_prefix": 24, "gateway": "10.1.1.1"} if address else {}
        join = {"tenant_id": PROJECT, "interface_id": port["id"], "service_id": vpn["id"], **where}
        await made("nova", f"{L3}/vpnbindings", join)
        return (await self("nova", "GET", f"ports/{port['id']}"))["port"]

    async def l2_network(self, *cidrs: str, **more: Any) -> Any:
        """A network of net-l2, as Neutron shows it."""
        subnets = [{"cidr": cidr, "gateway": str(ipaddress.ip_network(cidr)[1])} for cidr in cidrs]
        body = {"project_id": PROJECT, "name": f"net-{uuid.uuid4().hex[:6]}", "subnets": subnets, **more}
        made = await self.world.made("nova", f"{L2}/networks", body)
        (found,) = (await self("nova", "GET", f"networks?name={made['name']}"))["networks"]
        return found

    async def until(self, port: str, status: str) -> Any:
        """The port once it reads this status."""
        async with asyncio.timeout(30):
            while True:
                found = (await self("nova", "GET", f"ports/{port}"))["port"]
                if found["status"] == status:
                    return found
                await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(
    folder: Path, options: Mapping[str, Any] | None = None, *, behind: str = "", policy: str = ""
) -> AsyncIterator[Cloud]:
    """With the fake backend on all hosts, whose `options` these are; `behind`: the Neutron that it is in front of; `policy`: a
    file of rules."""
    models = [CATALOG / "net-l3vpn", CATALOG / "net-l2"]
    network = FakeNetwork()
    given = settings.load(
        None,
        {
            "data": {"directory": str(folder)},
            "models": {"paths": tuple(str(m) for m in models)},
            "neutron": {"url": behind, "connect_seconds": 60.0},
            "policy": {"file": policy},
        },
    )
    given = msgspec.structs.replace(
        given,
        shim=settings.Shim(
            backend="fake", hosts=("*",), options={"network": network, "plug": "manual", **(options or {})}
        ),
    )
    async with node.open_node(given, url="http://localhost", models=loader.load(models)) as running:
        following = asyncio.create_task(shim.make(given, running.bus).run())
        try:
            yield Cloud(World(running, CALLERS), network)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
