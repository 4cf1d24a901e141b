"""What makes no sense, and what makes sense to few: refused in Neutron's words, or done in whole."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.api.neutron.cloud import CALLERS, PROJECT, Cloud

WRONG: tuple[Any, ...] = (5, 1.5, True, [], {}, [[]], {"a": 1}, "\0", "x" * 70_000, 2**70)
TEXTS = ("name", "mac_address", "device_id", "device_owner", "project_id", "tenant_id", "id", "network_id",
         "binding:vnic_type", "binding:host_id", "description")  # fmt: skip


async def test_pages_without_ids_have_links(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24", "198.51.100.0/24")
    await cloud.l2_network()
    await cloud("user", "POST", "ports", {"ports": [{"network_id": network["id"]}] * 2})
    for plural, field in (("ports", "status"), ("networks", "mtu"), ("subnets", "cidr")):
        first = await cloud("user", "GET", f"{plural}?fields={field}&limit=1")
        assert [set(one) for one in first[plural]] == [{field}]
        (link,) = first[f"{plural}_links"]
        after = await cloud("user", "GET", link["href"].partition("/networking/v2.0/")[2])
        assert [set(one) for one in after[plural]] == [{field}]
        assert {one["rel"] for one in after[f"{plural}_links"]} >= {"previous"}


async def test_an_id_counts_however_it_is_written(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    for given in (str(uuid.uuid4()).upper(), uuid.uuid4().hex):
        wanted = {"network_id": network["id"], "id": given, "binding:host_id": "host1"}
        made = (await cloud("nova", "POST", "ports", {"port": wanted}))["port"]
        assert made["id"] == str(uuid.UUID(given))
        assert (made["binding:vif_type"], len(made["fixed_ips"])) == ("ovs", 1)
        assert await cloud.refused("nova", "POST", "ports", {"port": wanted}) == (409, "PortInUse")


async def test_a_network_has_one_name(cloud: Cloud) -> None:
    port = await cloud.vpn_port(None)
    bare = await cloud.world.made("user", "/proton/net-l2/v2.0/ports", {})
    network = (await cloud("user", "GET", f"ports/{bare['id']}"))["port"]["network_id"]
    assert network != port["network_id"]
    await cloud("user", "GET", f"networks/{network}")
    for other in (network.upper(), network.replace("-", ""), f"%7B{network}%7D", f"urn:uuid:{network}"):
        assert await cloud.refused("user", "GET", f"networks/{other}") == (404, "NetworkNotFound")


async def test_wrong_values_of_each_attribute(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    port = (await cloud("user", "POST", "ports", {"port": {"network_id": network["id"]}}))["port"]["id"]
    for name in TEXTS:
        for value in WRONG:
            if value in (True, False, [], {}) and name in ("id", "project_id", "tenant_id"):
                continue
            body = {"port": {"network_id": network["id"], name: value}}
            status, _ = await cloud.refused("nova", "POST", "ports", body)
            assert status in (400, 404), (name, value)
            status, _ = await cloud.refused("nova", "PUT", f"ports/{port}", {"port": {name: value}})
            assert status == 400, (name, value)
    lists: Mapping[str, Sequence[Any]] = {
        "fixed_ips": (5, "x", {}, [5], [[]], [{"ip_address": 5}], [{"ip_address": "x"}], [{"x": "y"}], [{"ip_address": "\0"}]),
        "binding:profile": (5, "x", [], [{}], True),
        "admin_state_up": (5, "x", [], {}, None, 2),
        "security_groups": (5, "x", ["x"], {}, True),
        "port_security_enabled": (True, 1, "x", [], {}),
        "tags": (["a"], {}, 5),
    }  # fmt: skip
    for name, values in lists.items():
        for wrong in values:
            body = {"port": {"network_id": network["id"], name: wrong}}
            assert (await cloud.refused("nova", "POST", "ports", body))[0] == 400, (name, wrong)
            assert (await cloud.refused("nova", "PUT", f"ports/{port}", {"port": {name: wrong}}))[0] == 400
    both = {"network_id": network["id"], "project_id": PROJECT, "tenant_id": CALLERS["stranger"].project}
    assert await cloud.refused("nova", "POST", "ports", {"port": both}) == (400, "HTTPBadRequest")
    assert len((await cloud("nova", "GET", "ports"))["ports"]) == 1


async def test_wrong_values_of_a_binding(cloud: Cloud) -> None:
    port = (await cloud.vpn_port())["id"]
    bodies: Sequence[Any] = (
        *({"host": value} for value in (*WRONG, None, "")),
        *({"host": "a", "vnic_type": value} for value in (*WRONG, "nonsense") if value not in ([], {})),
        *({"host": "a", "profile": value} for value in WRONG if not isinstance(value, dict)),
        {"host": "a", "colour": "blue"},
        {},
    )
    for body in bodies:
        status, _ = await cloud.refused("nova", "POST", f"ports/{port}/bindings", {"binding": body})
        assert status == 400, body
    assert (await cloud("nova", "GET", f"ports/{port}/bindings"))["bindings"] == []
    for host in ("%00", "a" * 4000, "%ff", "..%2F..", "%F0%9F%98%80"):
        found = await cloud.refused("nova", "GET", f"ports/{port}/bindings/{host}")
        assert found == (404, "PortBindingNotFound")


@pytest.mark.parametrize("profile", ["[1]", "5", "null"])
async def test_a_profile_that_a_proton_has_and_neutron_could_not(cloud: Cloud, profile: str) -> None:
    port = await cloud.vpn_port(profile=profile)
    assert port["binding:profile"] == {}
    bound = await cloud("nova", "PUT", f"ports/{port['id']}", {"port": {"binding:host_id": "a"}})
    assert bound["port"]["binding:vif_type"] == "ovs"
    body = {"port": {"binding:host_id": "", "binding:profile": {}}}
    assert (await cloud("nova", "PUT", f"ports/{port['id']}", body))["port"]["binding:vif_type"] == "unbound"


async def test_the_mac_address_of_a_bound_port_stays(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    port = (await cloud("user", "POST", "ports", {"port": {"network_id": network["id"]}}))["port"]
    await cloud("nova", "PUT", f"ports/{port['id']}", {"port": {"binding:host_id": "a"}})
    other = {"port": {"mac_address": "fa:16:3e:99:99:99"}}
    for who in ("user", "nova"):
        assert await cloud.refused(who, "PUT", f"ports/{port['id']}", other) == (409, "PortBound")
    same = {"port": {"mac_address": port["mac_address"].upper(), "name": "web"}}
    await cloud("user", "PUT", f"ports/{port['id']}", same)
    await cloud("nova", "PUT", f"ports/{port['id']}", {"port": {"binding:host_id": ""}})
    await cloud("user", "PUT", f"ports/{port['id']}", other)


@pytest.mark.parametrize("who", ["user", "nova"])
async def test_paths_and_bodies_that_nobody_sends(cloud: Cloud, who: str) -> None:
    for path in ("%00", "a" * 8000, "%ff", "%2e%2e", "%ed%a0%80", ".%2F..", "x%20y", "-1", "%F0%9F%98%80"):
        for plural in ("ports", "networks", "subnets", "security-groups", "extensions", "floatingips"):
            assert (await cloud.refused(who, "GET", f"{plural}/{path}"))[0] == 404, (plural, path)
        assert (await cloud.refused(who, "PUT", f"ports/{path}", {"port": {"name": "x"}}))[0] == 404
        assert (await cloud.refused(who, "DELETE", f"ports/{path}"))[0] == 404
    for path in (
        "/ports",
        "x",
        "ports/a/b",
        "ports/a/bindings/b/c",
        "ports/a/bindings/b/activate/c",
        "..",
        "%00",
    ):
        assert (await cloud.refused(who, "GET", path))[0] == 404, path
    wrong: Sequence[Any] = (
        None,
        [],
        5,
        "x",
        {},
        {"port": None},
        {"port": []},
        {"ports": []},
        {"ports": {}},
        {"ports": [5]},
    )
    for body in wrong:
        assert (await cloud.refused(who, "POST", "ports", body))[0] in (400, 415), body
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert (await cloud.refused(who, "POST", "ports", {"port": {"network_id": "x", "name": deep}}))[0] in (
        400,
        404,
    )
    for method in ("PATCH", "OPTIONS", "TRACE", "FOO", "DELETE"):
        assert (await cloud.refused(who, method, "ports"))[0] == 405
