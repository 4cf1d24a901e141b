"""Two hosts with everything real: Open vSwitch, gobgpd and a shim process each, a reflector between.

In: etcd's URL. Out: `TwoHosts` with `Pe`s whose daemons and shims can be killed and started again.
The shims are `gluon shim` as an operator starts it, with a TOML file; VMs are namespaces. Used by the
demo and by the tests of the whole system.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gluon.testing.hypervisor import Hypervisor, Plug
from gluon.testing.lab import GobgpDaemon, Host, Lab, NameServer, OvsInstance, RouteReflector
from gluon.testing.product import GluonShim

ASN = 65000
CONTROLLER = "bgp_mpls"
_REFLECTOR = "192.0.2.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vm:
    """A running VM and its NIC."""

    name: str
    host: Host
    plug: Plug

    @property
    def address(self) -> str:
        return self.plug.address.split("/", 1)[0]


class Pe:
    """One host: underlay, switch, speaker, hypervisor and shim."""

    def __init__(self, site: TwoHosts, name: str, address: str, labels: str) -> None:
        self.name = name
        self.address = address
        self.host = site.lab.host(name)
        self.switch = OvsInstance(self.host)
        self.speaker = GobgpDaemon(self.host)
        self.hypervisor = Hypervisor(site.lab, self.switch)
        self._file = self.host.folder / "shim.toml"
        self._file.write_text(
            f"""
[shim]
backend = "bgp_mpls"
hosts = ["{name}"]
[shim.options]
ovsdb = "{self.switch.db}"
ovs_rundir = "{self.switch.run_dir}"
speaker = "{self.speaker.target}"
router_id = "{address}"
asn = {ASN}
labels = "{labels}"
reflectors = [{{address = "{_REFLECTOR}", passive = {str(site.reflector.dials).lower()}, hold_time = 9}}]
""",
            encoding="utf-8",
        )
        self.shim = GluonShim("--config", str(self._file), "--etcd", site.etcd)

    def start(self) -> None:
        """Daemons first, then the shim."""
        self.switch.start()
        self.switch.underlay("eth0", f"{self.address}/24")
        self.speaker.start()
        self.shim.start()

    def boot(self, name: str, port: Mapping[str, Any], *, address: str, gateway: str) -> Vm:
        """A VM on a bound port; `port` is the bind's answer, as a hypervisor gets it."""
        plug = Plug(
            port_id=port["id"],
            mac=port["mac_address"],
            address=address,
            gateway=gateway,
            vif_type=port["vif_type"] or "",
            vif_details=_details(port["vif_details"]),
        )
        vm = self.hypervisor.boot(name, plug)
        NameServer(vm).start()
        return Vm(name=name, host=vm, plug=plug)


def _details(text: str | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(text or "{}")
    return found


class TwoHosts:
    """Hosts `A` and `B` on one underlay, and the reflector. A context manager: `start` is apart."""

    def __init__(self, lab: Lab, etcd: str) -> None:
        self.lab = lab
        self.etcd = etcd
        a, b, middle = lab.host("A"), lab.host("B"), lab.host("reflector")
        self.core = lab.segment("core", a, b, middle)
        middle.address("eth0", f"{_REFLECTOR}/24")
        clients = ["192.0.2.1", "192.0.2.2"]
        self.reflector = RouteReflector(middle, router_id=_REFLECTOR, clients=clients, asn=ASN)
        self.pes = (
            Pe(self, "A", "192.0.2.1", "1000-1999"),
            Pe(self, "B", "192.0.2.2", "2000-2999"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pe in self.pes:
            pe.shim.stop()

    def start(self) -> None:
        """All daemons and shims; the reflector last, as it dials."""
        for pe in self.pes:
            pe.start()
        self.reflector.start()

    def pe(self, name: str) -> Pe:
        return next(p for p in self.pes if p.name == name)
