"""Three instances of a shim that are paused and cut off in turn while ports are bound: how long until another one answers.

It needs root, for namespaces. Figures are of an idle machine; what must never be is counted and has to be none.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bench.measure import Figure, Plan, Skipped, at_most, median
from gluon.testing import instances
from gluon.testing.lab import unmet_needs

_BINDS, _QUICK = 10_000, 2_000
_EVERY = 500
"""Binds from fault to fault."""
_FAILOVER = 10.0


def run(plan: Plan) -> Sequence[Figure]:
    if why := unmet_needs():
        raise Skipped(why)
    binds, dice = _QUICK if plan.quick else _BINDS, random.Random(5)
    faults: list[tuple[str, float]] = []
    with instances.Instances() as site:
        site.load(binds)
        for after in range(_EVERY // 2, binds - _EVERY, _EVERY):
            site.wait(after, limit=600)
            hurt, heal = dice.choice([(site.pause, site.resume), (site.cut, site.mend)])
            faults.append(site.strike(hurt, heal))
            leader = faults[-1][0]
            others = [name for name in instances.NAMES if name != leader]
            if dice.random() < 0.3:  # the next in line is away for a moment too
                second = dice.choice(others)
                site.pause(second)
                site.resume(second)
            site.wait(site.bound + _EVERY // 4, limit=600)
            heal(leader)
        told = site.told(limit=1800)
        ended = site.ended()
    for wrong in told.wrong[:20]:
        print(f"  wrong: {wrong}")
    gaps = [instances.silence(told, since, leader) for leader, since in faults]
    return [
        at_most("wrong answers, stuck ports", [len(told.wrong)], "", 0),
        at_most("instances that ended by themselves", [len(ended)], "", 0),
        at_most("longest failover", [max(gaps)], "s", _FAILOVER),
        median("failover", gaps, "s"),
        median("binds", [len(told.binds)], ""),
        median("binds that failed and were tried again", [len(told.failed)], ""),
        median("answers written in etcd", [told.writes], ""),
    ]
