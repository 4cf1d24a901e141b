"""`gluon up` from nothing: until it answers, and how large it is then."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence

from bench.load import PORT, PORTS
from bench.measure import Figure, Plan, at_most, resident_bytes
from gluon.testing.product import GluonServer

_SECONDS, _MEGABYTES = 2.0, 120.0


def run(plan: Plan) -> Sequence[Figure]:
    """The first time with a new database, the second time with what the first one left."""
    new: list[float] = []
    again: list[float] = []
    size: list[float] = []
    for _ in range(plan.rounds):
        with tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder:
            for taken in (new, again):
                began = time.monotonic()
                with GluonServer("up", "--data", folder) as server:
                    status, answer = server.request("GET", PORTS)
                    if status != 200:
                        raise RuntimeError(f"{status}: {answer}")
                    taken.append(time.monotonic() - began)
                    server.request("POST", PORTS, PORT)
                    size.append(resident_bytes(server.daemon.pid) / 1e6)
    return [
        at_most("until it answers, new database", new, "s", _SECONDS),
        at_most("until it answers, database there", again, "s", _SECONDS),
        at_most("resident memory", size, "MB", _MEGABYTES),
    ]
