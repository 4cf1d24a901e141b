"""The whole system with packets: PostgreSQL, etcd, `gluon server`, two hosts with a shim process each.

One site serves all tests of this folder, which leave it as they found it: six VMs in two VPNs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from gluon.testing import demo_case as case
from gluon.testing.lab import Lab, ask_name, needs, ping, unmet_needs
from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, PostgresServer
from gluon.testing.two_hosts import TwoHosts, Vm

PATIENCE = 45.0
"""Seconds for the whole system to calm down on a slow machine."""


@dataclass
class System:
    """All its parts, and what was made in it."""

    postgres: PostgresServer
    database: str
    etcd: EtcdServer
    server: GluonServer
    site: TwoHosts
    made: case.Made
    vms: dict[str, Vm] = field(default_factory=dict)

    def boot(self) -> None:
        """Bind and plug every machine of the case."""
        client = case.Client(self.server)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda m: self._boot(client, m), case.MACHINES))

    def _boot(self, client: case.Client, machine: case.Machine) -> None:
        bound = case.bind(client, machine, self.made.ports[machine.name])
        self.vms[machine.name] = self.site.pe(machine.host).boot(
            machine.name,
            bound,
            address=f"{machine.address}/{case.PREFIX_LENGTH}",
            gateway=machine.gateway,
        )

    def wrong(self) -> list[str]:
        """Who answers whom and must not, or the other way round."""
        found = []
        for machine in case.MACHINES:
            vm = self.vms[machine.name].host
            for address in sorted({m.address for m in case.MACHINES}):
                must = case.expected(machine, address)
                name = ask_name(vm, address, seconds=0.4)
                if name != must or ping(vm, address, seconds=0.4) != bool(must):
                    found.append(f"{machine.name} to {address}: '{name}', not '{must}'")
        return found

    def settle(self) -> None:
        """Wait until the matrix is right and every port ACTIVE; fails with what is not."""
        wrong: list[str] = []

        def right() -> bool:
            wrong[:] = self.wrong()
            return not wrong

        try:
            wait_until(right, "the matrix", limit=PATIENCE, every=0.2)
        except NotReady as error:
            raise AssertionError(f"{error}: {wrong}") from None
        wait_until(self.all_active, "all ports ACTIVE", limit=PATIENCE, every=0.2)

    def standing(self, name: str) -> dict[str, object]:
        path = f"/proton/{case.API}/v1.0/ports/{self.made.ports[name]['id']}/status"
        answer: dict[str, object] = self.server.request("GET", path)[1]
        return answer

    def all_active(self) -> bool:
        try:
            return all(self.standing(m.name)["status"] == "ACTIVE" for m in case.MACHINES)
        except (OSError, KeyError):
            return False


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    if why := unmet_needs(*needs.SWITCH, *needs.SPEAKER, "etcd", "initdb", "postgres"):
        pytest.skip(why)
    with PostgresServer() as postgres, EtcdServer() as etcd:
        database = postgres.create_database()
        arguments = ("--database", postgres.url(database, unix=True), "--etcd", etcd.url)
        with (
            GluonServer("server", *arguments) as server,
            Lab() as lab,
            TwoHosts(lab, etcd.url) as site,
        ):
            site.start()
            made = case.make(case.Client(server))
            running = System(postgres, database, etcd, server, site, made)
            wait_until(
                lambda: len(server.request("GET", "/gluon/v1/status")[1]["shims"]) == 2,
                "both shims",
                limit=30,
            )
            running.boot()
            running.settle()
            yield running
