"""Watching two servers of one database, of which one is killed again and again; slow clients; a stop."""

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gluon.testing.crowd import Crowd
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.streams import CHANGES, Deaf, Refused, Stream
from tests.fault.system.site import Site

PORTS = "/proton/net-l3vpn/v1.0/ports"
VPNS = "/proton/net-l3vpn/v1.0/vpns"
ALL = "/gluon/v1/watch"


class Replayer(threading.Thread):
    """Lists, then watches one server after the other, and replays; lists again only where its token is refused."""

    def __init__(self, servers: list[GluonServer], seed: int) -> None:
        super().__init__()
        self._servers, self._dice = servers, random.Random(seed)
        self.state: dict[str, Any] = {}
        self.revisions: list[int] = []
        self.lists = 0
        self.token = ""
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            server = self._dice.choice(self._servers)
            try:
                if not self.token:
                    self._list(server)
                self._watch(server)
            except Refused as refused:
                if refused.status == 410:
                    self.token = ""
            except (OSError, ValueError):
                time.sleep(0.05)

    def _list(self, server: GluonServer) -> None:
        status, headers, body = server.exchange("GET", VPNS)
        if status == 200:
            self.lists += 1
            self.state = {one["id"]: one for one in body["vpns"]}
            self.token = headers["x-gluon-resume"]

    def _watch(self, server: GluonServer) -> None:
        """Until it is cut, or bored of this server."""
        until = time.monotonic() + self._dice.uniform(0.3, 2.0)
        path = f"{VPNS}?watch=true&resume={self.token}"
        with Stream(server.port, path, patience=1.0) as watch:
            while time.monotonic() < until and not self.done.is_set():
                event = watch.event()
                self.token = event.get("resume", "")
                if event["type"] in CHANGES:
                    self.revisions.append(event["revision"])
                if event["type"] == "DELETED":
                    self.state.pop(event["key"], None)
                elif event["type"] in CHANGES:
                    self.state[event["key"]] = event["object"]


@contextmanager
def replaying(servers: list[GluonServer], count: int) -> Iterator[list[Replayer]]:
    found = [Replayer(servers, seed) for seed in range(count)]
    for one in found:
        one.start()
    try:
        yield found
    finally:
        for one in found:
            one.done.set()
        for one in found:
            one.join(30)


def write(server: GluonServer, dice: random.Random, keys: list[str]) -> None:
    """Make, rename or delete a service. A server that is being killed answers nothing."""
    try:
        if len(keys) < 5 or dice.random() < 0.4:
            body = {"tenant_id": str(uuid.uuid4()), "name": f"n{dice.randrange(10**6)}"}
            status, made = server.request("POST", VPNS, body)
            if status == 201:
                keys.append(made["id"])
        elif dice.random() < 0.6:
            server.request("PUT", f"{VPNS}/{dice.choice(keys)}", {"name": f"n{dice.randrange(10**6)}"})
        else:
            server.request("DELETE", f"{VPNS}/{keys.pop(dice.randrange(len(keys)))}")
    except OSError:
        time.sleep(0.05)


def test_nothing_is_missed_over_servers_that_are_killed(site: Site) -> None:
    one, two = site.server(), site.server()
    dice, keys = random.Random(5), list[str]()
    with replaying([one, two], 4) as clients:
        for _ in range(3):
            end = time.monotonic() + 2.0
            while time.monotonic() < end:
                write(dice.choice((one, two)), dice, keys)
            one.kill9_process("worker-0")
        one.daemon.kill9()
        for _ in range(50):
            write(two, dice, keys)
        one.start()
        for _ in range(20):
            write(one, dice, keys)
        truth = {vpn["id"]: vpn for vpn in two.request("GET", VPNS)[1]["vpns"]}
        for client in clients:
            wait_until(lambda c=client: c.state == truth, "a client has it all", limit=20)  # type: ignore[misc]
    site.say(
        "watched over kills", lists=[c.lists for c in clients], events=[len(c.revisions) for c in clients]
    )
    assert [client.lists for client in clients] == [1] * len(clients)


def test_a_write_through_one_server_is_seen_at_the_other(site: Site) -> None:
    one, two = site.server(), site.server()
    delays = []
    with Crowd() as crowd, Stream(two.port, ALL) as watch:
        watch.event()
        for n in range(20):
            began = time.monotonic()
            assert one.request("POST", VPNS, {"tenant_id": str(uuid.uuid4()), "name": str(n)})[0] == 201
            assert watch.change()["object"]["name"] == str(n)
            delays.append(time.monotonic() - began)
    site.say("seen at the other", slowest=max(delays), median=sorted(delays)[10])
    assert sorted(delays)[10] < crowd.allows(1)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_clients_that_do_not_read_are_cut_and_hold_up_nobody(site: Site) -> None:
    server = site.server()
    profile = json.dumps({"x": "y" * 36_000})
    body = {
        "tenant_id": str(uuid.uuid4()), "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True,
        "status": "DOWN", "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False, "profile": profile,
    }  # fmt: skip
    deaf = [Deaf(server.port, f"{PORTS}?watch=true") for _ in range(2)]
    keys = []
    with Stream(server.port, f"{PORTS}?watch=true") as watch:
        assert watch.event()["type"] == "BOOKMARK"
        for _ in range(25):
            for _ in range(10):
                status, made = server.request("POST", PORTS, body)
                assert status == 201
                keys.append(made["id"])
            assert [e["key"] for e in watch.changes(10)] == keys[-10:]  # whoever else does not read
    late = deaf.pop()
    *lines, last = [json.loads(line) for line in late.rest().split(b"\n") if line.startswith(b"{")]
    assert (last["type"], last["code"]) == ("ERROR", "slow")
    told = [line["key"] for line in lines if line["type"] == "ADDED"]
    assert told == keys[: len(told)]
    with Stream(server.port, f"{PORTS}?watch=true&resume={last['resume']}") as watch:
        assert [e["key"] for e in watch.changes(len(keys) - len(told))] == keys[len(told) :]
    for one in deaf:
        one.rest()


def test_a_server_that_stops_ends_streams_at_once(site: Site) -> None:
    server = site.server()
    with Crowd() as crowd, Stream(server.port, ALL) as watch:
        watch.event()
        server.request("POST", VPNS, {"tenant_id": str(uuid.uuid4()), "name": "last"})
        told = watch.change()
        began = time.monotonic()
        server.end()
        took = time.monotonic() - began
        events = [json.loads(line) for line in iter(watch.line, b"")]
    assert [e["type"] for e in events] == ["ERROR"]
    assert (events[0]["code"], events[0]["resume"]) == ("stopping", told["resume"])
    assert took < crowd.allows(5)
