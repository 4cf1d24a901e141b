"""Port creates as a tenant makes them: known by a token, judged by the policy, counted for a quota."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gluon as package
from bench import load
from bench.measure import Figure, Plan, at_least, at_most, cpu_seconds, median
from bench.pgbench import Baseline
from bench.quiet import Rounds
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer

_CPU = 75.0
_COMMITS = 0.4
_WARM = 2.0
_MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-counted, version: "1.0", description: Ports and interfaces alone.}
objects:
  Port:
    extends: BasePort
    api: {name: port, plural_name: ports}
    quota: 1000000000
  Interface:
    extends: BaseInterface
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    attributes:
      port_id: {type: Port, on_delete: cascade}
"""
_COUNTED = {
    "project_id": load.PROJECT,
    **{name: load.PORT[name] for name in ("name", "mac_address", "admin_state_up", "mtu", "device_owner")},
}
_PATH = "/proton/net-counted/v1.0/ports"


def run(plan: Plan) -> Sequence[Figure]:
    """Beside the same port made by an admin, who is asked for nothing, and of a proton without quotas."""
    admin, tenant = secrets.token_hex(16), secrets.token_hex(16)
    with servers() as (postgres, etcd), tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder:
        name = postgres.create_database()
        words = ["--config", _settings(Path(folder), admin, tenant), "--workers", "1", "--etcd", etcd.url]
        words += ["--database", postgres.url(name, unix=True), "--model", f"{folder}/net-counted"]
        words += ["--model", str(Path(package.__file__).parent / "catalog" / "net-l3vpn")]
        with GluonServer("server", *words) as server:
            product = Gluon(server, {"x-auth-token": admin})
            ways = {  # pgbench takes its rows from the port that was made last
                "counted": (_PATH, _as(tenant, _COUNTED)),
                "admin": (load.PORTS, _as(admin, load.PORT)),
                "tenant": (load.PORTS, _as(tenant, load.PORT)),
            }
            for path, script in ways.values():
                load.drive(product.url, script, _WARM, path=path)
            baseline = Baseline(postgres, name)
            for one in (rounds := Rounds(plan)):
                for way, (path, script) in ways.items():
                    product.settle()
                    before = product.api_cpu(), cpu_seconds(postgres.daemon.pid, family=True)
                    seen = load.drive(product.url, script, plan.seconds, path=path)
                    after = product.api_cpu(), cpu_seconds(postgres.daemon.pid, family=True)
                    for part, n in (("api", 0), ("database", 1)):
                        one[f"{way} {part}"] = (after[n] - before[n]) / seen.requests * 1e6
                    one[f"{way} rate"] = seen.rate
                product.settle()
                one["five"] = one["counted rate"] / baseline.transactions(plan.seconds)
                one["one"] = one["counted rate"] / baseline.commits(plan.seconds / 2)
    return [
        at_least("ratio to pgbench's five statements", rounds["five"], "×", 1.0),
        at_least("ratio to one-row commits", rounds["one"], "×", _COMMITS),
        median("ports a second", rounds["counted rate"], "/s"),
        at_most("API CPU: token, policy, quota", rounds["counted api"], "µs", _CPU),
        median("API CPU: token, policy", rounds["tenant api"], "µs"),
        median("API CPU: token of an admin", rounds["admin api"], "µs"),
        median("PostgreSQL CPU: token, policy, quota", rounds["counted database"], "µs"),
        median("PostgreSQL CPU: token of an admin", rounds["admin database"], "µs"),
        rounds.figure(),
    ]


def _settings(folder: Path, admin: str, tenant: str) -> str:
    """Two tokens of a file, two protons."""
    model = folder / "net-counted"
    model.mkdir()
    (model / "api.yaml").write_text(_MODEL, encoding="utf-8")
    tokens = folder / "tokens"
    tokens.write_text(
        f"tokens:\n  - {{token: {admin}, user: chief, roles: [admin]}}\n"
        f"  - {{token: {tenant}, user: alice, project: {load.PROJECT}, roles: [member]}}\n"
    )
    tokens.chmod(0o600)
    config = folder / "gluon.toml"
    config.write_text(f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{tokens}"\n')
    return str(config)


def _as(token: str, body: object) -> str:
    return load.post_script(json.dumps(body)) + f'wrk.headers["X-Auth-Token"] = "{token}"\n'
