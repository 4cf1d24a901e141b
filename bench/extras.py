"""What a pool, a rule and a quota add to a create over HTTP."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer

_MOST = 1.4
_WARM = 2.0
_MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-extras, version: "1.0", description: The same type without and with all that a unit may check.}
pools:
  vnis: {type: vni, ranges: [1-16777215]}
objects:
  Plain:
    extends: BaseObject
    api: {name: plain, plural_name: plains}
    attributes:
      vni: {type: vni}
      mtu: {type: int32, default: 1500}
      note: {type: string, length: 400}
  Pooled:
    extends: BaseObject
    api: {name: pooled, plural_name: pooleds}
    attributes:
      vni: {type: vni, pool: vnis}
      mtu: {type: int32, default: 1500}
      note: {type: string, length: 400}
  Full:
    extends: BaseObject
    api: {name: full, plural_name: fulls}
    attributes:
      vni: {type: vni, pool: vnis}
      mtu: {type: int32, default: 1500}
      note: {type: string, length: 400}
    checks:
      - {rule: 'self.mtu <= 9000 && self.name.startsWith("vm")', message: too large, at: mtu}
    quota: 1000000000
"""
_BODY = {"project_id": load.PROJECT, "name": "vm-17-eth0", "note": "x" * 300}


def _script(plural: str) -> str:
    return (
        f'wrk.method = "POST"\nwrk.path = "/proton/net-extras/v1.0/{plural}"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [[{json.dumps({**_BODY, 'vni': 7} if plural == 'plains' else _BODY)}]]\n"
    )


def run(plan: Plan) -> Sequence[Figure]:
    """On PostgreSQL with a publisher, as `create`."""
    cpu: dict[str, list[float]] = {"plains": [], "pooleds": [], "fulls": []}
    with servers() as (postgres, etcd), tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder:
        path = Path(folder) / "net-extras"
        path.mkdir()
        (path / "api.yaml").write_text(_MODEL, encoding="utf-8")
        words = ["--workers", "1", "--etcd", etcd.url, "--model", str(path)]
        url = postgres.url(postgres.create_database(), unix=True)
        with GluonServer("server", "--database", url, *words) as server:
            product = Gluon(server)
            for plural in cpu:
                load.drive(product.url, _script(plural), _WARM)
            for _ in range(plan.rounds):
                for plural, samples in cpu.items():
                    product.settle()
                    before = product.api_cpu()
                    seen = load.drive(product.url, _script(plural), plan.seconds)
                    samples.append((product.api_cpu() - before) / seen.requests * 1e6)
    plain, pooled, full = cpu.values()
    return [
        median("API CPU of a create", plain, "µs"),
        median("with a value of a pool", pooled, "µs"),
        median("with a pool, a rule and a quota", full, "µs"),
        median("a pool to none", [a / b for a, b in zip(pooled, plain, strict=True)], "×"),
        at_most("all three to none", [a / b for a, b in zip(full, plain, strict=True)], "×", _MOST),
    ]
