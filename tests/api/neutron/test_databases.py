"""The same on a real database with etcd between, and with services that were stored before there were networks."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.testing.product import GluonServer, GluonShim
from gluon.testing.servers import EtcdServer, PostgresServer
from tests.api.neutron.cloud import L2, L3, PROJECT, opened

CATALOG = Path(gluon.__file__).parent / "catalog"


@pytest.fixture
def server(postgres_server: PostgresServer, etcd_server: EtcdServer) -> Iterator[GluonServer]:
    words = [
        "--workers",
        "2",
        "--database",
        postgres_server.url(postgres_server.create_database()),
        "--etcd",
        etcd_server.url,
    ]
    models = [word for name in ("net-l3vpn", "net-l2") for word in ("--model", str(CATALOG / name))]
    with (
        GluonServer("server", *words, *models) as running,
        GluonShim("--backend", "fake", "--host", "*", "--etcd", etcd_server.url),
    ):
        yield running


def test_postgresql_and_etcd(server: GluonServer) -> None:
    def ask(method: str, path: str, body: Any = None) -> Any:
        status, answer = server.request(method, path, body)
        assert status < 300, (method, path, answer)
        return answer

    network = ask(
        "POST", f"{L2}/networks", {"project_id": PROJECT, "name": "l2", "subnets": [{"cidr": "192.0.2.0/24"}]}
    )
    (shown,) = ask("GET", "/v2.0/networks?name=l2")["networks"]
    device = str(uuid.uuid4())
    wanted = {"network_id": shown["id"], "tenant_id": PROJECT, "device_id": device}
    made = ask("POST", "/v2.0/ports", {"ports": [wanted, wanted]})["ports"]
    keys = {port["id"] for port in made}
    assert {p["id"] for p in ask("GET", f"/v2.0/ports?device_id={device}")["ports"]} == keys
    assert {p["id"] for p in ask("GET", f"/v2.0/ports?network_id={shown['id']}&limit=5")["ports"]} == keys
    (subnet,) = ask("GET", f"/v2.0/subnets?id={made[0]['fixed_ips'][0]['subnet_id']}")["subnets"]
    assert subnet["cidr"] == "192.0.2.0/24"
    bound = ask("PUT", f"/v2.0/ports/{made[0]['id']}", {"port": {"binding:host_id": "host1"}})["port"]
    assert bound["binding:vif_type"] == "ovs"
    plain = ask("POST", f"{L2}/ports", {"project_id": PROJECT})
    nowhere = ask("GET", f"/v2.0/ports/{plain['id']}")["port"]["network_id"]
    assert ask("GET", f"/v2.0/networks/{nowhere}")["network"]["subnets"] == []
    assert server.request("GET", f"/v2.0/networks/{uuid.uuid4()}")[0] == 404
    for key in keys:
        ask("DELETE", f"/v2.0/ports/{key}")
    ask("DELETE", f"{L2}/networks/{network['id']}")


async def test_services_from_before(tmp_path: Path) -> None:
    """They are networks once the new release is asked."""
    async with opened(tmp_path) as cloud:
        port = await cloud.vpn_port()
        network = await cloud.l2_network("192.0.2.0/24")
    _forget(tmp_path)
    async with opened(tmp_path) as cloud:
        (subnet,) = (await cloud("user", "GET", f"subnets?id={network['subnets'][0]}"))["subnets"]
        assert subnet["network_id"] == network["id"]
        found = await cloud("user", "GET", f"networks?id={port['network_id']}&id={network['id']}")
        assert {n["id"] for n in found["networks"]} == {port["network_id"], network["id"]}
        gone = await cloud.world.made("nova", f"{L3}/vpns", {"tenant_id": PROJECT, "name": "red"})
        assert (await cloud.world.ask("nova", "DELETE", f"{L3}/vpns/{gone['id']}")).status == 204
        assert {n["name"] for n in (await cloud("user", "GET", "networks"))["networks"]} == {
            "blue",
            network["name"],
        }


def _forget(folder: Path) -> None:
    """As a database of a release without networks."""
    (file,) = folder.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as database:
        assert database.execute("DELETE FROM gluon_network").rowcount == 2
        database.commit()
