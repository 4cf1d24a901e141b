"""The database goes back to an older dump while etcd is ahead: a new incarnation, and etcd follows."""

import copy
import json
import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from gluon.testing.process import NotReady, pause, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.witness.ledger import Known
from gluon.testing.witness.load import UNBOUND, V1, Load
from tests.fault.system.site import Site, also

HUNG = {
    "controller": "fake",
    "instance": "hung",
    "backend": "fake",
    "apis": {"net-l3vpn": ["1.0"]},
    "hosts": ["*"],
    "deadline": 3.0,
}
"""The registration of a shim that answers nothing."""


def incarnation(server: GluonServer) -> tuple[str, int]:
    database = server.request("GET", "/gluon/v1/status")[1]["database"]
    return database["incarnation"], database["revision"]


def cursor(site: Site) -> int:
    """The revision up to which etcd has seen the database."""
    return int(site.etcd.etcdctl("get", "/gluon/relay/cursor", "--print-value-only").split(".")[1])


def port_body() -> dict[str, Any]:
    return {
        "tenant_id": str(uuid.uuid4()),
        "mac_address": "fa:16:3e:00:00:01",
        "admin_state_up": True,
        "status": "ACTIVE",
        "vnic_type": "normal",
        "mtu": 1500,
        "vlan_transparency": False,
    }


def bind(server: GluonServer, port: str, host: str) -> dict[str, Any]:
    status, body = server.request(
        "PUT", f"{V1}/ports/{port}", {"host_id": host, "device_id": str(uuid.uuid4())}
    )
    assert status == 200, body
    answer: dict[str, Any] = body
    return answer


def bound_now(server: GluonServer, port: Known) -> str:
    """The key of a port that this binds, and that its witness now knows as bound."""
    assert bind(server, port.key, "host-1")["vif_type"] == "ovs"
    port.body = {**(port.body or {}), "host_id": "host-1"}
    port.body.pop("device_id", None)
    return port.key


@pytest.mark.parametrize("kind", ["postgresql", also("mariadb")])
def test_older_dump(site: Site) -> None:
    assert site.sql is not None
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=200, binders=2, seed=21):
        pass
    site.judge(server).at_rest()
    ports = [k for k in site.ledger.objects() if k.plural == "ports" and k.body]
    bound = [k.key for k in ports if k.body and k.body.get("host_id")]
    plain = [k for k in ports if k.key not in bound]
    while len(bound) < 3:
        bound.append(bound_now(server, plain.pop()))
    dump, then = site.sql.dump(site.database), copy.deepcopy(site.ledger.objects())
    # the future that is lost: changes and deletes of what the dump has, and new objects
    bind(server, plain[0].key, "host-9")
    assert server.request("PUT", f"{V1}/ports/{bound[0]}", UNBOUND)[0] == 200
    assert server.request("PUT", f"{V1}/ports/{bound[1]}", {"name": "lost"})[0] == 200
    bind(server, bound[2], "host-9")
    with Load(site.ledger, [server.port], writes=100, binders=2, seed=22):
        pass
    before = incarnation(server)
    server.end()
    reached = cursor(site)
    site.sql.restore(site.database, dump)
    site.ledger.replace(then)
    server.start()
    rest = site.judge(server).at_rest()
    after = incarnation(server)
    assert after[0] != before[0]
    assert after[1] >= reached + 1_000_000
    assert cursor(site) >= reached + 1_000_000
    for port in bound[:3]:
        assert server.request("PUT", f"{V1}/ports/{port}", UNBOUND)[0] == 200
        bound_now(server, next(k for k in then if k.key == port and k.body))
    with Load(site.ledger, [server.port], writes=60, binders=2, seed=23):
        pass
    site.say("database set back", rest=rest, again=site.judge(server).at_rest())


def test_replies_of_the_lost_future_are_not_believed(site: Site) -> None:
    """Until the publisher has looked, nobody knows of the dump: here it hangs just then."""
    assert site.sql is not None
    server, shim = site.server(), site.shim()
    port = server.request("POST", f"{V1}/ports", port_body())[1]["id"]
    wait_until(lambda: not site.judge(server).unsettled(), "the port is in etcd", limit=20)
    shim.daemon.pause()
    dump = site.sql.dump(site.database)
    shim.daemon.resume()
    assert bind(server, port, "host-1")["vif_type"] == "ovs"
    (lost,) = site.query("SELECT epoch FROM gluon_binding")
    server.daemon.kill9()
    shim.daemon.kill9()
    site.sql.restore(site.database, dump)
    site.etcd.etcdctl("put", "/gluon/shim/fake/hung", json.dumps(HUNG))
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(server.start)
        publisher = first_process(server, "publisher")
        pause(publisher)
        starting.result()
        # the same write as the first after the dump, and the old reply is still in etcd
        binding = pool.submit(bind, server, port, "host-1")
        wait_until(lambda: site.query("SELECT epoch FROM gluon_binding") != [], "the bind", limit=10)
        (again,) = site.query("SELECT epoch FROM gluon_binding")
        os.kill(publisher, signal.SIGCONT)
        answer = binding.result()
    standing = server.request("GET", f"{V1}/ports/{port}/status")[1]
    site.say("bind after the dump", lost=lost, again=again, standing=standing["binding"])
    assert (answer["vif_type"], standing["binding"]["reason"]) == ("binding_failed", "Timeout")


def first_process(server: GluonServer, name: str) -> int:
    """A child of a server that is just being started."""
    while True:
        with suppress(NotReady):
            return server.process(name, limit=1)
