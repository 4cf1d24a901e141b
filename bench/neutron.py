"""Ports made by network, next to a real Neutron on the same machine in the same run: rounds with both alternate.

Each makes ports with an address of one subnet, over its own database, for as many clients as it is fastest with: Gluon with one API
process for 128, Neutron with two (ML2, no agents) for eight. Ports that nobody counts are made first, so that both have read what
they keep.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bench import load, paced, ports
from bench.measure import Figure, Plan, Skipped, at_least, cpu_seconds, median
from gluon.testing.servers import neutron
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.neutron import NeutronServer

CLIENTS = 8
_RATIO = 300.0
_THEIRS, _FIRST = 48, 16
"""Neutron's ports of a round, and those that it makes before."""


def run(plan: Plan) -> Sequence[Figure]:
    ours: list[float] = []
    theirs: list[float] = []
    cost: list[float] = []
    their_cost: list[float] = []
    with databases() as (_, new), neutron_on(new()) as front, ports.site() as (product, _):
        mine, other = ports.made(ports.network(product)), ports.made(network(front))
        post = paced.Request("POST", ports.POSTS, other)
        for _ in range(_FIRST):  # one at a time: a worker that reads its policy refuses all others
            ask(front, "POST", "ports", json.loads(other))
        for number in range(plan.rounds + 1):
            before = product.api_cpu()
            seen = ports.posts(product, mine, plan.seconds)
            spent = product.api_cpu() - before
            if number:
                ours.append(seen.rate)
                cost.append(spent / seen.requests * 1e6)
                spent = workers_cpu(front)
                theirs.append(rate_of(front, post, _THEIRS))
                their_cost.append((workers_cpu(front) - spent) / _THEIRS * 1e3)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return [
        at_least("ports made by network, to Neutron's", ratios, "×", _RATIO),
        median(f"ports made by network, {ports.CLIENTS} at a time", ours, "/s"),
        median("ports made by network: API CPU", cost, "µs"),
        median(f"Neutron's ports, {CLIENTS} at a time", theirs, "/s"),
        median("Neutron's ports: CPU of its workers", their_cost, "ms"),
    ]


@contextmanager
def databases() -> Iterator[tuple[MariadbServer, Any]]:
    """A MariaDB, and what makes databases with Neutron's tables in it. Raises `Skipped`."""
    if why := neutron.missing():
        raise Skipped(why)
    with MariadbServer("--innodb-buffer-pool-size=256M") as mariadb:

        def named(name: str) -> str:
            return mariadb.url(name).replace("mysql://", "mysql+pymysql://")

        first = mariadb.create_database()
        neutron.make_tables(named(first))
        tables = mariadb.dump(first)

        def new() -> str:
            name = f"neutron_{uuid.uuid4().hex}"
            mariadb.restore(name, tables)
            return named(name)

        yield mariadb, new


@contextmanager
def neutron_on(
    database: str,
    *,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    **further: Any,
) -> Iterator[NeutronServer]:
    """It believes what it is told of who asks, and has no quota of ports. `further`: as of `NeutronServer`."""
    told = {**(settings or {}), "quotas": {"quota_port": "-1"}}
    with NeutronServer(database=database, settings=told, **further) as server:
        yield server


def network(front: NeutronServer) -> str:
    """A network of Neutron's with a subnet."""
    made = ask(front, "POST", "networks", {"network": {"name": "blue", "tenant_id": load.PROJECT}})[
        "network"
    ]["id"]
    body = {"network_id": made, "cidr": ports.CIDR, "ip_version": 4, "enable_dhcp": False}
    ask(front, "POST", "subnets", {"subnet": {**body, "tenant_id": load.PROJECT}})
    return str(made)


def ask(front: NeutronServer, method: str, path: str, body: Any = None) -> Any:
    """One request that must succeed."""
    status, answer = front.request(method, f"/v2.0/{path}", body)
    if not 200 <= status < 300:
        raise RuntimeError(f"{method} {path}: {status} {answer} {front.words()}")
    return answer


def rate_of(front: NeutronServer, post: paced.Request, count: int) -> float:
    """Ports a second that Neutron makes."""
    return paced.rate_of(paced.send(front.ports[0], [post] * count, connections=CLIENTS))


def workers_cpu(front: NeutronServer) -> float:
    """CPU seconds so far of Neutron's workers and their parent."""
    return cpu_seconds(front.daemon.pid, family=True)
