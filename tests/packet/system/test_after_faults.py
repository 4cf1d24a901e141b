"""After any one part died, hung or lost its memory, the same machines reach each other, and no others."""

import os
import signal
import uuid

import pytest

from gluon.testing import demo_case as case
from gluon.testing.process import NotReady, alive, wait_until
from gluon.testing.product import GluonServer
from tests.packet.system.conftest import PATIENCE, System

pytestmark = pytest.mark.packet

V1 = f"/proton/{case.API}/v1.0"


def make_vpn(server: GluonServer, name: str) -> str:
    body = {"tenant_id": str(uuid.uuid4()), "name": name, "ipv4_family": "65000:900"}
    status, answer = server.request("POST", f"{V1}/vpns", body)
    assert status == 201, answer
    key: str = answer["id"]
    return key


def published(system: System, key: str) -> bool:
    return key in system.etcd.etcdctl("get", "--prefix", "--keys-only", "/proton/")


def kill_and_wait(system: System, name: str) -> None:
    pid = system.server.process(name)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), f"death of {name}", limit=10)

    def back() -> bool:
        try:
            return system.server.process(name) != pid and system.server.request("GET", "/readyz")[0] == 200
        except (NotReady, OSError):
            return False

    wait_until(back, f"another {name}", limit=PATIENCE)


@pytest.mark.parametrize("name", ["worker-0", "publisher"])
def test_a_killed_process_of_the_server(system: System, name: str) -> None:
    kill_and_wait(system, name)
    key = make_vpn(system.server, name)
    wait_until(lambda: published(system, key), "the new VPN in etcd", limit=PATIENCE)
    system.settle()


@pytest.mark.parametrize("host", ["A", "B"])
def test_a_killed_shim_leaves_traffic_alone_and_comes_back(system: System, host: str) -> None:
    shim = system.site.pe(host).shim
    shim.daemon.kill9()
    assert system.wrong() == []
    shim.start()
    system.settle()


def test_a_killed_switch(system: System) -> None:
    switch = system.site.pe("A").switch
    switch.kill9()
    switch.start()
    system.settle()


def test_a_killed_speaker(system: System) -> None:
    speaker = system.site.pe("B").speaker
    speaker.kill9()
    speaker.start()
    system.settle()


def test_etcd_away_for_a_while(system: System) -> None:
    system.etcd.stop()
    key = make_vpn(system.server, "while etcd is away")
    assert system.wrong() == []
    system.etcd.start()
    wait_until(lambda: published(system, key), "the new VPN in etcd", limit=PATIENCE)
    system.settle()


def test_etcd_wiped(system: System) -> None:
    system.etcd.stop()
    system.etcd.wipe()
    system.etcd.start()
    wait_until(
        lambda: all(published(system, p["id"]) for p in system.made.ports.values()),
        "a resync",
        limit=PATIENCE,
    )
    system.settle()


def test_etcd_restored_to_an_older_snapshot(system: System) -> None:
    snapshot = system.etcd.snapshot()
    key = make_vpn(system.server, "after the snapshot")
    wait_until(lambda: published(system, key), "the new VPN in etcd", limit=PATIENCE)
    system.etcd.restore(snapshot)
    wait_until(lambda: published(system, key), "the new VPN in etcd again", limit=PATIENCE)
    system.settle()


def test_the_database_restored_to_an_older_dump(system: System) -> None:
    before = system.server.request("GET", "/gluon/v1/status")[1]["database"]
    dump = system.postgres.dump(system.database)
    lost = make_vpn(system.server, "after the dump")
    wait_until(lambda: published(system, lost), "the new VPN in etcd", limit=PATIENCE)
    system.server.end()
    system.postgres.restore(system.database, dump)
    system.server.start()
    wait_until(lambda: not published(system, lost), "the lost VPN to leave etcd", limit=PATIENCE)
    system.settle()
    after = system.server.request("GET", "/gluon/v1/status")[1]["database"]
    assert after["incarnation"] != before["incarnation"]
    assert after["revision"] > before["revision"] + 1_000_000


def test_unplug_and_unbind_take_one_machine_out_and_leave_the_others(system: System) -> None:
    machine = case.MACHINES[1]
    vm = system.vms[machine.name]
    pe = system.site.pe(machine.host)
    pe.hypervisor.unplug(vm.plug)
    wait_until(lambda: system.standing(machine.name)["status"] == "DOWN", "the port DOWN", limit=PATIENCE)
    client = case.Client(system.server)
    unbound = client("port-update", system.made.ports[machine.name]["id"], "--host_id", "", "--device_id", "")
    assert unbound["vif_type"] is None
    wait_until(
        lambda: system.standing(machine.name)["binding"]["state"] == "Unbound",  # type: ignore[index]
        "the port Unbound",
        limit=PATIENCE,
    )
    bound = case.bind(client, machine, system.made.ports[machine.name])
    assert bound["vif_type"] == "ovs"
    pe.hypervisor.plug(vm.host, vm.plug)
    system.settle()
