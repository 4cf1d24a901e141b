"""The generated resources of a 1.0 proton: what worked in the original works as it did."""

import re
import uuid

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import V1, Api

ATTRIBUTES = [
    "id",
    "tenant_id",
    "name",
    "mac_address",
    "admin_state_up",
    "status",
    "vnic_type",
    "mtu",
    "vlan_transparency",
    "profile",
    "device_id",
    "device_owner",
    "host_id",
    "vif_details",
    "vif_type",
]


def test_a_new_port_is_flat_with_every_attribute_and_utc_times(api: Api) -> None:
    port = api.port(name="eth0")
    assert set(port) == {*ATTRIBUTES, "created_at", "updated_at"}
    assert port["device_id"] is None
    assert port["name"] == "eth0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", port["created_at"])
    assert api("GET", f"ports/{port['id']}") == (200, port)


def test_a_port_brings_its_default_interface_and_takes_it_along(api: Api) -> None:
    port = api.port(name="eth0")
    status, interface = api("GET", f"interfaces/{port['id']}")
    assert status == 200
    assert (interface["name"], interface["port_id"]) == ("eth0_default", port["id"])
    assert (interface["segmentation_type"], interface["segmentation_id"]) == ("none", 0)
    assert interface["tenant_id"] == port["tenant_id"]
    assert api("PUT", f"ports/{port['id']}", {"name": "eth1"})[0] == 200
    assert api("GET", f"interfaces/{port['id']}")[1]["name"] == "eth0_default"
    assert api("DELETE", f"ports/{port['id']}") == (204, "")
    assert api("GET", f"interfaces/{port['id']}")[0] == 404
    assert api("GET", f"ports/{port['id']}")[0] == 404


def test_a_port_without_name_has_an_interface_called_default(api: Api) -> None:
    assert api("GET", f"interfaces/{api.port()['id']}")[1]["name"] == "default"


def test_put_changes_only_what_it_names(api: Api) -> None:
    port = api.port(name="a", device_owner="compute:nova")
    status, changed = api("PUT", f"ports/{port['id']}", {"name": "b"})
    assert status == 200
    assert {**changed, "updated_at": port["updated_at"]} == {**port, "name": "b"}
    assert changed["updated_at"] > port["updated_at"]
    assert api("PUT", f"ports/{port['id']}", {"name": None})[1]["name"] is None


def test_a_put_that_changes_nothing_keeps_revision_and_time(api: Api, server: GluonServer) -> None:
    port = api.port(name="a")
    path = f"{V1}/ports/{port['id']}"
    etag = server.exchange("GET", path)[1]["etag"]
    status, headers, same = server.exchange("PUT", path, {"name": "a"})
    assert (status, headers["etag"], same) == (200, etag, port)


def test_lists_have_the_plural_as_key_and_are_sorted(api: Api) -> None:
    made = {api.port()["id"] for _ in range(3)}
    status, answer = api("GET", "ports")
    assert status == 200
    assert list(answer) == ["ports"]
    keys = [p["id"] for p in answer["ports"]]
    assert keys == sorted(keys)
    assert made <= set(keys)


def test_values_are_kept_as_written_and_compared_in_their_normal_form(api: Api) -> None:
    key = uuid.uuid4()
    written = key.hex.upper()
    port = api.port(id=written, mac_address="FA-16-3E-00-00-0A", vlan_transparency="yes", mtu="9000")
    assert (port["id"], port["mac_address"]) == (written, "FA-16-3E-00-00-0A")
    assert (port["vlan_transparency"], port["mtu"]) == (True, 9000)
    assert api("GET", f"ports/{key}")[1]["id"] == written
    assert api("POST", "ports", api.port_body(id=str(key)))[0] == 409
    assert api("PUT", f"ports/{key}", {"id": str(key)})[0] == 200


def test_sub_resources_fill_in_their_parent(api: Api) -> None:
    port, other = api.port(), api.port()
    body = {"tenant_id": api.project, "segmentation_type": "vlan", "segmentation_id": 7}
    status, made = api("POST", f"ports/{port['id']}/interfaces", body)
    assert (status, made["port_id"]) == (201, port["id"])
    status, listed = api("GET", f"ports/{port['id']}/interfaces")
    assert {i["id"] for i in listed["interfaces"]} == {port["id"], made["id"]}
    assert api("GET", f"ports/{other['id']}/interfaces/{made['id']}")[0] == 200
    assert api("GET", f"ports/{uuid.uuid4()}/interfaces") == (200, {"interfaces": []})
    status, fault = api("POST", f"ports/{port['id']}/interfaces", {**body, "port_id": other["id"]})
    assert status == 400
    assert fault["faultstring"] == (
        f"API parent identifier(port_id): {other['id']} does not match parent key value: {port['id']}"
    )
    assert api("PUT", f"ports/{port['id']}/interfaces/{made['id']}", {"name": "x"})[1]["name"] == "x"
    assert api("DELETE", f"ports/{port['id']}/interfaces/{made['id']}")[0] == 204


def test_a_service_is_bound_and_moved_without_touching_the_port(api: Api) -> None:
    port, blue, red = api.port(), api.vpn(), api.vpn(name="red")
    bound = api.bind(port["id"], blue["id"])
    assert bound["ipaddress"] == "10.1.1.5"
    status, moved = api("PUT", f"vpnbindings/{port['id']}", {"service_id": red["id"]})
    assert (status, moved["service_id"]) == (200, red["id"])
    assert api("DELETE", f"vpns/{blue['id']}")[0] == 204


@pytest.mark.parametrize("field", ["interface_id", "service_id"])
@pytest.mark.parametrize("foreign", [False, True])
def test_a_missing_and_a_foreign_reference_give_the_same_400(
    api: Api, server: GluonServer, field: str, foreign: bool
) -> None:
    other = Api(server)
    value = str(uuid.uuid4())
    if foreign:
        value = other.port()["id"] if field == "interface_id" else other.vpn()["id"]
    good = {"interface_id": api.port()["id"], "service_id": api.vpn()["id"]}
    status, fault = api("POST", "vpnbindings", {"tenant_id": api.project, **_address(), **good, field: value})
    assert status == 400
    assert [(e["pointer"], e["code"]) for e in fault["errors"]] == [(f"/{field}", "reference")]
    assert fault["detail"].replace(value, "X").count("X") == 1


def _address() -> dict[str, object]:
    return {"ipaddress": "10.1.1.5", "subnet_prefix": 24, "gateway": "10.1.1.1"}


def test_what_is_referred_to_stays_and_the_answer_names_who(api: Api) -> None:
    port, vpn = api.port(), api.vpn()
    api.bind(port["id"], vpn["id"])
    status, fault = api("DELETE", f"vpns/{vpn['id']}")
    assert (status, fault["code"]) == (409, "still_referred")
    assert f"VpnBinding '{port['id']}'" in fault["detail"]
    status, fault = api("DELETE", f"ports/{port['id']}")
    assert status == 409
    assert f"VpnBinding '{port['id']}'" in fault["detail"]
    assert api("DELETE", f"interfaces/{port['id']}")[0] == 409
    assert api("DELETE", f"vpnbindings/{port['id']}")[0] == 204
    assert api("DELETE", f"ports/{port['id']}")[0] == 204


def test_another_interface_keeps_its_port(api: Api) -> None:
    port = api.port()
    body = {"tenant_id": api.project, "segmentation_type": "vlan", "segmentation_id": 7}
    second = api("POST", f"ports/{port['id']}/interfaces", body)[1]
    status, fault = api("DELETE", f"ports/{port['id']}")
    assert status == 409
    assert f"Interface '{second['id']}'" in fault["detail"]
    assert api("GET", f"interfaces/{port['id']}")[0] == 200
    api("DELETE", f"interfaces/{second['id']}")
    assert api("DELETE", f"ports/{port['id']}")[0] == 204


def test_a_key_that_is_no_uuid_is_any_text(api: Api) -> None:
    target = f"65000:{uuid.uuid4().int % 100000}"
    body = {"tenant_id": api.project, "vrf_rt_value": target, "vrf_rt_type": "both"}
    made = api.make("vpnafconfigs", body)
    assert api("GET", f"vpnafconfigs/{target}") == (200, made)
    status, fault = api("POST", "vpnafconfigs", body)
    assert status == 409
    assert (
        fault["faultstring"]
        == f'Object of net_l3vpn_VpnAfConfig with vrf_rt_value "{target}" already exists.'
    )
    odd = api.make("vpnafconfigs", {**body, "vrf_rt_value": f"a b%/ü {uuid.uuid4().hex[:6]}"})
    from urllib.parse import quote

    assert api("GET", f"vpnafconfigs/{quote(odd['vrf_rt_value'], safe='')}") == (200, odd)
    assert api("DELETE", f"vpnafconfigs/{quote(odd['vrf_rt_value'], safe='')}")[0] == 204


def test_if_match_guards_a_change(api: Api, server: GluonServer) -> None:
    path = f"{V1}/ports/{api.port()['id']}"
    etag = server.exchange("GET", path)[1]["etag"]
    assert server.request("PUT", path, {"name": "b"}, headers={"If-Match": etag})[0] == 200
    status, fault = server.request("PUT", path, {"name": "c"}, headers={"If-Match": etag})
    assert (status, fault["code"]) == (412, "stale")
    assert server.request("DELETE", path, headers={"If-Match": etag})[0] == 412
    assert server.request("GET", path)[1]["name"] == "b"


def test_the_standing_of_objects(api: Api) -> None:
    port, vpn = api.port(), api.vpn()
    status, standing = api("GET", f"ports/{port['id']}/status")
    assert status == 200
    assert standing["status"] == "DOWN"
    assert standing["binding"]["state"] == "Unbound"
    assert standing["revision"] > 0
    assert set(standing) == {"revision", "observed_revision", "status", "binding", "conditions"}
    assert api("GET", f"vpns/{vpn['id']}/status")[0] == 200
    assert api("GET", f"ports/{port['id']}/interfaces/{port['id']}/status")[0] == 200
    assert api("GET", f"ports/{uuid.uuid4()}/status")[0] == 404
