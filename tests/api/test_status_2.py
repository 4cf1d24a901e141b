"""Bodies of version 2.0 show the operational status, which nobody writes."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import gluon
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer

V2 = "/proton/net-l2/v2.0"


@pytest.fixture(scope="module")
def server() -> Iterator[GluonServer]:
    """With the fake backend, which reports a bound port as up."""
    with GluonServer("up", "--model", str(Path(gluon.__file__).parent / "catalog" / "net-l2")) as running:
        yield running


def test_a_bound_port_is_shown_as_active(server: GluonServer) -> None:
    status, port = server.request("POST", f"{V2}/ports", {"project_id": str(uuid.uuid4())})
    assert (status, port["status"]) == (201, "DOWN")
    path = f"{V2}/ports/{port['id']}"
    body = {"host_id": "host-1", "device_id": "vm-1"}
    assert server.request("PUT", path, body)[1]["vif_type"] == "ovs"
    wait_until(lambda: server.request("GET", path)[1]["status"] == "ACTIVE", "the port is up", limit=20)
    shown = server.request("GET", path)[1]
    other = server.request("POST", f"{V2}/ports", {"project_id": port["project_id"]})[1]
    for asked in ("", "?sort_key=name", "?fields=id,status", f"?project_id={port['project_id']}"):
        listed = {p["id"]: p for p in server.request("GET", f"{V2}/ports{asked}")[1]["ports"]}
        assert (listed[port["id"]]["status"], listed[other["id"]]["status"]) == ("ACTIVE", "DOWN")
        assert "fields" in asked or listed[port["id"]] == shown
    del shown["created_at"], shown["updated_at"]
    status, same = server.request("PUT", path, {**shown, "name": "blue"})
    assert (status, same["status"], same["name"]) == (200, "ACTIVE", "blue")
    status, fault = server.request("PUT", path, {"status": "ERROR"})
    assert (status, fault["code"]) == (400, "read_only")
    status, off = server.request("PUT", path, {"host_id": None, "device_id": None})
    assert (status, off["host_id"], off["status"]) == (200, None, "DOWN")
    for asked in ("", "?fields=id,status"):
        assert server.request("GET", f"{V2}/ports{asked}")[1]["ports"][0]["status"] == "DOWN"
    assert server.request("GET", path)[1]["status"] == "DOWN"
