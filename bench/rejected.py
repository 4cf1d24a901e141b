"""Port creates of which one in twenty is refused, to those of which none is: what is refused must not hold up the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, gluon, servers

_EVERY = 20
_MOST = 1.1


def run(plan: Plan) -> Sequence[Figure]:
    """By turns. Refused inside of units, for a key that is taken, and before, for a body that is wrong."""
    samples: dict[str, list[float]] = {}
    with servers() as (postgres, etcd), gluon(postgres.url(postgres.create_database()), etcd.url) as product:
        there = product.create_ports(1)[0]
        scripts = {
            "none": _script(load.PORT),
            "taken": _script({**load.PORT, "id": there}),
            "wrong": _script({**load.PORT, "mtu": "much"}),
        }
        load.drive(product.url, scripts["none"], 2)
        for _ in range(plan.rounds):
            for name, script in scripts.items():
                seen = _measured(product, script, plan.seconds, samples, name)
                if name != "none" and not 0.04 < seen.failed / seen.requests < 0.06:
                    raise load.WrkFailed(
                        f"{seen.failed} of {seen.requests} were refused, not one in {_EVERY}"
                    )
    figures = [median("creates, none refused", samples["none rate"], "/s")]
    for name, said in (("taken", "a key that is taken"), ("wrong", "a wrong body")):
        slower = [a / b for a, b in zip(samples["none rate"], samples[f"{name} rate"], strict=True)]
        cpu = [a / b for a, b in zip(samples[f"{name} cpu"], samples["none cpu"], strict=True)]
        figures += [
            at_most(f"time for as many, 5 % refused for {said}", slower, "×", _MOST),
            median(f"API CPU a request, 5 % refused for {said}", cpu, "×"),
        ]
    return figures


def _measured(
    product: Gluon, script: str, seconds: float, samples: dict[str, list[float]], name: str
) -> load.Load:
    before = product.api_cpu()
    seen = load.drive(product.url, script, seconds, strict=False)
    samples.setdefault(f"{name} cpu", []).append((product.api_cpu() - before) / seen.requests * 1e6)
    samples.setdefault(f"{name} rate", []).append(seen.rate)
    product.settle()
    return seen


def _script(refused: object) -> str:
    """Ports, and each twentieth request this: also another port, so that wrk has the same to do."""
    return load.create_script() + (
        f"local refused = [[{json.dumps(refused)}]]\n"
        "local count = 0\n"
        "function request()\n"
        "  count = count + 1\n"
        f"  if count % {_EVERY} == 0 then return wrk.format(nil, nil, nil, refused) end\n"
        "  return wrk.format()\n"
        "end\n"
    )
