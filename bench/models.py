"""Many models at once: how long a start takes, and what a request costs, with 500 loaded and with 5."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, servers
from gluon.model.find import CATALOG
from gluon.testing.product import GluonServer

_MANY, _FEW = 500, 5
_START = 10.0
_RATIO = 1.1
_PATH = "/proton/net-0/v2.0/networks"
_BODY = {"project_id": load.PROJECT, "name": "blue", "subnets": [{"cidr": "192.0.2.0/24"}]}


def run(plan: Plan) -> Sequence[Figure]:
    """A start on a database that has the models' tables; rounds with both alternate."""
    many = 50 if plan.quick else _MANY
    starts: list[float] = []
    ratios: list[float] = []
    with servers() as (postgres, etcd), models(many) as lots, models(_FEW) as few:
        databases = {n: postgres.url(postgres.create_database(), unix=True) for n in (many, _FEW)}
        first = time.monotonic()
        with _server(databases[many], etcd.url, lots):
            first = time.monotonic() - first
        for _ in range(plan.rounds):
            began = time.monotonic()
            with _server(databases[many], etcd.url, lots) as server:
                starts.append(time.monotonic() - began)
                cost = _cost(server, plan.seconds)
            with _server(databases[_FEW], etcd.url, few) as server:
                ratios.append(cost / _cost(server, plan.seconds))
    return [
        at_most(f"start with {many} models on record", starts, "s", _START),
        median(f"first start with {many} models, tables made", [first], "s"),
        at_most(f"API CPU a create with {many} models, to that with {_FEW}", ratios, "×", _RATIO),
    ]


@contextmanager
def models(count: int) -> Iterator[Path]:
    """So many models like the shipped net-l2, each with a name of its own."""
    text = (CATALOG / "net-l2" / "api.yaml").read_text(encoding="utf-8")
    text = text.replace("quota: 100\n", "quota: 100000000\n").replace("quota: 500\n", "quota: 100000000\n")
    with tempfile.TemporaryDirectory(prefix="gluon-bench-") as root:
        for n in range(count):
            folder = Path(root) / f"net-{n}"
            folder.mkdir()
            (folder / "api.yaml").write_text(text.replace("name: net-l2", f"name: net-{n}"), encoding="utf-8")
        yield Path(root)


@contextmanager
def _server(database: str, etcd: str, models: Path) -> Iterator[Gluon]:
    words = ["--workers", "1", "--database", database, "--etcd", etcd, "--model", str(models)]
    with GluonServer("server", *words) as server:
        yield Gluon(server)


def _cost(server: Gluon, seconds: float) -> float:
    """API CPU of one create, in seconds."""
    script = load.post_script(json.dumps(_BODY))
    url = server.url.removesuffix("/")
    load.drive(url, script, 1.0, path=_PATH)
    before = server.api_cpu()
    seen = load.drive(url, script, seconds, path=_PATH)
    return (server.api_cpu() - before) / seen.requests
