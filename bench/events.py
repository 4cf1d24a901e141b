"""From a commit to the event that a shim's watch of etcd delivers, at a steady rate of writes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import uvloop

from bench import paced
from bench.load import PORT, PORTS
from bench.measure import Figure, Plan, at_most, median, percentile
from bench.site import gluon, servers
from gluon.kv import connect
from gluon.objects import keys

_P99 = 30.0
_RATE = 1000.0
_CONNECTIONS = 32
_LATE = 20.0

Seen = list[tuple[float, bytes]]


def run(plan: Plan) -> Sequence[Figure]:
    """The clock starts at the journal's time, which is taken shortly before the commit."""
    p50, p99, rates = [], [], []
    with servers() as (postgres, etcd):
        database = postgres.url(postgres.create_database(), unix=True)
        with gluon(database, etcd.url) as product:
            for number in range(plan.rounds + 1):
                count = round(_RATE * (plan.seconds if number else 1.0))
                answers, seen = uvloop.run(_round(product.server.port, etcd.url, count))
                product.settle()
                if number:
                    delays = [(at - _written(value)) * 1e3 for at, value in seen]
                    p50.append(percentile(delays, 0.5))
                    p99.append(percentile(delays, 0.99))
                    rates.append(paced.rate_of(answers))
    return [
        at_most("commit to event p99", p99, "ms", _P99),
        median("commit to event p50", p50, "ms"),
        median(f"writes a second (asked for {_RATE:g})", rates, "/s"),
    ]


async def _round(port: int, etcd: str, count: int) -> tuple[list[paced.Answer], Seen]:
    """Write so many ports while the prefix of all objects is watched."""
    bus = connect.connect([etcd])
    ports = f"{keys.PROTON}net-l3vpn/Port/"
    seen: Seen = []

    async def watch(after: int) -> None:
        async for watched in bus.watch(keys.PROTON, after=after):
            now = time.time()
            seen.extend((now, e.value.value) for e in watched.events if e.value and e.key.startswith(ports))
            if len(seen) >= count:
                return

    try:
        start = (await bus.list(keys.RELAY_CURSOR)).revision
        watching = asyncio.create_task(watch(start))
        wanted = [paced.json_request("POST", PORTS, PORT)] * count
        answers = await asyncio.to_thread(paced.send, port, wanted, rate=_RATE, connections=_CONNECTIONS)
        await asyncio.wait_for(watching, _LATE)
        return answers, seen
    finally:
        await bus.close()


def _written(value: bytes) -> float:
    return datetime.fromisoformat(json.loads(value)["created_at"]).replace(tzinfo=UTC).timestamp()
