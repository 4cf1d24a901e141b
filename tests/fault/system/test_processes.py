"""kill −9 of each kind of process at random moments during 1,000 writes: nothing answered is lost."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gluon.testing.process import descendants, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.witness.judge import answered
from gluon.testing.witness.ledger import Ledger
from gluon.testing.witness.load import V1, Load
from tests.fault.system.site import PATIENCE, Site, also

DICE = random.Random(11)
STEADY = 4.0
"""Seconds after which the supervisor takes a process for one that has served."""


def _age(pid: int) -> float:
    """Seconds since a process was started."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return 0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _steady(server: GluonServer, part: str) -> None:
    wait_until(lambda: _age(server.process(part)) > STEADY, f"{part} counts as well started")


@pytest.mark.parametrize(("kind", "workers"), [("postgresql", 1), also("mariadb", 2)])
def test_api_process_killed(site: Site, workers: int) -> None:
    server, _ = site.server("--workers", str(workers)), site.shim()
    with Load(site.ledger, [server.port], seed=1) as load:
        for number, writes in enumerate((100, 350, 600, 850)):
            load.wait(writes + DICE.randrange(60))
            server.kill9_process(f"worker-{number % workers}")
    rest = site.judge(server).at_rest()
    site.say("API process killed 4 times", silence=load.silence, rest=rest)
    assert load.silence < PATIENCE


@pytest.mark.parametrize(("kind", "part"), [("postgresql", "worker-0"), also("postgresql", "publisher")])
def test_process_killed_while_the_policy_file_cannot_be_used(site: Site, tmp_path: Path, part: str) -> None:
    """It starts again once the file is repaired, and the others serve meanwhile."""
    rules = tmp_path / "policy.yaml"
    rules.write_text("{}")
    server = site.server("--workers", "2", "--policy", str(rules))
    for name in ("worker-0", "worker-1", "publisher"):
        _steady(server, name)
    with Load(site.ledger, [server.port], writes=100, binders=0, seed=9) as load:
        load.wait(50)
        rules.write_text("a: [")
        wait_until(
            lambda: "the policy file cannot be used" in server.daemon.said(lines=1000), "the file is read"
        )
        server.kill9_process(part)
        wait_until(lambda: server.daemon.said(lines=1000).count("cannot start") >= 2, "it is tried again")
        load.wait(load.done + 50)
        rules.write_text("{}")
        _steady(server, part)
    rest = site.judge(server, shims=False).at_rest()
    site.say(f"{part} killed while it cannot start", silence=load.silence, rest=rest)
    assert load.silence < load.allows(10), "others serve"


@pytest.mark.parametrize("kind", [also("postgresql"), "sqlite"])
def test_whole_server_killed_and_started_again(site: Site) -> None:
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], seed=2) as load:
        for writes in (150, 400, 700):
            load.wait(writes + DICE.randrange(100))
            server.daemon.kill9()
            server.start()
    rest = site.judge(server).at_rest()
    site.say("server killed 3 times", silence=load.silence, rest=rest)
    assert load.silence < PATIENCE


def test_everything_in_one_process_killed(tmp_path: Path) -> None:
    """`gluon up`: its bus is lost with it, and is filled again from the database."""
    ledger = Ledger()
    with GluonServer("up", "--data", str(tmp_path)) as server:
        with Load(ledger, [server.port], writes=600, binders=2, seed=8) as load:
            for writes in (150, 400):
                load.wait(writes + DICE.randrange(100))
                server.daemon.kill9()
                server.start()
        assert answered(ledger, server) == []
        bound = [k for k in ledger.objects() if k.body and k.body.get("host_id")]
        assert bound

        def settled() -> bool:
            paths = [f"{V1}/ports/{known.key}/status" for known in bound]
            standings = [server.request("GET", path)[1] for path in paths]
            return all(
                s["binding"]["state"] in ("Bound", "Failed")
                and (s["binding"]["state"] == "Failed" or s["status"] == "ACTIVE")
                and s["observed_revision"] in (0, s["revision"])
                for s in standings
            )

        wait_until(settled, "bound ports are served again", limit=20, every=0.2)


def test_publisher_killed(site: Site) -> None:
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], seed=3) as load:
        for writes in (100, 300, 500, 700, 900):
            load.wait(writes + DICE.randrange(60))
            server.kill9_process("publisher")
    rest = site.judge(server).at_rest()
    site.say("publisher killed 5 times", silence=load.silence, rest=rest)
    assert load.silence < load.allows(10), "writes do not wait for the publisher"


@pytest.mark.long("6 starts, with growing pauses between them")
def test_process_killed_at_birth(site: Site) -> None:
    """Also one that had no time to read its settings is started again."""
    server = site.server()
    worker = server.process("worker-0")
    killed: set[int] = set()

    def kill_the_new_one() -> bool:
        for pid in set(descendants(server.daemon.pid)) - killed - {worker}:
            killed.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(killed) >= 6 or not server.daemon.running

    wait_until(kill_the_new_one, "6 deaths", limit=30, every=0.001)
    assert server.daemon.running
    with Load(site.ledger, [server.port], writes=50, binders=0, seed=6):
        pass
    rest = site.judge(server, shims=False).at_rest()
    site.say("publisher killed at birth", rest=rest)


def test_shim_killed_during_binds(site: Site) -> None:
    server, shim = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=600, writers=2, binders=4, seed=4) as load:
        for writes in (60, 250, 450):
            load.wait(writes + DICE.randrange(40))
            shim.daemon.kill9()
            shim.start()
    assert site.ledger.slowest_bind < load.allows(15), "a bind ends at its deadline of 10 s at the latest"
    rest = site.judge(server).at_rest()
    site.say("shim killed 3 times", rest=rest)


def test_leading_shim_paused(site: Site) -> None:
    """Another instance takes over; what the first still had to say is refused."""
    server, first = site.server(), site.shim()
    wait_until(lambda: bool(leads(site)), "the first leads", limit=20)
    second = site.shim()
    with Load(site.ledger, [server.port], writes=400, writers=2, binders=3, seed=12) as load:
        load.wait(100)
        if not leads(site).endswith(f"-{first.daemon.pid}"):  # where the machine stood still
            first, second = second, first
        first.daemon.pause()
        wait_until(lambda: leads(site).endswith(f"-{second.daemon.pid}"), "the second leads", limit=20)
        load.wait(load.done + 100)
        first.daemon.resume()
    rest = site.judge(server).at_rest()
    site.say("leading shim paused", rest=rest)
    assert site.ledger.slowest_bind < load.allows(15)


def leads(site: Site) -> str:
    """The instance that leads the shim's only shard."""
    found = site.etcd.etcdctl("get", "/gluon/lead/fake/", "--prefix", "--print-value-only")
    return str(json.loads(found)["instance"]) if found.strip() else ""


@pytest.mark.long("binds that wait for their deadline of 10 s")
def test_binds_without_a_shim_end_with_a_reason(site: Site) -> None:
    server, shim = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=60, writers=0, binders=3, seed=5) as load:
        load.wait(30)
        shim.daemon.kill9()
    began = time.monotonic()
    assert site.ledger.binds["binding_failed"] > 0
    assert site.ledger.slowest_bind < load.allows(15)
    shim.start()
    rest = site.judge(server).at_rest()
    site.say("binds without a shim", rest=rest, since=time.monotonic() - began)
    reasons = {row[0] for row in site.query("SELECT reason FROM gluon_binding WHERE state = 'Failed'")}
    assert reasons <= {"ControllerGone", "NoController", "Timeout"}
