"""Live migrations that go other ways than Nova hoped, as Nova sees them."""

from __future__ import annotations

from typing import Any

from tests.api.neutron.cloud import Cloud
from tests.api.neutron.test_nova import bind

SLOT = {"pci_slot": "0000:81:10.7", "capabilities": [f"switchdev-{n}" for n in range(20)]}
"""Longer than what a client of net-l3vpn 1.0 may write itself."""


async def target(cloud: Cloud, key: str, **more: Any) -> Any:
    wanted = {"binding": {"host": "host2", **more}}
    return (await cloud("nova", "POST", f"ports/{key}/bindings", wanted, 201))["binding"]


async def test_the_profile_of_the_target_is_the_ports_however_long_it_is(cloud: Cloud) -> None:
    """Else the port names the device of the source, and the next change of anything tells the target so."""
    key = (await cloud.vpn_port())["id"]
    await bind(cloud, key)
    source = {"port": {"binding:profile": {"pci_slot": "0000:05:10.1", "migrating_to": "host2"}}}
    await cloud("nova", "PUT", f"ports/{key}", source)
    await target(cloud, key, profile=SLOT)
    await cloud("nova", "PUT", f"ports/{key}/bindings/host2/activate")
    assert (await cloud("nova", "GET", f"ports/{key}"))["port"]["binding:profile"] == SLOT
    await cloud("user", "PUT", f"ports/{key}", {"port": {"name": "web"}})
    assert (await cloud("nova", "GET", f"ports/{key}/bindings/host2"))["binding"]["profile"] == SLOT


async def test_a_host_that_the_port_could_never_name_is_refused_before_a_machine_goes_there(
    cloud: Cloud,
) -> None:
    """As where it is bound there at once; else it is refused when the machine is there already."""
    key = (await cloud.vpn_port())["id"]
    await bind(cloud, key)
    host = f"{'compute' * 10}.example"
    assert await cloud.refused("nova", "PUT", f"ports/{key}", {"port": {"binding:host_id": host}}) == (
        400,
        "InvalidInput",
    )
    wanted = {"binding": {"host": host}}
    assert await cloud.refused("nova", "POST", f"ports/{key}/bindings", wanted) == (400, "InvalidInput")
    assert len((await cloud("nova", "GET", f"ports/{key}/bindings"))["bindings"]) == 1
