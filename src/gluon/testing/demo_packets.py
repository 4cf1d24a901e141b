"""The demo with packets: etcd, API, two hosts with Open vSwitch, GoBGP and a shim, a reflector."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gluon.testing import demo_case as case
from gluon.testing.lab import Capture, Lab, ask_name, ping
from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer
from gluon.testing.two_hosts import TwoHosts, Vm


def run(*, keep: bool) -> None:
    """Raises `DemoFailed`, or `GluonError` if it could not run."""
    with (
        EtcdServer() as etcd,
        GluonServer("server", "--etcd", etcd.url) as server,
        Lab() as lab,
        TwoHosts(lab, etcd.url) as site,
    ):
        print("Hosts A and B: Open vSwitch, GoBGP and a shim each; a route reflector; etcd; the API.")
        client = case.Client(server)
        with ThreadPoolExecutor(2) as pool:
            making = pool.submit(case.make, client)
            site.start()
            made = making.result()
        print("Made with protonclient: VPN Blue and VPN Red, with the same addresses.\n")
        _wait_for_shims(server)
        vms, first = _boot(site, client, made)
        _wait_active(server, made)
        wrong = case.matrix(lambda m, a: _answer(vms[m.name], a, case.expected(m, a)))
        labels = _labels(site, vms)
        print(
            f"\nMPLS labels on the wire between A and B: {', '.join(str(n) for n in sorted(labels)) or 'none'}"
        )
        print(f"From the bind's request to the first answered ping: {first:.2f} s")
        if not labels:
            wrong.append("no MPLS label was seen on the wire")
        if wrong:
            raise case.DemoFailed("; ".join(wrong))
        if keep:
            names = [f"ip netns exec {vm.host.namespace} ping {_other(name)}" for name, vm in vms.items()]
            case.say_ids(server, made, names)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _other(name: str) -> str:
    machine = next(m for m in case.MACHINES if m.name == name)
    return next(m.address for m in case.MACHINES if m.vpn == machine.vpn and m is not machine)


def _wait_for_shims(server: GluonServer) -> None:
    wait_until(
        lambda: len(server.request("GET", "/gluon/v1/status")[1]["shims"]) == 2,
        "both shims to register",
        limit=20,
    )


def _boot(site: TwoHosts, client: case.Client, made: case.Made) -> tuple[dict[str, Vm], float]:
    """Bind and plug all; measure the last one, which has somebody to ping across the core."""
    vms: dict[str, Vm] = {}
    *others, last = case.MACHINES

    def boot(machine: case.Machine) -> None:
        bound = case.bind(client, machine, made.ports[machine.name])
        vms[machine.name] = site.pe(machine.host).boot(
            machine.name,
            bound,
            address=f"{machine.address}/{case.PREFIX_LENGTH}",
            gateway=machine.gateway,
        )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(boot, others))
    began = time.monotonic()
    boot(last)
    peer = _other(last.name)
    wait_until(lambda: ping(vms[last.name].host, peer, seconds=0.3), f"{last.name} to reach {peer}", limit=30)
    return vms, time.monotonic() - began


def _wait_active(server: GluonServer, made: case.Made) -> None:
    """Every port says that it is plugged, programmed and announced."""
    standing: dict[str, Any] = {}

    def active() -> bool:
        for name, port in made.ports.items():
            path = f"/proton/{case.API}/v1.0/ports/{port['id']}/status"
            standing[name] = server.request("GET", path)[1]
        return all(s["status"] == "ACTIVE" for s in standing.values())

    try:
        wait_until(active, "all ports ACTIVE", limit=20, every=0.1)
    except NotReady as error:
        late = {n: s["conditions"] for n, s in standing.items() if s["status"] != "ACTIVE"}
        raise case.DemoFailed(f"{error}: {late}") from None


def _answer(vm: Vm, address: str, must: str) -> str:
    """Who answers TCP at `address`; ping must agree. A first packet may be lost to ARP, and a machine may be slow: try again
    where somebody must answer."""
    for _ in range(20 if must else 1):
        name = ask_name(vm.host, address, seconds=0.4)
        if name:
            break
    reached = any(ping(vm.host, address, seconds=0.4) for _ in range(20 if name else 1))
    if bool(name) != reached:
        raise case.DemoFailed(
            f"{vm.name} to {address}: TCP {'works' if name else 'does not'}, ping the other way"
        )
    return name


def _labels(site: TwoHosts, vms: dict[str, Vm]) -> set[int]:
    with Capture(site.core, "p0", "proto 47") as capture:
        ping(vms["blue1"].host, "10.1.1.6", count=2)
        try:
            capture.wait_for(r"MPLS \(label")
        except NotReady:
            return set()
        return capture.labels()
