"""The protons of a running server: loaded, replaced, retired, on every process, while clients go on."""

import json
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.process import ProcessFailed, run, wait_until
from gluon.testing.product import GluonServer, GluonShim

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "1.0", description: Circuits.}
objects:
  Port:
    extends: BasePort
    api: {name: port, plural_name: ports}
  Interface:
    extends: BaseInterface
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    attributes: {port_id: {type: Port, on_delete: cascade}}
  Circuit:
    extends: BaseService
    api: {name: circuit, plural_name: circuits}
    attributes:
      bandwidth: {type: integer, min: 1, max: 100, required: true}
EXTRA
"""
V1 = "/proton/net-eline/v1.0"
PROJECT = str(uuid.uuid4())


def write(folder: Path, extra: str = "", text: str = MODEL) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "api.yaml").write_text(text.replace("EXTRA", extra))
    return folder


def gluon(server: GluonServer, *words: str) -> str:
    return run(
        [sys.executable, "-m", "gluon.cmd.main", "proton", *words, "--port", str(server.port)], limit=60
    )


def refused(server: GluonServer, *words: str) -> str:
    with pytest.raises(ProcessFailed) as error:
        gluon(server, *words)
    return str(error.value)


@pytest.fixture(scope="module")
def server() -> Iterator[GluonServer]:
    with GluonServer("up", "--no-shims") as running:
        yield running


def circuit(server: GluonServer, **more: Any) -> tuple[int, Any]:
    return server.request("POST", f"{V1}/circuits", {"project_id": PROJECT, "bandwidth": 5, **more})


def test_the_life_of_a_proton(server: GluonServer, tmp_path: Path) -> None:
    model = write(tmp_path / "model")
    assert server.request("GET", f"{V1}/circuits")[0] == 404
    assert "net-eline 1.0 is loaded" in gluon(server, "load", str(model))
    status, made = circuit(server)
    assert status == 201
    listed = gluon(server, "list").splitlines()
    assert any("net-eline" in line and "the server's own" not in line for line in listed), listed
    assert any("net-l3vpn" in line and "the server's own" in line for line in listed), listed

    write(model, "      colour: {type: string, default: red}")
    assert "loaded already" in refused(server, "load", str(model))
    assert "net-eline 1.0 is replaced" in gluon(server, "replace", str(model))
    assert circuit(server, colour="blue")[1]["colour"] == "blue"
    assert server.request("GET", f"{V1}/circuits/{made['id']}")[0] == 200

    write(model, "      owner: {type: string, required: true}")
    words = refused(server, "replace", str(model))
    assert "owner" in words
    assert "gluon db upgrade" in words
    assert circuit(server, colour="green")[0] == 201, "the old model serves on"

    assert "of type Circuit" in refused(server, "retire", "net-eline")
    for one in server.request("GET", f"{V1}/circuits")[1]["circuits"]:
        assert server.request("DELETE", f"{V1}/circuits/{one['id']}")[0] == 204
    assert "net-eline is retired" in gluon(server, "retire", "net-eline")
    assert server.request("GET", f"{V1}/circuits")[0] == 404
    assert "net-eline" not in gluon(server, "list")
    assert "no proton net-eline" in refused(server, "retire", "net-eline")


HEADS = {
    "a length": ("content-length: {n}", "{first}", "{rest}"),
    "pieces": ("transfer-encoding: chunked", "1\r\n{first}\r\n", "{m:x}\r\n{rest}\r\n0\r\n\r\n"),
}
"""How a body is sent: the header, the first character of it, what follows."""


@pytest.mark.parametrize("way", HEADS)
def test_a_body_that_takes_its_time_is_of_the_model_that_is_served_then(tmp_path: Path, way: str) -> None:
    """The request began while another model was served."""
    head, begun, more = HEADS[way]
    text = json.dumps({"project_id": PROJECT, "bandwidth": 5})
    named = {"n": len(text), "m": len(text) - 1, "first": text[0], "rest": text[1:]}
    lines = (
        f"POST {V1}/circuits HTTP/1.1",
        "host: localhost",
        "content-type: application/json",
        head,
        "\r\n",
    )
    with GluonServer("up", "--no-shims") as server:
        gluon(server, "load", str(write(tmp_path / "slow")))
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(("\r\n".join(lines) + begun).format(**named).encode())
            assert circuit(server)[0] == 201, "the server has read what was sent before"
            gluon(
                server, "replace", str(write(tmp_path / "slow", "      colour: {type: string, default: red}"))
            )
            connection.sendall(more.format(**named).encode())
            answer = HTTPResponse(connection)
            answer.begin()
            body = answer.read()
    assert answer.status == 201, body
    assert json.loads(body)["colour"] == "red"


@pytest.mark.parametrize("name", ["a b", "a?force=true", "é"])
def test_a_name_that_is_none_is_told_as_it_was_written(server: GluonServer, name: str) -> None:
    assert f"no proton {name} is loaded" in refused(server, "retire", name)


def test_mistakes_of_a_model_are_told_with_their_places(server: GluonServer, tmp_path: Path) -> None:
    model = write(tmp_path / "model", "      colour: {type: strin}")
    assert "api.yaml:18:22: attribute colour of Circuit: unknown type 'strin'" in refused(
        server, "load", str(model)
    )
    status, fault = server.request("POST", "/gluon/v1/protons", {"files": {"a.yaml": "objects: 3"}})
    assert status == 400
    assert all(e["pointer"] == "/files/a.yaml" and e["detail"].startswith("a.yaml:") for e in fault["errors"])
    bodies: list[dict[str, Any]] = [{}, {"files": {}}, {"files": {"a": 1}}, {"model": ""}, {"files": []}]
    for body in bodies:
        assert server.request("POST", "/gluon/v1/protons", body)[0] == 400
    assert (
        server.request(
            "PUT", "/gluon/v1/protons/net-l3vpn", {"files": {"a.yaml": MODEL.replace("EXTRA", "")}}
        )[0]
        == 409
    )


def test_a_hook_that_is_not_installed_keeps_a_model_out(server: GluonServer, tmp_path: Path) -> None:
    model = write(tmp_path / "model", "    hooks: {before: [nobody_has_this]}")
    assert "nobody_has_this" in refused(server, "load", str(model))
    assert circuit(server)[0] == 404


def test_what_was_loaded_is_there_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = write(tmp_path / "first", text=MODEL.replace("net-eline", "net-first"))
    second = write(tmp_path / "second")
    arguments = ("up", "--no-shims", "--data", str(data), "--model", str(first))
    with GluonServer(*arguments) as server:
        gluon(server, "load", str(second))
        status, made = circuit(server)
        assert status == 201
    with GluonServer(*arguments) as server:
        assert server.request("GET", f"{V1}/circuits/{made['id']}")[1] == made
        assert server.request("GET", "/proton/net-first/v1.0/circuits")[0] == 200


class Clients:
    """Threads that write to a proton, some hundred times a second, and note whatever is no success."""

    def __init__(self, port: int, path: str, body: dict[str, Any], count: int) -> None:
        self._port, self._path, self._body = port, path, json.dumps(body)
        self.failed: list[str] = []
        self.done = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._stop.wait(len(self._threads) / 250):
            try:
                connection.request("POST", self._path, self._body, {"content-type": "application/json"})
                answer = connection.getresponse()
                said = answer.read()
            except OSError as error:
                self.failed.append(repr(error))
                connection.close()
                continue
            if answer.status != 201:
                self.failed.append(f"{answer.status} {said[:300]!r}")
            self.done += 1
        connection.close()

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)


def everywhere(one: GluonServer, two: GluonServer, status: int) -> bool:
    """Whichever worker of a server answers."""
    return {s.request("GET", f"{V1}/circuits")[0] for s in (one, two) * 6} == {status}


@pytest.mark.parametrize(
    "kind", ["postgres_url", pytest.param("mariadb_url", marks=pytest.mark.long("as long again, on MariaDB"))]
)
def test_on_all_processes_while_clients_go_on(
    kind: str, request: pytest.FixtureRequest, etcd_url: str, tmp_path: Path
) -> None:
    model = write(tmp_path / "model")
    database = request.getfixturevalue(kind)
    words = ("server", "--workers", "2", "--database", database, "--etcd", etcd_url)
    port = {
        "tenant_id": PROJECT, "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True, "status": "ACTIVE",
        "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
    }  # fmt: skip
    with (
        GluonServer(*words) as one,
        GluonServer(*words) as two,
        GluonShim("--backend", "fake", "--host", "*", "--etcd", etcd_url),
        Clients(one.port, "/proton/net-l3vpn/v1.0/ports", port, 64) as clients,
    ):
        wait_until(lambda: clients.done > 200, "clients are at work", limit=60)
        for n in range(3):
            began = time.monotonic()
            gluon(one, "load" if n == 0 else "replace", str(model))
            taken = time.monotonic() - began
            wait_until(lambda: everywhere(one, two, 200), "all processes have it", limit=20)
            body = {"project_id": PROJECT, "bandwidth": 5, **({f"colour{n - 1}": "x"} if n else {})}
            assert two.request("POST", f"{V1}/circuits", body)[0] == 201, n
            print(f"  change {n} answered in {taken:.2f} s, {clients.done} writes of the clients so far")
            lines = [f"      colour{i}: {{type: string}}" for i in range(n + 1)]
            write(model, "\n".join(lines))
        gluon(two, "retire", "net-eline", "--force")
        wait_until(lambda: everywhere(one, two, 404), "no process has it", limit=20)
    assert clients.failed == []
