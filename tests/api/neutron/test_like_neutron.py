"""Where Neutron 29 has a word on it, the answer is Neutron's."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from gluon.backends.fake.actual import FakeNetwork
from gluon.spi.policy import Caller
from tests.api.neutron.cloud import CALLERS, PROJECT, Cloud, opened
from tests.api.personas import world

_PATH = "/proton/net-open/v1.0"
_OPEN = """
file_version: "2.0"
imports: base-2.0
info: {name: net-open, version: "1.0", description: Networks for all, author: {name: Tests}}
objects:
  Port:
    extends: BasePort
    description: A port.
    api: {name: port, plural_name: ports}
    attributes:
      project_id: {type: string, length: 64, required: false, description: Whose.}
  Interface:
    extends: BaseInterface
    description: Its traffic.
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    attributes:
      port_id: {type: Port, on_delete: cascade}
      project_id: {type: string, length: 64, required: false, description: Whose.}
  Lan:
    extends: BaseService
    description: A network.
    api: {name: lan, plural_name: lans}
    attributes:
      project_id: {type: string, length: 64, required: false, description: Whose.}
  Joint:
    extends: BaseServiceBinding
    description: An interface in it.
    api: {name: joint, plural_name: joints}
    attributes:
      interface_id: {type: Interface, on_delete: cascade}
      service_id: {type: Lan}
      project_id: {type: string, length: 64, required: false, description: Whose.}
"""
_BIND = {"device_id": str(uuid.uuid4()), "device_owner": "compute:nova", "binding:host_id": "host1"}


async def test_a_binding_is_changed(cloud: Cloud) -> None:
    """Another profile leaves it bound, another type binds it anew; that of the port itself shows on the port."""
    key = (await cloud.vpn_port())["id"]
    path = f"ports/{key}/bindings"
    await cloud("nova", "PUT", f"ports/{key}", {"port": _BIND})
    spare = {"binding": {"host": "host2", "profile": {"a": "1"}}}
    made = (await cloud("nova", "POST", path, spare, 201))["binding"]
    change: dict[str, Any] = {"binding": {"host": "elsewhere", "profile": {"b": "2"}}}
    changed = (await cloud("nova", "PUT", f"{path}/host2", change))["binding"]
    assert changed == {**made, "profile": {"b": "2"}}
    assert (await cloud("nova", "GET", f"{path}/host2"))["binding"] == changed
    again = (await cloud("nova", "PUT", f"{path}/host2", {"binding": {"vnic_type": "direct"}}))["binding"]
    assert again == {
        **changed,
        "vnic_type": "direct",
        "vif_type": again["vif_type"],
        "vif_details": again["vif_details"],
    }
    active = (await cloud("nova", "PUT", f"{path}/host1", {"binding": {"profile": {"c": "3"}}}))["binding"]
    assert (active["host"], active["status"], active["vif_type"]) == ("host1", "ACTIVE", "ovs")
    port = (await cloud("nova", "GET", f"ports/{key}"))["port"]
    assert (port["binding:profile"], port["binding:vif_type"]) == ({"c": "3"}, "ovs")
    emptied = (await cloud("nova", "PUT", f"{path}/host1", {"binding": {"profile": None}}))["binding"]
    assert emptied["profile"] == {}


async def test_another_type_leaves_the_binding_that_waits_elsewhere(cloud: Cloud) -> None:
    key = (await cloud.vpn_port())["id"]
    await cloud("nova", "PUT", f"ports/{key}", {"port": _BIND})
    spare = {"binding": {"host": "host2", "profile": {"a": "1"}}}
    made = (await cloud("nova", "POST", f"ports/{key}/bindings", spare, 201))["binding"]
    for change in (
        {"binding:vnic_type": "direct"},
        {"binding:vnic_type": "normal", "binding:host_id": "host1"},
    ):
        changed = (await cloud("nova", "PUT", f"ports/{key}", {"port": change}))["port"]
        assert (changed["binding:host_id"], changed["binding:vnic_type"]) == (
            "host1",
            change["binding:vnic_type"],
        )
        assert (await cloud("nova", "GET", f"ports/{key}/bindings/host2"))["binding"] == made


async def test_a_binding_that_waits_is_bound_by_its_host_with_the_profile_of_the_port(cloud: Cloud) -> None:
    """Where Nova could not activate it, it says the host in the end, and what the port's profile is then."""
    key = (await cloud.vpn_port())["id"]
    path = f"ports/{key}/bindings"
    for profile, body in (
        ({"kept": "1"}, {"binding:host_id": "host2"}),
        ({"given": "2"}, {"binding:host_id": "host2", "binding:profile": {"given": "2"}}),
    ):
        await cloud("nova", "PUT", f"ports/{key}", {"port": {**_BIND, "binding:profile": {"kept": "1"}}})
        await cloud("nova", "POST", path, {"binding": {"host": "host2", "profile": {"its": "own"}}}, 201)
        port = (await cloud("nova", "PUT", f"ports/{key}", {"port": body}))["port"]
        assert (port["binding:host_id"], port["binding:profile"]) == ("host2", profile)
        (only,) = (await cloud("nova", "GET", path))["bindings"]
        assert (only["host"], only["status"], only["profile"]) == ("host2", "ACTIVE", profile)


async def test_a_change_of_a_binding_that_is_refused(cloud: Cloud) -> None:
    key = (await cloud.vpn_port())["id"]
    await cloud("nova", "PUT", f"ports/{key}", {"port": _BIND})
    path = f"ports/{key}/bindings"
    body: dict[str, Any] = {"binding": {"profile": {}}}
    assert await cloud.refused("nova", "PUT", f"{path}/host2", body) == (404, "PortBindingNotFound")
    assert (await cloud.refused("user", "PUT", f"{path}/host1", body))[0] == 403
    assert await cloud.refused("stranger", "PUT", f"{path}/host1", body) == (404, "PortNotFound")
    several: list[dict[str, Any]] = [
        {"profile": []},
        {"vnic_type": "round"},
        {"status": "ACTIVE"},
        {"project_id": PROJECT},
    ]
    for wrong in several:
        assert (await cloud.refused("nova", "PUT", f"{path}/host1", {"binding": wrong}))[0] == 400, wrong
    assert (await cloud.refused("nova", "PUT", f"{path}/host1", {}))[0] == 400


async def test_a_binding_that_failed_is_tried_again(tmp_path: Path) -> None:
    async with opened(tmp_path, {"refuse": ["host1"]}) as cloud:
        key = (await cloud.vpn_port())["id"]
        failed = (await cloud("nova", "PUT", f"ports/{key}", {"port": _BIND}))["port"]
        assert failed["binding:vif_type"] == "binding_failed"
        body = {"binding": {"profile": {"a": "1"}}}
        assert await cloud.refused("nova", "PUT", f"ports/{key}/bindings/host1", body) == (
            409,
            "PortBindingError",
        )
        after = (await cloud("nova", "GET", f"ports/{key}"))["port"]
        assert (after["binding:vif_type"], after["status"]) == ("binding_failed", "ERROR")


async def test_a_first_binding_that_was_refused_is_asked_for_again(tmp_path: Path) -> None:
    async with opened(tmp_path, {"refuse": ["host1"]}) as cloud:
        path = f"ports/{(await cloud.vpn_port())['id']}/bindings"
        for _ in range(2):
            refused = await cloud.refused("nova", "POST", path, {"binding": {"host": "host1"}})
            assert refused == (409, "PortBindingError")
        (failed,) = (await cloud("nova", "GET", path))["bindings"]
        assert (failed["host"], failed["vif_type"]) == ("host1", "binding_failed")


def _model(folder: Path) -> Path:
    """A proton whose networks may be of nobody, which is all, and whose projects have any name."""
    folder.mkdir()
    (folder / "api.yaml").write_text(_OPEN, encoding="utf-8")
    return folder


async def test_ports_of_routers_are_made_by_those_of_the_network(tmp_path: Path) -> None:
    rules = '"net-open:get_lan": "@"'
    router, refused = {"device_owner": "network:router_interface"}, (403, "PolicyNotAuthorized")
    async with world(tmp_path, [_model(tmp_path / "net-open")], rules, others=CALLERS) as running:
        cloud = Cloud(running, FakeNetwork())
        found = {}
        for name, project in (("shared", None), ("own", str(uuid.UUID(PROJECT)))):
            await running.made("nova", f"{_PATH}/lans", {"name": name, "project_id": project})
            (found[name],) = (await cloud("nova", "GET", f"networks?name={name}"))["networks"]
        asked = {"network_id": found["shared"]["id"], "tenant_id": PROJECT}
        assert await cloud.refused("user", "POST", "ports", {"port": {**asked, **router}}) == refused
        made = (await cloud("nova", "POST", "ports", {"port": {**asked, **router}}, 201))["port"]
        path = f"ports/{made['id']}"
        renamed = {"port": {**router, "name": "x"}}
        assert (await cloud("user", "PUT", path, renamed))["port"]["name"] == "x"
        other = {"port": {"device_owner": "network:dhcp"}}
        assert await cloud.refused("user", "PUT", path, other) == refused
        mine = {"port": {"network_id": found["own"]["id"], **router}}
        shown = (await cloud("user", "POST", "ports", mine, 201))["port"]
        assert shown["device_owner"] == router["device_owner"]
        assert (await cloud("user", "PUT", f"ports/{shown['id']}", other))["port"][
            "device_owner"
        ] == "network:dhcp"
        await cloud("user", "POST", "ports", {"port": {**asked, "device_owner": "compute:nova"}}, 201)


async def test_booleans_are_written_in_many_ways(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    asked = {"network_id": network["id"], "admin_state_up": "False", "port_security_enabled": "off"}
    port = (await cloud("user", "POST", "ports", {"port": asked}, 201))["port"]
    assert port["admin_state_up"] is False
    change: dict[str, Any]
    for value, is_up in (("true", True), ("0", False), (1, True), (" No ", False), ("T", True)):
        change = {"port": {"admin_state_up": value, "propagate_uplink_status": value}}
        assert (await cloud("user", "PUT", f"ports/{port['id']}", change))["port"]["admin_state_up"] is is_up
    for wrong in ("perhaps", "", 2, 1.0, None, [True]):
        for name in ("admin_state_up", "port_security_enabled"):
            if (name, wrong) == ("port_security_enabled", None):
                continue
            change = {"port": {name: wrong}}
            found = await cloud.refused("user", "PUT", f"ports/{port['id']}", change)
            assert found == (400, "InvalidInput"), (name, wrong)
    refused = await cloud.refused(
        "user", "PUT", f"ports/{port['id']}", {"port": {"port_security_enabled": "yes"}}
    )
    assert refused == (400, "InvalidInput")


async def test_addresses_that_no_machine_has(cloud: Cloud) -> None:
    """The second of a port as well, which no pool gives."""
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]

    async def refused(method: str, path: str, *addresses: str) -> tuple[int, str]:
        fixed = [{"ip_address": one} for one in addresses]
        return await cloud.refused(
            "user", method, path, {"port": {"network_id": network, "fixed_ips": fixed}}
        )

    made = {"network_id": network, "fixed_ips": [{"ip_address": "192.0.2.20"}]}
    port = (await cloud("user", "POST", "ports", {"port": made}, 201))["port"]
    for address, kind in (
        ("192.0.2.0", "InvalidIpForSubnet"),
        ("192.0.2.255", "InvalidIpForSubnet"),
        ("192.0.2.1", "InvalidIpForNetwork"),
        ("192.0.2.21", "HTTPBadRequest"),
    ):
        assert await refused("POST", "ports", "192.0.2.21", address) == (400, kind)
        assert await refused("PUT", f"ports/{port['id']}", "192.0.2.20", "192.0.2.21", address) == (400, kind)
    assert (await cloud("user", "GET", "ports"))["ports"] == [port]


async def test_a_subnet_alone_keeps_the_address_that_a_port_has_there(cloud: Cloud) -> None:
    """Where it has none, one is taken, which nobody else has."""
    network = await cloud.l2_network("192.0.2.0/24", "198.51.100.0/24")
    first, second = [{"subnet_id": one} for one in network["subnets"]]
    made = {
        "network_id": network["id"],
        "fixed_ips": [{"ip_address": a} for a in ("192.0.2.9", "192.0.2.10")],
    }
    port = (await cloud("user", "POST", "ports", {"port": made}, 201))["port"]
    path = f"ports/{port['id']}"

    async def changed(*fixed: Any) -> list[str]:
        answer = await cloud("user", "PUT", path, {"port": {"fixed_ips": list(fixed)}})
        return [one["ip_address"] for one in answer["port"]["fixed_ips"]]

    async def refused(*fixed: Any) -> bool:
        found = await cloud.refused("user", "PUT", path, {"port": {"fixed_ips": list(fixed)}})
        return found == (400, "InvalidInput")

    assert await changed(first, first) == ["192.0.2.9", "192.0.2.10"]
    assert await changed({"ip_address": "192.0.2.9"}, first) == ["192.0.2.9", "192.0.2.10"]
    assert await changed(first, {"ip_address": "192.0.2.9"}) == ["192.0.2.10", "192.0.2.9"]
    assert await changed({**first, "ip_address": "192.0.2.9"}) == ["192.0.2.9"]
    assert await changed(first, {"ip_address": "198.51.100.5"}) == ["192.0.2.9", "198.51.100.5"]
    assert await changed(second) == ["198.51.100.5"]
    assert await changed(first) == ["192.0.2.2"]
    assert await changed(first, second) == ["192.0.2.2", "198.51.100.2"]
    assert await changed(second, second) == ["198.51.100.2", "198.51.100.3"]
    assert await changed({"ip_address": "198.51.100.2"}, first, second) == [
        "198.51.100.2",
        "198.51.100.3",
        "192.0.2.3",
    ]
    assert await refused({})
    assert await refused(first, {})
    assert await changed() == []
    assert await changed(first) == ["192.0.2.4"]
    assert (await cloud("user", "GET", path))["port"]["fixed_ips"][0]["ip_address"] == "192.0.2.4"
    only = await cloud.l2_network("203.0.113.0/24")
    free = {"port": {"network_id": only["id"], "fixed_ips": []}}
    path = f"ports/{(await cloud('user', 'POST', 'ports', free, 201))['port']['id']}"
    assert await changed({"subnet_id": only["subnets"][0]}) == ["203.0.113.2"]


async def test_a_vpn_of_1_0_has_no_address_of_its_ends_and_gives_none(cloud: Cloud) -> None:
    network = (await cloud.vpn_port("10.1.1.5"))["network_id"]
    (subnet,) = (await cloud("user", "GET", f"subnets?network_id={network}"))["subnets"]
    alone = {"network_id": network, "fixed_ips": [{"subnet_id": subnet["id"]}]}
    found = await cloud.refused("nova", "POST", "ports", {"port": alone})
    assert found == (400, "InvalidInput"), "its service gives none"
    for address in ("10.1.1.0", "10.1.1.255"):
        body = {"network_id": network, "fixed_ips": [{"ip_address": address}]}
        found = await cloud.refused("nova", "POST", "ports", {"port": body})
        assert found == (400, "InvalidIpForSubnet")


async def test_no_list_of_addresses_is_none(cloud: Cloud) -> None:
    """Nothing is no list in Neutron either; to say nothing is to leave the word out, and no address at all an empty list."""
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]
    made = (await cloud("user", "POST", "ports", {"port": {"network_id": network}}, 201))["port"]
    for wrong in (None, "192.0.2.9", {"ip_address": "192.0.2.9"}, ["192.0.2.9"]):
        for method, path in (("POST", "ports"), ("PUT", f"ports/{made['id']}")):
            body = {"port": {"fixed_ips": wrong, **({"network_id": network} if method == "POST" else {})}}
            assert (await cloud.refused("user", method, path, body))[0] == 400, (method, wrong)
    assert (await cloud("user", "GET", f"ports/{made['id']}"))["port"] == made


async def test_what_no_port_can_have_is_no_extension(cloud: Cloud) -> None:
    """Forms ask for what there is an extension for, as for port security, with a tick that is set."""
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]
    known = {one["alias"] for one in (await cloud("user", "GET", "extensions"))["extensions"]}
    asked: dict[str, tuple[str, Any]] = {
        "port-security": ("port_security_enabled", True),
        "allowed-address-pairs": ("allowed_address_pairs", [{"ip_address": "192.0.2.9"}]),
        "extra_dhcp_opt": ("extra_dhcp_opts", [{"opt_name": "mtu", "opt_value": "1400"}]),
        "qos": ("qos_policy_id", str(uuid.uuid4())),
        "dns-integration": ("dns_name", "db1"),
        "standard-attr-tag": ("tags", ["a"]),
    }
    for alias, (name, value) in asked.items():
        refused = await cloud.refused("user", "POST", "ports", {"port": {"network_id": network, name: value}})
        assert refused == (400, "InvalidInput"), name
        assert alias not in known
        assert await cloud.refused("user", "GET", f"extensions/{alias}") == (404, "HTTPNotFound")


async def test_several_ports_may_be_wrapped_one_by_one(cloud: Cloud) -> None:
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]
    several = [{"port": {"network_id": network, "name": "a"}}, {"network_id": network, "name": "b"}]
    found = (await cloud("user", "POST", "ports", {"ports": several}, 201))["ports"]
    assert [port["name"] for port in found] == ["a", "b"]
    several_wrong: list[Any] = [{"port": "x"}, {"port": None}, {"port": []}]
    for wrong in several_wrong:
        body = {"ports": [several[1], wrong]}
        assert await cloud.refused("user", "POST", "ports", body) == (400, "HTTPBadRequest")


async def test_a_path_may_say_that_it_wants_json(cloud: Cloud) -> None:
    port = await cloud.vpn_port()
    assert [one["id"] for one in (await cloud("user", "GET", "ports.json"))["ports"]] == [port["id"]]
    assert (await cloud("user", "GET", f"ports/{port['id']}.json"))["port"]["id"] == port["id"]
    await cloud("nova", "POST", f"ports/{port['id']}/bindings", {"binding": {"host": "a.json"}}, 201)
    there = await cloud("nova", "GET", f"ports/{port['id']}/bindings/a.json")
    assert there["binding"]["host"] == "a.json"


async def test_quotas_have_no_other_paths(cloud: Cloud) -> None:
    for path in ("details", "details.json", "default", "default.json"):
        assert "quota" in await cloud("user", "GET", f"quotas/{PROJECT}/{path}")
    for path in ("ports", "details/more"):
        assert await cloud.refused("user", "GET", f"quotas/{PROJECT}/{path}") == (404, "HTTPNotFound")


async def test_a_project_that_is_no_uuid(tmp_path: Path) -> None:
    """The network of its ports without a service is there for those of it."""
    others = {
        "lab": Caller(user="ada", project="lab", roles=frozenset({"member", "reader"})),
        "else": Caller(user="bob", project="other", roles=frozenset({"member", "reader"})),
    }
    async with world(tmp_path, [_model(tmp_path / "net-open")], others=others) as running:
        port = await running.made("lab", f"{_PATH}/ports", {"name": "a"})
        face = "/networking/v2.0"
        shown = (await running.ask("lab", "GET", f"{face}/ports/{port['id']}")).body["port"]
        path = f"{face}/networks/{shown['network_id']}"
        found = await running.ask("lab", "GET", path)
        assert found.status == 200
        assert found.body["network"]["project_id"] == "lab"
        assert (await running.ask("else", "GET", path)).status == 404
