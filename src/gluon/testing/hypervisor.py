"""A small hypervisor: plugs VMs as Nova's os-vif does, by the bind's answer alone.

In: `Plug`, what Nova knows of a port after the bind (`vif_type`, `vif_details`, id, MAC, address). Out: a
VM, which is a namespace with that NIC. It knows nothing else of Gluon, and Gluon nothing of it.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.errors import GluonError
from gluon.testing.lab.host import Host
from gluon.testing.lab.lab import Lab
from gluon.testing.lab.ovs import OvsInstance
from gluon.testing.process import run

_MTU = 1400  # room for the tunnel's headers below the underlay's 1500
_NAME_LENGTH = 11  # os-vif and Neutron: "tap" and so much of the port's id fit a device name


class CannotPlug(GluonError):
    """The bind's answer is none that this hypervisor can plug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """One NIC. `address` with its prefix length (`10.1.1.5/24`); `gateway` '' means no default route."""

    port_id: str
    mac: str
    address: str
    vif_type: str
    gateway: str = ""
    vif_details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """The host's end, as os-vif names it."""
        return f"tap{self.port_id[:_NAME_LENGTH]}"


class Hypervisor:
    """The hypervisor of one host with its own Open vSwitch."""

    def __init__(self, lab: Lab, switch: OvsInstance) -> None:
        self._lab = lab
        self._switch = switch
        self._vm_ids: dict[str, str] = {}

    def boot(self, name: str, *plugs: Plug) -> Host:
        """A new VM with these NICs (`eth0`, `eth1`, …); returns when they are plugged."""
        vm = self._lab.host(name)
        for number, plug in enumerate(plugs):
            self.plug(vm, plug, nic=f"eth{number}")
        return vm

    def plug(self, vm: Host, plug: Plug, *, nic: str = "eth0") -> None:
        """Give a VM a NIC: the bridge's port first, as os-vif does, then the guest's configuration."""
        bridge = self._bridge(plug)
        host = self._switch.host
        self._lab.cable(host, plug.device, vm, nic)
        self._switch.vsctl(
            *("--if-exists", "del-port", plug.device),  # what a crashed hypervisor left
            *("--", "add-port", bridge, plug.device, "--", "set", "Interface", plug.device),
            *(f"external_ids:iface-id={plug.port_id}", "external_ids:iface-status=active"),
            f'external_ids:attached-mac="{plug.mac}"',
            f"external_ids:vm-uuid={self._vm_id(vm)}",
        )
        vm.ip("link", "set", nic, "address", plug.mac)
        vm.address(nic, plug.address, mtu=_MTU)
        if plug.gateway:
            self._default_route(vm, plug, nic)

    def unplug(self, plug: Plug) -> None:
        """Take the NIC away: the bridge's port, then the devices of host and VM."""
        self._switch.vsctl("--if-exists", "del-port", plug.device)
        if plug.device in self._switch.host.devices():
            self._switch.host.ip("link", "delete", plug.device)

    def destroy(self, vm: Host, *plugs: Plug) -> None:
        """Unplug the NICs and end the VM."""
        for plug in plugs:
            self.unplug(plug)
        self._lab.remove(vm)
        self._vm_ids.pop(vm.name, None)

    @staticmethod
    def _bridge(plug: Plug) -> str:
        bridge = plug.vif_details.get("bridge_name")
        if plug.vif_type != "ovs" or not isinstance(bridge, str) or not bridge:
            raise CannotPlug(
                f"port {plug.port_id}: vif_type {plug.vif_type!r}, vif_details {plug.vif_details!r}"
            )
        return bridge

    @staticmethod
    def _default_route(vm: Host, plug: Plug, nic: str) -> None:
        """A gateway outside of the NIC's own prefix is reached on the link all the same."""
        outside = ipaddress.ip_address(plug.gateway) not in ipaddress.ip_interface(plug.address).network
        run(
            [
                *("ip", "-n", vm.namespace, "route", "replace", "default", "via", plug.gateway, "dev", nic),
                *(["onlink"] if outside else []),
            ]
        )

    def _vm_id(self, vm: Host) -> str:
        return self._vm_ids.setdefault(vm.name, str(uuid.uuid4()))
