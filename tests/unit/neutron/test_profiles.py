"""What a written profile becomes: Nova's own keys go, what nobody read stays."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.neutron.profiles import BAREMETAL, IRONIC, NOVA, written

OURS = {"ours": 1}
LINK = {"local_link_information": [{"port_id": "1"}]}
SLOT = {"pci_slot": "0000:05:00.1"}


@pytest.mark.parametrize(
    ("stored", "given", "unbinds", "vnic_type", "after"),
    [
        ({}, {}, True, "normal", {}),
        (OURS, {}, True, "normal", OURS),
        (OURS, None, True, "normal", OURS),
        ({**OURS, **SLOT}, {}, True, "normal", OURS),
        ({**OURS, **SLOT}, {"ours": 2}, True, "direct", {"ours": 2}),
        ({**OURS, **LINK}, {}, True, "normal", {**OURS, **LINK}),
        ({**OURS, **LINK}, {}, True, BAREMETAL, OURS),
        ({**OURS, **SLOT}, {}, False, "normal", {}),
        ({**OURS, **SLOT}, {"new": 1}, False, "normal", {"new": 1}),
        (OURS, {**OURS, "migrating_to": "host2"}, False, "normal", {**OURS, "migrating_to": "host2"}),
    ],
)
def test_written(
    stored: dict[str, Any], given: dict[str, Any] | None, unbinds: bool, vnic_type: str, after: dict[str, Any]
) -> None:
    assert written(stored, given, unbinds=unbinds, vnic_type=vnic_type) == after


def test_every_key_of_the_binder_goes() -> None:
    stored = dict.fromkeys(NOVA | IRONIC, 1)
    assert written(stored, {}, unbinds=True, vnic_type="direct") == dict.fromkeys(IRONIC, 1)
    assert written(stored, {}, unbinds=True, vnic_type=BAREMETAL) == {}
