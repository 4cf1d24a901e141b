"""Three instances of a shim for one host, paused and cut off while ports are bound."""

import pytest

from gluon.testing import instances
from gluon.testing.crowd import Crowd
from gluon.testing.fixtures import require_programs
from gluon.testing.lab import unmet_needs

FAILOVER = 10.0
"""Seconds until another one answers."""


def test_one_owner_of_each_epoch_whoever_is_paused_or_cut_off() -> None:
    """A paused instance wakes and believes that it leads; one that is cut off knows nothing of the others."""
    require_programs("etcd", "etcdctl")
    if why := unmet_needs():
        pytest.skip(why)
    with instances.Instances() as site, Crowd() as crowd:
        site.load(1000)
        faults = []
        for binds, hurt, heal in (
            (100, site.pause, site.resume),
            (400, site.cut, site.mend),
            (700, site.pause, site.resume),
        ):
            site.wait(binds)
            faults.append(site.strike(hurt, heal))
            site.wait(site.bound + 60)  # more than are under way: by another one
            heal(faults[-1][0])
        told = site.told()
        print(f"\n  three instances: {instances.facts(told)}")
        assert told.wrong == [], site.logs()
        assert site.ended() == [], site.logs()
        assert len(told.binds) >= 1000
        assert len(told.leaders) >= 1 + len(faults)
        gaps = [instances.silence(told, since, leader) for leader, since in faults]
        print(f"  failovers: {[round(gap, 1) for gap in gaps]} s, allowed {crowd.allows(FAILOVER):.1f}")
        assert max(gaps) < crowd.allows(FAILOVER), site.logs()
