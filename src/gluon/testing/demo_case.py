"""The any-to-any case of NetReady: what is made, and who must reach whom.

VPN Blue: 10.1.1.5 and 10.3.7.9 on host A, 10.1.1.6 and 10.3.7.10 on B. VPN Red: 10.1.1.5 on A and
10.1.1.6 on B. Inside a VPN all reach all; between the VPNs nobody, equal addresses or not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluon.errors import GluonError
from gluon.testing.product import GluonServer

API = "net-l3vpn"


class DemoFailed(GluonError):
    """Something is not as it must be."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One VM of the case."""

    name: str
    vpn: str
    host: str
    address: str

    @property
    def network(self) -> str:
        return self.address.rpartition(".")[0]

    @property
    def gateway(self) -> str:
        return f"{self.network}.1"


MACHINES = (
    Machine("blue1", "Blue", "A", "10.1.1.5"),
    Machine("blue2", "Blue", "A", "10.3.7.9"),
    Machine("blue3", "Blue", "B", "10.1.1.6"),
    Machine("blue4", "Blue", "B", "10.3.7.10"),
    Machine("red1", "Red", "A", "10.1.1.5"),
    Machine("red2", "Red", "B", "10.1.1.6"),
)
TARGETS = {"Blue": "65000:100", "Red": "65000:200"}
PREFIX_LENGTH = 24


def expected(source: Machine, address: str) -> str:
    """The name of the machine that must answer at `address`, '' if none may."""
    return next((m.name for m in MACHINES if m.vpn == source.vpn and m.address == address), "")


class Client:
    """`protonclient` as a user runs it."""

    def __init__(self, server: GluonServer) -> None:
        self._command = [str(Path(sys.executable).parent / "protonclient"), "--api", API]
        self._env = {**os.environ, "OS_PROTON_HOST": "127.0.0.1", "OS_PROTON_PORT": str(server.port)}

    def __call__(self, command: str, *words: str, **attributes: object) -> Any:
        """The decoded output. Raises `DemoFailed` with what the command said."""
        arguments = [text for name, value in attributes.items() for text in (f"--{name}", str(value))]
        done = subprocess.run(
            [*self._command, command, *words, *arguments],
            capture_output=True,
            text=True,
            env=self._env,
            timeout=90,
            check=False,
        )
        if done.returncode != 0:
            raise DemoFailed(f"protonclient {command}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None


@dataclass(frozen=True, slots=True)
class Made:
    """The objects of the case, as the API answered: VPNs and ports by name."""

    vpns: Mapping[str, Any]
    ports: Mapping[str, Any]


def make(client: Client) -> Made:
    """Two VPNs, six ports, each with its address in its VPN."""
    project = str(uuid.uuid4())
    with ThreadPoolExecutor(2) as pool:
        vpns = dict(
            pool.map(
                lambda name: (
                    name,
                    client("vpn-create", tenant_id=project, name=name, ipv4_family=TARGETS[name]),
                ),
                TARGETS,
            )
        )
        ports = dict(
            pool.map(lambda one: (one[1].name, _port(client, project, vpns, *one)), enumerate(MACHINES))
        )
    return Made(vpns=vpns, ports=ports)


def _port(client: Client, project: str, vpns: Mapping[str, Any], number: int, machine: Machine) -> Any:
    port = client(
        "port-create",
        tenant_id=project,
        name=machine.name,
        mac_address=f"fa:16:3e:00:00:{number + 1:02x}",
        admin_state_up="true",
        status="ACTIVE",
        vnic_type="normal",
        mtu=1400,
        vlan_transparency="false",
    )
    client(
        "vpnbinding-create",
        tenant_id=project,
        interface_id=port["id"],
        service_id=vpns[machine.vpn]["id"],
        ipaddress=machine.address,
        subnet_prefix=PREFIX_LENGTH,
        gateway=machine.gateway,
    )
    return port


def bind(client: Client, machine: Machine, port: Mapping[str, Any]) -> Any:
    """Bind as Nova does; the answer says where to plug. Raises `DemoFailed` with the reason."""
    bound = client("port-update", port["id"], host_id=machine.host, device_id=str(uuid.uuid4()))
    if bound["vif_type"] in (None, "binding_failed"):
        raise DemoFailed(
            f"{machine.name} was not bound to {machine.host}; see GET …/ports/{port['id']}/status"
        )
    return bound


def matrix(answers: Callable[[Machine, str], str]) -> list[str]:
    """Ask all machines for all addresses, print the table, return what is wrong."""
    addresses = sorted({m.address for m in MACHINES}, key=lambda a: [int(p) for p in a.split(".")])
    wrong: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        found = {m: list(pool.map(lambda a, m=m: answers(m, a), addresses)) for m in MACHINES}
    width = max(len(a) for a in addresses) + 2
    print(f"{'from':<28}" + "".join(f"{a:>{width}}" for a in addresses))
    for machine, row in found.items():
        label = f"{machine.name} ({machine.vpn}, {machine.host}, {machine.address})"
        print(f"{label:<28}" + "".join(f"{name or '-':>{width}}" for name in row))
        for address, name in zip(addresses, row, strict=True):
            must = expected(machine, address)
            if name != must:
                wrong.append(
                    f"{machine.name} to {address}: '{name or 'nobody'}' answers, it must be '{must or 'nobody'}'"
                )
    return wrong


def say_ids(server: GluonServer, made: Made, more: Sequence[str] = ()) -> None:
    """What a person needs for a look."""
    print(f"\nLeft running. The API: {server.url}/proton/{API}/v1.0/")
    print(f"  export OS_PROTON_PORT={server.port}")
    for machine in MACHINES:
        print(f"  {machine.name:<6} {made.ports[machine.name]['id']}")
    for line in more:
        print(f"  {line}")
    print("Ctrl-C ends it.", flush=True)
