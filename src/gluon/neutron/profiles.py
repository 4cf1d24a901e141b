"""What becomes of a port's `binding:profile` when it is written.

Nova reads a profile, takes its own keys out and writes the rest back when it unbinds, but it reads with the token of a user,
who sees none. So an unbind that gives a profile takes out what belongs to who binds, and keeps all else: nobody has to
have read it. Any other write replaces the whole, as in Neutron. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOVA = frozenset({
    "allocation",
    "arq_uuid",
    "capabilities",
    "card_serial_number",
    "device_mac_address",
    "migrating_to",
    "pci_slot",
    "pci_vendor_info",
    "pf_mac_address",
    "physical_network",
    "vf_num",
})  # fmt: skip
"""Keys that Nova writes while it binds."""
IRONIC = frozenset({"local_group_information", "local_link_information"})
"""And those of Ironic, on ports of bare metal alone."""
BAREMETAL = "baremetal"


def written(
    stored: Mapping[str, Any], given: Mapping[str, Any] | None, *, unbinds: bool, vnic_type: str
) -> dict[str, Any]:
    """The profile after a request that gives one."""
    if not unbinds:
        return dict(given or {})
    own = NOVA | IRONIC if vnic_type == BAREMETAL else NOVA
    return {**{key: value for key, value in stored.items() if key not in own}, **(given or {})}
