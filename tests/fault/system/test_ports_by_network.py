"""Ports made by network from many connections, and the server is killed: what was answered is there, and no address is given twice."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer

FACE = "/networking/v2.0"
CLIENTS, EACH = 64, 7
"""Fewer than the quota of a project in all."""
SOME = 120


def posts(server: GluonServer, body: str, answered: list[dict[str, Any]]) -> None:
    """One client, who goes on until the server is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        for _ in range(EACH):
            connection.request("POST", "/v2.0/ports", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 201, text
            answered.append(json.loads(text)["port"])
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


def addresses(ports: Sequence[dict[str, Any]]) -> list[str]:
    return [fixed["ip_address"] for port in ports for fixed in port["fixed_ips"]]


def test_what_was_answered_is_there_and_addresses_differ() -> None:
    project = str(uuid.uuid4())
    with GluonServer("up") as server:
        made = {"project_id": project, "name": "blue", "subnets": [{"cidr": "10.0.0.0/20"}]}
        assert server.request("POST", "/proton/net-l2/v2.0/networks", made)[0] == 201
        (network,) = server.request("GET", f"{FACE}/networks?name=blue")[1]["networks"]
        body = json.dumps({"port": {"network_id": network["id"], "tenant_id": project}})
        answered: list[dict[str, Any]] = []
        with ThreadPoolExecutor(CLIENTS) as clients:
            running = [clients.submit(posts, server, body, answered) for _ in range(CLIENTS)]
            wait_until(
                lambda: len(answered) >= SOME or all(one.done() for one in running), "some answers", limit=120
            )
            server.daemon.kill9()
            for one in running:
                one.result()
        assert len(answered) >= SOME
        server.start()
        there = server.request("GET", f"{FACE}/ports?network_id={network['id']}")[1]["ports"]
        known = {port["id"]: port for port in there}
        assert [port["id"] for port in answered if known.get(port["id"]) != port] == []
        status, last = server.request("POST", f"{FACE}/ports", json.loads(body))
        assert status == 201, last
        held = addresses([*there, last["port"]])
        assert len(set(held)) == len(held) == len(there) + 1
