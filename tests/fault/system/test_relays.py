"""Two relays at once: one that was paused while it led covers nothing new with what it held."""

import os
import signal
import time
from functools import partial

from gluon.testing.process import pause, wait_until
from gluon.testing.witness import history
from gluon.testing.witness.load import Load
from tests.fault.system.site import PATIENCE, Site


async def test_a_paused_leader_comes_back(site: Site) -> None:
    one, _ = site.server(), site.shim()
    other = site.server()
    publishers = {server.process("publisher"): server for server in (one, other)}

    def leader() -> int:
        found = str(one.request("GET", "/gluon/v1/status")[1]["publisher"]["leader"])
        return int(found.rsplit("-", 1)[1]) if found else 0

    def another(than: int) -> bool:
        return leader() not in (0, than)

    wait_until(lambda: leader() in publishers, "a leader", limit=10)
    took: list[float] = []
    with Load(site.ledger, [one.port, other.port], writes=600, writers=3, pause=0.05, seed=9) as load:
        for _ in range(2):
            load.wait(load.done + 80)
            first = leader()
            pause(first)
            began = time.monotonic()
            wait_until(partial(another, first), "another leader", every=0.1)
            took.append(time.monotonic() - began)
            load.wait(load.done + 80)
            os.kill(first, signal.SIGCONT)
    rest = site.judge(one).at_rest()
    site.say("leading publisher paused twice", took=took, silence=load.silence, rest=rest)
    assert max(took) < PATIENCE
    assert load.silence < load.allows(10)
    seen = await history.read(site.etcd.url, "/proton/")
    assert len(seen) > 100
    assert history.steps_back(seen) == []
    assert site.query("SELECT COUNT(DISTINCT incarnation) FROM gluon_writer") == [["1"]]
