"""etcd is away, hangs, comes back empty or older: the API writes on, binds say why they fail, all converges."""

import time

import pytest

from gluon.testing.process import wait_until
from gluon.testing.witness.load import Load
from tests.fault.system.site import Site, also

DOWN = 12.0
"""Longer than the fake backend's deadline of 10 s, so that binds fail while etcd is away."""


def outage(site: Site, how: str, seconds: float) -> None:
    """Writes during an outage of etcd; and what became of binds."""
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=400, writers=4, binders=2, pause=0.05, seed=how) as load:
        load.wait(150)
        site.etcd.pause() if how == "hangs" else site.etcd.kill9()
        time.sleep(seconds)
        wait_until(lambda: "PublisherDown" in failed(site), "a bind that says why it failed", every=0.2)
        missing = server.request("GET", "/gluon/v1/status")
        resync = server.request("POST", "/gluon/v1/resync", {})
        ready = server.request("GET", "/readyz")
        site.etcd.resume() if how == "hangs" else site.etcd.start()
        back = time.monotonic()
    rest = site.judge(server).at_rest()
    site.say(f"etcd {how} for {seconds:g} s", silence=load.silence, rest=rest, back=time.monotonic() - back)
    assert load.silence < load.allows(3), "writes do not wait for etcd"
    assert ready[0] == 200
    assert missing[0] == 200
    assert missing[1]["publisher"]["error"]
    assert resync[0] == 503, resync
    assert site.ledger.slowest_bind < load.allows(15)
    assert site.ledger.binds["binding_failed"] > 0
    # a bind that began late in the outage may end just after it
    assert failed(site) <= {"PublisherDown", "Timeout"}


def failed(site: Site) -> set[str]:
    """Why binds failed."""
    return {row[0] for row in site.query("SELECT DISTINCT reason FROM gluon_binding WHERE state = 'Failed'")}


@pytest.mark.parametrize("how", ["killed", also("hangs", what="another outage of 12 s")])
def test_outage(site: Site, how: str) -> None:
    outage(site, how, DOWN)


@pytest.mark.long("etcd is away for a minute")
def test_outage_of_a_minute(site: Site) -> None:
    outage(site, "killed", 60.0)


@pytest.mark.parametrize("kind", ["postgresql", also("mariadb"), "sqlite"])
def test_wiped_during_writes(site: Site) -> None:
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=700, seed=6) as load:
        load.wait(300)
        site.etcd.wipe()
    began = time.monotonic()
    rest = site.judge(server).at_rest()
    site.say("etcd wiped", silence=load.silence, rest=rest, since=time.monotonic() - began)


def test_restored_to_an_older_snapshot_during_writes(site: Site) -> None:
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=900, seed=7) as load:
        load.wait(250)
        snapshot = site.etcd.snapshot()
        load.wait(600)
        site.etcd.restore(snapshot)
    rest = site.judge(server).at_rest()
    site.say("etcd set back", silence=load.silence, rest=rest)


@pytest.mark.long("a whole system stopped and started again")
def test_restored_while_the_server_is_stopped(site: Site) -> None:
    """Then nobody saw it go back: only the cursor tells."""
    server, shim = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=300, seed=8) as load:
        load.wait(150)
        snapshot = site.etcd.snapshot()
    server.end()
    shim.daemon.kill9()
    site.etcd.restore(snapshot)
    server.start()
    shim.start()
    rest = site.judge(server).at_rest()
    site.say("etcd set back, nobody there", rest=rest)
