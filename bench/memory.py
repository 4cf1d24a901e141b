"""What an API process holds after many ports were made: nothing of them."""

from __future__ import annotations

from collections.abc import Sequence

from bench import load
from bench.measure import Figure, Plan, at_most, median, resident_bytes
from bench.site import Gluon, gluon, servers

_PORTS = 100_000
_FEW = 20_000
_MOST = 200.0
_STEP = 4.0


def run(plan: Plan) -> Sequence[Figure]:
    """Resident memory of the worker, at the start and after each part."""
    wanted = _FEW if plan.quick else _PORTS
    with servers() as (postgres, etcd), gluon(postgres.url(postgres.create_database()), etcd.url) as product:
        first, publisher = _megabytes(product, "worker-0"), _megabytes(product, "publisher")
        made, sizes = 0, [first]
        while made < wanted:
            made += load.drive(product.url, load.create_script(), _STEP).requests
            product.settle()
            sizes.append(_megabytes(product, "worker-0"))
        late = sizes[len(sizes) // 2 :]
        return [
            median("API process before", [first], "MB"),
            at_most(f"API process after {made:,} ports", [sizes[-1]], "MB", _MOST),
            median("growth over the second half", [late[-1] - late[0]], "MB"),
            median("publisher before", [publisher], "MB"),
            median("publisher after", [_megabytes(product, "publisher")], "MB"),
        ]


def _megabytes(product: Gluon, process: str) -> float:
    return resident_bytes(product.server.process(process)) / 1e6
