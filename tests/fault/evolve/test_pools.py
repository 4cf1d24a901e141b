"""A database of a model whose list of addresses had no pool yet: what is stored there is the pool's after the upgrade, also where
servers go on to write meanwhile."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gluon
from gluon.cmd import main
from gluon.testing.product import GluonServer

SHIPPED = Path(gluon.__file__).parent / "catalog" / "net-l2" / "api.yaml"
LIST = "        type: list\n        pool: service_id.addresses\n"
V = "/proton/net-l2/v2.0"
PROJECT = str(uuid.UUID(int=7))
TAKEN = (409, "pool_taken")


@pytest.fixture(params=["sqlite", "postgres_url", "mariadb_url"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gluon.db"
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The shipped model as it was before."""
    folder, text = tmp_path / "old", SHIPPED.read_text(encoding="utf-8")
    folder.mkdir()
    assert text.count(LIST) == 1
    text = text.replace(LIST, "        type: list\n")
    shared = text.index("      shared_addresses:"), text.index("    unique:", text.index("shared_addresses:"))
    rule = text.index("      - rule: self.shared_addresses")
    text = text[: shared[0]] + text[shared[1] : rule]
    (folder / "api.yaml").write_text(text, encoding="utf-8")
    return folder


class Net:
    """The proton as its clients use it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if method == "POST":
            body = {"project_id": PROJECT, **body}
        status, answer = self.server.request(method, f"{V}/{path}", body)
        return status, answer["code"] if status >= 400 else answer

    def make(self, plural: str, **body: Any) -> Any:
        status, made = self("POST", plural, body)
        assert status == 201, made
        return made

    def network(self, cidr: str = "192.0.2.0/28") -> str:
        subnets = [{"cidr": cidr, "gateway": cidr.replace(".0/", ".1/").partition("/")[0]}]
        return str(self.make("networks", subnets=subnets)["id"])

    def wish(self, network: str, *more: str, **body: Any) -> tuple[int, Any]:
        port = self.make("ports")["id"]
        wanted = {"interface_id": port, "service_id": network, "more_addresses": list(more), **body}
        return self("POST", "attachments", wanted)

    def attach(self, network: str, *more: str, **body: Any) -> Any:
        status, made = self.wish(network, *more, **body)
        assert status == 201, made
        return made


def serve(url: str, model: Path) -> GluonServer:
    return GluonServer("server", "--database", url, "--model", str(model))


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main.cli, ("db", *words))
    return done.exit_code, done.output


def upgrade(url: str, model: Path) -> tuple[int, str]:
    return command("upgrade", "--yes", "--database", url, "--model", str(model))


def sound(url: str, model: Path) -> None:
    status, said = command("check", "--format", "json", "--database", url, "--model", str(model))
    assert (status, json.loads(said)["findings"]) == (0, [])


def test_what_is_stored_is_the_pools(url: str, old: Path) -> None:
    with serve(url, old) as server:
        net = Net(server)
        blue, red, empty = net.network(), net.network(), net.network()
        first = net.attach(blue, "192.0.2.3", "192.0.2.5", "192.0.2.1", ip_address="192.0.2.2")
        net.attach(red, "192.0.2.3")
        net.attach(empty)
    said = subprocess.run(
        [sys.executable, "-m", "gluon.cmd.main", "server", "--port", "0", "--database", url, "--model", str(SHIPPED.parent)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 1 and "gluon db upgrade" in said.stderr, "a start is not enough"
    status, told = upgrade(url, SHIPPED.parent)
    assert status == 0 and "hold" in told, told
    sound(url, SHIPPED.parent)
    with serve(url, SHIPPED.parent) as server:
        net = Net(server)
        assert net.wish(blue, "192.0.2.3") == TAKEN
        assert net.wish(blue, ip_address="192.0.2.5") == TAKEN
        assert net.attach(blue)["ip_address"] == "192.0.2.4"
        assert net.attach(blue)["ip_address"] == "192.0.2.6"
        assert net.wish(red, ip_address="192.0.2.3") == TAKEN
        assert net.attach(empty, "192.0.2.3")
        path = f"attachments/{first['id']}"
        kept = ["192.0.2.1", "192.0.2.5"]
        assert net("PUT", path, {"more_addresses": kept})[1]["more_addresses"] == kept, "the gateway's too"
        assert net.attach(blue, "192.0.2.3")
        assert net("PUT", path, {"more_addresses": ["192.0.2.5"]})[0] == 200
        assert net("PUT", path, {"more_addresses": kept}) == (400, "pool_outside")
        assert net("DELETE", path)[0] == 204
        assert net.attach(blue, ip_address="192.0.2.5")
    sound(url, SHIPPED.parent)


def test_an_address_that_two_have_stops_it(url: str, old: Path) -> None:
    with serve(url, old) as server:
        net = Net(server)
        blue = net.network()
        one = net.attach(blue, "192.0.2.9", "192.0.2.10")
        two = net.attach(blue, "192.0.2.10", one["ip_address"])
    status, said = upgrade(url, SHIPPED.parent)
    assert status == 1 and "do not fit" in said, said
    first, second = sorted((one, two), key=lambda a: a["id"])
    where = (
        f"net-l2 Attachment {second['id']}: more_addresses: 192.0.2.10 of pool addresses of Network {blue}"
    )
    assert f"{where} is in use by Attachment/{first['id']}/more_addresses" in said, said
    assert f"{one['ip_address']} of pool addresses of Network {blue} is in use by" in said
    with serve(url, old) as server:
        net = Net(server)
        assert net("PUT", f"attachments/{two['id']}", {"more_addresses": []})[0] == 200
        assert net.attach(blue, "192.0.2.10"), "the old model goes on to serve"
        assert net("PUT", f"attachments/{one['id']}", {"more_addresses": ["192.0.2.9"]})[0] == 200
    status, said = upgrade(url, SHIPPED.parent)
    assert status == 0, said
    sound(url, SHIPPED.parent)


def test_without_the_pool_again_its_values_are_given_again(url: str, old: Path) -> None:
    with serve(url, SHIPPED.parent) as server:
        net = Net(server)
        blue = net.network("192.0.2.0/29")
        first = net.attach(blue, "192.0.2.3", "192.0.2.4")
    assert upgrade(url, old)[0] == 0
    sound(url, old)
    with serve(url, old) as server:
        net = Net(server)
        assert net.attach(blue, ip_address="192.0.2.3")
        assert (
            net("PUT", f"attachments/{first['id']}", {"more_addresses": ["192.0.2.4", "192.0.2.6"]})[0] == 200
        )
    assert upgrade(url, SHIPPED.parent)[0] == 0
    with serve(url, SHIPPED.parent) as server:
        assert Net(server).wish(blue, ip_address="192.0.2.6") == TAKEN
    sound(url, SHIPPED.parent)


@pytest.mark.parametrize("url", ["postgres_url", "mariadb_url"], indirect=True)
def test_what_is_written_meanwhile_is_held_too(url: str, old: Path) -> None:
    """Attachments are made, changed and deleted all the time; nobody's address is lost or given twice."""
    stopped = threading.Event()
    with serve(url, old) as server:
        net = Net(server)
        blue = net.network("10.0.0.0/16")
        for n in range(30):
            net.attach(blue, f"10.0.200.{n}")

        def work(number: int) -> Iterator[None]:
            for n in itertools.count():
                made = net.attach(blue, f"10.0.{100 + number}.{n % 200}")
                yield
                path = f"attachments/{made['id']}"
                more = [f"10.0.{110 + number}.{n % 200}"]
                assert net("PUT", path, {"more_addresses": more})[0] == 200
                if n % 2:
                    assert net("DELETE", path)[0] == 204

        failed: list[Exception] = []

        def run(number: int) -> None:
            try:
                for _ in work(number):
                    if stopped.is_set():
                        break
            except (AssertionError, OSError) as error:
                failed.append(error)

        clients = [threading.Thread(target=run, args=(n,)) for n in range(2)]
        for client in clients:
            client.start()
        try:
            status, said = upgrade(url, SHIPPED.parent)
        finally:
            stopped.set()
            for client in clients:
                client.join()
        assert status == 0, said
        assert not failed, failed
        assert net.wish(blue, ip_address="10.0.200.7") == TAKEN
    sound(url, SHIPPED.parent)
