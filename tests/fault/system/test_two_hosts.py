"""kill -9 of an API process: of one of two hosts under load, and in the middle of a large cascade."""

import os
import random
import signal
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

import gluon
from gluon.testing.process import alive, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.witness.load import Load
from tests.fault.system.site import Site, also

LONGEST = 5.0
"""Seconds that a client waits for a write, all its tries together."""
V2 = "/proton/net-l3vpn/v2.0"
SHIPPED = Path(gluon.__file__).parent / "catalog"
WIDTH = 520
DICE = random.Random(17)


@pytest.mark.parametrize("kind", ["postgresql", also("mariadb")])
def test_one_of_two_hosts_killed(site: Site) -> None:
    """Who asked there asks the other one. When all of a host goes, the publisher may be among what goes: binds then wait
    for another to lead, within 10 s, and writes for nobody."""
    one, other, _ = site.server(), site.server(), site.shim()
    ports = [one.port, other.port]
    with Load(site.ledger, ports, writes=340, binders=2, seed=41) as load:
        for writes in (60, 180):
            load.wait(writes + DICE.randrange(60))
            one.kill9_process("worker-0")
    silences, allowed = [load.silence], [load.allows(LONGEST)]
    # who begins at a worker that is still starting would have used his time before the host goes
    wait_until(lambda: one.request("GET", "/readyz")[0] == 200, "the worker is back", limit=30)
    with Load(site.ledger, ports, writes=260, binders=0, seed=42) as load:
        load.wait(90)
        one.daemon.kill9()
    silences.append(load.silence)
    allowed.append(load.allows(LONGEST))
    rest = site.judge(other).at_rest()
    site.say("one of two hosts killed", silences=silences, allowed=allowed, rest=rest)
    assert max(*silences, site.ledger.slowest_write) < max(allowed)


def big_port(server: GluonServer, project: str) -> str:
    """A port with so many interfaces that a delete of it is one large unit."""
    status, port = server.request("POST", f"{V2}/ports", {"project_id": project, "mtu": 1500})
    assert status == 201, port
    tagged = [
        {"project_id": project, "port_id": port["id"], "segmentation_type": "vlan", "segmentation_id": n + 1}
        for n in range(WIDTH - 1)
    ]
    for start in range(0, len(tagged), 200):
        status, body = server.request("POST", f"{V2}/interfaces", {"interfaces": tagged[start : start + 200]})
        assert status == 201, body
    key: str = port["id"]
    return key


@pytest.mark.parametrize("kind", ["postgresql", also("mariadb")])
def test_a_large_cascade_is_done_or_not(site: Site) -> None:
    """520 rows and as many entries in one unit, killed at some moment of it."""
    server = site.server("--model", str(SHIPPED / "net-l3vpn-2.0"))
    project = str(uuid.uuid4())
    done = undone = 0
    for delay in (0.0, 0.05, 0.2):
        port = big_port(server, project)
        worker = server.process("worker-0")
        answers: list[int] = []

        def delete(port: str = port, answers: list[int] = answers) -> None:
            with suppress(OSError):
                answers.append(server.request("DELETE", f"{V2}/ports/{port}")[0])

        asking = threading.Thread(target=delete)
        asking.start()
        time.sleep(delay)  # another moment each time
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda pid=worker: not alive(pid), "its death", limit=10)  # type: ignore[misc]
        asking.join()
        wait_until(lambda: _ready(server), "ready again", limit=20)
        left = _count(
            site, f"SELECT COUNT(*) FROM {_quoted(site, 'net_l3vpn_Interface')} WHERE port_id = '{port}'"
        )
        ports = _count(site, f"SELECT COUNT(*) FROM {_quoted(site, 'net_l3vpn_Port')} WHERE id = '{port}'")
        gone = _count(
            site, "SELECT COUNT(*) FROM journal WHERE op = 'delete' AND type = 'Interface' AND new IS NULL"
        )
        assert (left, ports) in {(WIDTH, 1), (0, 0)}, (left, ports)
        if ports:
            assert answers != [204], "what was answered is there"
            undone += 1
            assert server.request("DELETE", f"{V2}/ports/{port}")[0] == 204
            gone += WIDTH
        else:
            done += 1
        assert gone == WIDTH * (done + undone)
    site.say("large cascade killed", done=done, undone=undone)
    assert server.request("GET", f"{V2}/interfaces?count=true")[1].get("interfaces") == []


def _ready(server: GluonServer) -> bool:
    try:
        return server.request("GET", "/readyz")[0] == 200
    except OSError:
        return False


def _quoted(site: Site, name: str) -> str:
    return f"`{name}`" if site.url.startswith("mysql") else f'"{name}"'


def _count(site: Site, text: str) -> int:
    return int(site.query(text)[0][0])
