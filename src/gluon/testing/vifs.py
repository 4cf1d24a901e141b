"""VIFs as shims may answer them, and what os-vif makes of each: for a test without Nova, and for one with it.

`GOOD`: believed, and converted by Nova; `BAD`: what a shim must not get through with. Used by tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SLOT = {"pci_slot": "0000:0a:00.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`profile`: of the binding, as Nova wrote it. `made`: the class and the plugin of os-vif; none where libvirt's own
    driver plugs it."""

    vif_type: str
    details: Mapping[str, Any] = field(default_factory=dict)
    vnic_type: str = "normal"
    profile: Mapping[str, Any] = field(default_factory=dict)
    made: tuple[str, str] | None = None


_SOCKET = {"vhostuser_socket": "/run/vpp/one.sock", "vhostuser_mode": "client"}
_OVS = {"bridge_name": "br-gluon"}

GOOD: Sequence[Sample] = (
    Sample(vif_type="ovs", details={**_OVS, "port_filter": False}, made=("VIFOpenVSwitch", "ovs")),
    Sample(vif_type="ovs", made=("VIFOpenVSwitch", "ovs")),
    Sample(
        vif_type="ovs",
        details={**_OVS, "datapath_type": "netdev", "ovs_create_tap": True},
        made=("VIFOpenVSwitch", "ovs"),
    ),
    Sample(vif_type="ovs", details={**_OVS, "ovs_hybrid_plug": True}, made=("VIFBridge", "ovs")),
    Sample(vif_type="ovs", details=_OVS, vnic_type="direct", profile=_SLOT, made=("VIFHostDevice", "ovs")),
    Sample(vif_type="vhostuser", details=_SOCKET, made=("VIFVHostUser", "noop")),
    Sample(
        vif_type="vhostuser",
        details={**_SOCKET, **_OVS, "vhostuser_ovs_plug": True},
        made=("VIFVHostUser", "ovs"),
    ),
    Sample(
        vif_type="vhostuser",
        details={**_SOCKET, "vhostuser_fp_plug": True},
        made=("VIFVHostUser", "vhostuser_fp"),
    ),
    Sample(
        vif_type="vhostuser",
        details={**_SOCKET, "vhostuser_vrouter_plug": True},
        made=("VIFVHostUser", "contrail_vrouter"),
    ),
    Sample(vif_type="vrouter", made=("VIFGeneric", "vrouter")),
    Sample(vif_type="agilio_ovs", details=_OVS, made=("VIFOpenVSwitch", "ovs")),
    Sample(
        vif_type="agilio_ovs",
        details={**_OVS, **_SOCKET},
        vnic_type="virtio-forwarder",
        profile=_SLOT,
        made=("VIFVHostUser", "agilio_ovs"),
    ),
    Sample(vif_type="tap", details={"port_filter": True}),
    Sample(vif_type="hw_veb", details={"vlan": 100}, vnic_type="direct", profile=_SLOT),
    Sample(vif_type="hw_veb", details={"vlan": "100"}, vnic_type="macvtap", profile=_SLOT),
    Sample(vif_type="hostdev_physical", vnic_type="direct-physical", profile=_SLOT),
    Sample(vif_type="ib_hostdev", vnic_type="direct", profile=_SLOT),
    Sample(
        vif_type="macvtap",
        details={
            "macvtap_source": "eth0.7",
            "macvtap_mode": "bridge",
            "physical_interface": "eth0",
            "vlan": 7,
        },
        vnic_type="macvtap",
    ),
    Sample(vif_type="802.1qbh", details={"profileid": "gold"}, vnic_type="direct", profile=_SLOT),
)

BAREMETAL = Sample(vif_type="other", vnic_type="baremetal")
"""Ironic plugs it: no hypervisor is asked."""

BAD: Sequence[tuple[Sample, str]] = (
    (Sample(vif_type="bridge", details=_OVS), "vif_type 'bridge' is none of"),
    (Sample(vif_type=""), "vif_type '' is none of"),
    (Sample(vif_type="unbound"), "is none of"),
    (Sample(vif_type="binding_failed"), "is none of"),
    (Sample(vif_type="distributed"), "is none of"),
    (Sample(vif_type="other"), "is for vnic_type baremetal"),
    (Sample(vif_type="ovs", details={"bridge_name": 7}), "bridge_name has to be a text"),
    (Sample(vif_type="ovs", details={"bridge_name": "br-much-too-long"}), "at most 14 characters"),
    (Sample(vif_type="ovs", details={"ovs_hybrid_plug": "yes"}), "ovs_hybrid_plug has to be true or false"),
    (Sample(vif_type="ovs", details={"datapath_type": "fast"}), "datapath_type has to be one of"),
    (Sample(vif_type="vhostuser"), "need vhostuser_socket"),
    (Sample(vif_type="vhostuser", details={**_SOCKET, "vhostuser_mode": "both"}), "vhostuser_mode has to be"),
    (Sample(vif_type="hw_veb"), "need vlan"),
    (Sample(vif_type="hw_veb", details={"vlan": 5000}), "vlan has to be a number"),
    (Sample(vif_type="hw_veb", details={"vlan": True}), "vlan has to be a number"),
    (Sample(vif_type="macvtap", details={"macvtap_source": "eth0"}), "need macvtap_mode"),
    (Sample(vif_type="802.1qbh"), "need profileid"),
    (Sample(vif_type="ovs", details={"a": {"b": {"c": {"d": {"e": 1}}}}}), "nest deeper than 4"),
    (Sample(vif_type="ovs", details={"x": "y" * 20_000}), "at most 16384"),
)
