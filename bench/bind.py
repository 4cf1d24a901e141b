"""Binding a port: from the PUT, through etcd and a shim with the fake backend, to the answer, among ten thousand others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from bench import paced
from bench.load import PORT, PORTS
from bench.measure import Figure, Plan, at_most, median, percentile
from bench.quiet import Rounds
from bench.site import Gluon, gluon, servers
from gluon.testing.product import GluonShim

_P50, _P99 = 10.0, 50.0
_RATE = 200.0
"""Binds a second while the latency is taken."""
_CONNECTIONS = 8
_OTHERS = 10_000
"""Ports that are there, and bound."""
_BULK = 500
_HOST = "compute-1"


def run(plan: Plan) -> Sequence[Figure]:
    with servers() as (postgres, etcd):
        database = postgres.url(postgres.create_database(), unix=True)
        with (
            gluon(database, etcd.url) as product,
            GluonShim("--backend", "fake", "--host", "*", "--etcd", etcd.url),
        ):
            for _ in range(0, 0 if plan.quick else _OTHERS, _BULK):
                _bound(product, _BULK, 0)
            for seen in (rounds := Rounds(plan, warm=1)):
                count = round(_RATE * plan.seconds)
                paced_answers = _bound(product, count, _RATE)
                rush = _bound(product, count, 0)
                taken = [answer.milliseconds for answer in paced_answers]
                seen["p50"], seen["p99"] = percentile(taken, 0.5), percentile(taken, 0.99)
                seen["rate"] = paced.rate_of(rush)
    return [
        at_most(f"bind p50 at {_RATE:g}/s", rounds["p50"], "ms", _P50),
        at_most(f"bind p99 at {_RATE:g}/s", rounds["p99"], "ms", _P99),
        median(f"binds a second as fast as it goes, {_CONNECTIONS} at a time", rounds["rate"], "/s"),
        rounds.figure(),
    ]


def _bound(product: Gluon, count: int, rate: float) -> list[paced.Answer]:
    """Make so many ports, then bind them; the answers to the binds."""
    port = product.server.port
    made = paced.send(port, [paced.json_request("POST", PORTS, PORT)] * count)
    product.settle()
    wanted = [_bind(json.loads(answer.body)["id"]) for answer in made]
    answers = paced.send(port, wanted, rate=rate, connections=_CONNECTIONS)
    if any(json.loads(a.body)["vif_type"] in {None, "binding_failed"} for a in answers):
        raise RuntimeError("a port was not bound")
    return answers


def _bind(key: str) -> paced.Request:
    wish = {"host_id": _HOST, "device_id": str(uuid.uuid4())}
    return paced.json_request("PUT", f"{PORTS}/{key}", wish)
