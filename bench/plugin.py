"""What the core plugin costs Neutron's own ports: CPU in Neutron's workers, and statements of its database, a call.

Several Neutrons on one MariaDB, half of them of ML2 alone and half with Gluon behind them, take turns. A call is a POST, GET, PUT, list or
DELETE of a port in a network of Neutron's. Two processes of the same code differ by a hundredth or two all their life: so there are several of
each, and how far those without the plugin are apart is told beside.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Sequence

from bench import load, neutron
from bench.measure import Figure, Plan, at_most, median
from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.neutron import NeutronServer

_MOST = 1.0
_EACH = 3
"""Neutrons of a kind."""
_PORTS = 8
"""Of a turn; each is called five times."""
_CALLS = 5


class _Place:
    """A Neutron, and what its calls have cost, turn by turn."""

    def __init__(self, front: NeutronServer) -> None:
        self.front = front
        self.network = neutron.network(front)
        self.cpu: list[float] = []
        self.statements: list[float] = []

    def turn(self, mariadb: MariadbServer) -> None:
        before = neutron.workers_cpu(self.front), _asked(mariadb)
        done = self.calls()
        after = neutron.workers_cpu(self.front), _asked(mariadb)
        self.cpu.append((after[0] - before[0]) / done * 1e3)
        self.statements.append((after[1] - before[1]) / done)

    def calls(self) -> int:
        """Ports from their making to their end. Returns the number of calls."""
        made = {"port": {"network_id": self.network, "tenant_id": load.PROJECT}}
        for _ in range(_PORTS):
            one = neutron.ask(self.front, "POST", "ports", made)["port"]["id"]
            neutron.ask(self.front, "GET", f"ports/{one}")
            neutron.ask(self.front, "PUT", f"ports/{one}", {"port": {"name": "db1"}})
            neutron.ask(self.front, "GET", f"ports?network_id={self.network}&id={one}")
            neutron.ask(self.front, "DELETE", f"ports/{one}")
        return _CALLS * _PORTS


def run(plan: Plan) -> Sequence[Figure]:
    with (
        neutron.databases() as (mariadb, new),
        EtcdServer() as etcd,
        GluonServer("up", "--etcd", etcd.url) as gluon,
        contextlib.ExitStack() as running,
    ):
        alone: list[_Place] = []
        with_plugin: list[_Place] = []
        for _ in range(1 if plan.quick else _EACH):
            alone.append(_Place(running.enter_context(neutron.neutron_on(new()))))
            told = {"gluon": {"url": gluon.url}}
            front = neutron.neutron_on(new(), plugin="gluon", settings=told)
            with_plugin.append(_Place(running.enter_context(front)))
        places = [*alone, *with_plugin]
        for place in places:
            place.calls()
        for number in range(3 if plan.quick else 4 * plan.rounds):
            start = number % len(places)
            for place in (*places[start:], *places[:start]):
                place.turn(mariadb)
    return _figures(alone, with_plugin)


def _figures(alone: Sequence[_Place], with_plugin: Sequence[_Place]) -> list[Figure]:
    theirs = [statistics.fmean(turn) for turn in zip(*(place.cpu for place in alone), strict=True)]

    def more(place: _Place) -> float:
        return (statistics.median(a / b for a, b in zip(place.cpu, theirs, strict=True)) - 1) * 100

    apart = [more(place) for place in alone]
    further = [
        statistics.median(one.statements) - statistics.median(other.statements)
        for one, other in zip(with_plugin, alone, strict=True)
    ]
    cost = statistics.fmean(more(place) for place in with_plugin) - statistics.fmean(apart)
    return [
        at_most("CPU a call in Neutron's workers, more with the plugin", [cost], "%", _MOST),
        at_most("statements a call, more with the plugin", further, "", 0.0),
        median("CPU a call, apart without the plugin", [max(apart) - min(apart)], "%"),
        median("CPU a call without the plugin", [one for place in alone for one in place.cpu], "ms"),
        median("CPU a call with the plugin", [one for place in with_plugin for one in place.cpu], "ms"),
        median("statements a call without the plugin", [n for place in alone for n in place.statements], ""),
    ]


def _asked(mariadb: MariadbServer) -> int:
    """Statements so far. That of this question is counted too, on both sides."""
    return int(mariadb.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])
