"""A server of the shipped models on SQLite, one for each pytest process; tests make what they need."""

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.testing.product import GluonServer

V1 = "/proton/net-l3vpn/v1.0"


@pytest.fixture(scope="session")
def server() -> Iterator[GluonServer]:
    with GluonServer("server") as running:
        yield running


DATABASES = ("sqlite", "postgresql", "mariadb")


def served(request: pytest.FixtureRequest, *arguments: str, **models: str) -> GluonServer:
    """A server on the database that is the fixture's parameter; `models` are texts by their name, with `_` for `-`."""
    words = list(arguments)
    for name, text in models.items():
        folder = request.getfixturevalue("tmp_path_factory").mktemp("models") / name.replace("_", "-")
        folder.mkdir()
        (folder / "api.yaml").write_text(text, encoding="utf-8")
        words += ["--model", str(folder)]
    if request.param != "sqlite":
        database = request.getfixturevalue(
            {"postgresql": "postgres_server"}.get(request.param, "mariadb_server")
        )
        words += ["--database", database.url(database.create_database())]
    return GluonServer("up", *words)


@pytest.fixture(scope="session", params=DATABASES)
def anywhere(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    """On each database: the shipped models, the odd one, and the fake backend."""
    shipped = Path(gluon.__file__).parent / "catalog" / "net-l3vpn"
    with served(request, "--model", str(shipped), "--model", "tests/api/models/odd") as running:
        yield running


class Api:
    """The net-l3vpn proton as one project uses it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())

    def port_body(self, **more: Any) -> dict[str, Any]:
        mac = ":".join(f"{random.randrange(256):02x}" for _ in range(5))
        return {
            "tenant_id": self.project,
            "mac_address": f"fa:{mac}",
            "admin_state_up": True,
            "status": "ACTIVE",
            "vnic_type": "normal",
            "mtu": 1500,
            "vlan_transparency": False,
            **more,
        }

    def make(self, plural: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = self.server.request("POST", f"{V1}/{plural}", body)
        assert status == 201, answer
        made: dict[str, Any] = answer
        return made

    def port(self, **more: Any) -> dict[str, Any]:
        return self.make("ports", self.port_body(**more))

    def vpn(self, **more: Any) -> dict[str, Any]:
        return self.make("vpns", {"tenant_id": self.project, "name": "blue", **more})

    def bind(self, interface: str, service: str, **more: Any) -> dict[str, Any]:
        body = {
            "tenant_id": self.project,
            "interface_id": interface,
            "service_id": service,
            "ipaddress": "10.1.1.5",
            "subnet_prefix": 24,
            "gateway": "10.1.1.1",
            **more,
        }
        return self.make("vpnbindings", body)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        return self.server.request(method, f"{V1}/{path}", body, **more)


@pytest.fixture
def api(server: GluonServer) -> Api:
    return Api(server)


@pytest.fixture
def api_anywhere(anywhere: GluonServer) -> Api:
    return Api(anywhere)
