"""Nova hears of every port that came up, whoever was killed in the midst of telling it."""

import asyncio
import os
import signal
import uuid
from pathlib import Path

from gluon.testing.product import GluonServer
from tests import novas

PORTS = "/proton/net-l3vpn/v1.0/ports"


def bound(server: GluonServer, number: int) -> str:
    """A port of a server that is up at once."""
    body = {
        "tenant_id": str(uuid.uuid4()), "mac_address": f"fa:16:3e:00:07:{number:02x}", "admin_state_up": True,
        "status": "ACTIVE", "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
        "device_owner": "compute:nova",
    }  # fmt: skip
    status, port = server.request("POST", PORTS, body)
    assert status == 201, port
    change = {"host_id": "host1", "device_id": str(uuid.uuid4())}
    status, answer = server.request("PUT", f"{PORTS}/{port['id']}", change)
    assert (status, answer["vif_type"]) == (200, "ovs")
    return str(port["id"])


async def test_killed_while_nova_is_told(tmp_path: Path) -> None:
    """At a request that follows some that were answered."""
    async with novas.serving() as nova:
        server = GluonServer("up", "--nova", "--nova-endpoint", f"{nova.url}/v2.1", "--data", str(tmp_path))
        try:
            await asyncio.to_thread(server.start)
            killed = asyncio.Event()

            def kill() -> None:
                if len(nova.requests) == 3:
                    os.kill(server.daemon.pid, signal.SIGKILL)
                    nova.script = [None]
                    killed.set()

            nova.asked = kill
            ports: list[str] = []
            while not killed.is_set():
                try:
                    ports.append(await asyncio.to_thread(bound, server, len(ports)))
                except OSError:
                    break
                await asyncio.sleep(0.1)  # so that not all of them are told at once
            async with asyncio.timeout(60):
                await killed.wait()
            nova.asked = lambda: None
            await asyncio.to_thread(server.daemon.kill9)
            await asyncio.to_thread(server.start)
            async with asyncio.timeout(60):
                while not all("network-vif-plugged" in nova.names(port) for port in ports):
                    await asyncio.sleep(0.05)
            assert ports
        finally:
            await asyncio.to_thread(server.stop)
