"""A model of one's own, dropped in a folder, is served without touching code; a later one keeps the data."""

import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from gluon.model import find
from gluon.testing.process import NotReady
from gluon.testing.product import GluonServer

MODEL = """
file_version: "1.0"
imports: base/base.yaml
info:
  name: net-eline
  version: "1.0"
  description: Point-to-point Ethernet circuits.
objects:
  Port:
    api: {name: port, plural_name: ports}
    extends: BasePort
  Interface:
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    extends: BaseInterface
    attributes:
      port_id: {type: Port}
  Circuit:
    api: {name: circuit, plural_name: circuits}
    extends: BaseService
    attributes:
      bandwidth: {type: integer, min: 1, max: 100000, required: true, description: Megabits per second.}
      protection: {type: enum, values: [none, backup], description: Whether a second path stands by.}
EXTRA
  CircuitBinding:
    api: {name: circuitbinding, plural_name: circuitbindings}
    extends: BaseServiceBinding
    attributes:
      service_id: {type: Circuit}
      interface_id: {type: Interface}
"""
V1 = "/proton/net-eline/v1.0"


def write(folder: Path, extra: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "api.yaml").write_text(MODEL.replace("EXTRA", extra), encoding="utf-8")


def test_a_model_in_a_folder_is_served(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    write(models / "net-eline")
    project = str(uuid.uuid4())
    with GluonServer("up", "--model", str(models), "--no-shims") as server:
        body: dict[str, Any] = {"tenant_id": project, "name": "c1", "bandwidth": 100, "protection": "backup"}
        status, circuit = server.request("POST", f"{V1}/circuits", body)
        assert status == 201, circuit
        assert server.request("GET", f"{V1}/circuits/{circuit['id']}") == (200, circuit)
        status, fault = server.request("POST", f"{V1}/circuits", {**body, "bandwidth": 0, "protection": "x"})
        assert {e["pointer"] for e in fault["errors"]} == {"/bandwidth", "/protection"}
        assert server.request("GET", "/proton/net-l3vpn")[0] == 404


def test_a_model_that_gained_an_optional_attribute_starts_on_the_old_database(tmp_path: Path) -> None:
    folder, data = tmp_path / "net-eline", tmp_path / "data"
    write(folder)
    arguments = ("up", "--no-shims", "--model", str(folder), "--data", str(data))
    body = {"tenant_id": str(uuid.uuid4()), "name": "c1", "bandwidth": 100}
    with GluonServer(*arguments) as server:
        circuit = server.request("POST", f"{V1}/circuits", body)[1]
    write(folder, "      colour: {type: string, length: 20, description: On the map.}")
    with GluonServer(*arguments) as server:
        path = f"{V1}/circuits/{circuit['id']}"
        found = server.request("GET", path)[1]
        assert found == {**circuit, "colour": None}
        assert server.request("PUT", path, {"colour": "red"})[1]["colour"] == "red"
        assert server.request("PUT", path, {"colour": "x" * 21})[0] == 400


def test_a_model_that_would_lose_data_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    folder, data = tmp_path / "net-eline", tmp_path / "data"
    write(folder)
    arguments = ("up", "--no-shims", "--model", str(folder), "--data", str(data))
    body = {"tenant_id": str(uuid.uuid4()), "name": "c1", "bandwidth": 100}
    with GluonServer(*arguments) as server:
        circuit = server.request("POST", f"{V1}/circuits", body)[1]
    write(folder, "      owner: {type: string, required: true, description: Who pays.}")
    refused = GluonServer(*arguments)
    try:
        with pytest.raises(NotReady, match="owner") as raised:
            refused.start()
        assert "Traceback" not in str(raised.value)
    finally:
        refused.stop()
    write(folder)
    with GluonServer(*arguments) as server:
        assert server.request("GET", f"{V1}/circuits/{circuit['id']}") == (200, circuit)


def test_several_folders_and_imports_from_another(tmp_path: Path) -> None:
    write(tmp_path / "net-eline")
    other = tmp_path / "elsewhere"
    shutil.copytree(find.CATALOG / "ietf-sfc", other / "ietf-sfc")
    arguments = ("--model", str(tmp_path / "net-eline" / "api.yaml"), "--model", str(other))
    with GluonServer("up", "--no-shims", *arguments) as server:
        names = {p["proton_service"] for p in server.request("GET", "/proton/")[1]["protons"]}
        assert names == {"net-eline", "ietf-sfc"}
        body = {"tenant_id": str(uuid.uuid4()), "sff_dpl_name": "a", "sf_dpl_name": "b"}
        path = "/proton/ietf-sfc/v1.0/sffsfbindings"
        assert server.request("POST", path, body)[0] == 201
        status, fault = server.request("POST", path, body)
        assert (status, fault["code"]) == (409, "taken")
        assert server.request("GET", "/proton/ietf-sfc/v1.0/sffdataplanelocator")[0] == 200
