"""The Neutron face among 100,000 ports of 100 protons: what Nova asks at each boot, and ports made by network.

Each machine has two ports in two protons, in networks. It is the answer to one client that is measured: Nova waits for it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from bench import load, paced
from bench.measure import Figure, Plan, at_most, median, percentile
from bench.models import models
from bench.quiet import Rounds
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer

_PROTONS, _PORTS = 100, 1_000
"""Protons, and ports in each."""
_USED = 10
"""Ports of each that are in a network, of machines that are asked for."""
_RATE = 100.0
_P50 = 2.0
_FACE = "/networking/v2.0"


def run(plan: Plan) -> Sequence[Figure]:
    protons, most = (10, 200) if plan.quick else (_PROTONS, _PORTS)
    with servers() as (postgres, etcd), models(protons) as folder:
        words = ["--database", postgres.url(postgres.create_database(), unix=True), "--etcd", etcd.url]
        with GluonServer("server", "--workers", "1", "--model", str(folder), *words) as server:
            product = Gluon(server)
            devices = _filled(product, protons, most)
            product.settle()
            return _figures(product, plan, devices, f"{protons * most:,} ports of {protons} protons")


def _filled(product: Gluon, protons: int, most: int) -> list[str]:
    """Machines that have ports in two protons each."""
    devices: list[str] = []
    for n in range(protons):
        path = f"/proton/net-{n}/v2.0"
        body = {"project_id": load.PROJECT, "name": f"blue-{n}", "subnets": [{"cidr": "10.0.0.0/16"}]}
        network = product.ask("POST", f"{path}/networks", body)["id"]
        if n % 2 == 0:
            devices += [str(uuid.uuid4()) for _ in range(_USED)]
        used = devices[-_USED:]
        ports: list[dict[str, Any]] = [
            {"project_id": load.PROJECT, "device_id": used[m] if m < _USED else str(uuid.uuid4())}
            for m in range(most)
        ]
        made = product.ask("POST", f"{path}/ports", {"ports": ports})["ports"]
        joins = [
            {"project_id": load.PROJECT, "interface_id": port["id"], "service_id": network}
            for port in made
            if port["device_id"] in used
        ]
        product.ask("POST", f"{path}/attachments", {"attachments": joins})
    return devices


def _figures(product: Gluon, plan: Plan, devices: Sequence[str], among: str) -> list[Figure]:
    asked = [f"{_FACE}/ports?tenant_id={load.PROJECT}&device_id={device}" for device in devices]
    network = product.ask("GET", f"{_FACE}/networks?name=blue-0")["networks"][0]["id"]
    body = {"port": {"network_id": network, "tenant_id": load.PROJECT, "admin_state_up": True}}
    for seen in (rounds := Rounds(plan, warm=1)):
        count = round(_RATE * plan.seconds)
        requests = [paced.Request("GET", asked[n % len(asked)]) for n in range(count)]
        before = product.api_cpu()
        answers = paced.send(product.server.port, requests, rate=_RATE, connections=1)
        spent = product.api_cpu() - before
        if any(len(json.loads(a.body)["ports"]) != 2 for a in answers):
            raise RuntimeError("a machine has not its two ports")
        posts = [paced.json_request("POST", f"{_FACE}/ports", body)] * count
        rush = paced.send(product.server.port, posts, connections=8)
        product.settle()
        taken = [answer.milliseconds for answer in answers]
        seen["p50"], seen["p99"] = percentile(taken, 0.5), percentile(taken, 0.99)
        seen["cpu"], seen["made"] = spent / count * 1e6, paced.rate_of(rush)
    return [
        at_most(f"ports of a machine, {among}: p50", rounds["p50"], "ms", _P50),
        median(f"ports of a machine, {among}: p99", rounds["p99"], "ms"),
        median("ports of a machine: API CPU", rounds["cpu"], "µs"),
        median("ports made by network, 8 at a time", rounds["made"], "/s"),
        rounds.figure(),
    ]
