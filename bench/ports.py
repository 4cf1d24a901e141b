"""Ports made by network through the Neutron face, 128 clients, PostgreSQL: each takes an address and a MAC of a pool, and counts for a
quota. `bench neutron` has the same beside a real Neutron."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench import load
from bench.measure import Figure, Plan, cpu_seconds, median
from bench.models import models
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer

CLIENTS = 128
"""With half as many a tenth to a fifth fewer are made: a batch is half of them."""
FACE = "/networking/v2.0"
POSTS = "/v2.0/ports"
"""A path that Neutron has too."""
CIDR = "10.0.0.0/12"
_WARM = 2.0


def run(plan: Plan) -> Sequence[Figure]:
    samples: dict[str, list[float]] = {}
    with site() as (product, pids):
        body = made(network(product))
        posts(product, body, _WARM)
        for _ in range(plan.rounds):
            spent = {name: -cpu_seconds(pid, family=True) for name, pid in pids.items()}
            api, publisher = product.api_cpu(), product.publisher_cpu()
            seen = posts(product, body, plan.seconds)
            spent = {name: was + cpu_seconds(pids[name], family=True) for name, was in spent.items()}
            spent |= {"API": product.api_cpu() - api, "publisher": product.publisher_cpu() - publisher}
            for name, seconds in spent.items():
                samples.setdefault(name, []).append(seconds / seen.requests * 1e6)
            samples.setdefault("", []).append(seen.rate)
    rate = median(f"ports made by network, {CLIENTS} at a time", samples.pop(""), "/s")
    return [rate, *(median(f"{name} CPU a port", some, "µs") for name, some in samples.items())]


@contextmanager
def site() -> Iterator[tuple[Gluon, dict[str, int]]]:
    """One API process; and the processes of the servers that it uses."""
    with servers() as (postgres, etcd), models(1) as folder:
        words = ["--database", postgres.url(postgres.create_database(), unix=True), "--etcd", etcd.url]
        with GluonServer("server", "--workers", "1", "--model", str(folder), *words) as server:
            yield Gluon(server), {"PostgreSQL": postgres.daemon.pid, "etcd": etcd.daemon.pid}


def network(product: Gluon) -> str:
    """A network with a subnet."""
    body = {"project_id": load.PROJECT, "name": "blue", "subnets": [{"cidr": CIDR}]}
    product.ask("POST", "/proton/net-0/v2.0/networks", body)
    return str(product.ask("GET", f"{FACE}/networks?name=blue")["networks"][0]["id"])


def made(network_id: str) -> str:
    """The body of a POST that makes a port there: the same for both."""
    return json.dumps({"port": {"network_id": network_id, "tenant_id": load.PROJECT, "admin_state_up": True}})


def posts(product: Gluon, body: str, seconds: float) -> load.Load:
    """Ports made as fast as they go; then all of it is published."""
    seen = load.drive(product.url, load.post_script(body), seconds, path=POSTS, clients=CLIENTS)
    product.settle()
    return seen
