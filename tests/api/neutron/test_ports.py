"""Ports made, changed and deleted through the face: one unit of the proton, Neutron's own names for what is refused."""

from __future__ import annotations

import uuid
from typing import Any

from gluon import errors
from tests.api.neutron.cloud import L2, L3, PROJECT, Cloud


def port(network: Any, **more: Any) -> dict[str, Any]:
    return {"port": {"network_id": network["id"], "tenant_id": PROJECT, **more}}


async def test_one_unit_makes_port_interface_and_binding(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    key = str(uuid.uuid4())
    made = (await cloud("nova", "POST", "ports", port(network, id=key, name="p"), 201))["port"]
    assert made["id"] == key
    body = await cloud.world.ask("user", "GET", f"{L2}/ports/{key}")
    assert body.body["name"] == "p"
    (attached,) = (await cloud.world.ask("user", "GET", f"{L2}/attachments?interface_id={key}")).body[
        "attachments"
    ]
    assert attached["ip_address"] == made["fixed_ips"][0]["ip_address"]
    # an address that is taken leaves neither port nor interface behind
    other = str(uuid.uuid4())
    taken = port(network, id=other, fixed_ips=[{"ip_address": attached["ip_address"]}])
    assert await cloud.refused("nova", "POST", "ports", taken) == (409, "IpAddressAlreadyAllocated")
    assert (await cloud.world.ask("nova", "GET", f"{L2}/ports/{other}")).status == 404
    await cloud("user", "DELETE", f"ports/{key}", status=204)
    assert (await cloud.world.ask("nova", "GET", f"{L2}/attachments?interface_id={key}")).body[
        "attachments"
    ] == []
    assert await cloud.refused("nova", "POST", "ports", port({"id": str(uuid.uuid4())})) == (
        404,
        "NetworkNotFound",
    )


async def test_no_two_ports_have_the_same_further_address(cloud: Cloud) -> None:
    """Nor is it given to a third as its first one, and the gateway is nobody's."""
    network = await cloud.l2_network("192.0.2.0/24")

    def wish(*addresses: str) -> dict[str, Any]:
        return port(network, fixed_ips=[{"ip_address": one} for one in addresses])

    def shown(body: dict[str, Any]) -> list[str]:
        return [one["ip_address"] for one in body["port"]["fixed_ips"]]

    first = await cloud("user", "POST", "ports", wish("192.0.2.9", "192.0.2.2"), 201)
    taken = (409, "IpAddressAlreadyAllocated")
    assert await cloud.refused("user", "POST", "ports", wish("192.0.2.10", "192.0.2.2")) == taken
    assert await cloud.refused("user", "POST", "ports", wish("192.0.2.2")) == taken
    assert await cloud.refused("user", "POST", "ports", wish("192.0.2.10", "192.0.2.9")) == taken
    third = await cloud("user", "POST", "ports", port(network), 201)
    assert shown(third) == ["192.0.2.3"]
    path = f"ports/{third['port']['id']}"
    more = {"port": {"fixed_ips": [{"ip_address": "192.0.2.3"}, {"ip_address": "192.0.2.2"}]}}
    assert await cloud.refused("user", "PUT", path, more) == taken
    turned = {"port": {"fixed_ips": [{"ip_address": "192.0.2.2"}, {"ip_address": "192.0.2.9"}]}}
    assert shown(await cloud("user", "PUT", f"ports/{first['port']['id']}", turned)) == [
        "192.0.2.2",
        "192.0.2.9",
    ]
    await cloud("user", "DELETE", f"ports/{first['port']['id']}", status=204)
    assert shown(await cloud("user", "PUT", path, more)) == ["192.0.2.3", "192.0.2.2"]


async def test_an_address_may_be_shared_where_it_is_said_so(cloud: Cloud) -> None:
    """Those who share it say so in the proton; no port has it as its own."""
    network = await cloud.l2_network("192.0.2.0/24")
    for _ in range(2):
        made = (await cloud("user", "POST", "ports", port(network), 201))["port"]
        found = await cloud.world.ask("user", "GET", f"{L2}/attachments?interface_id={made['id']}")
        path = f"{L2}/attachments/{found.body['attachments'][0]['id']}"
        changed = await cloud.world.ask("user", "PUT", path, {"shared_addresses": ["192.0.2.77"]})
        assert (changed.status, changed.body["shared_addresses"]) == (200, ["192.0.2.77"])
        assert (await cloud("user", "GET", f"ports/{made['id']}"))["port"]["fixed_ips"] == made["fixed_ips"]
        outside = await cloud.world.ask("user", "PUT", path, {"shared_addresses": ["198.51.100.1"]})
        assert (outside.status, outside.body["code"]) == (400, "rule")


async def test_several_at_once_or_none(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    several = {"ports": [port(network, name=f"p{n}")["port"] for n in range(3)]}
    made = (await cloud("user", "POST", "ports", several, 201))["ports"]
    assert [p["name"] for p in made] == ["p0", "p1", "p2"]
    assert len({p["fixed_ips"][0]["ip_address"] for p in made}) == 3
    twice = [port(network, fixed_ips=[{"ip_address": "192.0.2.99"}])["port"]] * 2
    assert await cloud.refused("user", "POST", "ports", {"ports": twice}) == (
        409,
        "IpAddressAlreadyAllocated",
    )
    assert len((await cloud("user", "GET", f"ports?network_id={network['id']}"))["ports"]) == 3
    assert await cloud.refused("user", "POST", "ports", {"ports": [{}] * 1001}) == (400, "InvalidInput")
    assert await cloud.refused("user", "POST", "ports", {"ports": []}) == (400, "HTTPBadRequest")


async def test_a_service_of_1_0_gives_no_addresses(cloud: Cloud) -> None:
    """So a request names one; its prefix and gateway are those of the others in its subnet."""
    first = await cloud.vpn_port()
    network = {"id": first["network_id"]}
    assert await cloud.refused("user", "POST", "ports", port(network)) == (409, "IpAddressGenerationFailure")
    outside = port(network, fixed_ips=[{"ip_address": "192.0.2.1"}])
    assert await cloud.refused("user", "POST", "ports", outside) == (400, "InvalidIpForNetwork")
    inside = port(network, fixed_ips=[{"ip_address": "10.1.1.9"}])
    made = (await cloud("user", "POST", "ports", inside, 201))["port"]
    (binding,) = [
        b
        for b in (await cloud.world.ask("nova", "GET", f"{L3}/vpnbindings")).body["vpnbindings"]
        if b["interface_id"] == made["id"]
    ]
    assert (binding["subnet_prefix"], binding["gateway"]) == (24, "10.1.1.1")
    bare = (await cloud("user", "POST", "ports", port(network, fixed_ips=[]), 201))["port"]
    assert (bare["fixed_ips"], bare["ip_allocation"], bare["network_id"]) == ([], "none", network["id"])
    for one in (first, made, bare):
        await cloud("user", "DELETE", f"ports/{one['id']}", status=204)
    assert (await cloud.world.ask("nova", "GET", f"{L3}/vpnbindings")).body["vpnbindings"] == []


async def test_changes(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    made = (await cloud("user", "POST", "ports", port(network, name="a"), 201))["port"]
    key = made["id"]

    async def change(who: str = "user", **body: Any) -> Any:
        return (await cloud(who, "PUT", f"ports/{key}", {"port": body}))["port"]

    after = await change(name="b", admin_state_up=False, device_id="machine", device_owner="me")
    assert (after["name"], after["admin_state_up"], after["device_id"]) == ("b", False, "machine")
    moved = await change(fixed_ips=[{"ip_address": "192.0.2.50", "subnet_id": network["subnets"][0]}])
    assert moved["fixed_ips"][0]["ip_address"] == "192.0.2.50"
    assert (await change(fixed_ips=[]))["ip_allocation"] == "none"
    assert (await change(**{k: after[k] for k in ("id", "tenant_id", "network_id")}, name="c"))["name"] == "c"
    assert (await change(name=""))["name"] == ""
    same = (await cloud("nova", "GET", f"ports/{key}"))["port"]
    assert await change("nova", **same) == same


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("user", {"security_groups": [str(uuid.uuid4())]}, 400, "InvalidInput"),
    ("user", {"allowed_address_pairs": [{"ip_address": "192.0.2.1"}]}, 400, "InvalidInput"),
    ("user", {"port_security_enabled": True}, 400, "InvalidInput"),
    ("user", {"colour": "red"}, 400, "HTTPBadRequest"),
    ("user", {"network_id": str(uuid.uuid4())}, 400, "HTTPBadRequest"),
    ("user", {"status": "ERROR"}, 400, "HTTPBadRequest"),
    ("user", {"tenant_id": uuid.uuid4().hex}, 400, "HTTPBadRequest"),
    ("user", {"name": 7}, 400, "InvalidInput"),
    ("user", {"name": "x" * 300}, 400, "InvalidInput"),
    ("user", {"mac_address": "no address"}, 400, "InvalidInput"),
    ("user", {"admin_state_up": "perhaps"}, 400, "InvalidInput"),
    ("user", {"fixed_ips": [{"ip_address": "192.0.2.300"}]}, 400, "InvalidIpForNetwork"),
    ("user", {"fixed_ips": "192.0.2.3"}, 400, "InvalidInput"),
    ("user", {"fixed_ips": [{"ip_address": 5}]}, 400, "InvalidInput"),
    ("user", {"fixed_ips": [{"ip_address": ""}]}, 400, "InvalidInput"),
    ("user", {"fixed_ips": [{"subnet_id": None}]}, 400, "InvalidInput"),
    ("user", {"fixed_ips": [{"subnet": "a"}]}, 400, "InvalidInput"),
    ("user", {"binding:host_id": "host1"}, 403, "PolicyNotAuthorized"),
    ("user", {"binding:profile": {"a": 1}}, 403, "PolicyNotAuthorized"),
    ("nova", {"binding:vnic_type": "unheard"}, 400, "InvalidInput"),
    ("nova", {"binding:profile": []}, 400, "InvalidInput"),
]


async def test_what_is_refused(cloud: Cloud) -> None:
    """Nothing that a port cannot have is ignored."""
    network = await cloud.l2_network("192.0.2.0/24")
    made = (await cloud("nova", "POST", "ports", port(network), 201))["port"]
    for who, body, status, kind in REFUSED:
        assert await cloud.refused(who, "PUT", f"ports/{made['id']}", {"port": body}) == (status, kind), body
        assert (await cloud("nova", "GET", f"ports/{made['id']}"))["port"] == made
        if not {"network_id", "tenant_id"} & body.keys():
            assert await cloud.refused(who, "POST", "ports", port(network, **body)) == (status, kind), body


async def test_a_network_has_to_be_named(cloud: Cloud) -> None:
    for body, told in (
        ({}, "HTTPBadRequest"),
        ({"network_id": None}, "HTTPBadRequest"),
        ({"network_id": 5}, "InvalidInput"),
    ):
        assert await cloud.refused("user", "POST", "ports", {"port": {"tenant_id": PROJECT, **body}}) == (
            400,
            told,
        )


async def test_a_limit_that_nobody_reaches_is_none(cloud: Cloud) -> None:
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]
    await cloud("user", "POST", "ports", {"port": {"network_id": network, "tenant_id": PROJECT}}, 201)
    for limit in ("2147483648", "9" * 40, "0"):
        assert len((await cloud("user", "GET", f"ports?limit={limit}"))["ports"]) == 1


async def test_a_user_neither_sees_nor_clears_a_binding(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    key = (await cloud("user", "POST", "ports", port(network), 201))["port"]["id"]
    wanted = {"binding:host_id": "host1", "binding:profile": {"a": 1}, "device_id": "x"}
    await cloud("nova", "PUT", f"ports/{key}", {"port": wanted})
    seen = (
        await cloud("user", "PUT", f"ports/{key}", {"port": {"binding:host_id": "", "binding:profile": {}}})
    )["port"]
    assert {n for n in seen if n.startswith("binding:")} == {"binding:vnic_type"}
    whole = (await cloud("nova", "GET", f"ports/{key}"))["port"]
    assert (whole["binding:host_id"], whole["binding:profile"], whole["binding:vif_type"]) == (
        "host1",
        {"a": 1},
        "ovs",
    )
    assert await cloud.refused("user", "POST", "ports", port(network, id=str(uuid.uuid4()))) == (
        400,
        "HTTPBadRequest",
    )


async def test_ids_and_addresses_that_are_taken(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/29")
    mac = "fa:16:3e:77:00:01"
    made = (await cloud("user", "POST", "ports", port(network, mac_address=mac), 201))["port"]
    assert made["mac_address"] == mac
    assert await cloud.refused("user", "POST", "ports", port(network, mac_address=mac)) == (
        409,
        "MacAddressInUse",
    )
    assert await cloud.refused("nova", "POST", "ports", port(network, id=made["id"])) == (409, "PortInUse")
    outside = port(network, fixed_ips=[{"ip_address": "192.0.2.77"}])
    assert await cloud.refused("user", "POST", "ports", outside) == (400, "InvalidIpForNetwork")
    for _ in range(4):
        await cloud("user", "POST", "ports", port(network), 201)
    assert await cloud.refused("user", "POST", "ports", port(network)) == (409, "IpAddressGenerationFailure")
    limit = {"quotas": {"net-l2": {"Port": 5}}}
    assert (
        await cloud.world.ask("nova", "PUT", f"/gluon/v1/quotas/{uuid.UUID(PROJECT)}", limit)
    ).status == 200
    assert await cloud.refused("user", "POST", "ports", port(network, fixed_ips=[])) == (409, "OverQuota")


async def test_a_name_that_stands_for_what_is_not_made_here(cloud: Cloud) -> None:
    for name in ("networks", "subnets", "routers", "floatingips", "security-groups"):
        assert await cloud.refused("nova", "POST", name, {name[:-1]: {}}) == (501, "HTTPNotImplemented")
    for name in ("routers", "agents", "availability_zones", "security-group-rules", "subnetpools"):
        assert await cloud("user", "GET", name) == {name.replace("-", "_"): []}
    assert (await cloud.refused("user", "GET", "unheard-of"))[0] == 404
    assert (await cloud.refused("user", "PATCH", "ports"))[0] == 405
    assert (await cloud.refused("user", "POST", "ports", {"no": 1})) == (400, "HTTPBadRequest")
    assert (await cloud.refused("user", "GET", "ports/a/b/c"))[0] == 404


async def test_the_service_can_go_when_its_ports_are_gone(cloud: Cloud) -> None:
    """Its network goes in the same unit."""
    network = await cloud.l2_network("192.0.2.0/24")
    (service,) = (await cloud.world.ask("nova", "GET", f"{L2}/networks")).body["networks"]
    made = (await cloud("user", "POST", "ports", port(network), 201))["port"]
    assert (await cloud.world.ask("nova", "DELETE", f"{L2}/networks/{service['id']}")).status == 409
    await cloud("user", "DELETE", f"ports/{made['id']}", status=204)
    assert (await cloud.world.ask("nova", "DELETE", f"{L2}/networks/{service['id']}")).status == 204
    assert await cloud.refused("user", "GET", f"networks/{network['id']}") == (404, "NetworkNotFound")
    assert (await cloud("user", "GET", f"networks?id={network['id']}"))["networks"] == []


async def test_what_comes_before_the_face_is_told_in_its_words(cloud: Cloud) -> None:
    class Closed:
        open: frozenset[str] = frozenset()

        def admit(self, method: str, headers: dict[bytes, bytes]) -> Any:
            raise errors.Unauthorized("no token is given", challenge="Keystone")

    assert await cloud.refused("user", "POST", "ports", {"port": {"name": "x" * 2_000_000}}) == (
        413,
        "InvalidInput",
    )
    app: Any = cloud.world._app
    app._guard = Closed()
    assert await cloud.refused("user", "GET", "ports") == (401, "NotAuthenticated")
