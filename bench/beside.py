"""How long a port create takes while others load many objects at once: in bulk, and as change sets."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gluon as package
from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.quiet import Rounds
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer

_BULK = 500
_SET = 200
_MOST = 3.0
_PORTS = "/proton/net-l2/v2.0/ports"


def run(plan: Plan) -> Sequence[Figure]:
    """One client loads, without a pause, while 64 make ports of another proton."""
    catalog = Path(package.__file__).parent / "catalog"
    with servers() as (postgres, etcd):
        words = ["--database", postgres.url(postgres.create_database(), unix=True), "--etcd", etcd.url]
        words += ["--model", str(catalog / "net-l3vpn"), "--model", str(catalog / "net-l2")]
        with GluonServer("server", "--workers", "1", *words) as server:
            product, script = Gluon(server), load.create_script()
            load.drive(product.url, script, 2)
            ways: dict[str, Callable[[Gluon], None]] = {"bulk": _bulk, "sets": _change_set}
            for one in (rounds := Rounds(plan)):
                alone = load.drive(product.url, script, plan.seconds)
                one["alone"] = alone.p99
                for name, way in ways.items():
                    with _again_and_again(product, way) as done:
                        seen = load.drive(product.url, script, plan.seconds)
                    one[name], one[f"{name} to alone"] = seen.p99, seen.p99 / alone.p99
                    one[f"{name} done"] = len(done) / seen.seconds
                product.settle()
    return [
        median("port create p99 alone", rounds["alone"], "ms"),
        median(f"p99 beside loads of {_BULK} ports", rounds["bulk"], "ms"),
        at_most("that to alone", rounds["bulk to alone"], "×", _MOST),
        median("loads a second meanwhile", rounds["bulk done"], "/s"),
        median(f"p99 beside change sets of {_SET} ports", rounds["sets"], "ms"),
        at_most("that to alone, too", rounds["sets to alone"], "×", _MOST),
        median("change sets a second meanwhile", rounds["sets done"], "/s"),
        rounds.figure(),
    ]


def _bulk(product: Gluon) -> None:
    """Of a project of its own, so that no quota is reached."""
    project = str(uuid.uuid4())
    product.ask("POST", _PORTS, {"ports": [{"project_id": project, "name": "many"}] * _BULK})


def _change_set(product: Gluon) -> None:
    body = {"project_id": str(uuid.uuid4()), "name": "many"}
    one = {"op": "create", "api": "net-l2", "type": "Port", "body": body}
    product.ask("POST", "/gluon/v1/changesets", {"changes": [one] * _SET})


@contextmanager
def _again_and_again(product: Gluon, way: Callable[[Gluon], None]) -> Iterator[list[None]]:
    """The way taken until the context ends; one entry for each time. Raises what it raised."""
    done: list[None] = []
    failed: list[Exception] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                way(product)
                done.append(None)
        except Exception as error:  # noqa: BLE001 - raised by who waits
            failed.append(error)

    thread = threading.Thread(target=work, name="loader")
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
