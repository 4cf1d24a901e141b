"""Several ports made in one request, each on a host: their binds do not wait for each other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer, GluonShim
from gluon.testing.servers import EtcdServer, PostgresServer
from tests.api.neutron.cloud import L2, PROJECT

MODEL = Path(gluon.__file__).parent / "catalog" / "net-l2"
PORTS = 3


@pytest.fixture
def server(postgres_server: PostgresServer, etcd_server: EtcdServer) -> Iterator[GluonServer]:
    database = postgres_server.url(postgres_server.create_database())
    words = ["--workers", "1", "--database", database, "--etcd", etcd_server.url, "--model", str(MODEL)]
    with GluonServer("server", *words) as running:
        yield running


@pytest.fixture
def shim(server: GluonServer, etcd_server: EtcdServer) -> Iterator[GluonShim]:
    with GluonShim("--backend", "fake", "--host", "*", "--etcd", etcd_server.url) as running:
        yield running


def test_a_host_that_does_not_answer_is_waited_for_once(server: GluonServer, shim: GluonShim) -> None:
    body = {"project_id": PROJECT, "name": "blue", "subnets": [{"cidr": "192.0.2.0/24"}]}
    assert server.request("POST", f"{L2}/networks", body)[0] == 201
    (network,) = server.request("GET", "/v2.0/networks?name=blue")[1]["networks"]
    device = str(uuid.uuid4())
    one = {
        "network_id": network["id"],
        "tenant_id": PROJECT,
        "device_id": device,
        "binding:host_id": "compute-1",
    }

    def waiting() -> list[Any]:
        found: list[Any] = server.request("GET", f"/v2.0/ports?device_id={device}&binding:host_id=compute-1")[
            1
        ]["ports"]
        return found

    with ThreadPoolExecutor(1) as client:
        shim.daemon.pause()
        try:
            answer = client.submit(server.request, "POST", "/v2.0/ports", {"ports": [one] * PORTS})
            wait_until(lambda: len(waiting()) == PORTS, "all of them to be asked for", limit=60)
            told = {port["binding:vif_type"] for port in waiting()}
        finally:
            shim.daemon.resume()
        status, made = answer.result(timeout=60)
    assert told == {"unbound"}, "none has waited for another, and been given up"
    assert status == 201
    assert [port["binding:vif_type"] for port in made["ports"]] == ["ovs"] * PORTS
