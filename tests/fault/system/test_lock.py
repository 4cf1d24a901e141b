"""The holder of the writer lock hangs or dies: others go on within the limits, and nothing is done twice or lost."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from gluon.testing.process import alive, pause, wait_until
from gluon.testing.servers import PostgresServer
from gluon.testing.witness.load import Load
from tests.fault.system.site import Site, also

DICE = random.Random(13)

_HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
_WRITES = "SELECT nextval('gluon_revision') FROM (SELECT pg_advisory_xact_lock(444201267054)) AS lock"
"""As another process does: for a second after that a worker on PostgreSQL has the lock while it decides."""
_FREE = "SELECT id FROM gluon_writer WHERE id = 1 FOR UPDATE SKIP LOCKED"
"""MariaDB's own list of transactions is as old as its last look, and a look every moment keeps it so."""


def held(site: Site) -> set[str]:
    """The sessions that hold the writer lock; of MariaDB only that there is one."""
    if isinstance(site.sql, PostgresServer):
        return {row[0] for row in site.query(_HOLDER)}
    return set() if site.query(_FREE) else {"one"}


def holders(site: Site) -> set[str]:
    """The sessions that hold the writer lock all the time for a moment."""
    found = held(site)
    for _ in range(3):
        if found:
            time.sleep(0.05)
            found &= held(site)
    return found


def pause_with_the_lock(site: Site, pid: int) -> None:
    """SIGSTOP it at a moment when it holds the lock (nobody else writes)."""

    def caught() -> bool:
        if isinstance(site.sql, PostgresServer):
            site.query(_WRITES)
        pause(pid)
        if holders(site):
            return True
        os.kill(pid, signal.SIGCONT)
        time.sleep(DICE.uniform(0.0, 0.03))
        return False

    wait_until(caught, "the worker holds the lock", every=0.01)


def resumed(pid: int) -> None:
    time.sleep(6)  # well beyond the limits for lock and idleness, which is what is tested
    os.kill(pid, signal.SIGCONT)


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), "its death", limit=10)


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("postgresql", resumed),
        ("mariadb", killed),
        also("postgresql", killed, what="the other end"),
        also("mariadb", resumed, what="the other end"),
    ],
)
def test_holder_of_the_lock(site: Site, end: Callable[[int], None]) -> None:
    """It is paused in any case; then it comes back after a while, or dies."""
    one, _ = site.server(), site.shim()
    other = site.server()
    # tries of the first load that hang in the paused process go to the other server
    ports = [one.port, other.port]
    first = Load(
        site.ledger, ports, writes=400, writers=6, binders=0, patience=4, pause=0, spread=False, seed=1
    )
    with first:
        first.wait(100)
        worker = one.process("worker-0")
        pause_with_the_lock(site, worker)
        with Load(site.ledger, [other.port], writes=300, writers=3, binders=1, seed=2) as second:
            began = time.monotonic()
            second.wait(1)
            waited = time.monotonic() - began
            end(worker)
    rest = site.judge(other).at_rest()
    site.say("the lock's holder", waited=waited, silence=second.silence, rest=rest)
    assert waited < second.allows(5), "a holder that is silent is ended after 2 s"
    assert second.silence < second.allows(5)
    assert site.judge(one).answered() == []
