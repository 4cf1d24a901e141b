"""What the core plugin costs Neutron's own ports: CPU in Neutron's worker, statements of its database, calls of functions and bytecode
instructions, a call.

Two processes of the same code differ by a hundredth or two all their life. So it is one, out of which Gluon is taken (`unplug`) and into
which it is put back for each call. A round makes, reads, changes, lists and deletes four ports in a network of Neutron's: step by step,
in random order, two with Gluon and two without. One of each, to the others, is the control. Each round has a depth of its own of the stack.

What is counted needs no idle machine: CPU time has a standard error of half of the goal, and more where others work.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import load, neutron
from bench.measure import Figure, Plan, at_most, median
from gluon.testing.process import descendants
from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.neutron import NeutronServer
from gluon.testing.servers.server import PrivateServer

_MOST = 1.0
_LONGER = 15
"""Times as long as a plan's rounds."""
_WAYS = ("with", "with", "without", "without")
"""As often the one as the other: what was done a moment ago is done faster."""
_CALLS = ("POST", "GET", "PUT", "LIST", "DELETE")
_COUNTED = 8
"""Ports of which statements and calls of functions are counted."""
_DRAWN = 500
_DEPTHS = 220
"""Frames that fill two of the pieces which Python keeps them in (`unplug`)."""

Round = list[list[float]]
"""Milliseconds of CPU of each kind of call, each way."""


class _Place:
    """A Neutron with a network, and with Gluon or without."""

    def __init__(self, front: NeutronServer) -> None:
        self._front = front
        self._network = neutron.network(front)
        (worker,) = descendants(front.daemon.pid)
        self._clock = ~worker << 3 | 2
        """Of the CPU of that process, as clock_getcpuclockid(3) has it."""

    def guest(self, path: str) -> Any:
        status, said = self._front.request("GET", f"/guest/{path}")
        if status != 200:
            raise RuntimeError(f"{status} {said} {self._front.words()}")
        return said

    def round(self) -> Round:
        costs: Round = []
        ports = ["" for _ in _WAYS]
        self.guest(f"depth/{random.randrange(_DEPTHS)}")
        for call in _CALLS:
            costs.append([0.0 for _ in _WAYS])
            for at in random.sample(range(len(_WAYS)), len(_WAYS)):
                self.guest(_WAYS[at])
                before = time.clock_gettime(self._clock)
                ports[at] = self.call(call, ports[at])
                costs[-1][at] = (time.clock_gettime(self._clock) - before) * 1e3
        return costs

    def port(self) -> None:
        """From its making to its end."""
        port = ""
        for call in _CALLS:
            port = self.call(call, port)

    def call(self, call: str, port: str) -> str:
        """Returns the port's id."""
        match call:
            case "POST":
                made = {"port": {"network_id": self._network, "tenant_id": load.PROJECT}}
                return str(neutron.ask(self._front, "POST", "ports", made)["port"]["id"])
            case "PUT":
                neutron.ask(self._front, "PUT", f"ports/{port}", {"port": {"name": "db1"}})
            case "LIST":
                neutron.ask(self._front, "GET", f"ports?network_id={self._network}&id={port}")
            case _:
                neutron.ask(self._front, call, f"ports/{port}")
        return port


def run(plan: Plan) -> Sequence[Figure]:
    with (
        neutron.databases() as (mariadb, new),
        EtcdServer() as etcd,
        GluonServer("up", "--etcd", etcd.url) as gluon,
        neutron.neutron_on(
            new(),
            plugin="gluon",
            settings={"gluon": {"url": gluon.url}},
            workers=1,
            threads=1,
            guest=Path(__file__).with_name("unplug.py"),
        ) as front,
    ):
        _first_in_line(mariadb, front)
        place = _Place(front)
        for _ in range(_COUNTED):
            place.round()
        return [*_cpu(place, plan.rounds * plan.seconds * _LONGER), *_counts(place, mariadb)]


def _first_in_line(*servers: PrivateServer) -> None:
    """A process that is interrupted finds its caches cold. Only root may ask for it."""
    with suppress(OSError):
        for server in servers:
            Path(f"/proc/{server.daemon.pid}/autogroup").write_text("-15")


def _cpu(place: _Place, seconds: float) -> list[Figure]:
    before, began = place.guest("rest")["following"], time.monotonic()
    rounds: list[Round] = []
    while time.monotonic() - began < seconds:
        rounds.append(place.round())
    following = (place.guest("rest")["following"] - before) / (time.monotonic() - began) * 1e6
    return [
        at_most("CPU a call in Neutron's worker, more with the plugin", [_more(rounds)], "%", _MOST),
        median("CPU a call, more with the plugin: standard error", [_error(rounds, _more)], "%"),
        median("CPU a call, one half of both to the other", [_control(rounds)], "%"),
        median("CPU a call, one half to the other: standard error", [_error(rounds, _control)], "%"),
        median("CPU a call without the plugin", [_without(rounds) / len(_CALLS)], "ms"),
        median("CPU of the threads that follow Gluon", [following], "µs/s"),
    ]


def _more(rounds: Sequence[Round]) -> float:
    return _weighed(rounds, lambda a, b, c, d: (a + b) / (c + d))


def _control(rounds: Sequence[Round]) -> float:
    """One with and one without, to the others."""
    return _weighed(rounds, lambda a, b, c, d: (a + c) / (b + d))


def _weighed(rounds: Sequence[Round], ratio: Callable[[float, float, float, float], float]) -> float:
    """Of each kind of call the median of its ratios, by what the kind costs. Per cent more than one."""
    kinds = list(zip(*rounds, strict=True))
    costs = [_middle(kind) for kind in kinds]
    medians = [statistics.median(ratio(*row) for row in kind) for kind in kinds]
    weighed = sum(cost * middle for cost, middle in zip(costs, medians, strict=True))
    return (weighed / sum(costs) - 1) * 100


def _without(rounds: Sequence[Round]) -> float:
    return sum(_middle(kind) for kind in zip(*rounds, strict=True))


def _middle(kind: Sequence[Sequence[float]]) -> float:
    """Cost of one kind of call without the plugin."""
    return statistics.median(cost for _, _, *without in kind for cost in without)


def _error(rounds: Sequence[Round], told: Callable[[Sequence[Round]], float]) -> float:
    """By drawing the rounds again."""
    return statistics.stdev(told(random.choices(rounds, k=len(rounds))) for _ in range(_DRAWN))


def _counts(place: _Place, mariadb: MariadbServer) -> list[Figure]:
    """Of each port by itself: now and then Neutron looks at a file, which is a thousand calls."""
    counted: dict[str, dict[str, list[float]]] = {
        what: {way: [] for way in _WAYS} for what in ("statements", "calls", "instructions")
    }
    place.guest("depth/0")
    for _ in range(_COUNTED):
        for way in ("with", "without"):
            place.guest(way)
            asked = _asked(mariadb)
            place.port()
            counted["statements"][way].append((_asked(mariadb) - asked) / len(_CALLS))
            began = place.guest("count")
            place.port()
            ended = place.guest("rest")
            for what in ("calls", "instructions"):
                counted[what][way].append((ended[what] - began[what]) / len(_CALLS))
            if way == "without" and ended["ours"] > began["ours"]:
                raise RuntimeError("something of Gluon was left in Neutron")
    statements, calls, instructions = counted.values()
    return [
        at_most("statements a call, more with the plugin", _differences(statements), "", 0.0),
        median("statements a call without the plugin", statements["without"], ""),
        at_most("calls of functions a call, more with the plugin", _shares(calls), "%", _MOST),
        median("calls of functions a call without the plugin", calls["without"], ""),
        at_most("bytecode instructions a call, more with the plugin", _shares(instructions), "%", _MOST),
        median("bytecode instructions a call without the plugin", instructions["without"], ""),
    ]


def _shares(counts: dict[str, list[float]]) -> list[float]:
    """Per cent of what there is without."""
    return [more / other * 100 for more, other in zip(_differences(counts), counts["without"], strict=True)]


def _differences(counts: dict[str, list[float]]) -> list[float]:
    return [one - other for one, other in zip(counts["with"], counts["without"], strict=True)]


def _asked(mariadb: MariadbServer) -> int:
    """Statements so far. That of this question is counted too, on both sides."""
    return int(mariadb.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])
