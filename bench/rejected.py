"""Port creates of which one in twenty is refused, to those of which none is: what is refused must not hold up the rest.

Who sends a key that is taken is compared with who sends new keys as often: keys of clients have to be looked up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, gluon, servers

_EVERY = 20
_MOST = 1.1
_SHARES = 2
"""Into so many a round is divided: what else the machine does changes from second to second."""
_NEW = "0000"
"""Where a script puts a key that nobody has."""


def run(plan: Plan) -> Sequence[Figure]:
    """By turns, forth and back. Refused inside of units, for a key that is taken, and before, for a body that is wrong."""
    samples: dict[str, list[float]] = {}
    with servers() as (postgres, etcd), gluon(postgres.url(postgres.create_database()), etcd.url) as product:
        there = product.create_ports(1)[0]
        scripts = {
            "none": _script(load.PORT),
            "new": _script({**load.PORT, "id": _NEW}),
            "taken": _script({**load.PORT, "id": there}),
            "wrong": _script({**load.PORT, "mtu": "much"}),
        }
        load.drive(product.url, scripts["none"], 2)
        for turn in range(_SHARES * plan.rounds):
            for name in list(scripts)[:: -1 if turn % 2 else 1]:
                seen = _measured(product, scripts[name], plan.seconds / _SHARES, samples, name)
                if name in ("taken", "wrong") and not 0.04 < seen.failed / seen.requests < 0.06:
                    raise load.WrkFailed(
                        f"{seen.failed} of {seen.requests} were refused, not one in {_EVERY}"
                    )
    looked_up = [a / b for a, b in zip(samples["none rate"], samples["new rate"], strict=True)]
    figures = [
        median("creates, none refused", samples["none rate"], "/s"),
        median("time for as many, 5 % with a key of the client", looked_up, "×"),
    ]
    for name, none, said in (("taken", "new", "a key that is taken"), ("wrong", "none", "a wrong body")):
        slower = [a / b for a, b in zip(samples[f"{none} rate"], samples[f"{name} rate"], strict=True)]
        cpu = [a / b for a, b in zip(samples[f"{name} cpu"], samples[f"{none} cpu"], strict=True)]
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
        "math.randomseed(os.time())\n"
        "function request()\n"
        "  count = count + 1\n"
        f"  if count % {_EVERY} == 0 then\n"
        "    local key = string.format('%08x-0000-4000-8000-%012x', math.random(2^31), math.random(2^31))\n"
        f"    return wrk.format(nil, nil, nil, (refused:gsub('\"{_NEW}\"', '\"' .. key .. '\"')))\n"
        "  end\n"
        "  return wrk.format()\n"
        "end\n"
    )
