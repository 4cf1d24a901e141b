"""Gluon in front of Neutron: how much later the answer to a GET comes through it than from Neutron itself.

Each request goes to both, one after the other. Beside a real Neutron, whose own answers vary by more than what is measured, there is a server that
answers at once: another Gluon, whose ports the one in front does not know.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import load, paced
from bench.measure import Figure, Plan, at_most, median, percentile
from bench.quiet import Rounds
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer
from gluon.testing.servers import MariadbServer, neutron
from gluon.testing.servers.neutron import NeutronServer

_MORE = 1.0
"""Milliseconds of p50."""
_RATES = {"Neutron": 20.0, "a server that answers at once": 200.0}
_LONGER = {"Neutron": 4.0, "a server that answers at once": 1.0}
"""Times the length of a round: of 40 answers of a Neutron the medians differ by a millisecond from round to round."""


def run(plan: Plan) -> Sequence[Figure]:
    figures = _beside_gluon(plan)
    if not neutron.missing():
        figures += _beside_neutron(plan)
    return figures


@contextlib.contextmanager
def _front(url: str) -> Iterator[GluonServer]:
    with servers() as (postgres, etcd), tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "gluon.toml")
        file.write_text(f'[neutron]\nurl = "{url}"\n')
        words = ["--database", postgres.url(postgres.create_database(), unix=True), "--etcd", etcd.url]
        with GluonServer("server", "--workers", "1", "--config", str(file), *words) as server:
            yield server


def _beside_gluon(plan: Plan) -> list[Figure]:
    with GluonServer("up", "--no-shims") as behind, _front(behind.url) as front:
        product = Gluon(behind)
        body = {"project_id": load.PROJECT, "name": "blue", "subnets": [{"cidr": "10.0.0.0/16"}]}
        product.ask("POST", "/proton/net-l2/v2.0/networks", body)
        network = product.ask("GET", "/v2.0/networks?name=blue")["networks"][0]["id"]
        made = {"port": {"network_id": network, "tenant_id": load.PROJECT}}
        port = product.ask("POST", "/v2.0/ports", made)["port"]["id"]
        paths = {"a port": f"/v2.0/ports/{port}", "routers": "/v2.0/routers"}
        return _figures(plan, behind.port, front, paths, "a server that answers at once")


def _beside_neutron(plan: Plan) -> list[Figure]:
    with MariadbServer("--innodb-flush-method=nosync") as mariadb:
        database = mariadb.url(mariadb.create_database()).replace("mysql://", "mysql+pymysql://")
        neutron.make_tables(database)
        with NeutronServer(database=database) as behind, _front(behind.url) as front:
            made = behind.request("POST", "/v2.0/networks", {"network": {"name": "n"}})[1]["network"]["id"]
            port = behind.request("POST", "/v2.0/ports", {"port": {"network_id": made}})[1]["port"]["id"]
            paths = {"a port": f"/v2.0/ports/{port}", "a network": f"/v2.0/networks/{made}"}
            return _figures(plan, behind.ports[0], front, paths, "Neutron")


def _figures(plan: Plan, direct: int, front: GluonServer, paths: dict[str, str], behind: str) -> list[Figure]:
    rate = _RATES[behind]
    found, product = [], Gluon(front)
    for what, path in paths.items():
        requests = [paced.Request("GET", path)] * round(rate * plan.seconds * _LONGER[behind])
        for seen in (rounds := Rounds(plan, warm=1)):
            before = product.api_cpu()
            both = paced.compare((direct, front.port), requests, rate=rate)
            p50 = [percentile([answer.milliseconds for answer in taken], 0.5) for taken in both]
            seen["more"], seen["direct"] = p50[1] - p50[0], p50[0]
            seen["spent"] = (product.api_cpu() - before) / len(requests) * 1e6
        found.append(
            at_most(f"{what} through Gluon, {behind} behind it: p50 more", rounds["more"], "ms", _MORE)
        )
        found.append(median(f"{what} from {behind} itself: p50", rounds["direct"], "ms"))
        found.append(median(f"{what} through Gluon, {behind} behind it: API CPU", rounds["spent"], "µs"))
        found.append(rounds.figure())
    return found
