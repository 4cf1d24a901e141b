"""What the core plugin costs Neutron's own ports: CPU in Neutron's workers, and statements of its database, a call.

Several Neutrons on one MariaDB, half of them of ML2 alone and half with Gluon behind them, take turns. A call is a POST, GET, PUT, list or
DELETE of a port in a network of Neutron's. Two processes of the same code differ by a hundredth or two all their life: so there are several of
each, and after some turns all are started anew. The standard error, by how far those of a kind are apart, is told beside.
"""

from __future__ import annotations

import contextlib
import math
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
"""Neutrons of a kind that take turns."""
_STARTS = 4
_PORTS = 6
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


class _Turns:
    """Neutrons that were started together, and what they cost by turns."""

    def __init__(self, alone: list[_Place], plugged: list[_Place]) -> None:
        self.alone = alone
        self.plugged = plugged

    def take(self, mariadb: MariadbServer, count: int) -> None:
        """The first calls, which read what is kept, do not count."""
        places = [place for pair in zip(self.alone, self.plugged, strict=True) for place in pair]
        for place in places:
            place.calls()
        for number in range(count):
            start = number % len(places)
            for place in (*places[start:], *places[:start]):
                place.turn(mariadb)

    def costs(self, places: Sequence[_Place]) -> list[float]:
        """Per cent more than those without the plugin in the same turn: of each the median of its turns."""
        theirs = [statistics.fmean(turn) for turn in zip(*(place.cpu for place in self.alone), strict=True)]
        return [
            (statistics.median(a / b for a, b in zip(place.cpu, theirs, strict=True)) - 1) * 100
            for place in places
        ]


def run(plan: Plan) -> Sequence[Figure]:
    starts: list[_Turns] = []
    with (
        neutron.databases() as (mariadb, new),
        EtcdServer() as etcd,
        GluonServer("up", "--etcd", etcd.url) as gluon,
    ):
        told = {"gluon": {"url": gluon.url}}
        for _ in range(1 if plan.quick else _STARTS):
            with contextlib.ExitStack() as running:
                alone, plugged = [], []
                for _ in range(1 if plan.quick else _EACH):
                    alone.append(_Place(running.enter_context(neutron.neutron_on(new()))))
                    front = neutron.neutron_on(new(), plugin="gluon", settings=told)
                    plugged.append(_Place(running.enter_context(front)))
                turns = _Turns(alone, plugged)
                turns.take(mariadb, plan.rounds + 1)
                starts.append(turns)
    return _figures(starts)


def _figures(starts: Sequence[_Turns]) -> list[Figure]:
    alone = [place for turns in starts for place in turns.alone]
    plugged = [place for turns in starts for place in turns.plugged]
    apart = [cost for turns in starts for cost in turns.costs(turns.alone)]
    costs = [cost for turns in starts for cost in turns.costs(turns.plugged)]
    further = [
        statistics.median(one.statements) - statistics.median(other.statements)
        for one, other in zip(plugged, alone, strict=True)
    ]
    more = statistics.fmean(costs) - statistics.fmean(apart)
    figures = [
        at_most("CPU a call in Neutron's workers, more with the plugin", [more], "%", _MOST),
        at_most("statements a call, more with the plugin", further, "", 0.0),
        median("CPU a call without the plugin", [one for place in alone for one in place.cpu], "ms"),
        median("CPU a call with the plugin", [one for place in plugged for one in place.cpu], "ms"),
        median("statements a call without the plugin", [n for place in alone for n in place.statements], ""),
    ]
    if len(costs) > 1:
        figures.append(
            median("CPU a call, more with the plugin: standard error", [_error(apart, costs)], "%")
        )
    return figures


def _error(*kinds: Sequence[float]) -> float:
    """Of the difference of their means."""
    return math.sqrt(sum(statistics.variance(costs) / len(costs) for costs in kinds))


def _asked(mariadb: MariadbServer) -> int:
    """Statements so far. That of this question is counted too, on both sides."""
    return int(mariadb.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])
