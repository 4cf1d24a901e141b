"""What the core plugin costs Neutron's own ports: CPU in Neutron's workers, and statements of its database, a call.

Two Neutrons on one MariaDB, one of ML2 alone and one with Gluon behind it, take turns (ABAB). A call is a POST, GET, PUT,
list or DELETE of a port in a network of Neutron's.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

from bench import load, neutron, paced
from bench.measure import Figure, Plan, at_most, median
from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.neutron import NeutronServer

_MOST = 1.0
_PORTS = 24
"""Of a round; each is called five times."""
_CALLS = 5


def run(plan: Plan) -> Sequence[Figure]:
    rounds = 3 if plan.quick else 4 * plan.rounds
    with (
        neutron.databases() as (mariadb, new),
        EtcdServer() as etcd,
        GluonServer("up", "--etcd", etcd.url) as gluon,
    ):
        settings = {"gluon": {"url": gluon.url}}
        with (
            neutron.neutron_on(new()) as alone,
            neutron.neutron_on(new(), plugin="gluon", settings=settings) as front,
        ):
            places = [(one, neutron.network(one)) for one in (alone, front)]
            for place in places:
                _calls(*place)
            cpu: tuple[list[float], list[float]] = ([], [])
            statements: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds):
                for n in (0, 1) if number % 2 == 0 else (1, 0):
                    before = neutron.workers_cpu(places[n][0]), _asked(mariadb)
                    done = _calls(*places[n])
                    after = neutron.workers_cpu(places[n][0]), _asked(mariadb)
                    cpu[n].append((after[0] - before[0]) / done * 1e3)
                    statements[n].append((after[1] - before[1]) / done)
    more = (statistics.median(cpu[1]) / statistics.median(cpu[0]) - 1) * 100
    further = statistics.median(statements[1]) - statistics.median(statements[0])
    return [
        at_most("CPU a call in Neutron's workers, more with the plugin", [more], "%", _MOST),
        at_most("statements a call, more with the plugin", [further], "", 0.0),
        median("CPU a call without the plugin", cpu[0], "ms"),
        median("CPU a call with the plugin", cpu[1], "ms"),
        median("statements a call without the plugin", statements[0], ""),
        median("statements a call with the plugin", statements[1], ""),
    ]


def _calls(front: NeutronServer, network: str) -> int:
    """Ports from their making to their end, four at a time. Returns the number of calls."""
    body = {"network_id": network, "tenant_id": load.PROJECT}
    posts = [paced.Request("POST", "/v2.0/ports", json.dumps({"port": body}))] * _PORTS
    made = paced.send(front.ports[0], posts, connections=4)
    ids = [json.loads(answer.body)["port"]["id"] for answer in made]
    change = json.dumps({"port": {"name": "db1"}})
    for method, path, text in (
        ("GET", "", ""),
        ("PUT", "", change),
        ("GET", f"?network_id={network}&id=", ""),
        ("DELETE", "", ""),
    ):
        paths = [f"/v2.0/ports{path}{one}" if path else f"/v2.0/ports/{one}" for one in ids]
        paced.send(front.ports[0], [paced.Request(method, one, text) for one in paths], connections=4)
    return _CALLS * _PORTS


def _asked(mariadb: MariadbServer) -> int:
    """Statements so far. That of this question is counted too, on both sides."""
    return int(mariadb.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])
